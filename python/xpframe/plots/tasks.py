"""The tasks of a run and what flows from one to another, with counts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xpframe.display.style import COLOURS
from xpframe.plots.canvas import INK, Canvas, cut, width_of
from xpframe.plots.picture import Picture
from xpframe.plots.states import legend
from xpframe.summary import shown_state
from xpframe.text import number, plural, visible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from xpframe._core import Run

__all__ = ["tasks"]

ELSEWHERE = "jobs of other runs"
MAX_TASKS = 60
BOX_HEIGHT, ROW, GAP = 48.0, 62.0, 96.0
BELOW = 14.0  # how far an arrow passes below a box
WIDTH = 760.0


@dataclass(slots=True)
class Box:
    """A task in the picture: its position, and the states of its jobs."""

    task: str
    states: Counter[str]
    layer: int = 0
    x: float = 0.0
    y: float = 0.0
    width: float = 0.0


@dataclass(frozen=True, slots=True)
class Flow:
    """What flows from one task to another: the number of dependencies, and the classes of what is used."""

    count: int
    products: tuple[str, ...]

    def name(self) -> str:
        """The names of the classes, as short as the gap between boxes asks."""
        names = list(dict.fromkeys(product.rpartition(".")[2] for product in self.products))
        if len(names) < 2:
            return cut(names[0], 14) if names else ""
        return f"{cut(names[0], 10)} +{number(len(names) - 1)}"


def tasks(run: Run) -> Picture:
    """Draws the picture: a task stands to the right of the tasks that it needs."""
    states = {job_id: shown_state(state) for job_id, (state, _) in run.states().items()}
    boxes, needs = count_tasks(run, states)
    products = add_flows(run, boxes, needs)
    for box in boxes.values():
        fact = width_of(facts(box, needs[box.task, box.task]))
        box.width = max(96.0, 24 + max(width_of(short(box.task)) * 1.08, fact))
    layout(boxes, needs)
    width = max((box.x + box.width for box in boxes.values()), default=200.0) + 12
    height = max((box.y + BOX_HEIGHT for box in boxes.values()), default=40.0)
    drawn = [
        (boxes[needed], boxes[task], Flow(count, tuple(products.get((needed, task), ()))))
        for (needed, task), count in needs.items()
        if needed in boxes and task in boxes and needed != task
    ]
    below = [passes_below(needed, task, boxes.values()) for needed, task, _ in drawn]
    height = max(height, *(lowest + 20 for lowest in below), 0)
    canvas = Canvas(max(360, width), height + 36)
    arrows = Canvas(canvas.width, canvas.height)
    for box in boxes.values():
        canvas.hide(box.x, box.y, box.width, BOX_HEIGHT)
    for arrow, lowest in zip(drawn, below, strict=True):
        draw_need(canvas, arrows, *arrow, lowest)
    if arrows.elements:
        canvas.elements.insert(0, canvas.masked(arrows.elements))
    for box in boxes.values():
        draw_box(canvas, box, needs[box.task, box.task])
    legend(canvas, 6, height + 26, Counter(states.values()))
    words = f"{plural(len(boxes), 'task')} and their dependencies, {plural(len(states), 'job')}"

    def data() -> list[dict[str, Any]]:
        return [
            {
                "task": task,
                "needs": needed,
                "dependencies": count,
                "products": products.get((needed, task), []),
            }
            for (needed, task), count in needs.items()
        ]

    return Picture(canvas.svg(words), f"<picture: {visible(words)}>", data)


def count_tasks(run: Run, states: dict[str, str]) -> tuple[dict[str, Box], Counter[tuple[str, str]]]:
    """The tasks, and the number of dependencies for each pair (needed task, task)."""
    task_of = dict(run.rows())
    boxes: dict[str, Box] = {}
    for job_id, task in task_of.items():
        boxes.setdefault(task, Box(task, Counter())).states[states.get(job_id, "lost")] += 1
    needs: Counter[tuple[str, str]] = Counter()
    for job_id, needed in run.dependencies_map().items():
        for needed_id in needed:
            needs[task_of.get(needed_id, ELSEWHERE), task_of.get(job_id, ELSEWHERE)] += 1
    if any(ELSEWHERE in pair for pair in needs):
        boxes[ELSEWHERE] = Box(ELSEWHERE, Counter())
    return dict(list(boxes.items())[:MAX_TASKS]), needs


def add_flows(
    run: Run, boxes: dict[str, Box], needs: Counter[tuple[str, str]]
) -> dict[tuple[str, str], list[str]]:
    """Adds the tasks of jobs that the run uses and does not list; returns the classes of what is used."""
    products: dict[tuple[str, str], list[str]] = {}
    elsewhere: Counter[tuple[str, str]] = Counter()
    for needed, listed, task, product, count in run.flows():
        source = needed if listed else f"{needed} of other runs"
        products.setdefault((source, task), []).append(product)
        if not listed:
            # jobs that produced several classes for one job count once
            elsewhere[source, task] = max(elsewhere[source, task], count)
    for source, _ in elsewhere:
        if len(boxes) < MAX_TASKS:
            boxes.setdefault(source, Box(source, Counter()))
    needs.update(elsewhere)
    return products


def layout(boxes: dict[str, Box], needs: Counter[tuple[str, str]]) -> None:
    """Gives each box a layer to the right of all tasks that it needs, and a position in the layer."""
    # one round per box is enough; tasks that need each other end there
    for _ in boxes:
        moved = False
        for needed, task in needs:
            if needed in boxes and task in boxes and needed != task:
                minimum = min(boxes[needed].layer + 1, len(boxes) - 1)
                moved |= minimum > boxes[task].layer
                boxes[task].layer = max(boxes[task].layer, minimum)
        if not moved:
            break
    x = 6.0
    linked = {task for pair in needs for task in pair if pair[0] != pair[1]}
    for layer in sorted({box.layer for box in boxes.values()}):
        column = [box for box in boxes.values() if box.layer == layer and box.task in linked]
        column.sort(key=lambda box: mean_height(box, boxes, needs))
        for index, box in enumerate(column):
            box.x, box.y = x, 8 + ROW * index
        x += max((box.width for box in column), default=-GAP) + GAP
    bottom = max((box.y + ROW for box in boxes.values() if box.task in linked), default=8.0)
    layout_rows([box for box in boxes.values() if box.task not in linked], bottom)


def layout_rows(boxes: list[Box], top: float) -> None:
    """Puts boxes without links side by side, in rows."""
    x, y = 6.0, top
    for box in boxes:
        if x > 6 and x + box.width > WIDTH:
            x, y = 6.0, y + ROW
        box.x, box.y = x, y
        x += box.width + 16


def mean_height(box: Box, boxes: dict[str, Box], needs: Counter[tuple[str, str]]) -> float:
    """The mean height of the boxes that a box needs: ordered by it, fewer arrows cross."""
    heights = [boxes[needed].y for needed, task in needs if task == box.task and needed in boxes]
    return sum(heights) / len(heights) if heights else 0.0


def short(task: str) -> str:
    return cut(task if task == ELSEWHERE else task.rpartition(".")[2], 26)


def facts(box: Box, on_itself: int) -> str:
    jobs = plural(sum(box.states.values()), "job") if box.states else "not counted"
    return f"{jobs}, {number(on_itself)} among them" if on_itself else jobs


def draw_box(canvas: Canvas, box: Box, on_itself: int) -> None:
    canvas.frame(box.x, box.y, box.width, BOX_HEIGHT, dashed=not box.states)
    canvas.text(box.x + 10, box.y + 17, short(box.task), bold=True, size=12)
    canvas.text(box.x + 10, box.y + 32, facts(box, on_itself), size=10)
    total = sum(box.states.values())
    x, inner = box.x + 10, box.width - 20
    for state, colour in COLOURS.items():
        if count := box.states[state]:
            tip = f"{box.task}: {number(count)} {state}"
            canvas.rectangle(x, box.y + 38, inner * count / total, 5, colour, tip=tip, corner=1)
            x += inner * count / total


def passes_below(needed: Box, task: Box, boxes: Iterable[Box]) -> float:
    """The height at which an arrow passes below the boxes that stand between two; 0 if there is none."""
    left, right = needed.x + needed.width, task.x
    top, bottom = sorted((needed.y, task.y))
    between = [
        box
        for box in boxes
        if left < box.x + box.width / 2 < right and top - ROW < box.y < bottom + ROW and box is not task
    ]
    return max((box.y + BOX_HEIGHT + BELOW for box in between), default=0.0)


def draw_need(canvas: Canvas, arrows: Canvas, needed: Box, task: Box, flow: Flow, below: float) -> None:
    """Draws an arrow from the needed task to the task, with the number of dependencies in a gap of it."""
    count = flow.count
    x1, y1 = needed.x + needed.width, needed.y + BOX_HEIGHT / 2
    x2, y2 = task.x - 7, task.y + BOX_HEIGHT / 2
    bend = max(30.0, (x2 - x1) / 2)
    # the middle of the curve has an eighth of each end's height, and the rest of the handles'
    handles = ((8 * below - y1 - y2) / 6,) * 2 if below else (y1, y2)
    through = f", by {', '.join(flow.products[:5])}" if flow.products else ""
    tip = f"{task.task} needs {needed.task}, {number(count)} times{through}"
    path = f"M{x1:.1f} {y1:.1f}C{x1 + bend:.1f} {handles[0]:.1f} {x2 - bend:.1f} {handles[1]:.1f}"
    path += f" {x2:.1f} {y2:.1f}"
    arrows.curve(path, INK, width=1.2 + min(2.0, count**0.5 / 8), opacity=0.6, tip=tip)
    arrows.curve(
        f"M{x2:.1f} {y2 - 4:.1f}L{x2 + 7:.1f} {y2:.1f}L{x2:.1f} {y2 + 4:.1f}Z", INK, opacity=0, filled=True
    )
    x, y, width = (x1 + x2) / 2, below or (y1 + y2) / 2, width_of(number(count)) * 0.91 + 6
    canvas.hide(x - width / 2, y - 7, width, 14)
    canvas.text(x, y + 3.5, number(count), anchor="middle", size=10)
    if name := flow.name():
        canvas.hide(x - width_of(name) * 0.41 - 3, y + 8, width_of(name) * 0.82 + 6, 12)
        canvas.text(x, y + 17, name, anchor="middle", size=9)
