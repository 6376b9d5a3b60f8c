"""The source of a grid search that real experimaestro runs."""

from __future__ import annotations

TASKS = """
import json
from pathlib import Path

from experimaestro import Action, Config, Interaction, Param, Task, experiment, tag


class Model(Config):
    name: Param[str]
    hidden_size: Param[int]


class Train(Task):
    model: Param[Model]
    learning_rate: Param[float]

    def execute(self):
        Path("metrics.json").write_text(json.dumps({"loss": self.learning_rate * self.model.hidden_size}))
        if self.learning_rate > 1:
            raise ValueError("diverged")


class Export(Action):
    model: Param[Model]

    def describe(self):
        return f"Export {self.model.name}"

    def execute(self, interaction: Interaction):
        raise NotImplementedError


def search(workspace, known):
    with experiment(workspace, "grid-search", no_environmental_impact=True, register_signals=False) as xp:
        models = [Model.C(name=f"m{size}", hidden_size=tag(size)) for size in (64, 128)]
        trains = [Train.C(model=m, learning_rate=tag(r)).submit() for m in models for r in (0.1, 0.01, 10.0)]
        xp.save({"best": trains[1], "models": models}, name="results")
        xp.add_action(Export.C(model=models[0]))
    Path(known).write_text(json.dumps({
        t.__xpm__.identifier.all.hex(): [models.index(m), m.name, m.hidden_size, t.learning_rate]
        for t in trains
        for m in [t.model]
    }))
"""
