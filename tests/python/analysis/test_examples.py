"""The examples in the docstrings of the functions are what they do."""

from __future__ import annotations

import doctest
import sys

import pytest

import xpframe.analysis


@pytest.mark.parametrize(
    "name", ["compare", "coverage", "diff", "factors", "mosaic", "replicates", "side_by_side"]
)
def test_examples_run(name: str) -> None:
    """Each public function has an example that runs and gives what it shows."""
    module = sys.modules[getattr(xpframe.analysis, name).__module__]
    (test,) = (
        test
        for test in doctest.DocTestFinder().find(module)
        if test.name.endswith(f".{name}.{name}"[-len(name) - 1 :]) and test.examples
    )
    assert doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test).failed == 0
