"""
The native half of xpframe.
"""

from _typeshed import SupportsGetItem
from os import PathLike
from pathlib import Path
from typing_extensions import CapsuleType
from typing import Any, Final, SupportsIndex, final

__all__ = ["__version__", "Batches", "Config", "EnumValue", "Model", "Run", "Source", "Table", "Unresolved", "Workspace", "asdict", "check_workspace", "fields", "glob_matches", "identifier", "is_workspace", "near_misses", "open_run", "open_source", "progress", "progress_counters", "read_failures", "read_model", "read_table", "tags", "typename"]

__version__: Final[str]
"""
The version of the package.
"""

@final
class Batches:
    """
    Tables of one run, a part of one, or some, in the order in which they were wanted, built ahead on other threads.
    """
    def __iter__(self, /) -> Batches: ...
    def __len__(self, /) -> int: ...
    def __next__(self, /) -> Table: ...
    def wait(self, /) -> bool:
        """
        Waits a few milliseconds for the next table; says whether it is there, or none is left.
        """

@final
class Config:
    """
    A config of a run: its fields are its attributes.

    References to other configs are the configs themselves; a config that two others share is one Python object. It cannot be
    changed. `==` compares the class and all fields.
    """
    def __copy__(self, /) -> Config: ...
    def __deepcopy__(self, /, _memo: Any) -> Config: ...
    def __delattr__(self, name: str, /) -> None: ...
    def __dir__(self, /) -> list[str]: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __getattr__(self, name: str, /) -> Any: ...
    def __hash__(self, /) -> int: ...
    def __reduce__(self, /) -> tuple[Any, tuple[int, str]]: ...
    def __repr__(self, /) -> str: ...
    def __setattr__(self, name: str, _value: Any, /) -> None: ...
    @property
    def __xpmidentifier__(self, /) -> str:
        """
        The content identifier, as experimaestro's own objects have it; the job id of a task.
        """
    @property
    def __xpminittasks__(self, /) -> Any:
        """
        The tasks that run before this one.
        """
    @property
    def __xpmmeta__(self, /) -> bool:
        """
        Whether the config was flagged as not being part of the experiment's identity.
        """
    @property
    def __xpmstub__(self, /) -> bool:
        """
        Whether the config stands for a task that was not loaded when the run was written; it has no fields then.
        """
    @property
    def __xpmtask__(self, /) -> Any:
        """
        The task that produced this config; a submitted task is its own. None if no task did.
        """
    @property
    def __xpmtypename__(self, /) -> str:
        """
        `module.Class`, as experimaestro's own objects have it.
        """
    def _repr_html_(self, /) -> Any: ...
    def _repr_pretty_(self, /, printer: Any, cycle: bool) -> None: ...

@final
class EnumValue:
    """
    A member of an enum, whose class is not imported. Equal to its name.
    """
    def __eq__(self, other: object, /) -> bool: ...
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
class Model:
    """
    The columns of some runs, decided on all their jobs.
    """
    def __arrow_c_schema__(self, /) -> CapsuleType:
        """
        The Arrow schema, as a PyCapsule.
        """
    def batches(self, /, columns: SupportsGetItem[int, str], wanted: SupportsGetItem[int, tuple[SupportsIndex, SupportsGetItem[int, SupportsIndex] | None]], most: SupportsIndex | None = None) -> Batches:
        """
        Begins to build columns of jobs: `wanted` are (position of the run, positions of its jobs or None for all) pairs. A table is
        a run. With `most`, it has about so many jobs at most: it is a part of a run, or several small runs, ever more of them.
        """
    @property
    def column_names(self, /) -> list[str]:
        """
        The names of the columns, in order.
        """
    def empty(self, /) -> Table:
        """
        A table of these columns without rows.
        """
    @property
    def groups(self, /) -> list[str]:
        """
        The group of each column: system, tag, parameter or fact.
        """
    @property
    def runs(self, /) -> list[tuple[str, str, str, int]]:
        """
        (workspace, experiment, run, number of jobs) of each run.
        """

@final
class Run:
    """
    A handle on a run: each of its files is read at most once, when something needs it.
    """
    def action(self, /, action_id: str) -> tuple[Config, str, str]:
        """
        The config, stored description and class of an action.
        """
    def action_ids(self, /) -> list[str]:
        """
        The identifiers of the actions, in experimaestro's order.
        """
    def dependencies_map(self, /) -> dict:
        """
        The jobs that each job needs: {job_id: [job_id, …]}, for the jobs that need some.
        """
    def errors(self, /) -> list[Any]:
        """
        What could not be read, of what was read so far: exceptions of `xpframe.errors`, not raised.
        """
    @property
    def experiment(self, /) -> str:
        """
        The name of the experiment.
        """
    def job(self, /, job_id: str) -> Config:
        """
        The config of a job.
        """
    def job_at(self, /, position: SupportsIndex) -> tuple[str, Config]:
        """
        The identifier and the config of a job by its position in that order.
        """
    def job_count(self, /) -> int:
        """
        How many jobs have a config.
        """
    def job_id(self, /, position: SupportsIndex) -> str:
        """
        The identifier of a job by its position in experimaestro's order, of those that have a config.
        """
    def load(self, /) -> None:
        """
        Reads the jobs and their configs now.
        """
    def marked_since(self, /, micros: SupportsIndex) -> list[str]:
        """
        The jobs of which a marker file was written at or after a time, in microseconds since 1970 UTC.
        """
    @property
    def path(self, /) -> Path:
        """
        The directory of the run.
        """
    def record(self, /, zone: str | None = None) -> dict:
        """
        What is known of the run itself, as a dict: status, outcome, hostname, started_at and ended_at (microseconds since 1970
        UTC), run_tags, python_version, packages, git, alive. `zone` is that of times written without one.
        """
    def refreshed(self, /) -> Run:
        """
        The run as it is now, read where it changed: jobs and configs that did not are not read again.
        """
    def rows(self, /) -> list[tuple[str, str]]:
        """
        (job_id, task_id) of each job, in the order in which they were submitted, those without a config too.
        """
    @property
    def run_id(self, /) -> str:
        """
        The identifier of the run.
        """
    def saved(self, /, name: str) -> Any:
        """
        What `xp.save` saved under a name: a config, or lists and dicts of them.
        """
    def saved_names(self, /) -> list[str]:
        """
        The names under which `xp.save` saved something in this run.
        """
    def shares_objects(self, /, other: Run) -> bool:
        """
        Whether both have the same configs, read once.
        """
    @property
    def size(self, /) -> int:
        """
        The bytes of the files that tell its jobs and configs, now.
        """
    def states(self, /) -> dict:
        """
        {job_id: (state, failure or None)} of each job, in the order of the rows.
        """
    def tags_map(self, /) -> dict:
        """
        The tags of each job that has some: {job_id: {name: value}}, in the order of the rows.
        """
    @property
    def workspace(self, /) -> Path:
        """
        The root of the workspace.
        """

@final
class Source:
    """
    Where configs come from. Opaque; pickles by path, so that the configs of one source keep sharing what they shared.
    """
    def __reduce__(self, /) -> tuple[Any, tuple[Path, str | None]]: ...
    def restore(self, /, at: SupportsIndex, identifier: str) -> Config:
        """
        The config that had this position and identifier when it was pickled.
        """

@final
class Table:
    """
    A table of jobs: one row a job, one Arrow record batch a run.

    Any library that knows the Arrow PyCapsule interface takes it: `polars.DataFrame(table)`, `pyarrow.table(table)`, DuckDB by
    its variable's name. It can be taken any number of times.
    """
    def __arrow_c_schema__(self, /) -> CapsuleType:
        """
        The Arrow schema, as a PyCapsule.
        """
    def __arrow_c_stream__(self, /, requested_schema: "object | None" = None) -> "object":
        """
        The record batches, as a PyCapsule: a new stream at each call. Of a requested schema, other layouts of text and other
        dictionaries are honoured where the values fit into them; anything else is left as it is, as the interface allows.
        """
    def __len__(self, /) -> int: ...
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
        The record batches, each as a table of its own; nothing is copied.
        """
    def column_metadata(self, /, name: str) -> dict[str, str]:
        """
        What is known of a column: `xpframe.group` (system, tag, parameter, fact), `xpframe.path` (its keys, a JSON list),
        `xpframe.python` (the Python types seen).
        """
    @property
    def column_names(self, /) -> list[str]:
        """
        The names of the columns, in order.
        """
    def column_values(self, /, name: str) -> list[Any]:
        """
        The values of a column as a list of Python values; needs no other library. Times are microseconds since 1970 UTC.
        """
    @property
    def errors(self, /) -> list[Any]:
        """
        What could not be read: exceptions of `xpframe.errors`, not raised.
        """
    @property
    def nbytes(self, /) -> int:
        """
        Bytes of memory that the columns take, buffers that are shared counted once a column.
        """
    @property
    def schema(self, /) -> list[tuple[str, str]]:
        """
        The names and Arrow types of the columns: a list of (name, type) pairs, the types as text.
        """
    def select(self, /, names: "str | list[str] | tuple[str, ...]") -> Table:
        """
        Some of the columns, by a name or some, in the order given; nothing is copied.
        """
    @property
    def shape(self, /) -> tuple[int, int]:
        """
        The number of jobs and of columns.
        """
    def to_pandas(self, /, *, zero_copy: bool = False) -> Any:
        """
        A pandas DataFrame. With `zero_copy`, every column but text and enums has an Arrow dtype, and shares its memory.
        """
    def to_polars(self, /) -> Any:
        """
        A polars DataFrame; numbers, text, times and lists are shared, not copied.
        """
    def to_pyarrow(self, /) -> Any:
        """
        A pyarrow Table that pyarrow can compute on: text is `large_string`, built anew; anything else is shared.
        `pyarrow.table(table)` shares text too, as `string_view`, for which pyarrow has few functions.
        """
    def value_counts(self, /, names: SupportsGetItem[int, str]) -> list[tuple[tuple, int]]:
        """
        How many jobs have each combination of values of some columns: a list of (values, number of jobs) pairs in the order in
        which they first occur. Lists and structs are not counted.
        """
    @property
    def warnings(self, /) -> list[str]:
        """
        What is shown otherwise than it stands in the files, in words.
        """
    def write(self, /, path: "object", **options: "object") -> "Any":
        """
        Writes the table to a file, by its ending: `.parquet`, `.arrow`, `.csv` or `.jsonl`; see `xpframe.export.write`.
        """

@final
class Unresolved:
    """
    A reference to an object that no file holds. Any use of it raises `UnresolvedError`.
    """
    def __eq__(self, other: object, /) -> bool: ...
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
    def __new__(cls, /, path: str | PathLike[str]) -> Workspace: ...
    def experiments(self, /) -> list[str]:
        """
        The names of the experiments, sorted.
        """
    def latest(self, /, experiment: str) -> Run:
        """
        The run that `current` names, else the newest.
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
    def runs(self, /, experiment: str) -> list[Run]:
        """
        The runs of an experiment, newest first.
        """
    def unreadable_experiments(self, /) -> list[Any]:
        """
        The experiments that no listing has, since their names are not UTF-8: exceptions of `xpframe.errors`, not raised.
        """

def asdict(config: Any) -> Any:
    """
    A config as plain nested values: configs as dicts, paths and enum members as str, sets as lists.

    A config that is shared is repeated wherever it stands; an error, if that makes more than ten million values.
    """

def check_workspace(workspace: Workspace, runs: SupportsGetItem[int, Run] | None = None) -> tuple[Table, tuple[int, int, int, int]]:
    """
    Looks for what is wrong in a workspace: in some of its runs, or in all runs and around them. Gives the findings as a table,
    and the numbers of runs, jobs, jobs compared with their params.json and recorded paths that were looked at.
    """

def fields(config: Any) -> dict:
    """
    The fields of a config, one level: a dict from name to value, the same values as the attributes.
    """

def glob_matches(pattern: str, name: str) -> bool:
    """
    Whether a name is one that a shell pattern means.
    """

def identifier(config: Any) -> str:
    """
    The content identifier of a config, 64 hexadecimal digits; the job id of a task.
    """

def is_workspace(path: str | PathLike[str]) -> bool:
    """
    Whether a directory looks like a workspace. A ReadError if the system does not tell.
    """

def near_misses(wanted: str, known: SupportsGetItem[int, str]) -> list[str]:
    """
    The known names nearest to the wanted one, at most three.
    """

def open_run(path: str | PathLike[str]) -> Run:
    """
    A run by the path of its directory.
    """

def open_source(path: str | PathLike[str], saved: str | None) -> Source:
    """
    The source that a pickle names: a run directory, and perhaps the name of what was saved there.
    """

def progress() -> tuple[int, int]:
    """
    How far reading is: (bytes understood, bytes of the files that were begun), both since the process began.
    """

def progress_counters() -> tuple[int, int, int, int, int]:
    """
    What this process has read so far: (files, bytes, objects, bytes expected, bytes understood).
    """

def read_model(runs: SupportsGetItem[int, Run], question: "dict[str, object]", *, keep_bytes: SupportsIndex) -> Model:
    """
    Decides the columns of runs. `keep_bytes` of their files are kept for the batches.
    """

def read_failures(runs: SupportsGetItem[int, Run], *, several_runs: bool, tasks: SupportsGetItem[int, str] | None = None, backend: str = "polars") -> Table:
    """
    Reads why the jobs of runs failed: one row a failed job, with its tags, its exception and the end of its log. Text is laid out
    for `backend`: pandas, polars or pyarrow.
    """

def read_table(runs: SupportsGetItem[int, Run], question: "dict[str, object]", *, backend: str) -> Table:
    """
    Reads runs into a table. Text is laid out for `backend`: pandas, polars or pyarrow.
    """

def tags(config: Any) -> Any:
    """
    The tags of a job, by its config: a dict from name to value; empty for a config that is not a job of its run.
    """

def typename(config: Any) -> str:
    """
    The class of a config, `module.Class`, in its original case.
    """
