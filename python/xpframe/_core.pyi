"""
The native half of xpframe.
"""

from _typeshed import SupportsGetItem
from os import PathLike
from pathlib import Path
from typing_extensions import CapsuleType
from typing import Any, Final, SupportsIndex, final

__all__ = ["COPY_MARKER", "__version__", "Batches", "Config", "EnumValue", "Run", "RunSignature", "ScanPlan", "SeriesPlan", "SeriesReader", "Source", "Table", "TableRequest", "Unresolved", "Workspace", "asdict", "check_workspace", "fields", "glob_matches", "identifier", "is_workspace", "near_misses", "open_run", "open_source", "path", "plan_scan", "plan_series", "producer", "progress_counters", "read_failures", "read_patterns", "read_series", "read_table", "restore_run", "restore_table", "tags", "typename", "upstream"]

COPY_MARKER: Final[str]
"""
The directory at the root of a copy of a workspace.
"""

__version__: Final[str]
"""
The version of the package.
"""

@final
class Batches:
    """
    Tables of one run, a part of one, or several, in the order of the selection, built ahead on other threads.
    """
    def __iter__(self, /) -> Batches: ...
    def __len__(self, /) -> int: ...
    def __next__(self, /) -> Table: ...
    def wait(self, /) -> bool:
        """
        Waits a few milliseconds for the next table; returns whether it is ready, or there are no more.
        """

@final
class Config:
    """
    A config of a run, with its fields as attributes.

    References are configs; a config that several others share is one Python object. Configs are immutable. `==` compares
    the class and all fields.
    """
    def __copy__(self, /) -> Config: ...
    def __deepcopy__(self, /, _memo: Any) -> Config: ...
    def __delattr__(self, name: str, /) -> None: ...
    def __dir__(self, /) -> list[str]: ...
    def __eq__(self, that: object, /) -> bool: ...
    def __getattr__(self, name: str, /) -> Any: ...
    def __hash__(self, /) -> int: ...
    def __reduce__(self, /) -> tuple[Any, tuple[int, str]]: ...
    def __repr__(self, /) -> str: ...
    def __setattr__(self, name: str, _value: Any, /) -> None: ...
    @property
    def __xpmidentifier__(self, /) -> str:
        """
        The content identifier, as on objects of experimaestro; for a task, the job id.
        """
    @property
    def __xpminittasks__(self, /) -> Any:
        """
        The tasks that run before this one.
        """
    @property
    def __xpmmeta__(self, /) -> bool:
        """
        Whether the config is ignored in identifiers.
        """
    @property
    def __xpmstub__(self, /) -> bool:
        """
        Whether the config is a placeholder without fields: its task was not loaded when the run was written.
        """
    @property
    def __xpmtask__(self, /) -> Any:
        """
        The task that produced this config, for a submitted task the task itself; None if there is none.
        """
    @property
    def __xpmtypename__(self, /) -> str:
        """
        `module.Class`, as on objects of experimaestro.
        """
    def _repr_html_(self, /) -> Any: ...
    def _repr_pretty_(self, /, printer: Any, cycle: bool) -> None: ...

@final
class EnumValue:
    """
    A member of an enum, equal to its name. The class of the enum is not imported.
    """
    def __eq__(self, that: object, /) -> bool: ...
    def __getnewargs__(self, /) -> tuple[str, str, str]: ...
    def __hash__(self, /) -> int: ...
    def __new__(cls, /, module: str, enum: str, name: str) -> EnumValue: ...
    def __repr__(self, /) -> str: ...
    def __str__(self, /) -> str: ...
    @property
    def enum(self, /) -> str:
        """
        The qualified name of its class.
        """
    @property
    def module(self, /) -> str:
        """
        The module of its class.
        """
    @property
    def name(self, /) -> str:
        """
        The name of the member.
        """

@final
class Run:
    """
    A handle on a run. Each file is read at most once, when it is needed.
    """
    def __reduce__(self, /) -> tuple[Any, tuple[Source]]: ...
    def action(self, /, action_id: str) -> tuple[Config | None, str, str]:
        """
        The config, stored description and class of an action; no config if experimaestro could not write it.
        """
    def action_ids(self, /) -> list[str]:
        """
        The identifiers of the actions: in experimaestro's order those with a config, then those that it could not write.
        """
    def changed_since(self, /, micros: SupportsIndex) -> list[str]:
        """
        The ids of the jobs whose state changed at or after a time, in microseconds since 1970 UTC, as far as files tell.
        """
    def dependencies_map(self, /) -> dict:
        """
        The jobs that each job depends on: {job_id: [job_id, …]}; jobs without dependencies are left out.
        """
    def errors(self, /) -> list[Any]:
        """
        The errors in the files read so far: exceptions of `xpframe.errors`, not raised.
        """
    @property
    def experiment(self, /) -> str:
        """
        The name of the experiment.
        """
    def flows(self, /) -> list[tuple[str, bool, str, str, int]]:
        """
        What jobs of one task use that jobs of another produced: (task, whether the run lists these jobs, task that uses it,
        class, number of pairs of jobs).
        """
    def is_empty(self, /) -> bool:
        """
        Whether its directory has no file of a run and no links to jobs.
        """
    @property
    def is_readable(self, /) -> bool:
        """
        Whether its directory could be looked at; else it has no jobs, and an error.
        """
    def job(self, /, job_id: str) -> Config:
        """
        The config of a job, by its identifier, or the beginning of it if no other job has the same.
        """
    def job_at(self, /, position: SupportsIndex) -> tuple[str, Config]:
        """
        The id and the config of the job at a position in that order.
        """
    def job_count(self, /) -> int:
        """
        The number of jobs with a config.
        """
    def job_id(self, /, position: SupportsIndex) -> str:
        """
        The id of the job at a position in experimaestro's order, among jobs with a config.
        """
    def load(self, /) -> None:
        """
        Reads the jobs and their configs now; Ctrl-C stops it.
        """
    def moved(self, /, path: str) -> str:
        """
        Where a path is now that the run recorded: below the workspace as it is, if it was below it.
        """
    @property
    def path(self, /) -> Path:
        """
        The directory of the run.
        """
    def record(self, /, zone: str | None = None) -> dict:
        """
        The metadata of the run, as a dict: status, outcome, hostname, started_at and ended_at (microseconds since 1970 UTC),
        run_tags, python_version, packages, git, alive. `zone` is the time zone of times without one.
        """
    def refreshed(self, /) -> Run:
        """
        The run as it is now. Jobs and configs are read again only if their files changed.
        """
    def row_count(self, /) -> int:
        """
        The number of jobs, with or without a config.
        """
    def rows(self, /) -> list[tuple[str, str]]:
        """
        (job_id, task_id) of each job in the order of submission, with or without a config.
        """
    @property
    def run_id(self, /) -> str:
        """
        The identifier of the run.
        """
    def saved(self, /, name: str) -> Any:
        """
        Loads an object saved with `xp.save`: a config, or lists and dicts of configs.
        """
    def saved_names(self, /) -> list[str]:
        """
        The names of the objects saved with `xp.save` in this run.
        """
    def services(self, /) -> list[dict]:
        """
        The services that the run added, as dicts with id, text, typename, state, url and settings, in order.
        """
    @property
    def signature(self, /) -> RunSignature:
        """
        What tells whether its jobs or configs have changed: size, time and inode of their files, now.
        """
    @property
    def size(self, /) -> int:
        """
        The total size in bytes of the files that hold its jobs and configs, now.
        """
    def states(self, /) -> dict:
        """
        {job_id: (state, failure or None)} of each job, in the order of the rows.
        """
    def tags_map(self, /) -> dict:
        """
        The tags of each job that has tags: {job_id: {name: value}}, in the order of the rows.
        """
    def told_states(self, /) -> dict | None:
        """
        {job_id: state} of each job as `states` gave it last, to whoever asked, a display too; None if nobody asked.
        """
    @property
    def workspace(self, /) -> Path:
        """
        The root of the workspace.
        """

@final
class RunSignature:
    """
    The state of the files of a run. Two are equal if the run is the same and nothing has changed.
    """
    def __eq__(self, value: object, /) -> bool: ...
    def __ne__(self, value: object, /) -> bool: ...

@final
class ScanPlan:
    """
    The columns of some runs, decided on all their jobs.
    """
    def __arrow_c_schema__(self, /) -> CapsuleType:
        """
        The Arrow schema, as a PyCapsule.
        """
    def batches(self, /, columns: SupportsGetItem[int, str], selection: SupportsGetItem[int, tuple[SupportsIndex, SupportsGetItem[int, SupportsIndex] | None]], batch_size: SupportsIndex | None = None) -> Batches:
        """
        Starts to build columns of jobs. `selection` has (index of the run, indices of its jobs or None for all) pairs. Each table
        is a run. With `batch_size`, a table has about so many jobs at most: it is a part of a run, or several small runs.
        """
    @property
    def column_names(self, /) -> list[str]:
        """
        The names of the columns, in order.
        """
    @property
    def columns(self, /) -> list[tuple[str, str, str]]:
        """
        (name in the table, full name, group) of each column; the group is one of those of `Table.column_metadata`. The two
        names differ where a dict renamed the column.
        """
    def empty(self, /) -> Table:
        """
        A table of these columns without rows.
        """
    def find(self, /, pattern: str) -> list[str]:
        """
        The full names of the columns that a name, short name or glob means, among all columns of the jobs.
        """
    def paths(self, /) -> bytes:
        """
        The paths and types of all values as bytes, for `plan_scan` of some of the runs.
        """
    @property
    def runs(self, /) -> list[tuple[str, str, str, int]]:
        """
        (workspace, experiment, run, number of jobs) of each run.
        """
    @property
    def sources(self, /) -> list[list[str]]:
        """
        The full names of the columns whose values each column has: its own, then those that fill its nulls.
        """
    @property
    def upstream_has_changed(self, /) -> bool:
        """
        Whether a run that was not asked for, but has jobs upstream of those that were, has changed since.
        """

@final
class SeriesPlan:
    """
    The rows that some jobs wrote, with columns that are decided over all of them.
    """
    def empty(self, /) -> Table:
        """
        A table of these columns without rows.
        """
    def groups(self, /, jobs: SupportsGetItem[int, SupportsIndex], has_limit: bool) -> list[list[int]]:
        """
        The jobs at these positions, in groups whose rows are in memory together. A query with a limit begins with few jobs.
        """
    @property
    def has_steps(self, /) -> bool:
        """
        Whether the rows are scalars of event files.
        """
    @property
    def job_columns(self, /) -> list[tuple[str, list[str]]]:
        """
        The columns of the jobs that each row repeats: the name of each, and the full names of the columns whose values it has.
        """
    def jobs(self, /) -> Table:
        """
        The jobs, with the columns that each of their rows repeats.
        """
    def paths(self, /) -> bytes:
        """
        What decided the columns as bytes, for `read_series` of some of the jobs.
        """
    def reader(self, /, *, columns: SupportsGetItem[int, str] | None, metrics: SupportsGetItem[int, str] | None, steps: tuple[SupportsIndex, SupportsIndex] | None, limit: SupportsIndex | None) -> SeriesReader:
        """
        Reads for one query: some columns, metrics by patterns, steps from a first to a last, and at least `limit` rows of each part
        of the jobs, if it has so many.
        """

@final
class SeriesReader:
    """
    The reads of one query. They end when it is closed, by Ctrl-C or because nobody wants more rows.
    """
    def close(self, /) -> None:
        """
        Ends reads on other threads; their rows are not whole, and to be thrown away.
        """
    def read(self, /, jobs: SupportsGetItem[int, SupportsIndex]) -> Table:
        """
        The rows of the jobs at these positions.
        """

@final
class Source:
    """
    The source of configs. Opaque; it is pickled by path, and configs of one source still share objects afterwards.
    """
    def __reduce__(self, /) -> tuple[Any, tuple[Path, str | None]]: ...
    def restore(self, /, index: SupportsIndex, identifier: str) -> Config:
        """
        The config with this index and identifier at the time of pickling.
        """

@final
class Table:
    """
    A table of jobs: one row per job, one Arrow record batch per run.

    Any library with the Arrow PyCapsule interface reads it, any number of times: `polars.DataFrame(table)`,
    `pyarrow.table(table)`, DuckDB by the name of the variable.
    """
    def __arrow_c_schema__(self, /) -> CapsuleType:
        """
        The Arrow schema, as a PyCapsule.
        """
    def __arrow_c_stream__(self, /, requested_schema: "object | None" = None) -> "object":
        """
        The record batches, as a PyCapsule: a new stream at each call. Of a requested schema, layouts of text and
        dictionaries are honoured if the values fit; other requests are ignored, as the interface allows.
        """
    def __len__(self, /) -> int: ...
    def __reduce__(self, /) -> tuple[Any, tuple[bytes, list[Any], list[str]]]: ...
    def __repr__(self, /) -> str: ...
    def _arrow_for_pandas(self, /) -> Table:
        """
        The table in the layout that pandas shares: text as `large_utf8`, enums by the smallest integers, in one batch.
        """
    def _arrow_for_pyarrow(self, /) -> Table:
        """
        The table in a layout that pyarrow can compute on: text as `large_utf8`, enums with keys of 32 bits.
        """
    def _repr_html_(self, /) -> Any: ...
    def batches(self, /) -> list[Table]:
        """
        The record batches, each as a table; nothing is copied.
        """
    def column_metadata(self, /, name: str) -> dict[str, str]:
        """
        The metadata of a column: `xpframe.group` (system, tag, parameter, fact, result, lineage), `xpframe.path` (its keys,
        a JSON list), `xpframe.python` (its Python types).
        """
    @property
    def column_names(self, /) -> list[str]:
        """
        The names of the columns, in order.
        """
    def column_values(self, /, name: str) -> list[Any]:
        """
        The values of a column as a list of Python values, without any library. Times are microseconds since 1970 UTC.
        """
    @property
    def errors(self, /) -> list[Any]:
        """
        The errors of reading: exceptions of `xpframe.errors`, not raised.
        """
    def head(self, /, count: "int") -> Table:
        """
        The first rows, at most `count`; nothing is copied.
        """
    @property
    def nbytes(self, /) -> int:
        """
        The memory of the columns in bytes; a shared buffer counts once per column.
        """
    @property
    def schema(self, /) -> list[tuple[str, str]]:
        """
        The names and Arrow types of the columns: a list of (name, type) pairs, the types as text.
        """
    def select(self, /, names: "str | list[str] | tuple[str, ...]") -> Table:
        """
        The columns with this name or these names, in this order; nothing is copied.
        """
    @property
    def shape(self, /) -> tuple[int, int]:
        """
        The number of jobs and of columns.
        """
    def to_pandas(self, /, *, zero_copy: "bool | None" = None) -> Any:
        """
        A pandas DataFrame. With `zero_copy`, all columns except text and enums have Arrow dtypes and share memory.
        """
    def to_polars(self, /) -> Any:
        """
        A polars DataFrame; numbers, text, times and lists are shared, not copied.
        """
    def to_pyarrow(self, /) -> Any:
        """
        A pyarrow Table. Text is copied as `large_string`, for which pyarrow has compute functions; other columns share memory.
        `pyarrow.table(table)` shares text as well, as `string_view`, for which pyarrow has few functions.
        """
    def value_counts(self, /, names: "str | list[str] | tuple[str, ...]") -> list[tuple[tuple, int]]:
        """
        The number of jobs with each value of a column, or each combination of values of several: a list of (values, number of jobs) pairs, in the
        order of first occurrence. Raises `InvalidArgumentError` for lists and structs.
        """
    @property
    def warnings(self, /) -> list[str]:
        """
        Notes on values that differ from the files.
        """
    def write(self, /, path: "object", **options: "object") -> "Any":
        """
        Writes the table to a file, in the format of its ending: `.parquet`, `.arrow`, `.csv` or `.jsonl`; see
        `xpframe.export.write`.
        """

@final
class TableRequest:
    """
    Which jobs and columns are asked of runs, by the arguments of `xp_table`. `xpframe.request` has their types and defaults.

    Raises `InvalidArgumentError` for an argument of another type.
    """
    def __getnewargs_ex__(self, /) -> tuple[tuple[()], dict]: ...
    def __new__(cls, /, *, task: "object", columns: "object", results: "object", names: "object", max_columns: "object", timezone: "object", naive_times: "object", distinct: "object" = False) -> TableRequest: ...
    def __repr__(self, /) -> str: ...

@final
class Unresolved:
    """
    A dangling reference: no file contains the object. Access to an attribute raises `UnresolvedError`.
    """
    def __eq__(self, that: object, /) -> bool: ...
    def __getattr__(self, name: str, /) -> None: ...
    def __getnewargs__(self, /) -> tuple[int, bool]: ...
    def __hash__(self, /) -> int: ...
    def __new__(cls, /, id: SupportsIndex, cyclic: bool) -> Unresolved: ...
    def __repr__(self, /) -> str: ...

@final
class Workspace:
    """
    A handle on a workspace: names of experiments and runs. Reads directories only.
    """
    def __getnewargs__(self, /) -> tuple[Path]: ...
    def __new__(cls, /, path: str | PathLike[str], archives: SupportsGetItem[int, tuple[str | PathLike[str], SupportsGetItem[int, str | PathLike[str]]]] = ..., *, without_experiments: bool = False) -> Workspace:
        """
        Opens a workspace. With `without_experiments`, an empty directory and one that only has `jobs/` are workspaces too.
        """
    def experiments(self, /) -> list[str]:
        """
        The names of the experiments, sorted.
        """
    def job_directory(self, /, task_id: str, job_id: str) -> Path:
        """
        The directory of a job, which need not exist.
        """
    def job_statuses(self, /, jobs: SupportsGetItem[int, tuple[str, str]]) -> list[dict]:
        """
        What the directories of jobs say, each given as (task_id, job_id), whatever their run is: a list of dicts with state,
        failure, exit_code, retries, and the times submitted_at, started_at and ended_at in microseconds since 1970 UTC.
        """
    def jobs(self, /) -> tuple[list[tuple[str, str]], list[Any]]:
        """
        The job directories as (task_id, job_id), also of jobs that no run lists, and the directories that cannot be listed:
        exceptions of `xpframe.errors`, not raised.
        """
    def latest(self, /, experiment: str) -> Run:
        """
        The run that `current` names, else the newest.
        """
    def readable_runs(self, /, experiment: str, which: str) -> list[Run]:
        """
        Runs of an experiment that is one of several, in the order of their rows: `which` is `latest`, `all` (the oldest first) or
        the identifier of a run. In place of what cannot be read stands a run without jobs, whose `errors` say why.
        """
    @property
    def root(self, /) -> Path:
        """
        The root directory.
        """
    def run(self, /, experiment: str, run_id: str) -> Run:
        """
        A run by its identifier.
        """
    def run_of_job(self, /, task_id: str, job_id: str) -> Run | None:
        """
        The newest run that has a link to a job; None if there is none.
        """
    def runs(self, /, experiment: str) -> list[Run]:
        """
        The runs of an experiment, newest first.
        """
    def unreadable_experiments(self, /) -> list[Any]:
        """
        The experiments that no listing has, since their names are not UTF-8 or their directory cannot be listed: exceptions of
        `xpframe.errors`, not raised.
        """

def asdict(config: Any) -> Any:
    """
    A config as plain nested values: configs as dicts, paths and enum members as str, sets as lists.

    A shared config is repeated at each reference. Raises `InvalidArgumentError` for more than ten million values.
    """

def check_workspace(workspace: Workspace, runs: SupportsGetItem[int, Run] | None = None) -> tuple[Table, tuple[int, int, int, int]]:
    """
    Checks some runs of a workspace; by default all runs, and the files around them. Returns the findings as a table, and the
    numbers of runs, jobs, jobs compared with their params.json, and recorded paths that were checked.
    """

def fields(config: Any) -> dict:
    """
    The fields of a config as a dict, one level deep, with the values of the attributes.
    """

def glob_matches(pattern: str, name: str) -> bool:
    """
    Whether a name matches a shell pattern.
    """

def identifier(config: Any) -> str:
    """
    The content identifier of a config, 64 hexadecimal digits; for a task, the job id.
    """

def is_workspace(path: str | PathLike[str]) -> bool:
    """
    Whether a directory looks like a workspace. A ReadError if the system does not tell.
    """

def near_misses(wanted: str, names: SupportsGetItem[int, str]) -> list[str]:
    """
    The names nearest to the wanted name, at most three.
    """

def open_run(path: str | PathLike[str], archives: SupportsGetItem[int, tuple[str | PathLike[str], SupportsGetItem[int, str | PathLike[str]]]] = ...) -> Run:
    """
    Opens a run by the path of its directory. `archives` are the directories to which the jobs of workspaces were archived, by the
    roots of the workspaces.
    """

def open_source(path: str | PathLike[str], saved: str | None) -> Source:
    """
    Opens the source of a pickle: a run directory, and the name of a saved object, if it is one.
    """

def path(config: Any) -> Path:
    """
    The directory of a job, given its config: where it ran and wrote its files.

    Raises `JobNotFoundError` for a config that is no job.
    """

def plan_scan(runs: SupportsGetItem[int, Run], request: TableRequest, *, several_runs: bool, keep_bytes: SupportsIndex, rows: SupportsGetItem[int, SupportsGetItem[int, SupportsIndex]] | None = None, paths: bytes | None = None, listed_later: SupportsGetItem[int, SupportsGetItem[int, SupportsIndex]] | None = None) -> ScanPlan:
    """
    Decides the columns of runs. `keep_bytes` of their files stay in memory for the batches. `rows` has the positions of the jobs of
    each run to keep; `paths`, the bytes of a plan of more runs, decides the columns instead of these runs. `listed_later` has the
    positions of the jobs of each run that a later one of those lists too.
    """

def plan_series(runs: SupportsGetItem[int, Run], request: TableRequest, handle: "object", metrics: "object", *, rows: SupportsGetItem[int, SupportsGetItem[int, SupportsIndex]] | None = None) -> SeriesPlan:
    """
    Decides the columns of the rows that jobs of runs wrote.
    """

def producer(config: Any) -> Any:
    """
    The config of the job that produced a config: the training behind a checkpoint. None if no job did.

    A job is its own producer. Where no file has the job, the value says so when it is touched (`Unresolved`).
    """

def progress_counters() -> tuple[int, int, int, int, int]:
    """
    What this process has read so far: (files, bytes, objects, bytes of the files that were opened, bytes that were parsed).
    """

def read_failures(runs: SupportsGetItem[int, Run], *, several_runs: bool, tasks: SupportsGetItem[int, str] | None = None, backend: str = "polars", rows: SupportsGetItem[int, SupportsGetItem[int, SupportsIndex]] | None = None) -> Table:
    """
    Reads why the jobs of runs failed: one row a failed job, with its tags, its exception and the end of its log. Text is laid out
    for `backend`: pandas, polars or pyarrow. `rows` has the positions of the jobs of each run to keep.
    """

def read_patterns(experiments: SupportsGetItem[int, str]) -> tuple[list[str], list[str], list[str]]:
    """
    Shell patterns of what is read: of experiments, relative to the root; of each job and of failed jobs, relative to the job.
    """

def read_series(runs: SupportsGetItem[int, Run], request: TableRequest, handle: "object", metrics: "object", *, backend: str, rows: SupportsGetItem[int, SupportsGetItem[int, SupportsIndex]] | None = None, paths: bytes | None = None, listed_later: SupportsGetItem[int, SupportsGetItem[int, SupportsIndex]] | None = None) -> Table:
    """
    Reads the rows that jobs of runs wrote into a table, laid out for a backend. `rows` has the positions of the jobs of each run to
    keep; `paths`, the bytes of a plan of more jobs, decides the columns instead of these jobs. `listed_later` has the positions of
    the jobs of each run that a later run lists too.
    """

def read_table(runs: SupportsGetItem[int, Run], request: TableRequest, *, several_runs: bool, backend: str, rows: SupportsGetItem[int, SupportsGetItem[int, SupportsIndex]] | None = None) -> Table:
    """
    Reads runs into a table. Text is laid out for `backend`: pandas, polars or pyarrow.
    """

def restore_run(source: Source) -> Run:
    """
    The run of a pickle.
    """

def restore_table(batches: bytes, errors: SupportsGetItem[int, Any], warnings: SupportsGetItem[int, str]) -> Table:
    """
    The table of a pickle. `errors` are exceptions of `xpframe.errors`.
    """

def tags(config: Any) -> Any:
    """
    The tags of a job, given its config: a dict from name to value; empty for a config that is no job of its run.
    """

def typename(config: Any) -> str:
    """
    The class of a config, `module.Class`, in its original case. An action without config has a class, too.
    """

def upstream(config: Any) -> dict:
    """
    The configs of the jobs that a config comes from directly, by the places where their products stand: `trained`, `models[0]`,
    `data.train`, `init-tasks[0]`.

    Raises `InvalidArgumentError` for more than ten thousand places.
    """
