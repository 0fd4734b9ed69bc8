"""What a query calls that may answer differently each time: the clock, chance, the machine."""

from __future__ import annotations

from mesh_notebook.export.words import words

__all__ = ["unsteady_in_query"]

_UNSTEADY = words(
    "now today get_current_timestamp get_current_time transaction_timestamp current_date "
    "current_time current_timestamp current_localtime current_localtimestamp localtime "
    "localtimestamp random rand setseed uuid gen_random_uuid uuidv4 uuidv7 getvariable getenv "
    "current_setting current_database current_user session_user"
)
_KINDS = words(
    "CurrentDate CurrentDatetime CurrentTime CurrentTimestamp Localtime Localtimestamp Rand Randn "
    "Uuid CurrentUser SessionUser Shuffle"
)


def unsteady_in_query(query: str) -> str:
    """Return the first such call of a query, as DuckDB reads it; empty where there is none."""
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    try:
        tree = sqlglot.parse_one(query, dialect="duckdb")
    except SqlglotError:
        return ""  # DuckDB ran it; the proof is what is left to judge it by
    for call in tree.find_all(exp.Func):
        named = call.name.lower() if isinstance(call, exp.Anonymous) else ""
        since_today = named == "age" and len(call.expressions) == 1
        if named in _UNSTEADY or type(call).__name__ in _KINDS or since_today:
            return str(call.sql(dialect="duckdb"))
    for sample in tree.find_all(exp.TableSample):
        if sample.args.get("seed") is None:
            return "SAMPLE without REPEATABLE (seed)"
    return ""
