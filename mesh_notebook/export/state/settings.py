"""Settings of libraries that what they make depends on, and that no name stands for."""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Mapping
from typing import Any

__all__ = ["SETTINGS", "generators", "reached", "setting"]

# By how a person would write it: the module, and what of it is the setting, or returns it.
SETTINGS = {
    "decimal.getcontext()": ("decimal", "getcontext"),
    "numpy.geterr()": ("numpy", "geterr"),
    "pandas.options": ("pandas", "options.d"),
}


def setting(name: str) -> Any:
    """Return a setting as it is in this process."""
    module, path = SETTINGS[name]
    found = reached(importlib.import_module(module), f"{module}.{path}")
    return found() if callable(found) else found


def generators() -> dict[str, int]:
    """Return where the hidden random generators stand, by the name that draws go under."""
    import random

    found = {"<draws of random>": hash(random.getstate())}
    if (numpy := sys.modules.get("numpy.random")) is not None:
        _, key, place, *_ = numpy.get_state()
        found["<draws of numpy>"] = hash((key.tobytes(), place))
    return found


def reached(value: Any, path: str) -> Any:
    """Return what `a.b['c']` is of the value that `a` stands for; None where there is no such."""
    path, bracket, key = path.partition("[")
    for part in path.split(".")[1:]:
        value = getattr(value, part, None)
    if bracket and isinstance(value, Mapping):
        return value.get(ast.literal_eval(key.removesuffix("]")))
    return None if bracket else value
