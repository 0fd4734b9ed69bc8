"""SQL on one long line is laid out in the module; what is short, or laid out already, stays."""

from __future__ import annotations

import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st
from notebook import Notebook
from sqlglot import Dialect

from mesh_notebook.export.sql_layout import laid_out

LONG = (
    "SELECT f.origin, f.day, sum(f.delay) FILTER (WHERE f.delay > 0) AS late, "
    "max(w.wind) AS wind FROM flights f LEFT JOIN weather w ON f.origin = w.origin "
    "AND f.day IS NOT DISTINCT FROM f.day WHERE f.day BETWEEN 1 AND 2 AND f.origin IN "
    "(SELECT origin FROM weather WHERE wind > 3) GROUP BY ALL ORDER BY f.origin, f.day"
)
LAID = """
SELECT
    f.origin,
    f.day,
    sum(f.delay) FILTER (WHERE f.delay > 0) AS late,
    max(w.wind) AS wind
FROM flights f
LEFT JOIN weather w ON f.origin = w.origin AND f.day IS NOT DISTINCT FROM f.day
WHERE
    f.day BETWEEN 1 AND 2
    AND f.origin IN (
        SELECT origin
        FROM weather
        WHERE wind > 3
    )
GROUP BY ALL
ORDER BY f.origin, f.day
"""


def test_each_clause_has_a_line_and_what_it_lists_too_where_it_must() -> None:
    assert laid_out(LONG, 80) == LAID.strip()


def test_the_module_has_it_so_and_makes_the_same() -> None:
    notebook = Notebook().run(
        "%mesh source flights\n%mesh source weather", f"%%mesh sql out\n{LONG}"
    )
    notebook.run("%mesh output daily out")
    assert textwrap.indent(LAID.strip(), " " * 8) in notebook.module("daily").text
    assert notebook.remade().equals(notebook.saw())


def test_a_short_query_stands_on_one_line_in_plain_quotes() -> None:
    notebook = Notebook().run("%mesh source flights", "%%mesh sql out\nSELECT day FROM flights;")
    notebook.run("%mesh output daily out")
    assert 'out = _sql("SELECT day FROM flights", flights=flights)' in notebook.module().text


@pytest.mark.parametrize(
    "query",
    [
        "SELECT 1\nFROM t",
        f"SELECT 1 -- {'why ' * 30}\nFROM t",
        f"SELECT '{'x' * 90}\n' FROM t",
        f"SELECT '{'x' * 90}",
        f"SELECT /* {'x' * 90} */ 1 FROM t",
    ],
    ids=["short lines", "a comment", "a text of two lines", "no SQL", "a comment inside"],
)
def test_what_is_better_left_alone_is(query: str) -> None:
    assert laid_out(query, 80) == query


def test_comments_above_it_stay() -> None:
    assert laid_out(f"-- Of each day.\n{LONG}", 80) == f"-- Of each day.{LAID}".rstrip("\n")


PARTS = """
SELECT FROM WHERE AND OR , ( ) a b.c 'it''s' "q" BETWEEN JOIN LEFT ON UNION ALL EXCEPT GROUP BY
ORDER DISTINCT IS NOT WITH AS * + 1.5 :: CASE WHEN END {'a':1} [1,2] ; $1 x->y
"""
WORDS = st.lists(st.sampled_from(PARTS.split()), min_size=20, max_size=60).map(" ".join)


@given(WORDS, st.integers(1, 60))
def test_it_keeps_every_word_and_done_again_changes_nothing(query: str, width: int) -> None:
    made = laid_out(query, width)
    assert _words(made) == _words(query)
    assert laid_out(made, width) == made


def _words(query: str) -> list[str]:
    return [query[t.start : t.end + 1] for t in Dialect.get_or_raise("duckdb").tokenize(query)]
