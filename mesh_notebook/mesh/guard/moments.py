"""Words in data for which pandas and NumPy read the clock: `today` and `now`, parsed as days.

No code shows it, and the rows at hand need not hold one: so it is asked in the process that runs a
transform, in the proof as in each deployment. What pandas parses by the column is looked at as it
is parsed. NumPy's parsing cannot be looked into: where an input holds such a word, code that has
NumPy parse what it is given is refused.
"""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Callable, Iterator, Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any

from mesh_notebook.mesh.on_import import when_imported

if TYPE_CHECKING:
    import polars as pl

__all__ = ["CLOCK", "parses_unseen", "words_in", "wrap_parsers"]

CLOCK = "reads the clock, for the word"
_WORDS = frozenset(("today", "now"))
_ITSELF = re.compile(r"\bis (not )?([\w.]+\.)?Timestamp\b")
_NUMPY = ("datetime64", "M8[")
_FUNCTIONS = ("array", "asarray", "asanyarray", "full", "fromiter")
_TO_NUMPY = ("to_numpy", "values", *_FUNCTIONS)
Refuse = Callable[[str], None]


def wrap_parsers(refuse: Refuse, text: str) -> None:
    """From now on, refuse to parse such a word in pandas.

    Parameters
    ----------
    text : str
        The module. Where it asks whether a type is `pd.Timestamp` itself, that is left as it is.
    refuse : callable
        Raises, given what a transform does.
    """
    # By the names under which pandas itself calls them: all that parses a column comes by here.
    for module, names in (
        ("pandas._libs.tslib", ("array_to_datetime", "array_to_datetime_with_tz")),
        ("pandas.core.tools.datetimes", ("array_strptime",)),
    ):
        when_imported(module, functools.partial(_wrap, names=names, refuse=refuse))
    if not _ITSELF.search(text):
        when_imported("pandas", functools.partial(_wrap_timestamp, refuse=refuse))


def _wrap(module: ModuleType, names: tuple[str, ...], refuse: Refuse) -> None:
    for name in names:
        if real := getattr(module, name, None):
            setattr(module, name, _checked(real, refuse))


def _checked(parse: Callable[..., Any], refuse: Refuse) -> Callable[..., Any]:
    @functools.wraps(parse)
    def checked(values: Any, *arguments: Any, **options: Any) -> Any:
        for value in values.ravel():
            if type(value) is str and value in _WORDS:
                refuse(f"{CLOCK} '{value}' in its data")
        return parse(values, *arguments, **options)

    return checked


def _wrap_timestamp(pandas: ModuleType, refuse: Refuse) -> None:
    """Have `pd.Timestamp` look at a text; to `isinstance`, and to pandas itself, it is the same."""
    real = pandas.Timestamp

    class Meta(type(real)):  # type: ignore[misc]
        def __call__(cls, *arguments: Any, **options: Any) -> Any:
            first = arguments[0] if arguments else options.get("ts_input")
            if isinstance(first, str) and first in _WORDS:
                refuse(f"{CLOCK} '{first}' in its data")
            return real(*arguments, **options)

        def __instancecheck__(cls, value: object) -> bool:
            return isinstance(value, real)

        def __subclasscheck__(cls, other: type) -> bool:
            return issubclass(other, real)

        def __eq__(cls, other: object) -> bool:
            return other is cls or other is real

        def __hash__(cls) -> int:
            return hash(real)

    pandas.Timestamp = Meta(real.__name__, (real,), {"__module__": real.__module__})  # type: ignore[attr-defined]


# ---- NumPy --------------------------------------------------------------------------------------


def parses_unseen(text: str) -> int | None:
    """Return the line of a module that has NumPy parse what it is given, if there is one."""
    tree = ast.parse(text)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    made = _ITSELF.search(text) and [c for c in calls if ast.unparse(c.func).endswith("Timestamp")]
    return next((call.lineno for call in calls if any(_parses(call)) or call in (made or ())), None)


def _parses(call: ast.Call) -> Iterator[bool]:
    first = call.args[0] if call.args else ast.Constant("")
    if isinstance(call.func, ast.Attribute) and call.func.attr == "datetime64":
        yield not isinstance(first, ast.Constant)
    yield any(isinstance(a, ast.Attribute) and a.attr == "datetime64" for a in call.args)
    given = " ".join(map(ast.unparse, (*call.args, *(k.value for k in call.keywords))))
    yield any(kind in given for kind in _NUMPY) and _is_of_numpy(call.func)


def _is_of_numpy(func: ast.expr) -> bool:
    """Return whether an array is made, or one of NumPy's is made another."""
    if not isinstance(func, ast.Attribute):
        return False
    within = {n.attr for n in ast.walk(func.value) if isinstance(n, ast.Attribute)}
    return func.attr in _FUNCTIONS or (func.attr == "astype" and not within.isdisjoint(_TO_NUMPY))


def words_in(rows: Mapping[str, pl.LazyFrame]) -> str:
    """Return such a word that stands in a column of texts, as NumPy reads it; or nothing."""
    import polars as pl

    for frame in rows.values():
        texts = [n for n, kind in frame.collect_schema().items() if kind == pl.String]
        for name in texts:
            column = pl.col(name).str.to_lowercase()
            found = frame.select(column).filter(pl.col(name).is_in(sorted(_WORDS))).head(1)
            if (held := found.collect()).height:
                return str(held.item())
    return ""
