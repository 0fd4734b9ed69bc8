"""Every method that is said to mean the same, on random rows: DuckDB gives what Polars gives."""

from __future__ import annotations

import os
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import duckdb
import narwhals as nw
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh_notebook.export.comparing import difference
from mesh_notebook.export.portable.functions import rewritten
from mesh_notebook.export.portable.scope import Frame

# `make engines` tries each on more rows.
MANY = int(os.environ.get("MESH_EXAMPLES", "20"))
HEAD = "from datetime import date\n\nimport polars as pl\n\n\n"
SCHEMA: dict[str, Any] = {
    "id": pl.Int64,
    "i": pl.Int64,
    "j": pl.Int64,
    "f": pl.Float64,
    "g": pl.Float64,
    "s": pl.String,
    "t": pl.String,
    "d": pl.Date,
    "u": pl.Datetime("us", "UTC"),
    "b": pl.Boolean,
    "c": pl.Boolean,
    "m": pl.Decimal(12, 2),
    "l": pl.List(pl.Int64),
    "k": pl.String,
}
_NASTY = [0.0, -0.0, 0.5, 1.5, 2.5, -0.5, 2.675, 1e300, float("nan"), float("inf"), -float("inf")]
_INT = st.integers(-9, 9) | st.integers(-(2**40), 2**40)
_FLOAT = st.sampled_from(_NASTY) | st.integers(-99, 99).map(lambda n: n / 8)
_FLOAT |= st.floats(-1e6, 1e6, allow_nan=False)
_TEXT = st.text(alphabet="abA -/.ßéİΣ日\u00a0\t\n%_'0", max_size=6)
_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "i": _INT,
    "j": _INT,
    "f": _FLOAT,
    "g": _FLOAT,
    "s": _TEXT,
    "t": _TEXT,
    "d": st.dates(date(1900, 1, 1), date(2100, 1, 1)),
    "u": st.datetimes(datetime(1950, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)),
    "b": st.booleans(),
    "c": st.booleans(),
    "m": st.decimals(-9999, 9999, places=2).map(Decimal),
    "l": st.lists(st.integers(-5, 5) | st.none(), max_size=4),
    "k": st.sampled_from(["x", "y"]),
}
_ROW = st.fixed_dictionaries({name: values | st.none() for name, values in _VALUES.items()})
_ROWS = st.lists(_ROW, max_size=8)

ROWS = """
i + j | i - j | i * 2 | i // j | i % j | i // 7 | i % -7 | i / j | i / 3 | -i | 1 / f
f + g | f - g | f * g | f / g | i * f | f / 4 | f < g | f >= g | f == g | f != g | i < f | i == j
s < t | s == t | s + t | d < d.dt.offset_by("1d") | u >= u | b & c | b | c | b ^ c | ~b
i.abs() | f.abs() | f.floor() | f.ceil() | f.round(2) | f.round() | f.is_nan() | f.is_not_nan()
f.is_finite() | f.fill_nan(0.0) | f.fill_nan(None) | i.clip(-3, 3) | i.clip(0) | f.sqrt()
i.is_null() | s.is_not_null() | l.is_null() | i.fill_null(0) | i.fill_null(j) | s.fill_null("none")
f.fill_null(0.0) | i.is_in([1, 2, -3]) | s.is_in(["a", "ß"]) | i.is_between(-2, 5)
i.is_between(-2, 5, closed="left") | i.is_between(j, 4, closed="none") | f.is_between(0.0, 1.5)
d.is_between(date(1990, 1, 1), date(2000, 1, 1)) | d == date(2000, 1, 1)
i.cast(pl.Float64) | i.cast(pl.String) | b.cast(pl.Int64) | b.cast(pl.String) | d.cast(pl.String)
u.cast(pl.Date) | m.cast(pl.Float64) | m + m | m - m | m > m | -m
i.replace_strict({1: "one", 2: "two"}, default="many") | s.replace_strict(["a"], [1], default=0)
s.str.len_chars() | s.str.starts_with("a") | s.str.ends_with("ß") | s.str.contains("a")
s.str.contains("^[a-z]+ ?") | s.str.contains(".", literal=True) | s.str.contains("(a|b)A")
s.str.replace_all("a", "bb") | s.str.replace_all(".", "$", literal=True) | s.str.strip_chars()
s.str.strip_chars("a ") | s.str.slice(1) | s.str.slice(1, 2) | s.str.slice(-2) | s.str.head(2)
s.str.pad_start(5, "*") | s.str.pad_end(5) | s.str.split("-") | s.str.split(" ")
d.dt.year() | d.dt.month() | d.dt.day() | d.dt.ordinal_day() | d.dt.weekday() | d.dt.truncate("1y")
d.dt.truncate("1q") | d.dt.truncate("1mo") | d.dt.month_start() | d.dt.offset_by("1mo")
d.dt.offset_by("-13mo") | d.dt.offset_by("40d") | d.dt.offset_by("-1y") | d.dt.strftime("%Y/%m/%d")
u.dt.year() | u.dt.month() | u.dt.day() | u.dt.hour() | u.dt.minute() | u.dt.second()
u.dt.weekday() | u.dt.ordinal_day() | u.dt.date()
u.dt.truncate("1h") | u.dt.truncate("1m") | u.dt.truncate("1s")
u.dt.truncate("1d") | u.dt.truncate("1mo") | u.dt.offset_by("1mo") | u.dt.offset_by("-90m")
u.dt.to_string("%Y-%m-%d %H:%M:%S")
l.list.len() | l.list.contains(2) | l.list.max() | l.list.min()
pl.coalesce(i, j) | pl.coalesce(s, t, pl.lit("?")) | pl.concat_str([s, t], separator="-")
pl.concat_str(s, i) | pl.sum_horizontal(i, j) | pl.sum_horizontal(f, g) | pl.max_horizontal(i, j)
pl.min_horizontal(i, j) | pl.any_horizontal(b, c) | pl.all_horizontal(b, c)
pl.when(b).then(i).otherwise(j) | pl.when(i > 3).then(pl.lit("a")).when(b).then(pl.lit("b"))
pl.when(b, c).then(f).otherwise(0) | pl.when(s == "a").then(s)
i.sum().over("k") | i.mean().over("k") | i.max().over("k") | f.min().over("k") | f.sum().over("k")
pl.len().over("k") | i.count().over("k") | b.any().over("k")
i.rank().over("k") | i.rank("dense") | i.rank("min", descending=True) | f.rank("max")
s.rank("dense") | i.is_unique() | s.is_duplicated() | f.is_unique()
i.cum_sum().over("k", order_by="id") | i.shift(1).over("k", order_by="id")
i.shift(-2).over(order_by="id") | i.diff().over("k", order_by="id")
i.cum_max().over(order_by="id") | i.cum_count().over(order_by="id")
i.cum_sum(reverse=True).over(order_by="id")
s.forward_fill().over("k", order_by="id") | f.backward_fill().over(order_by="id")
i.rolling_sum(2).over(order_by="id") | i.rolling_mean(3, min_samples=1).over(order_by="id")
i - i.mean() | i.sum() | f.max()
"""
GROUPS = """
pl.len() | i.len() | i.count() | i.sum() | i.mean() | i.min() | i.max() | i.median() | i.std()
i.var(ddof=0) | i.quantile(0.25, interpolation="linear") | f.sum() | f.mean() | f.min() | f.max()
s.min() | s.max() | s.n_unique() | f.n_unique() | i.null_count() | d.min() | u.max()
m.sum() | m.mean() | m.min() | b.sum() | b.mean() | b.any() | b.all() | (i > 2).sum()
i.filter(b).sum() | f.filter(i > 0).max() | s.filter(b & c).count() | i.filter(b).mean()
i.sum() / pl.len() | i.max() - i.min() | (i * 2).sum() | f.fill_nan(None).mean() | i.abs().max()
"""


def expressions(text: str) -> list[str]:
    """Return what stands between the bars; a bar within brackets is an operator."""
    names = [name for name in SCHEMA if len(name) == 1]
    made = [part.strip() for line in text.strip().splitlines() for part in line.split(" | ")]
    spelled = []
    for part in made:
        tokens = []
        for token in _tokens(part):
            tokens.append(f'pl.col("{token}")' if token in names else token)
        spelled.append("".join(tokens))
    return spelled


def _tokens(text: str) -> list[str]:
    return re.findall(r'"[^"]*"|[A-Za-z_]+|.', text)


def texts_of(body: str) -> tuple[str, str]:
    """Return a pipeline's module in Polars, and the one that is written for other engines."""
    frame = Frame(pl.LazyFrame(schema=SCHEMA), keys=frozenset({frozenset({"id"})}))
    text = f"{HEAD}def out(rows: pl.LazyFrame) -> pl.LazyFrame:\n    return {body}\n"
    made = rewritten(text, {"out": "out"}, {"rows": frame})
    assert made.text is not None, made.refusals
    return text, made.text


def port(body: str) -> tuple[Any, Any]:
    """Return a pipeline as a function for Polars, and as one for other engines."""
    polars: dict[str, Any] = {}
    portable: dict[str, Any] = {}
    for text, names in zip(texts_of(body), (polars, portable), strict=True):
        exec(text, names)
    return polars["out"], portable["out"]


def frame_of(rows: list[dict[str, Any]]) -> pl.DataFrame:
    numbered = [{**row, "id": number} for number, row in enumerate(rows)]
    return pl.DataFrame(numbered, schema=SCHEMA, orient="row")


def assert_same(both: Any, rows: list[dict[str, Any]]) -> None:
    polars, portable = both
    data = frame_of(rows)
    expected = polars(data.lazy()).collect()
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        con.register("rows", data.to_arrow())
        made = portable(nw.from_native(con.table("rows"))).to_native().pl()
    assert made.columns == expected.columns
    assert difference(expected, made.cast(expected.schema)) is None


def told(parts: list[str]) -> str:
    return ", ".join(f"({part}).alias('{number}')" for number, part in enumerate(parts))


PIPELINES = {
    "rows": f"rows.select('id', {told(expressions(ROWS))})",
    "groups": f"rows.group_by('k').agg({told(expressions(GROUPS))})",
}


@pytest.mark.parametrize("name", PIPELINES)
def test_every_method_gives_on_duckdb_what_it_gives_on_polars(name: str) -> None:
    both = port(PIPELINES[name])

    @settings(deadline=None, max_examples=MANY)
    @given(_ROWS)
    def tried(rows: list[dict[str, Any]]) -> None:
        assert_same(both, rows)

    tried()


def test_a_wrong_meaning_would_be_seen() -> None:
    polars, _ = port("rows.select(pl.col('f').round(0))")
    _, wrong = port("rows.select(pl.col('f').floor())")
    with pytest.raises(AssertionError):
        assert_same((polars, wrong), [{**dict.fromkeys(SCHEMA), "f": 1.5}])
