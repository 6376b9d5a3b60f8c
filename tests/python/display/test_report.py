"""The page of a run in Chromium: sorts, filters, folds, prints, asks for nothing; hostile values are text."""

from __future__ import annotations

import csv
import json
import os
import re
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import xpframe
from browser import Pages, pages
from conftest import Workspaces, archives, unpack
from hostile import Workspace
from small_runs import SmallRun
from xpframe.errors import InvalidArgumentError, MissingLibraryError
from xpframe.plots.canvas import INK

pytestmark = pytest.mark.slow

LIMIT = 3_000_000
CURVES = ["runs/**/events.out.tfevents.*", "results.csv"]
HOSTILE = (
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(2)>",
    '" onmouseover="alert(3)',
    "{{7*7}} ${alert(4)} javascript:alert(5)",
    "<!--",
    "\u202egnp.exe \x00\x1b[31m\r\n\t",
    "a & b &amp; &lt;c&gt;",
    "日本語 é 🎉",
)


@pytest.fixture(scope="module")
def cifar(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of lab_cifar with results and curves."""
    if "lab_cifar" not in archives():
        pytest.skip("lab_cifar is not here")
    home = tmp_path_factory.mktemp("report")
    unpack("lab_cifar", home)
    info = xpframe.Workspace(home / "cifar").load_xp_info("cifar")
    return info.report(home / "cifar.html", results="metrics.json", curves=CURVES, title="Cifar <b>& friends")


@pytest.fixture(scope="module")
def browser() -> Iterator[Pages]:
    with pages() as opened:
        yield opened


def column(page: Any, number: int) -> list[str]:
    """The shown texts of a column."""
    texts: list[str] = page.eval_on_selector_all(
        "#table tbody tr", f"rows => rows.map(row => row.cells[{number}].textContent)"
    )
    return texts


def shown_names(page: Any) -> list[str]:
    names: list[str] = page.eval_on_selector_all(
        "#table thead tr:first-child th",
        "heads => heads.map(head => head.querySelector('.dt-column-title').textContent)",
    )
    return names


def test_the_table_sorts_filters_and_hides(cifar: Path, browser: Pages) -> None:
    page = browser.open(cifar)
    names = shown_names(page)
    assert {"task", "state", "name", "lr", "job_id", "result.val.accuracy"} <= set(names)
    assert page.inner_text(".dt-info") == "Showing 1 to 25 of 46 entries"

    accuracy = names.index("result.val.accuracy")
    order = page.locator("#table thead tr:first-child th").nth(accuracy).locator("button").first
    for direction in ("ascending", "descending"):  # a click is one step
        order.click()
        page.wait_for_selector(f"#table thead tr:first-child th[aria-sort={direction}]")
    values = [float(text) for text in column(page, accuracy) if text]
    assert values == sorted(values, reverse=True)
    assert len(values) > 10

    page.fill(".dt-search input", "FloatingPointError")
    page.fill(".dt-search input", "error")
    assert set(column(page, names.index("state"))) == {"error"}
    assert "of 6 entries" in page.inner_text(".dt-info")
    page.fill(".dt-search input", "")

    lr = page.locator("#table thead tr:nth-child(2)").locator("th, td").nth(names.index("lr"))
    lr.locator("input").fill("0.01")
    page.wait_for_function("document.querySelector('.dt-info').textContent.includes('filtered')")
    assert set(column(page, names.index("lr"))) == {"0.01"}

    page.click("button:has-text('columns')")
    page.click(".dt-button-collection button:has-text('job_id')")
    assert "job_id" not in shown_names(page)
    assert browser.said == []


def test_it_folds_and_unfolds(cifar: Path, browser: Pages) -> None:
    page = browser.open(cifar)
    trace = page.locator("#failures pre").first
    assert not trace.is_visible()
    page.locator("#failures summary:has-text('traceback')").first.click()
    assert trace.is_visible()
    assert "Traceback (most recent call last)" in trace.inner_text()
    packages = page.locator("#software table").last
    assert not packages.is_visible()
    page.click("#software summary")
    assert "experimaestro" in packages.inner_text()
    assert page.locator("#curves figure svg").count() >= 3
    assert page.locator("#coverage table").count() >= 1
    assert "lab.learn" in page.inner_text("#head") or "learn" in page.inner_text("#head")
    assert page.inner_text("h1") == "Cifar <b>& friends"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_both_themes_and_paper(scheme: str, cifar: Path, browser: Pages, tmp_path: Path) -> None:
    """The page follows the theme; printed it has all jobs, on white. The console says nothing."""
    browser.said.clear()
    browser.asked.clear()
    page = browser.open(cifar, scheme)
    lightness = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    channels = [int(channel) for channel in re.findall(r"\d+", lightness)[:3]]
    assert (sum(channels) > 600) == (scheme == "light"), lightness
    home = Path(os.environ.get("XPFRAME_ARTIFACTS") or tmp_path)
    home.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=home / f"report-{scheme}.png", full_page=True)
    pdf = page.pdf(path=home / f"report-{scheme}.pdf")
    assert pdf.startswith(b"%PDF")
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator("#table tbody tr").count() == 46
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.locator("#table tbody tr").count() == 25
    assert browser.said == []
    assert browser.asked == [cifar.as_uri()]


def test_nothing_outside_is_named(cifar: Path) -> None:
    text = cifar.read_text(encoding="utf-8")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy is not None
    assert policy[1].startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe-eval" not in policy[1]
    own = re.sub(r"<script type=\"module\">.*?</script>|<style>.*?</style>", "", text, flags=re.DOTALL)
    assert re.findall(r'(?:src|href)="(?!#)[^"]*"', own) == []
    assert len(text) < LIMIT


def hostile_run(root: Path, jobs: int) -> xpframe.ExperimentInfo:
    """A run whose names, tags and parameters are meant to break out of the page."""
    workspace = Workspace(root)
    ids = [f"{number:064x}" for number in range(jobs)]
    rows, objects = [], []
    for number, job in enumerate(ids):
        value = HOSTILE[number % len(HOSTILE)]
        tags = {"evil": value, HOSTILE[0]: number, "lr": number / 7}
        task = f"lab.{HOSTILE[1]}" if number % 2 else "lab.train"
        rows.append(json.dumps({"job_id": job, "task_id": task, "tags": tags, "timestamp": 1.5e9}))
        fields = {"evil": value, "number": number % 5, HOSTILE[2]: 0.5 if number % 2 else float("nan")}
        objects.append(
            json.dumps(
                {
                    "id": number,
                    "module": "lab",
                    "type": "Train",
                    "typename": f"lab.{HOSTILE[0]}",
                    "identifier": job,
                    "fields": fields,
                }
            )
        )
        (root / "jobs" / "lab.train" / job).mkdir(parents=True)
    (workspace.run / "jobs.jsonl").write_text("\n".join(rows) + "\n")
    (workspace.run / "objects.jsonl").write_text("\n".join(objects) + "\n")
    git = [{"path": HOSTILE[1], "commit": HOSTILE[0], "branch": HOSTILE[2], "dirty": True}]
    environment = {"python_version": HOSTILE[0], "packages": {HOSTILE[0]: HOSTILE[1]}, "projects": git}
    (workspace.run / "environment.json").write_text(json.dumps(environment))
    return xpframe.load_xp_info(workspace.run)


def test_hostile_values_are_text(tmp_path: Path, browser: Pages) -> None:
    browser.said.clear()
    browser.asked.clear()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        info = hostile_run(tmp_path / "ws", 24)
        results = {HOSTILE[0]: "metrics.json"}
        path = info.report(tmp_path / "page.html", title=HOSTILE[1], results=results)
    page = browser.open(path)
    names = shown_names(page)
    assert HOSTILE[0] in names
    cells = column(page, names.index("tags.evil"))
    assert HOSTILE[0] in cells
    assert "a & b &amp; &lt;c&gt;" in cells
    assert "日本語 é 🎉" in cells
    page.fill(".dt-search input", "onerror")
    assert "of 12 entries (filtered" in page.inner_text(".dt-info")
    page.click("button:has-text('columns')")
    page.wait_for_timeout(200)
    assert page.locator("img, iframe, object, embed").count() == 0
    assert page.locator("script").count() == 2
    assert browser.said == []
    assert browser.asked == [path.as_uri()]


@pytest.mark.slow
def test_10_000_jobs_stay_below_3_mb(tmp_path: Path, browser: Pages) -> None:
    root = tmp_path / "ws"
    workspace = Workspace(root)
    rows, objects = [], []
    for number in range(10_000):
        job = f"{number * 2654435761 % 2**256:064x}"
        tags = {"lr": number % 7 / 10, "model": f"model-{number % 11}", "seed": number % 40}
        rows.append(json.dumps({"job_id": job, "task_id": "lab.train", "tags": tags, "timestamp": 1.5e9}))
        fields = {**tags, "hidden": number % 13, "dropout": number / 9999, "note": f"run {number}"}
        about = {"id": number, "module": "lab", "type": "Train", "typename": "lab.Train"}
        objects.append(json.dumps({**about, "identifier": job, "fields": fields}))
        directory = root / "jobs" / "lab.train" / job
        directory.mkdir(parents=True)
        (directory / "metrics.json").write_text(json.dumps({"acc": number / 10007, "loss": 1 / (number + 3)}))
    (workspace.run / "jobs.jsonl").write_text("\n".join(rows) + "\n")
    (workspace.run / "objects.jsonl").write_text("\n".join(objects) + "\n")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        started = time.perf_counter()
        path = xpframe.load_xp_info(workspace.run).report(tmp_path / "page.html", results="metrics.json")
        seconds = time.perf_counter() - started
    started = time.perf_counter()
    page = browser.open(path)
    shown = time.perf_counter() - started
    print(f"10,000 jobs: {path.stat().st_size:,} bytes, written in {seconds:.1f} s, shown in {shown:.1f} s")
    assert path.stat().st_size < LIMIT
    assert "of 10,000 entries" in page.inner_text(".dt-info")


@pytest.mark.parametrize("name", ["v1161_full", "v216_full", "v270_full", "v270_quirks"])
def test_each_layout_has_a_page(name: str, workspaces: Workspaces, browser: Pages, tmp_path: Path) -> None:
    browser.said.clear()
    workspace = xpframe.Workspace(workspaces.path(name))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number, experiment in enumerate(workspace.experiments()[:4]):
            path = workspace.load_xp_info(experiment).report(tmp_path / f"{number}.html")
            browser.open(path).close()
    assert browser.said == []


def test_a_report_is_refused(workspaces: Workspaces, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = workspaces.path("v270_full")
    info = xpframe.Workspace(root).load_xp_info("grid-search")
    with pytest.raises(InvalidArgumentError, match=r"cannot write a report as 'a.pdf' \(end it in .html\)"):
        info.report(tmp_path / "a.pdf")
    with pytest.raises(InvalidArgumentError, match="workspace"):
        info.report(root / "a.html")
    monkeypatch.setitem(__import__("sys").modules, "itables", None)
    with pytest.raises(MissingLibraryError, match=r"a report needs itables.*pip install 'xpframe\[report\]'"):
        info.report(tmp_path / "a.html")
    assert not (tmp_path / "a.html").exists()


NUMBERS = [0.8671524321, 1764297434.918, 1234567.8, 1e-9 / 3, -0.0, -7.25e-8, 2.5, 1e300]


@pytest.fixture
def numbers(tmp_path: Path) -> xpframe.ExperimentInfo:
    """A run whose jobs wrote numbers of every size, and losses of two kinds; one in two has a tag."""
    run = SmallRun(tmp_path / "ws")
    for job, value in enumerate(NUMBERS):
        run.submit(job)
        directory = run.execute(job)
        (directory / "metrics.json").write_text(json.dumps({"value": value, "whole": 2**60 + job}))
        for name, loss in (("train.csv", 1), ("valid.csv", 100)):
            (directory / name).write_text(f"epoch,loss\n1,{loss + 1}\n2,{loss}\n")
    lines = (run.path / "jobs.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    for job, row in enumerate(rows):
        row["tags"] = {"k": 1 + job % 4} if job % 2 else {}
    (run.path / "jobs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return xpframe.load_xp_info(run.path)


def test_a_saved_table_has_every_digit(
    numbers: xpframe.ExperimentInfo, tmp_path: Path, browser: Pages
) -> None:
    """Cells show six digits, or all before the point; the CSV file that the button saves has the numbers."""
    page = browser.open(numbers.report(tmp_path / "page.html", results="metrics.json"))
    names = shown_names(page)
    cells = column(page, next(index for index, name in enumerate(names) if name.endswith("value")))
    assert cells[:3] == ["0.867152", "1764297434.918", "1234567.8"]
    with page.expect_download() as download:
        page.click("button.buttons-csv")
    download.value.save_as(tmp_path / "saved.csv")
    with (tmp_path / "saved.csv").open(encoding="utf-8-sig", newline="") as file:
        saved = list(csv.DictReader(file))
    (name,) = (name for name in saved[0] if name.endswith("value"))
    (whole,) = (name for name in saved[0] if name.endswith("whole"))
    assert [repr(float(row[name])) for row in saved] == [repr(float(value)) for value in NUMBERS]
    assert [int(row[whole]) for row in saved] == [2**60 + job for job in range(len(NUMBERS))]


def test_curves_of_several_files(numbers: xpframe.ExperimentInfo, tmp_path: Path) -> None:
    """A metric of two files has a picture for each; jobs without the tag of the colours are grey."""
    page = numbers.report(tmp_path / "page.html", curves=["train.csv", "valid.csv"]).read_text()
    labels = re.findall(r'aria-label="([^"]*curves?[^"]*)"', page)
    assert labels == ["loss (train.csv): 8 curves", "loss (valid.csv): 8 curves"]
    assert page.count(f'stroke="{INK}" stroke-width="1.2"') == 8
    assert page.count('stroke="#2f83d6"') == 4
    only = numbers.report(tmp_path / "only.html", curves=["train.csv"]).read_text()
    assert re.findall(r'aria-label="([^"]*curves?[^"]*)"', only) == ["loss: 8 curves"]
