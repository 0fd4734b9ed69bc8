"""Settings of libraries that what they make depends on, and that no name stands for."""

from __future__ import annotations

import importlib
from typing import Any

__all__ = ["SETTINGS", "reached", "setting"]

# By how a person would write it: the module, and the function of it that returns the setting.
SETTINGS = {
    "decimal.getcontext()": ("decimal", "getcontext"),
    "numpy.geterr()": ("numpy", "geterr"),
}


def setting(name: str) -> Any:
    """Return a setting as it is in this process."""
    module, function = SETTINGS[name]
    return getattr(importlib.import_module(module), function)()


def reached(value: Any, path: str) -> Any:
    """Return what `a.b.c` is of the value that `a` stands for; None where there is no such."""
    for part in path.split(".")[1:]:
        value = getattr(value, part, None)
    return value
