"""Loaded objects behave as values: equal by content, shared by identity, picklable, and never changed."""

from __future__ import annotations

import copy
import gc
import math
import pickle
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

import xpframe
from definitions import JOB, one, refer, thing, write
from engine import load, table
from xpframe import Config, EnumValue, Unresolved, asdict, fields, identifier, tags, typename
from xpframe.errors import FieldError, JobNotFoundError, UnresolvedError

OTHER = "b" * 64
LOST = 555
ENUM = {"type": "enum", "module": "lab.options", "enum": "Optimizer", "value": "SGD"}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Two jobs that share a model, one of each kind of value, and a reference that nothing resolves."""
    model = thing(1, "Model", "model", name="cnn", layers=[1, 2])
    values = {
        "lr": 0.1,
        "steps": 10**30,
        "undefined": math.nan,
        "model": refer(1),
        "models": [refer(1), {"again": refer(1)}],
        "optimizer": ENUM,
        "data": {"type": "path", "value": "/data/x"},
        "sizes": {"type": "set", "items": [3, 1, 2]},
        "both": {"type": "set", "items": [refer(1), "text", ENUM]},
        "lost": {"type": "python", "value": LOST},
        "nothing": None,
    }
    return write(tmp_path / "ws", model, thing(2, "Train", JOB, **values), thing(3, "Train", OTHER, **values))


# values


def test_values_have_the_types_that_python_would_give_them(run: Path) -> None:
    """Enums, paths, sets, references and large integers become EnumValue, Path, frozenset, Config and int."""
    job = load(run).jobs[JOB]
    found = fields(job)
    kinds = {name: type(value) for name, value in found.items()}
    assert kinds == {
        "lr": float,
        "steps": int,
        "undefined": float,
        "model": Config,
        "models": list,
        "optimizer": EnumValue,
        "data": type(Path()),
        "sizes": frozenset,
        "both": frozenset,
        "lost": Unresolved,
        "nothing": type(None),
    }
    assert (found["steps"], found["data"], found["sizes"]) == (10**30, Path("/data/x"), frozenset({1, 2, 3}))
    assert math.isnan(found["undefined"])
    assert found["both"] == {job.model, "text", EnumValue("lab.options", "Optimizer", "SGD")}


def test_fields_are_the_attributes(run: Path) -> None:
    """`fields` gives the very objects that attribute access gives, in the order of declaration."""
    job = load(run).jobs[JOB]
    before = {name: getattr(job, name) for name in ("model", "models", "lost", "both")}
    found = fields(job)
    assert list(found)[:4] == ["lr", "steps", "undefined", "model"]
    assert len(found) == 11
    assert all(found[name] is value for name, value in before.items())
    assert all(getattr(job, name) is value for name, value in found.items())
    found["lr"] = 0.9
    assert job.lr == 0.1


def test_asdict_is_plain(run: Path) -> None:
    """`asdict` nests dicts, lists and scalars only, and is made anew each time."""
    plain = asdict(load(run).jobs[OTHER])
    assert isinstance(plain.pop("lost"), Unresolved)
    assert math.isnan(plain.pop("undefined"))
    model = {"name": "cnn", "layers": [1, 2]}
    assert plain == {
        "lr": 0.1,
        "steps": 10**30,
        "model": model,
        "models": [model, {"again": model}],
        "optimizer": "SGD",
        "data": "/data/x",
        "sizes": [3, 1, 2],
        "both": [model, "text", "SGD"],
        "nothing": None,
    }
    assert type(plain["optimizer"]) is type(plain["data"]) is str
    job = load(run).jobs[OTHER]
    asdict(job)["model"]["name"] = "changed"
    assert asdict(job)["model"]["name"] == job.model.name == "cnn"


def test_names_and_tags(run: Path) -> None:
    """`typename`, `identifier` and `tags` say what experimaestro's own objects say of themselves."""
    job = load(run).jobs[JOB]
    assert (typename(job), identifier(job), tags(job)) == ("lab.Train", JOB, {"lr": 0.1, "n": 3})
    assert (job.__xpmtypename__, job.__xpmidentifier__) == ("lab.Train", JOB)
    assert (typename(job.model), identifier(job.model), tags(job.model)) == ("lab.Model", "model", {})
    assert repr(job) == "<lab.Train aaaaaaaa>"
    for call in (typename, identifier, tags, fields, asdict):
        with pytest.raises(TypeError, match="expected a config or an action, not str"):
            call("text")


# equality


def test_equal_by_content_across_loads(run: Path) -> None:
    """Two loads of a run give equal configs with equal hashes, NaN and sets included; other jobs differ."""
    first, second = load(run).jobs, load(run).jobs
    assert first[JOB] is not second[JOB]
    assert first[JOB] == second[JOB]
    assert hash(first[JOB]) == hash(second[JOB])
    assert first[JOB] != first[OTHER]
    assert first[JOB] != "text"
    assert len({first[JOB], second[JOB], first[OTHER], first[JOB].model, second[OTHER].model}) == 3


@pytest.mark.parametrize(
    ("mine", "theirs", "same"),
    [
        (math.nan, math.nan, True),
        (1, 1, True),
        (1, 2, False),
        (1, True, False),
        (1, "1", False),
        (None, False, False),
        ([1, 2], [2, 1], False),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        ({"type": "set", "items": [1, 2]}, {"type": "set", "items": [2, 1]}, True),
        ({"type": "set", "items": [1, 2]}, [1, 2], False),
        ({"type": "path", "value": "/x"}, "/x", False),
        (ENUM, ENUM, True),
        (ENUM, {**ENUM, "value": "ADAM"}, False),
        (ENUM, {**ENUM, "module": "elsewhere"}, False),
        (refer(1), {"name": "cnn", "layers": [1, 2]}, False),
    ],
)
def test_equality_sees_values_and_their_kinds(mine: Any, theirs: Any, same: bool, tmp_path: Path) -> None:
    """Configs that differ in one field are equal exactly when the values are of one kind and equal."""
    a, b = one(tmp_path / "a", x=mine), one(tmp_path / "b", x=theirs)
    assert (a == b) is same
    assert (b == a) is same
    assert (a != b) is not same
    assert hash(a) == hash(b)  # the identifier and the class are the same


def test_equality_sees_class_and_depth(tmp_path: Path) -> None:
    """A difference in the class of a nested config, or deep in a nested value, makes two configs differ."""
    first = write(
        tmp_path / "a", thing(1, "Model", "m", x=[{"k": 1}]), thing(2, "Train", JOB, model=refer(1))
    )
    other_class = thing(1, "Net", "m", x=[{"k": 1}])
    second = write(tmp_path / "b", other_class, thing(2, "Train", JOB, model=refer(1)))
    third = write(
        tmp_path / "c", thing(1, "Model", "m", x=[{"k": 2}]), thing(2, "Train", JOB, model=refer(1))
    )
    a, b, c = (load(path).jobs[JOB] for path in (first, second, third))
    assert a != b
    assert a != c
    assert a == load(first).jobs[JOB]


# identity


def test_identity_holds_as_long_as_somebody_holds(run: Path) -> None:
    """One config is one Python object while it is held, wherever it is reached from; then it is freed."""
    info = load(run)
    job, other = info.jobs[JOB], info.jobs[OTHER]
    assert info.jobs[JOB] is job
    assert job.model is other.model is job.models[0] is other.models[1]["again"]
    assert job.model in job.both
    alive = weakref.ref(job.model)
    gc.disable()  # no cycle: nobody has to search for it
    try:
        held = job.model
        del job, other
        assert alive() is held
        assert info.jobs[JOB].model is held
        del held
        assert alive() is None
    finally:
        gc.enable()


def test_a_config_outlives_its_info(run: Path) -> None:
    """A config that is held stays usable after the info, and the other configs, are gone."""
    model = load(run).jobs[JOB].model
    gc.collect()
    assert (model.name, typename(model)) == ("cnn", "lab.Model")


def test_eight_threads_touch_one_config(run: Path) -> None:
    """Eight threads that touch the same fields for the first time at once see the same objects."""
    rounds = 40
    for _ in range(rounds):
        info, start = load(run), Barrier(8)
        job = info.jobs[JOB]

        def touch(_: int, job: Any = job, info: Any = info, start: Barrier = start) -> tuple[Any, ...]:
            start.wait()
            return job.model, info.jobs[OTHER].model, fields(job)["model"], info.jobs[JOB]

        with ThreadPoolExecutor(8) as pool:
            seen = list(pool.map(touch, range(8)))
        assert len(seen) == 8
        assert {id(model) for models in seen for model in models[:3]} == {id(job.model)}
        assert {id(models[3]) for models in seen} == {id(job)}


def test_the_second_access_is_a_plain_attribute(run: Path) -> None:
    """After the first touch a field lies in the instance's `__dict__`, where Python finds it by itself, and
    so do plain values and configs that somebody holds. Other fields wait until they are touched.
    """
    info = load(run)
    job, other = info.jobs[JOB], info.jobs[OTHER]
    assert vars(job) == vars(other) == {}
    lr = job.lr
    assert object.__getattribute__(job, "lr") is lr
    assert set(vars(job)) == {"lr", "nothing", "undefined"} < set(fields(job))
    assert vars(job).items() <= fields(job).items()
    model = other.model
    assert vars(other)["model"] is model
    del job
    again = info.jobs[JOB]
    assert again.lr == lr
    assert vars(again)["model"] is model


# copying


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickle_keeps_content_and_sharing(protocol: int, run: Path) -> None:
    """A pickle comes back equal, and what was one object in it is one object again."""
    info = load(run)
    job, other = info.jobs[JOB], info.jobs[OTHER]
    again = pickle.loads(pickle.dumps([job, other, job.model, {"k": job}], protocol))
    assert again[:3] == [job, other, job.model]
    assert again[0] is again[3]["k"]
    assert again[0].model is again[1].model is again[2]
    assert again[0] is not job
    assert tags(again[0]) == tags(job)


def test_pickle_of_configs_of_two_loads(run: Path) -> None:
    """Configs of two loads stay two objects in one pickle, each with what it shared."""
    a, b = load(run).jobs[JOB], load(run).jobs[JOB]
    again = pickle.loads(pickle.dumps([a, a.model, b, b.model]))
    assert again[0] is not again[2]
    assert again[0].model is again[1]
    assert again[2].model is again[3]
    assert again[0] == again[2] == a


def test_pickle_through_a_saved_object(workspaces: Any) -> None:
    """What `xp.save` saved pickles with its sharing."""
    run = max(workspaces.path("v270_full").glob("experiments/ablation/2*"))
    info = load(run)
    assert info.saved == ["a-task", "corpus", "default", "final-results"]
    for name in info.saved:
        saved = info.load(name)
        again = pickle.loads(pickle.dumps(saved))
        assert again == saved
        mine, theirs = configs_in(saved), configs_in(again)
        assert mine
        assert [typename(c) for c in mine] == [typename(c) for c in theirs]
        places = [
            [i for i, c in enumerate(found) if c is first] for found in (mine, theirs) for first in found
        ]
        assert places[: len(mine)] == places[len(mine) :]


def configs_in(value: Any) -> list[Any]:
    """The configs in a value, each as often as it is met."""
    if isinstance(value, Config):
        return [value, *configs_in(list(fields(value).values()))]
    if isinstance(value, dict):
        return configs_in(list(value.values()))
    if isinstance(value, (list, tuple, frozenset)):
        return [config for item in value for config in configs_in(item)]
    return []


def test_a_pickle_of_what_was_rewritten_is_refused(run: Path) -> None:
    """A pickled config that is no longer where it was raises, naming the run, rather than be another."""
    stored = pickle.dumps(load(run).jobs[OTHER])
    lines = (run / "objects.jsonl").read_text().splitlines(keepends=True)
    (run / "objects.jsonl").write_text("".join(lines[:2]))
    with pytest.raises(UnresolvedError, match=f"config {OTHER} has moved in the run") as raised:
        pickle.loads(stored)
    assert raised.value.file == str(run)


def test_copies_are_the_config_itself(run: Path) -> None:
    """`copy` and `deepcopy` give the config itself, as of any value that cannot change."""
    job = load(run).jobs[JOB]
    assert copy.copy(job) is job
    assert copy.deepcopy(job) is job
    first, second = copy.deepcopy([job.model, job])
    assert first is second.model is job.model


# names


def test_dir_names_the_fields(run: Path) -> None:
    """`dir` has every field, and experimaestro's three names; completion needs no more."""
    job = load(run).jobs[JOB]
    extra = {"__xpmtypename__", "__xpmidentifier__", "__xpmtask__"}
    assert set(dir(job)) == set(fields(job)) | extra
    assert all(hasattr(job, name) for name in dir(job))
    assert len(dir(job)) == 14


def test_nothing_can_be_set(run: Path) -> None:
    """Fields, known or not, can be neither set nor deleted, before and after they were touched."""
    job = load(run).jobs[JOB]
    for _ in range(2):
        for name in ("lr", "unheard_of"):
            with pytest.raises(AttributeError, match=f"cannot set '{name}'"):
                setattr(job, name, 1)
            with pytest.raises(AttributeError, match=f"cannot delete '{name}'"):
                delattr(job, name)
        assert job.lr == 0.1
    assert "unheard_of" not in dir(job)


def test_an_unknown_field_names_its_neighbours(run: Path) -> None:
    """An unknown attribute is an AttributeError that names near misses, else all fields of a small config."""
    job = load(run).jobs[JOB]
    with pytest.raises(FieldError) as raised:
        _ = job.modle
    assert str(raised.value) == "field modle: lab.Train has no field 'modle' (did you mean model, models?)"
    assert isinstance(raised.value, AttributeError)
    with pytest.raises(FieldError, match=r"\(it has name, layers\)$"):
        _ = job.model.zzzzzzzzz
    for name, where in (
        ("tags", "tags(config) is that of its job"),
        ("state", "info.states has those of jobs"),
    ):
        with pytest.raises(FieldError) as raised:
            getattr(job.model, name)
        assert raised.value.hint == f"it has name, layers; {where}"
    assert not hasattr(job, "modle")
    assert getattr(job, "modle", None) is None


ODD = {
    "items": 1,
    "keys": 2,
    "values": 3,
    "describe": "d",
    "config": 4,
    "name with space": 5,
    "class": 6,
    "é": 7,
    "": 8,
    "a.b": 9,
    "_config": 10,
    "__len__": 11,
}


def test_names_that_other_objects_keep_for_themselves(tmp_path: Path) -> None:
    """Fields called as methods, keywords or nothing that is a name are fields as any other."""
    job = one(tmp_path / "ws", **ODD)
    assert {name: getattr(job, name) for name in ODD} == ODD
    assert fields(job) == asdict(job) == ODD
    assert set(ODD) < set(dir(job))
    again = pickle.loads(pickle.dumps(job))
    assert again == job
    assert fields(again) == ODD
    assert job.describe == "d"


TAKEN = ["__class__", "__dict__", "__weakref__", "__doc__", "__xpmtypename__", "__xpmidentifier__"]


def test_names_that_python_needs(tmp_path: Path) -> None:
    """Fields with a name that Python needs itself are in `fields`, `asdict` and the table; nothing breaks."""
    job = one(tmp_path / "ws", **dict.fromkeys(TAKEN, "mine"))
    for _ in range(2):
        assert fields(job) == asdict(job) == dict.fromkeys(TAKEN, "mine")
        assert job.__class__ is Config
        assert isinstance(job, Config)
        assert (typename(job), job.__xpmtypename__, identifier(job)) == ("lab.Train", "lab.Train", JOB)
        assert repr(job) == "<lab.Train aaaaaaaa>"
    assert pickle.loads(pickle.dumps(job)) == job
    (run,) = (tmp_path / "ws" / "experiments" / "random").iterdir()
    columns = table(run).column_names
    assert {f"config.{name}" for name in TAKEN} < set(columns)


def test_names_of_its_methods(tmp_path: Path) -> None:
    """Fields called as a method of configs leave that method alone, before and after `fields`."""
    names = ["__reduce_ex__", "_repr_html_", "_repr_pretty_"]
    job = one(tmp_path / "ws", **dict.fromkeys(names, "mine"))
    before = [type(getattr(job, name)) for name in names]
    assert fields(job) == dict.fromkeys(names, "mine")
    assert [type(getattr(job, name)) for name in names] == before
    assert pickle.loads(pickle.dumps(job)) == job


# values of their own


def test_enum_values(run: Path) -> None:
    """An enum member equals its name and hashes like it, and keeps its class, without the class imported."""
    member = load(run).jobs[JOB].optimizer
    assert (member.name, member.enum, member.module) == ("SGD", "Optimizer", "lab.options")
    assert (str(member), repr(member), f"{member}") == ("SGD", "<Optimizer.SGD>", "SGD")
    assert member == "SGD"
    assert "SGD" == member  # noqa: SIM300 - both sides are asked
    assert member not in ("ADAM", None, 3)
    assert {"SGD": 1}[member] == 1
    assert member == load(run).jobs[OTHER].optimizer == EnumValue("lab.options", "Optimizer", "SGD")
    assert member != EnumValue("lab.options", "Other", "SGD")
    again = pickle.loads(pickle.dumps(member))
    assert (again, again.module, hash(again)) == (member, "lab.options", hash("SGD"))
    assert copy.deepcopy(member) == member
    with pytest.raises(AttributeError):
        member.name = "ADAM"


def test_unresolved_says_what_is_missing_when_touched(run: Path) -> None:
    """A dangling reference is there and says its id; asking one of its fields is an AttributeError."""
    lost = load(run).jobs[JOB].lost
    assert repr(lost) == f"<unresolved: object {LOST} is referred to but no file holds it>"
    with pytest.raises(UnresolvedError, match=f"object {LOST} is referred to but no file holds it") as raised:
        _ = lost.name
    assert raised.value.field == "name"
    assert raised.value.hint
    assert not hasattr(lost, "name")
    assert lost == load(run).jobs[OTHER].lost
    assert lost not in (LOST, None, "text")
    assert len({lost, load(run).jobs[OTHER].lost}) == 1
    with pytest.raises(TypeError, match="not Unresolved"):
        fields(lost)


def test_unresolved_can_be_copied(run: Path) -> None:
    """What `fields` and `asdict` give can be copied and pickled, a dangling reference in it included."""
    job = load(run).jobs[JOB]
    assert copy.deepcopy(asdict(job)["lost"]) == job.lost
    assert pickle.loads(pickle.dumps(fields(job)["lost"])) == job.lost


def test_a_stub_has_no_fields(tmp_path: Path) -> None:
    """A config that was not loaded when the run was written says so, with file and line."""
    stub = {**thing(1, "Model", "model"), "stub": True}
    run = write(tmp_path / "ws", stub, thing(2, "Train", JOB, model=refer(1)))
    model = load(run).jobs[JOB].model
    assert model.__xpmstub__ is True
    assert (typename(model), identifier(model), fields(model), asdict(model)) == (
        "lab.Model",
        "model",
        {},
        {},
    )
    with pytest.raises(FieldError) as raised:
        _ = model.name
    assert "was not loaded when the run was written" in raised.value.reason
    assert (raised.value.file, raised.value.line) == (str(run / "objects.jsonl"), 1)
    assert raised.value.hint == "load the run in which it was executed"


def test_flags(tmp_path: Path) -> None:
    """The meta flag, the task and the init tasks of a config have names as experimaestro's own."""
    meta = {**thing(1, "Model", "model"), "meta": True}
    before = thing(2, "Setup", "setup")
    job = {**thing(3, "Train", JOB, model=refer(1)), "task": 103, "init-tasks": [102]}
    found = load(write(tmp_path / "ws", meta, before, job)).jobs[JOB]
    assert (found.__xpmmeta__, found.model.__xpmmeta__) == (False, True)
    assert found.model.__xpmtask__ is None
    assert [typename(task) for task in found.__xpminittasks__] == ["lab.Setup"]
    assert found.__xpmstub__ is False


@pytest.mark.parametrize("items", [[[1, 2], [3]], [{"a": 1}]])
def test_sets_of_what_cannot_be_hashed(items: list[Any], tmp_path: Path) -> None:
    """A set of tuples is written as lists: its field is readable, and does not take the others with it."""
    job = one(tmp_path / "ws", x={"type": "set", "items": items}, y=1)
    assert asdict(job) == {"x": items, "y": 1}
    assert len(job.x) == len(items)
    assert fields(job)["y"] == 1


# mappings


def test_jobs_are_a_mapping(run: Path) -> None:
    """`jobs` answers as a dictionary from job id to config, in order."""
    jobs = load(run).jobs
    assert list(jobs) == list(jobs.keys()) == [JOB, OTHER]
    assert list(reversed(jobs)) == [OTHER, JOB]
    assert list(jobs.items()) == [(JOB, jobs[JOB]), (OTHER, jobs[OTHER])]
    assert list(jobs.values()) == [jobs[JOB], jobs[OTHER]]
    assert (JOB, jobs[JOB]) in jobs.items()
    assert jobs[JOB] in jobs.values()
    assert len(jobs) == len(jobs.items()) == len(jobs.values()) == 2
    assert JOB in jobs
    assert "nothing" not in jobs
    assert jobs.get("nothing") is None
    assert dict(jobs) == {JOB: jobs[JOB], OTHER: jobs[OTHER]}
    assert jobs == load(run).jobs
    with pytest.raises(KeyError):
        _ = jobs["nothing"]


def test_a_loop_holds_the_job_before(run: Path) -> None:
    """What two jobs share is one object in a loop that holds neither of them, and freed after it."""
    models = []
    for job in load(run).jobs.values():
        models.append(weakref.ref(job.model))
    assert len(models) == 2
    assert models[0] is models[1]
    del job
    assert models[0]() is None


def test_what_is_no_text_is_no_job(run: Path) -> None:
    """Asking a mapping for a key that is no text answers that it is not there, as a dictionary does."""
    jobs = load(run).jobs
    assert 3 not in jobs
    assert jobs.get(None) is None
    with pytest.raises(JobNotFoundError, match=r"^'?no job None \(identifiers are strings\)"):
        _ = jobs[None]
    assert load(run).actions.get(b"x") is None


# actions and saved objects


def test_functions_take_actions(workspaces: Any) -> None:
    """`typename`, `identifier`, `fields`, `asdict` and `tags` take an action as they take its config."""
    seen = 0
    for run in sorted(workspaces.path("v270_full").glob("experiments/*/2*")):
        info = load(run)
        for key, action in info.actions.items():
            seen += 1
            assert isinstance(action, xpframe.Action)
            config = action.config
            assert identifier(action) == identifier(config) == key
            assert typename(action) == typename(config)
            assert fields(action) == fields(config)
            assert asdict(action) == asdict(config)
            assert tags(action) == tags(config)
            assert action.describe() == pickle.loads(pickle.dumps(action)).describe()
            assert action == info.actions[key]
            assert hash(action) == hash(config)
            assert set(fields(config)) < set(dir(action))
    assert seen > 0
    print(f"{seen} actions")
