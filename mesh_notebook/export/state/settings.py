"""Settings of libraries that what they make depends on, and that no name stands for."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["SETTINGS", "Setting", "beside", "reached", "setting"]


@dataclass(frozen=True)
class Setting:
    """One of the settings.

    Attributes
    ----------
    library : str
        Whose it is.
    now : callable
        Returns it as it is in this process.
    written : str
        The name under which the record keeps what sets it.
    read : str
        The name under which it keeps what asks for it; empty where all that imports the library
        does.
    fix : str
        How to put it in order.
    about : tuple of str
        What a slice's text says of the library, where others make such texts as well: of a slice
        that says none of it, the setting is not asked.
    """

    library: str
    now: Callable[[], Any]
    written: str
    read: str = ""
    fix: str = ""
    about: tuple[str, ...] = ()


def _context() -> Any:
    import decimal

    return decimal.getcontext()


def _errors() -> Any:
    import numpy as np

    return np.geterr()


def _printing() -> Any:
    import numpy as np

    return np.get_printoptions()


def _first_day() -> Any:
    import calendar

    return calendar.firstweekday()


def _mocks() -> list[str]:
    """Return the names that mocks stand under now."""
    mock = sys.modules.get("unittest.mock")
    active = mock._patch._active_patches if mock else ()
    return sorted(str(getattr(one, "attribute", "a dictionary")) for one in active)


def _options() -> Any:
    import pandas as pd

    return pd.options.d


def _ways() -> Any:
    """Return the options of pandas that say how it computes."""
    import pandas as pd

    return {name: pd.options.d.get(name) for name in ("mode", "compute", "future")}


def _looks() -> dict[str, Any]:
    """Return how Polars writes frames; how it computes is none of it."""
    import polars as pl

    held = pl.Config.state()
    kept = ("POLARS_FMT_", "POLARS_TABLE_WIDTH", "set_")
    return {name: value for name, value in held.items() if name.startswith(kept)}


def _locale() -> dict[str, str]:
    """Return the locale; not that of characters and messages, which each terminal sets."""
    import locale

    names = ("LC_COLLATE", "LC_MONETARY", "LC_NUMERIC", "LC_TIME")
    return {name: locale.setlocale(getattr(locale, name)) for name in names}


# By how a person would write it.
SETTINGS = {
    "decimal.getcontext()": Setting("decimal", _context, "<decimal>"),
    "numpy.geterr()": Setting("numpy", _errors, *("<how numpy works>",) * 2),
    "numpy.get_printoptions()": Setting(
        *("numpy", _printing, "<numpy>", "<looks>"), about=("numpy", "np.", ".values", "array")
    ),
    "calendar.firstweekday()": Setting("calendar", _first_day, "<calendar>"),
    "unittest.mock.patch": Setting(
        *("unittest", _mocks, "<process>", "<process>"),
        fix="unittest.mock.patch.stopall(); run the cells that make the frame again, and export",
    ),
    "pandas.options": Setting("pandas", _options, "<pandas>"),
    "pandas.options.mode": Setting("pandas", _ways, *("<how pandas works>",) * 2),
    "polars.Config": Setting(
        *("polars", _looks, "<looks>", "<looks>"),
        fix="set it in a cell that runs before those that make texts of frames, or put it back: "
        "pl.Config.restore_defaults(); run those cells, and export again",
    ),
    "locale.setlocale()": Setting(
        *("locale", _locale, "<process>", "<locale>"),
        fix="set it in a cell that runs before those that ask for it, or put it back: "
        'locale.setlocale(locale.LC_ALL, "C"); run those cells, and export again',
    ),
}


def setting(name: str) -> Any:
    """Return a setting as it is in this process."""
    return SETTINGS[name].now()


def beside() -> dict[str, int]:
    """Return how what stands under no name of the notebook's is set, by the record's names for it.

    The hidden random generators, how frames are written, the locale, and the mocks that stand in
    place of something: enough to see that something changed.
    """
    import locale
    import random

    categories = (locale.LC_COLLATE, locale.LC_MONETARY, locale.LC_NUMERIC, locale.LC_TIME)
    found = {
        "<draws of random>": hash(random.getstate()),
        "<locale>": hash(tuple(map(locale.setlocale, categories))),
    }
    if "polars" in sys.modules:
        found["<looks>"] = hash(tuple(_looks().items()))
    mock = sys.modules.get("unittest.mock")
    found["<process>"] = hash(tuple(map(id, mock._patch._active_patches if mock else ())))
    if (numpy := sys.modules.get("numpy.random")) is not None:
        # `get_state` takes twice the time, and knows one kind of generator.
        held = numpy.get_bit_generator().state["state"].values()
        found["<draws of numpy>"] = hash(tuple(map(_plain, held)))
    return found


def _plain(value: Any) -> Any:
    return value.tobytes() if hasattr(value, "tobytes") else value


def reached(value: Any, path: str) -> Any:
    """Return what `a.b['c']` is of the value that `a` stands for; None where there is no such."""
    path, bracket, key = path.partition("[")
    for part in path.split(".")[1:]:
        value = getattr(value, part, None)
    if bracket and isinstance(value, Mapping):
        return value.get(ast.literal_eval(key.removesuffix("]")))
    return None if bracket else value
