"""Copies what xpframe reads of a workspace on another machine, with rsync over ssh."""

from __future__ import annotations

from xpframe.remote.copy import pull
from xpframe.remote.outcome import Pulled

__all__ = ["Pulled", "pull"]
