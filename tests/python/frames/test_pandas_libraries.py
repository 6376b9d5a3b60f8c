"""Frames of pandas in the libraries that take them: matplotlib, seaborn and scikit-learn."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import matplotlib.pyplot as plt
import pandas as pd
import pytest
import seaborn as sns
import seaborn.objects as so
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestClassifier, RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from helpers_arrow import EngineTable, grid_search
from xpframe.backends.pandas import to_pandas

pytestmark = pytest.mark.slow
plt.switch_backend("Agg")

NUMBERS = ["tags.lr", "config.hidden", "config.dropout"]
LABELS = ["tags.model", "config.optimizer"]
BOTH_FRAMES = pytest.mark.parametrize("frame", ["complete", "with gaps"], indirect=True)


@pytest.fixture
def frame(request: pytest.FixtureRequest) -> pd.DataFrame:
    """The default frame of a grid search of 120 jobs."""
    return to_pandas(EngineTable(grid_search(gaps=request.param == "with gaps")))


@pytest.fixture
def figure() -> Iterator[None]:
    """Draws whatever the test has plotted, since most faults only show then."""
    yield
    numbers = plt.get_fignums()
    for number in numbers:
        plt.figure(number).canvas.draw()
    plt.close("all")
    assert numbers


# --- plots ---


@BOTH_FRAMES
@pytest.mark.usefixtures("figure")
def test_pandas_plots(frame: pd.DataFrame) -> None:
    """`df.plot` in its common forms."""
    frame.plot(x="tags.lr", y="duration_s", kind="scatter")
    frame.plot.scatter("tags.lr", "duration_s", c="config.dropout")
    frame.plot(x="config.hidden", y=["duration_s", "config.dropout"])
    frame.duration_s.plot.hist()
    frame.boxplot("duration_s", by="tags.model")
    frame[["duration_s", "tags.lr"]].plot.kde()
    frame.groupby("tags.model").duration_s.mean().plot.bar()
    frame.pivot_table(index="tags.lr", columns="config.hidden", values="duration_s").plot.bar()
    frame["tags.model"].value_counts().plot.pie()
    frame[NUMBERS].hist()
    frame.dropna(subset=["submitted_at"]).set_index("submitted_at").duration_s.plot()


@BOTH_FRAMES
@pytest.mark.usefixtures("figure")
def test_matplotlib(frame: pd.DataFrame) -> None:
    """matplotlib takes columns directly: numbers with gaps, bools, labels and times without."""
    _, axes = plt.subplots(3, 4)
    (a, b, c, d), (e, f, g, h), (i, j, k, m) = axes
    a.scatter(frame["tags.lr"], frame.duration_s, c=frame["config.dropout"])
    b.plot(frame["config.dropout"], frame.duration_s)
    c.hist(frame.duration_s)
    d.errorbar(frame["tags.lr"], frame.duration_s, yerr=frame["config.dropout"])
    e.scatter(frame["config.hidden"], frame["config.seed"])
    f.plot(frame["config.hidden"])
    g.fill_between(frame.index, frame.duration_s, frame["config.dropout"])
    h.scatter("tags.lr", "duration_s", data=frame)
    known = frame.dropna()
    assert len(known) > 20
    i.plot(known.submitted_at, known.duration_s)
    j.bar(known["tags.model"], known.duration_s)
    k.bar(known["config.optimizer"], known.duration_s)
    m.boxplot(known.duration_s)


SEABORN: dict[str, Callable[[pd.DataFrame], object]] = {
    "scatterplot": lambda frame: sns.scatterplot(
        frame, x="tags.lr", y="duration_s", hue="tags.model", style="config.optimizer", size="config.hidden"
    ),
    "lineplot": lambda frame: sns.lineplot(frame, x="config.hidden", y="duration_s", hue="tags.model"),
    "lineplot of times": lambda frame: sns.lineplot(frame, x="submitted_at", y="duration_s"),
    "boxplot": lambda frame: sns.boxplot(frame, x="tags.model", y="duration_s", hue="config.optimizer"),
    "boxplot by ints": lambda frame: sns.boxplot(frame, x="config.hidden", y="duration_s"),
    "violinplot": lambda frame: sns.violinplot(frame, x="config.optimizer", y="duration_s"),
    "heatmap": lambda frame: sns.heatmap(
        frame.pivot_table(index="tags.lr", columns="config.hidden", values="duration_s"), annot=True
    ),
    "heatmap with holes": lambda frame: sns.heatmap(
        frame.pivot_table(index="tags.lr", columns="config.dropout", values="duration_s")
    ),
    "heatmap of correlations": lambda frame: sns.heatmap(frame[NUMBERS].corr()),
    "relplot": lambda frame: sns.relplot(
        frame, x="tags.lr", y="duration_s", hue="config.hidden", col="tags.model"
    ),
    "catplot": lambda frame: sns.catplot(frame, x="config.optimizer", y="duration_s", col="tags.model"),
    "catplot of bars": lambda frame: sns.catplot(
        frame, x="tags.model", y="duration_s", kind="bar", errorbar=None
    ),
    "histplot": lambda frame: sns.histplot(frame, x="duration_s", hue="config.optimizer"),
    "countplot": lambda frame: sns.countplot(frame, x="config.optimizer", hue="tags.model"),
    "regplot": lambda frame: sns.regplot(frame, x="config.dropout", y="duration_s", n_boot=10),
    "pairplot": lambda frame: sns.pairplot(
        frame[[*NUMBERS[1:], "tags.model"]], hue="tags.model", diag_kind="hist"
    ),
    "objects": lambda frame: (
        so.Plot(frame, x="tags.lr", y="duration_s", color="tags.model").add(so.Dot()).plot(pyplot=True)
    ),
}


@BOTH_FRAMES
@pytest.mark.usefixtures("figure")
@pytest.mark.parametrize("plot", SEABORN)
# seaborn 0.13 lags behind matplotlib 3.11 and pandas 3.1, whatever the frame
@pytest.mark.filterwarnings("ignore:vert. bool was deprecated:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:The copy keyword is deprecated:DeprecationWarning")
def test_seaborn(frame: pd.DataFrame, plot: str) -> None:
    """Every common plot of seaborn draws the default frame, gaps or not."""
    SEABORN[plot](frame)


# --- models ---


def test_sklearn_fits_complete_columns() -> None:
    """Linear models and forests fit and predict from columns as they are: numbers, bools, labels."""
    frame = to_pandas(EngineTable(grid_search(gaps=False)))
    target = frame.duration_s
    assert LinearRegression().fit(frame[NUMBERS], target).predict(frame[NUMBERS]).shape == (120,)
    RandomForestRegressor(3).fit(frame[[*NUMBERS, "config.bias", "config.seed"]], target)
    for label in ("tags.model", "config.optimizer", "config.bias"):
        known, new, wanted, _ = train_test_split(
            frame[NUMBERS], frame[label], stratify=frame["config.optimizer"]
        )
        assert len(RandomForestClassifier(3).fit(known, wanted).predict(new)) == 30


def test_sklearn_fits_columns_with_gaps() -> None:
    """With gaps: after `dropna`, through an imputer, and as they are where the model knows missing values."""
    frame = to_pandas(EngineTable(grid_search(gaps=True)))
    known = frame.dropna(subset=[*NUMBERS, "duration_s"])
    assert 40 < len(known) < 120
    LinearRegression().fit(known[NUMBERS], known.duration_s)
    RandomForestRegressor(3).fit(known[NUMBERS], known.duration_s)
    assert make_pipeline(SimpleImputer(), StandardScaler()).fit_transform(frame[NUMBERS]).shape == (120, 3)
    wanted = frame.dropna(subset=["duration_s"])
    HistGradientBoostingRegressor(max_iter=2).fit(wanted[NUMBERS], wanted.duration_s)


@BOTH_FRAMES
def test_sklearn_encodes_labels(frame: pd.DataFrame) -> None:
    """Columns are found by kind and encoded; a missing label is one more label."""
    numbers = make_column_selector(dtype_include="number")(frame[[*NUMBERS, *LABELS]])
    labels = make_column_selector(dtype_include=["str", "category"])(frame[[*NUMBERS, *LABELS]])
    assert (numbers, labels) == (NUMBERS, LABELS)
    encode = ColumnTransformer(
        [
            ("labels", OneHotEncoder(sparse_output=False), labels),
            ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), numbers),
        ]
    )
    known = frame.dropna(subset=["duration_s"])
    model = make_pipeline(encode, LinearRegression()).fit(known, known.duration_s)
    assert len(model.predict(frame)) == 120
    missing = sum(bool(frame[label].isna().any()) for label in labels)
    assert encode.fit_transform(frame).shape == (120, 3 + 2 + missing + 3)
