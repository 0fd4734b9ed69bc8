"""Which libraries a statement reaches, by name or not: what is set in them counts for it.

`1 / a` of an array asks numpy what a division by nothing is, though numpy is not imported; so does
`column.to_numpy()`, and every library that is built on arrays.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from mesh_notebook.export.draws import Ask
from mesh_notebook.export.process_settings import Origin
from mesh_notebook.export.words import words

__all__ = ["IN_USE", "enters", "in_use", "libraries_reached", "only_looks_set"]

# The name under which the record keeps what sets how a library works, for whoever reaches it.
IN_USE = "<how {} works>"

_OWN = words("builtins __main__ collections types")
_ARRAYS = frozenset({"numpy"})
_FRAMES = _ARRAYS | {"pandas"}
# What libraries are built on, as far as settings of that count for what they make.
_BUILT_ON = {
    "pandas": _FRAMES,
    **dict.fromkeys(words("scipy numba networkx shapely PIL cv2 torch jax pyarrow"), _ARRAYS),
    **dict.fromkeys(words("sklearn statsmodels xgboost lightgbm catboost prophet"), _FRAMES),
    **dict.fromkeys(words("geopandas seaborn plotly altair dask modin xarray patsy"), _FRAMES),
}
# Methods and attributes by which a value of one library becomes one of another.
_TO_ARRAYS = words(
    "to_numpy numpy __array__ fetchnumpy values to_numpy_array to_jax to_torch as_numpy"
)
_TO_FRAMES = words("to_pandas df fetchdf fetch_df fetch_df_chunk to_df toPandas")
_PLAIN = words("int float bool str bytes NoneType date datetime timedelta")
_ENTERING = words("__enter__ __exit__ enter_context push")
_LOOKING = ("display.", "plotting.", "styler.")
_LOOKS = words("display plotting styler")


def in_use(mark: str) -> bool:
    """Return whether a name of the record stands for how a library works."""
    return mark.startswith("<how ") and mark.endswith(" works>")


def libraries_reached(types: Iterable[str | None], asks: Iterable[Ask]) -> frozenset[str]:
    """Return the libraries whose settings may count for code.

    Parameters
    ----------
    types : iterable of str or None
        Those of the values that it reads.
    asks : iterable of Ask
        What it calls or names.
    """
    found = {root for kind in types if kind and (root := _of_type(kind))}
    for ask in asks:
        last = ask.path.replace("[]", "").rpartition(".")[2]
        if last in _TO_FRAMES:
            found |= _FRAMES
        elif last in _TO_ARRAYS and not (last == "values" and ask.given is not None):
            found |= _ARRAYS  # `d.values()` is of a dictionary
    return frozenset(found.union(*(_BUILT_ON.get(root, ()) for root in found)))


def _of_type(kind: str) -> str:
    root, _, name = kind.partition(".")
    plain = root in _OWN or name in _PLAIN
    return "" if plain else root.removeprefix("_")


def enters(asks: Iterable[Ask], origin_of: Origin) -> Iterator[str]:
    """Yield the libraries of which code enters a setting by hand: `np.errstate(…).__enter__()`."""
    asks = list(asks)
    called = [
        ask.path if ask.absolute else origin_of(ask.path) for ask in asks if ask.given is not None
    ]
    if any(path.rpartition(".")[2] in _ENTERING for path in called):
        yield from (root for path in called if (root := path.partition(".")[0]) not in _OWN)


def only_looks_set(node: ast.AST | None, library: str) -> bool:
    """Return whether all that a statement sets in a library is how it writes values."""
    if library == "numpy":
        return _calls(node) <= {"set_printoptions", "set_string_function"}
    if library != "pandas":
        return False
    parts = list(ast.walk(node or ast.Pass()))
    stored = [n for n in parts if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store)]
    keys = [
        call.args[0].value if call.args and isinstance(call.args[0], ast.Constant) else ""
        for call in parts
        if isinstance(call, ast.Call)
    ]
    shown = all(str(key).startswith(_LOOKING) for key in keys)
    return shown and all(_LOOKS & set(ast.unparse(one).split(".")) for one in stored)


def _calls(node: ast.AST | None) -> set[str]:
    calls = (n for n in ast.walk(node or ast.Pass()) if isinstance(n, ast.Call))
    return {getattr(c.func, "attr", getattr(c.func, "id", "")) for c in calls} or {""}
