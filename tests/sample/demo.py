"""What `make demo` prints: the sample's frame, and one object that two jobs share."""

from __future__ import annotations

import pandas as pd

import xpframe

pd.set_option("display.width", 120, "display.max_columns", None)

workspace = xpframe.sample_workspace()
columns = ["state", "tags.hidden_size", "tags.learning_rate", "config.model.name", "config.model.hidden_size"]
frame = xpframe.xp_frame("grid-search", workspace=workspace)
print(
    f"grid-search, of the sample workspace: {len(frame)} jobs, {len(frame.columns)} columns. Five of them:\n"
)
print(frame[columns])

jobs = list(xpframe.Workspace(workspace).load_xp_info("grid-search").jobs.values())
one, other = jobs[0], jobs[4]
print("\nTwo jobs trained the same model, and still do:\n")
print(f"jobs[0].model          {one.model!r}")
print(f"jobs[4].model          {other.model!r}")
print(f"jobs[0].model is jobs[4].model   {one.model is other.model}")
