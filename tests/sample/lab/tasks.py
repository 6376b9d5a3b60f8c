"""The tasks of the sample: the grid search of experimaestro's documentation, with a training that runs."""

import csv
import json
import math
from pathlib import Path

from experimaestro import Action, Config, Interaction, Param, Task


class Model(Config):
    name: Param[str]
    hidden_size: Param[int]


class Train(Task):
    model: Param[Model]
    learning_rate: Param[float]

    def execute(self) -> None:
        """Descends a bowl whose curvature grows with the model: too bold a step and the loss explodes."""
        from tensorboardX import SummaryWriter  # type: ignore[import-untyped]

        curvature, weight, steps = self.model.hidden_size / 16, 1.0, 50
        loss, accuracy = math.inf, 0.0
        # a task runs in its own job directory
        with SummaryWriter("runs") as board, Path("results.csv").open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["step", "loss", "accuracy"])
            for step in range(steps):
                weight -= self.learning_rate * curvature * weight
                loss = 0.05 + curvature * weight**2 / 2
                if loss > 1e6:
                    raise ValueError(f"the loss diverged at step {step}: {loss:.3g}")
                accuracy = math.exp(-loss) * (1 - 1 / math.sqrt(self.model.hidden_size))
                if step % 5 == 4:
                    rows.writerow([step + 1, round(loss, 6), round(accuracy, 6)])
                    board.add_scalar("val/loss", loss, step + 1)
                    board.add_scalar("val/accuracy", accuracy, step + 1)
        metrics = {"loss": round(loss, 6), "accuracy": round(accuracy, 6), "steps": steps}
        Path("metrics.json").write_text(json.dumps(metrics))


class Export(Action):
    train: Param[Train]

    def describe(self) -> str:
        return f"Export {self.train.model.name} (hidden size {self.train.model.hidden_size})"

    def execute(self, interaction: Interaction) -> None:
        raise NotImplementedError("the sample has nothing to export")
