"""Where rows leave a frame: for plain values, for a series, for another library."""

from __future__ import annotations

from typing import Any

from mesh_notebook.mesh.ordering.calls import Call, words
from mesh_notebook.mesh.ordering.order import Need, Order
from mesh_notebook.mesh.ordering.steps import Rule

__all__ = ["LEAVING", "SERIES"]


def _whole(call: Call) -> Order:
    return call.order


def _column(call: Call) -> Order:
    return call.order.taking([str(call.given.get("name"))])


def _row(call: Call) -> Order:
    if call.name == "row" and call.given.get("by_predicate") is not None:
        return call.order
    if call.name == "item" and call.given.get("row") is None:
        return call.order  # the only value
    return call.asks(Need(f"`{call.name}()` takes a row by its place"))


def _indexed(call: Call) -> Order:
    key = call.given.get("key")
    rows = key[0] if isinstance(key, tuple) and key else key
    if _is_place(rows):
        return call.asks(Need("it takes rows by their place"))
    names = [key] if isinstance(key, str) else key
    if isinstance(names, list) and all(isinstance(name, str) for name in names):
        return call.order.taking(names)
    return call.order


def _is_place(rows: Any) -> bool:
    if isinstance(rows, slice):
        return rows != slice(None)
    return isinstance(rows, int) and not isinstance(rows, bool)


def _place(call: Call) -> Order:
    return call.asks(Need(f"`{call.name}()` of a series depends on the order of the rows"))


_WHOLE = words(
    "to_dicts to_dict rows iter_rows iter_columns iter_slices to_numpy to_pandas to_arrow "
    "to_series get_columns partition_by rows_by_key to_struct hash_rows"
)
LEAVING: dict[str, Rule] = {
    **dict.fromkeys(_WHOLE, _whole),
    "row": _row,
    "item": _row,
    "get_column": _column,
    "__getitem__": _indexed,
}
_PLACES = words(
    "first last head tail limit slice gather gather_every shift diff pct_change cum_sum "
    "cum_count cum_max cum_min cum_prod arg_max arg_min arg_sort arg_true arg_unique rle "
    "rle_id sample shuffle forward_fill backward_fill interpolate is_first_distinct "
    "is_last_distinct index_of rolling_mean rolling_sum rolling_min rolling_max "
    "rolling_std rolling_median ewm_mean implode"
)
_KEEPING = words(
    "cast drop_nulls drop_nans filter abs round clip alias rename is_null is_not_null "
    "fill_nan is_in replace replace_strict to_frame"
)
SERIES: dict[str, Rule] = {
    **dict.fromkeys(_PLACES, _place),
    **dict.fromkeys(_KEEPING, _whole),
    "__getitem__": _indexed,
    "item": _row,
}
