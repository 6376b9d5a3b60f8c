"""Runs the grid search in the workspace given as first argument."""

import sys

from experimaestro import experiment, tag

from lab.tasks import Export, Model, Train


def main(workspace: str) -> None:
    # with learning rate 0.1 the largest model diverges: the sample must hold a job that fails
    with experiment(workspace, "grid-search", no_environmental_impact=True) as xp:
        models = [Model.C(name="transformer", hidden_size=tag(size)) for size in (64, 128, 256, 512)]
        trains = [
            Train.C(model=model, learning_rate=tag(rate)).submit()
            for rate in (0.1, 0.01, 0.001)
            for model in models
        ]
        baseline = trains[4]
        xp.save(baseline)
        xp.add_action(Export.C(train=baseline))


if __name__ == "__main__":
    main(sys.argv[1])
