"""The examples in the docstrings of the functions are what they do."""

from __future__ import annotations

import doctest
import sys

import pytest

import xpframe.analysis

NAMES = ("compare", "coverage", "diff", "factors", "mosaic", "replicates", "side_by_side")


@pytest.mark.parametrize("name", NAMES)
def test_examples_run(name: str) -> None:
    """Each public function has an example that runs and gives what it shows."""
    module = sys.modules[getattr(xpframe.analysis, name).__module__]
    examples = {test.name: test for test in doctest.DocTestFinder().find(module) if test.examples}
    assert doctest.DocTestRunner().run(examples[f"{module.__name__}.{name}"]).failed == 0
