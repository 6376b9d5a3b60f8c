"""xpframe in a real kernel, spoken to as a notebook does: shown, completed, interrupted, kept in memory."""

from __future__ import annotations

import asyncio
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jupyter_client.manager import start_new_kernel
from jupyter_core.utils import ensure_event_loop
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

import xpframe
from conftest import REPOSITORY, Workspaces

pytestmark = pytest.mark.slow
PATIENCE = 60  # seconds that a kernel may take for anything
JOBS = 40_000


@pytest.fixture(scope="module", autouse=True)
def event_loop_closed() -> Iterator[None]:
    """Closes the event loop that Jupyter's clients share: collected later, it would fail another test."""
    loop = ensure_event_loop()
    yield
    loop.close()
    asyncio.set_event_loop(None)


@dataclass
class Done:
    """The result of a cell: its status, and its outputs in order."""

    status: str
    outputs: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The outputs of a kind."""
        return [content for name, content in self.outputs if name == kind]

    @property
    def text(self) -> str:
        """What was printed, and what the cell's value is as text."""
        shown = [content["data"]["text/plain"] for content in self.of("execute_result")]
        return "".join([content["text"] for content in self.of("stream")] + shown)


class Kernel:
    """A kernel of its own."""

    def __init__(self) -> None:
        self.manager, self.client = start_new_kernel(kernel_name="python3")

    def run(self, code: str, *, stop: bool = False) -> Done:
        """Runs a cell; presses the stop button soon after the cell has printed something, if wanted."""
        outputs: list[tuple[str, dict[str, Any]]] = []

        def show(message: dict[str, Any]) -> None:
            outputs.append((message["msg_type"], message["content"]))
            streams = [name for name, _ in outputs].count("stream")
            if stop and message["msg_type"] == "stream" and streams == 1:
                time.sleep(0.05)
                # what the stop button sends; interrupt_kernel would use an event loop of its own
                provisioner: Any = self.manager.provisioner
                provisioner.process.send_signal(signal.SIGINT)

        reply = self.client.execute_interactive(code, timeout=PATIENCE, store_history=False, output_hook=show)
        return Done(reply["content"]["status"], outputs)

    def value(self, code: str) -> str:
        """What a cell that must succeed prints and gives."""
        done = self.run(code)
        assert done.status == "ok", done.outputs
        return done.text

    def complete(self, code: str) -> list[str]:
        """What Tab makes of a cell."""
        self.client.complete(code)
        reply = self.client.get_shell_msg(timeout=PATIENCE)["content"]
        assert reply["status"] == "ok"
        start, end = reply["cursor_start"], reply["cursor_end"]
        return [code[:start] + match + code[end:] for match in reply["matches"]]

    def close(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Kernel]:
    """A fresh kernel with the extension loaded, the sample as the workspace that is meant, no settings."""
    monkeypatch.setenv("XPFRAME_WORKSPACE", str(xpframe.sample_workspace()))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    kernel = Kernel()
    try:
        assert kernel.run("%load_ext xpframe").status == "ok"
        yield kernel
    finally:
        kernel.close()


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose reading takes a while."""
    root = tmp_path_factory.mktemp("large") / "workspace"
    command = [sys.executable, str(REPOSITORY / "benches" / "gen.py"), "--shape", "grid"]
    subprocess.run([*command, "--jobs", str(JOBS), "--out", str(root)], check=True, capture_output=True)
    return root


def test_load_shows_and_assigns(kernel: Kernel) -> None:
    """`%xpm load` is the value of its cell, and of an assignment; with `--as` nothing is shown."""
    shown = kernel.run("%xpm load grid-search")
    assert shown.status == "ok"
    (result,) = shown.of("execute_result")
    assert "<table" in result["data"]["text/html"]
    assert kernel.run("df = %xpm load grid-search").of("execute_result") == []
    assert kernel.value("type(df).__module__, df.shape") == "('pandas', (12, 14))"
    assert kernel.run("%xpm load grid-search --backend polars --as pf").of("execute_result") == []
    assert kernel.value("type(pf).__module__, pf.shape") == "('polars.dataframe.frame', (12, 14))"
    assert kernel.value("%xpm load grid-search --lazy --as lf\nlf.collect().shape") == "(12, 14)"


def test_defaults_are_configured(kernel: Kernel) -> None:
    """`%config Xpm.…` sets what load does when no option says otherwise."""
    kernel.value("%config Xpm.backend = 'pyarrow'\n%config Xpm.names = 'short'")
    assert kernel.value("t = %xpm load grid-search\n'learning_rate' in t.column_names") == "True"
    assert "Xpm.quiet" in kernel.value("%config Xpm")


def test_braces_expand_in_a_function(kernel: Kernel) -> None:
    """A local variable of a function is expanded, as in any magic."""
    kernel.value("def rows(which):\n    df = %xpm load {which} --columns state\n    return len(df)")
    assert kernel.value("rows('grid-search')") == "12"


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("%xpm load gird-search", "gird-search"),
        ("%xpm load", "NAME"),
        ("%xpm lod grid-search", "lod"),
        ("df = %xpm load grid-search --columns nothing", "nothing"),
    ],
)
def test_an_error_is_one_line_and_fails_the_cell(kernel: Kernel, line: str, text: str) -> None:
    """The cell fails with one line without traceback, and the kernel goes on."""
    done = kernel.run(line)
    assert done.status == "error"
    (error,) = done.of("error")
    (shown,) = error["traceback"]
    assert text in shown
    assert "\n" not in shown
    assert kernel.value("1 + 1") == "2"


@pytest.mark.parametrize(
    ("code", "line"),
    [
        ("frame = xpframe.xp_frame('nothing')", "frame = xpframe.xp_frame('nothing')"),
        ("def load():\n    return xpframe.load_xp_info('nothing')\nload()", "return xpframe.load_xp_info"),
        ("xpframe.scan_xp('grid-search', columns=['zzzz'])", "xpframe.scan_xp('grid-search'"),
        ("list(xpframe.Workspace().load_xp_info('grid-search').jobs.values())[0].modle", ".modle"),
    ],
)
def test_a_traceback_ends_at_the_line_of_the_user(kernel: Kernel, code: str, line: str) -> None:
    """The frames of xpframe are left out, and the errors that led to this one."""
    kernel.value("import xpframe; xpframe.use(xpframe.sample_workspace())")
    done = kernel.run(code)
    assert done.status == "error"
    (error,) = done.of("error")
    shown = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(error["traceback"]))
    assert line in shown
    assert "site-packages" not in shown
    assert "python/xpframe" not in shown
    assert "During handling" not in shown
    assert "direct cause" not in shown
    assert shown.splitlines()[-1].startswith(f"{error['ename']}: ")


def test_an_error_fails_a_notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """nbclient, as nbmake, sees the failed cell: an IPython UsageError would pass for success."""
    monkeypatch.setenv("XPFRAME_WORKSPACE", str(xpframe.sample_workspace()))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    codes = ("%load_ext xpframe", "%xpm load nothing")
    notebook = nbformat.v4.new_notebook(  # type: ignore[no-untyped-call]  # nbformat has types for some
        cells=[nbformat.v4.new_code_cell(code) for code in codes]  # type: ignore[no-untyped-call]
    )
    with pytest.raises(CellExecutionError, match="nothing"):
        NotebookClient(notebook, timeout=PATIENCE, kernel_name="python3").execute()
    (output,) = notebook.cells[1].outputs
    assert (output.output_type, output.ename, len(output.traceback)) == ("error", "XpmError", 1)


def thousand_experiments(root: Path, like: Path) -> Path:
    """A workspace of 1,000 experiments of one run each."""
    shutil.copy(like / ".__experimaestro__", root)
    for at in range(1000):
        run = root / "experiments" / f"exp-{at:04}" / "20260319_120000"
        run.mkdir(parents=True)
        for name, text in (("jobs.jsonl", ""), ("objects.jsonl", ""), ("status.json", "{}")):
            (run / name).write_text(text)
    return root


def test_tab_completes_a_thousand_experiments(kernel: Kernel, tmp_path: Path, workspaces: Workspaces) -> None:
    """Commands, experiments, options and runs are offered, in a workspace of any size."""
    root = tmp_path / "thousand"
    root.mkdir()
    thousand_experiments(root, workspaces.path("v270_full"))
    kernel.value(f"%xpm use {root}")
    expected = {
        "%xpm lo": ["%xpm load"],
        "%xpm load exp-09": [f"%xpm load exp-{at:04}" for at in range(900, 1000)],
        "x = 1\ndf = %xpm load exp-0123": ["x = 1\ndf = %xpm load exp-0123"],
        "%xpm load exp-0001 --ru": ["%xpm load exp-0001 --run"],
        "%xpm load exp-0001 --run 2026": ["%xpm load exp-0001 --run 20260319_120000"],
    }
    assert {code: kernel.complete(code) for code in expected} == expected


COUNT_JEDI = """
import jedi
calls, Interpreter = [], jedi.Interpreter
def counted(*args, **options):
    calls.append(args)
    return Interpreter(*args, **options)
jedi.Interpreter = counted
"""


def test_tab_completes_what_objects_hold(kernel: Kernel) -> None:
    """Ids of jobs, fields behind a subscript, columns and tasks are offered, without slow Jedi."""
    assert kernel.value("get_ipython().Completer.use_jedi") == "True"
    kernel.value(COUNT_JEDI)
    kernel.value("info = %xpm info grid-search\njob_id = next(iter(info.jobs))")
    ids = kernel.value("print(*sorted(info.jobs))").split()
    assert len(ids) == 12
    expected = {
        "info.jobs[": [f"info.jobs['{job_id}'" for job_id in ids],
        'info.jobs["': [f'info.jobs["{job_id}' for job_id in ids],
        f"info.jobs['{ids[0]}'].mo": [f"info.jobs['{ids[0]}'].model"],
        "info.jobs[job_id].model.hid": ["info.jobs[job_id].model.hidden_size"],
        "%xpm load grid-search --columns tags.h": ["%xpm load grid-search --columns tags.hidden_size"],
        "%xpm load grid-search --task la": ["%xpm load grid-search --task lab.tasks.train"],
    }
    assert {code: kernel.complete(code) for code in expected} == expected
    kernel.value("ids = []")
    assert kernel.value("len(calls)") == "0"
    assert kernel.complete("ids.app") == ["ids.append"]
    assert kernel.value("len(calls) > 0") == "True"


HASTY = "import xpframe.progress as p\np.PATIENCE, p.PERIOD = 0.0, 0.001"
NAMES = "import xpframe, polars, pandas, pyarrow, xpframe.lazy.source"
# what is typed, and the beginning of what remains of its progress
READS = {
    "%xpm load": ("df = %xpm load grid", "grid: ", " MB in "),
    "%xpm info": ("info = %xpm info grid", "grid: ", " MB in "),
    "xp_frame": ("df = xpframe.xp_frame('grid', backend='polars')", "grid: ", " MB in "),
    "collect": ("df = lazy.collect(engine='streaming')", "grid: ", f"{JOBS:,} jobs in "),
    "collect in memory": ("df = lazy.collect(engine='in-memory')", "grid: ", f"{JOBS:,} jobs in "),
}


@pytest.fixture
def reader(kernel: Kernel, large: Path) -> Kernel:
    """A kernel that knows the names of all that reads, and the large workspace."""
    kernel.value(f"{NAMES}\nxpframe.use({str(large)!r})")
    kernel.value("lazy = xpframe.scan_xp('grid', keep_bytes=0, quiet=False)")
    return kernel


@pytest.mark.parametrize("what", READS)
def test_a_long_read_shows_its_progress(what: str, reader: Kernel) -> None:
    """What takes long shows one display in its own cell, updated in place, that ends as a line."""
    code, begin, words = READS[what]
    reader.value(HASTY)
    done = reader.run(code)
    assert done.status == "ok", done.outputs
    first, *rest = done.of("display_data")
    assert rest == []
    updates = done.of("update_display_data")
    assert updates
    display_id = first["transient"]["display_id"]
    assert {update["transient"]["display_id"] for update in updates} == {display_id}
    assert "<progress" in first["data"]["text/html"]
    assert "<progress" not in updates[-1]["data"]["text/html"]
    last = updates[-1]["data"]["text/plain"]
    assert last.startswith(begin)
    assert words in last
    assert done.of("stream") == []


def test_who_asks_for_quiet_is_shown_nothing(reader: Kernel) -> None:
    """`--quiet`, `quiet=True` and `%config Xpm.quiet` show nothing of a long load."""
    reader.value(HASTY)
    codes = (
        "df = %xpm load grid --quiet",
        "df = %xpm load grid --lazy --quiet",
        "info = %xpm info grid --quiet",
        "s = %xpm schema grid --quiet",
        "df = xpframe.xp_frame('grid', backend='polars', quiet=True)",
        "%config Xpm.quiet = True\ndf = %xpm load grid",
    )
    for code in codes:
        quiet = reader.run(code)
        assert quiet.status == "ok", quiet.outputs
        assert quiet.outputs == [] or {name for name, _ in quiet.outputs} <= {"status", "execute_input"}, code
    assert reader.value("len(df)") == str(JOBS)


def test_a_quick_load_shows_no_progress(kernel: Kernel) -> None:
    """Of what takes less than half a second there is no display, and no thread stays."""
    done = kernel.run("df = %xpm load grid-search\ninfo = %xpm info grid-search")
    assert done.status == "ok"
    assert done.of("display_data") == done.of("update_display_data") == []
    assert kernel.value("import threading\n'xpframe' in [t.name for t in threading.enumerate()]") == "False"


LOOPS = {
    "%xpm load": "%xpm load grid --backend polars --as df",
    "%xpm info": "info = %xpm info grid",
    "xp_frame": "df = xpframe.xp_frame('grid', backend='pandas')",
    "collect": "df = lazy.collect(engine='streaming')",
}

LOOP = """
{0}
print("begun", flush=True)
while True:
    {0}
"""


@pytest.mark.parametrize("what", LOOPS)
def test_interrupting_a_cell_stops_the_read(what: str, reader: Kernel) -> None:
    """The stop button ends a cell that reads as KeyboardInterrupt, and the next read is whole."""
    stopped = reader.run(LOOP.format(LOOPS[what]), stop=True)
    assert stopped.status == "error"
    error = stopped.of("error")[0]
    assert error["ename"] == "KeyboardInterrupt"
    # a second KeyboardInterrupt of polars' may still come
    reader.run("import time\ntime.sleep(0.5)")
    assert reader.value("%xpm load grid --as df\nlen(df)") == str(JOBS)
    assert (
        reader.value("import threading\n[t.name for t in threading.enumerate() if t.name == 'xpframe']")
        == "[]"
    )


MEMORY = """
import gc
def resident():
    gc.collect()
    return int(open("/proc/self/statm").read().split()[1]) * 4096
def once():
    df = %xpm load grid-search
    info = %xpm info grid-search
    assert len(df) == len(info.jobs) == 12
for _ in range(50):
    once()
before = resident()
for _ in range(200):
    once()
print(resident() - before)
"""


def test_memory_is_flat_over_two_hundred_loads(kernel: Kernel) -> None:
    """200 loads in one kernel, after a warm-up, keep it within four megabytes of where it was."""
    grown = int(kernel.value(MEMORY))
    print(f"grown by {grown / 1024:.0f} KiB")
    assert grown < 4 * 1024 * 1024
