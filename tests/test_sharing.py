"""Frames of their own, and views of others: what a change to one is to the other."""

from __future__ import annotations

import re

import pytest
from notebook import Notebook

TABLE = "table = flights.collect().to_pandas()"
OWN = (
    "table.groupby('origin')[['delay']].mean().reset_index()",
    "table.pivot_table(index='origin', values='delay')",
    "table.merge(table, on='origin')",
    "table.melt()",
    "table.count()",
    "table.copy()",
    "table.sort_values('delay').head()",
    "table.head().copy()",
    "table.query('delay > 3')",
    "table.assign(z=1)",
    "table['origin'].value_counts()",
    "table.describe()",
    "table[table['delay'] > 5]",
    "table.loc[(table['delay'] > 5) & ~table['origin'].isin(['JFK'])]",
    "table[['origin', 'delay']]",
    "pd.concat([table, table])",
    "pd.merge(table, table, on='origin')",
    "pd.DataFrame({'a': [1, 2]})",
)
VIEWS = (
    "table",
    "table.head()",
    "table.tail(2)",
    "table.iloc[1:]",
    "table[1:]",
    "table.copy(deep=False)",
    "table.rename(columns=str, copy=False)",
    "pd.DataFrame(table)",
    "pd.concat([table])",
    "table.pipe(lambda given: given)",
)


def kept(*cells: str) -> list[str]:
    notebook = Notebook()
    notebook.run("import pandas as pd", "%mesh source flights", TABLE, *cells)
    return notebook.run("%mesh output daily table").kept()


@pytest.mark.parametrize("made", OWN)
def test_a_change_to_a_frame_of_its_own_is_none_to_what_it_was_made_of(made: str) -> None:
    assert kept(f"x = {made}\nx['z'] = 1\nx.drop(x.index[:1], inplace=True)") == [TABLE]


@pytest.mark.parametrize("made", OWN)
def test_nor_where_a_function_makes_and_changes_it(made: str) -> None:
    here = re.sub(r"\btable\b", "given", made)
    function = f"def shown(given):\n    x = {here}\n    x['z'] = 1\n    return len(x)"
    assert kept(f"{function}\nshown(table)") == [TABLE]


@pytest.mark.parametrize("made", VIEWS)
def test_a_change_to_a_view_is_one_to_what_it_looks_at(made: str) -> None:
    assert "x.loc[0, 'delay'] = 99.0" in kept(f"x = {made}\nx.loc[0, 'delay'] = 99.0")


@pytest.mark.parametrize("made", VIEWS[:5])
def test_also_where_a_function_makes_and_changes_it(made: str) -> None:
    here = re.sub(r"\btable\b", "given", made)
    function = f"def change(given):\n    x = {here}\n    x.loc[0, 'delay'] = 99.0"
    assert "change(table)" in kept(f"{function}\nchange(table)")


@pytest.mark.parametrize(
    ("cell", "change"),
    [
        ("rows = []\ngetattr(rows, 'app' + 'end')(table)\nrows[0]['z'] = 1", "rows[0]['z'] = 1"),
        ("getattr(table, 'ins' + 'ert')(0, 'z', 1)", "getattr(table, 'ins' + 'ert')(0, 'z', 1)"),
        (
            "import operator\noperator.methodcaller('insert', 0, 'z', 1)(table)",
            "operator.methodcaller('insert', 0, 'z', 1)(table)",
        ),
        ("table.__setitem__('z', 1)", "table.__setitem__('z', 1)"),
    ],
)
def test_a_call_by_a_computed_name_may_change_what_it_is_made_on(cell: str, change: str) -> None:
    assert change in kept(cell)


@pytest.mark.parametrize("key", ["table['delay'] > 5", "['origin', 'delay']"])
def test_a_mask_and_a_list_of_columns_may_have_a_name(key: str) -> None:
    assert kept(f"key = {key}", "x = table[key]\nx['z'] = 1") == [TABLE]


PUT = "def put(into, key, value):\n    into[key] = value"


@pytest.mark.parametrize(
    "put",
    [
        f"{PUT}\nheld = {{}}\nput(held, 0, table)",
        "import operator\nheld = {}\noperator.setitem(held, 0, table)",
        "held = []\nlist.append(held, table)",
        "held = []\ndo = {'add': held.append}\ndo['add'](table)",
        "held = []\ndo = {'add': held.append}\ndo.get('add')(table)",
        "from functools import partial\nheld = []\nadd = partial(held.append, table)\nadd()",
    ],
)
def test_what_a_call_puts_into_another_value_is_a_part_of_it(put: str) -> None:
    assert "held[0]['z'] = 1" in kept(put, "held[0]['z'] = 1")
