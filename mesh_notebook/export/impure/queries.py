"""What a query calls that may answer differently each time: the clock, chance, the machine."""

from __future__ import annotations

import re
from typing import Any

from mesh_notebook.export.impure.impurity import Impurity
from mesh_notebook.export.words import words

__all__ = ["approximation_named", "unsteady_in_query"]

_UNSTEADY = words(
    "now today get_current_timestamp get_current_time transaction_timestamp current_date "
    "current_time current_timestamp current_localtime current_localtimestamp localtime "
    "localtimestamp random rand setseed uuid gen_random_uuid uuidv4 uuidv7 getvariable getenv "
    "current_setting current_database current_user session_user current_schema current_schemas "
    "current_query current_query_id current_connection_id current_transaction_id txid_current "
    "in_search_path nextval currval stats vector_type"
)
# What keeps a sketch of the values in place of them: threads meet them in another order each time,
# and the sketch is another one. (Counting distinct values is not among them: it hashes each.)
_QUANTILES = words("approx_quantile approxquantile reservoir_quantile reservoirquantile")
_TOP = words("approx_top_k approxtopk approx_topk")
_NAMED = re.compile(r"\b(approx_quantile|reservoir_quantile|approx_top_k)\b", re.IGNORECASE)
_KINDS = words(
    "CurrentDate CurrentDatetime CurrentTime CurrentTimestamp Localtime Localtimestamp Rand Randn "
    "Uuid CurrentUser SessionUser Shuffle"
)


def unsteady_in_query(query: str) -> Impurity | None:
    """Return the first such call of a query, as DuckDB reads it."""
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    try:
        tree = sqlglot.parse_one(query, dialect="duckdb")
    except SqlglotError:
        return None  # DuckDB ran it; the proof is what is left to judge it by
    for call in tree.find_all(exp.Func):
        if found := _approximation(call):
            return found
        named = call.name.lower() if isinstance(call, exp.Anonymous) else ""
        since_today = named == "age" and len(call.expressions) == 1
        if named in _UNSTEADY or type(call).__name__ in _KINDS or since_today:
            return _each_time(str(call.sql(dialect="duckdb")))
    for sample in tree.find_all(exp.TableSample):
        if sample.args.get("seed") is None:
            return _each_time("SAMPLE without REPEATABLE (seed)")
    if tree.find(exp.Summarize):
        return _approximate("SUMMARIZE", "ask for its figures by min(), avg(), quantile_cont() …")
    return None


def approximation_named(text: str) -> Impurity | None:
    """Return the approximation that a text names, as `relation.aggregate(text)` is given it."""
    found = _NAMED.search(text)
    return _of_name(found[0].lower(), found[0]) if found else None


def _approximation(call: Any) -> Impurity | None:
    """Return what a call approximates, by its name or as `list_aggregate` is given it."""
    from sqlglot import exp

    said = str(call.sql(dialect="duckdb"))
    if isinstance(call, exp.Anonymous):
        texts = [str(part.this) for part in call.expressions if isinstance(part, exp.Literal)]
        names = [call.name, *(texts if "aggr" in call.name.lower() else ())]
    else:
        names = [type(call).__name__]
    return next((found for name in names if (found := _of_name(name.lower(), said))), None)


def _of_name(name: str, said: str) -> Impurity | None:
    if name in _QUANTILES:
        return _approximate(said, "use quantile_cont() or quantile_disc(), which are exact")
    if name in _TOP:
        return _approximate(said, "count the rows of each value, and ORDER BY count(*) DESC, value")
    return None


def _approximate(said: str, fix: str) -> Impurity:
    return Impurity(said, "answers approximately, by the order in which threads meet the rows", fix)


def _each_time(said: str) -> Impurity:
    fix = "put the value into the query as a literal, or take it from an input's column"
    return Impurity(said, "answers differently each time that the query runs", fix)
