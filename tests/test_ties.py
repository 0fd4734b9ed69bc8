"""Few rows do not show every dependence on their order: others of the same contract are asked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from bundles import contract, put
from conftest import Shell
from hypothesis import given, settings
from hypothesis import strategies as st
from tied_steps import BEHIND, DETERMINED, LISTS, TIED

from mesh_notebook.errors import ExportRefused
from mesh_notebook.export.sql_steps import sql_helper
from mesh_notebook.mesh.checks import check
from mesh_notebook.mesh.inputs import ReplayInput
from mesh_notebook.mesh.ordering import Demands, resampled
from mesh_notebook.mesh.ordering.resampling import TIMES
from mesh_notebook.mesh.replay import replay_twice
from mesh_notebook.mesh.rows import difference

pytestmark = pytest.mark.proofs

HEAD = (
    "import functools\nimport heapq\nimport itertools\nimport statistics\n"
    "from collections import Counter, defaultdict\n\n"
    "import duckdb\nimport numpy as np\nimport pandas as pd\nimport polars as pl\n"
)
ROWS = pl.LazyFrame(
    {
        "id": [3, 1, 2, 5, 4],
        "k": ["a", "b", "c", "d", "e"],
        "g": ["u", "u", "v", "v", "v"],
        "d": [4, 1, 2, 7, 5],
        "x": [1.5, 2.5, 4.25, 8.0, 16.5],
    }
)
TYPES = {"id": "BIGINT", "k": "VARCHAR", "g": "VARCHAR", "d": "BIGINT", "x": "DOUBLE"}
HELD = contract(TYPES, id="urn:dmesh:local:a:rows:c:1", event_time=None, key=("id",))
INPUTS = {
    "src": ReplayInput(ROWS),
    "port": ReplayInput(ROWS, ordered=False, key=("id",), contract=HELD),
    "dim": ReplayInput(pl.LazyFrame({"g": ["u", "v"], "n": [1, 2]})),
}


def function(name: str, body: str) -> str:
    *lines, made = body.split("\n")
    inner = "".join(f"    {line}\n" for line in [*lines, f"return {made}"])
    return f"\n\ndef {name}(src, port, dim):\n{inner}"


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """What one proof says of all bodies: why each is refused, by body."""
    folder = tmp_path_factory.mktemp("ties")
    names = {f"step_{n}": body for n, body in enumerate([*TIED, *LISTS, *BEHIND, *DETERMINED])}
    text = HEAD + sql_helper("_sql", pandas=True)
    text += "".join(function(name, body) for name, body in names.items())
    (folder / "transform.py").write_text(text)
    twice = replay_twice(folder / "transform.py", [*names], INPUTS, folder, "_sql")
    assert not twice.failure
    said = {name: fault.said for name, fault in twice.faults.items()}
    said |= {name: one.said for name, one in twice.dependences.items()}
    for name in names.keys() - said.keys():
        frames = [pl.read_ipc(made[name]) for made in (twice.made, twice.otherwise)]
        if parted := difference(*frames):
            said[name] = parted
    return {names[name]: why for name, why in said.items()}


@pytest.mark.parametrize("body", TIED)
def test_what_ties_would_decide_is_found_on_rows_without_any(found, body) -> None:
    assert body in found


@pytest.mark.parametrize("body", LISTS)
def test_a_list_taken_of_rows_without_order_may_not_be_cut(found, body) -> None:
    assert body in found


@pytest.mark.parametrize("body", BEHIND)
def test_rows_are_asked_that_meet_the_conditions_of_the_code(found, body) -> None:
    assert body in found


@pytest.mark.parametrize("body", DETERMINED)
def test_what_rows_determine_is_let_be(found, body) -> None:
    assert body not in found, found[body]


# ---- the rows that are asked ---------------------------------------------------------------------

RULE = {"type": "sql", "query": "SELECT count(*) FROM {object} WHERE d < n", "mustBe": 0}


@st.composite
def frames(draw: st.DrawFn) -> pl.DataFrame:
    """Draw rows of a contract with a key, a column without duplicates and a rule of SQL."""
    rows = draw(st.lists(st.integers(0, 50), min_size=1, max_size=12, unique=True))
    kinds = draw(st.lists(st.sampled_from("uvw"), min_size=len(rows), max_size=len(rows)))
    least = draw(st.lists(st.integers(0, 9), min_size=len(rows), max_size=len(rows)))
    more = draw(st.lists(st.integers(0, 9), min_size=len(rows), max_size=len(rows)))
    days = [date(2026, 1, 1 + n % 3) for n in range(len(rows))]
    most = [a + b for a, b in zip(least, more, strict=True)]
    named = [f"name {n}" for n in rows]
    return pl.DataFrame(
        {"id": rows, "day": days, "name": named, "g": kinds, "n": least, "d": most},
        schema_overrides={"id": pl.Int64, "n": pl.Int64, "d": pl.Int64},
    )


@settings(max_examples=10, deadline=None)
@given(frames(), st.booleans(), st.sampled_from([("id",), ("id", "day"), ()]))
def test_what_a_contract_demands_holds_of_the_rows_that_are_asked(rows, ruled, key) -> None:
    types = {"id": "BIGINT", "day": "DATE", "name": "VARCHAR", "g": "VARCHAR"}
    made = contract(
        {**types, "n": "BIGINT", "d": "BIGINT"},
        id="urn:dmesh:local:a:b:c:1",
        event_time=None,
        key=key,
        name={"unique": True},
        n={"logicalTypeOptions": {"minimum": 0, "maximum": 9}},
        d={"quality": [RULE]} if ruled else {},
    )
    assert check(rows.lazy(), made).passed
    demands = Demands.from_dict(ReplayInput(rows, ordered=False, key=key, contract=made).demands)
    for time in range(TIMES):
        asked = resampled(rows, demands, time, (3, 200, "a"))
        assert check(asked.lazy(), made).passed


def test_the_rows_that_are_asked_tie_where_those_at_hand_do_not() -> None:
    rows = ROWS.collect()
    asked = [resampled(rows, Demands(key=("id",)), time) for time in range(TIMES)]
    assert all(one["id"].is_unique().all() for one in asked)
    for name in ("k", "d", "x"):
        assert any(one[name].n_unique() < one.height for one in asked[1:3])


# ---- at the front door ---------------------------------------------------------------------------


def test_a_dictionary_of_a_ports_rows_is_refused_and_exported_once_they_are_sorted(
    shell: Shell, tmp_path: Path
) -> None:
    held = contract(
        {"id": "BIGINT", "k": "VARCHAR"}, id="urn:dmesh:local:a:plays:c:1", event_time=None
    )
    put(tmp_path / ".mesh", pl.DataFrame({"id": [1, 2, 3], "k": ["a", "b", "c"]}), held)
    shell.run("import polars as pl")
    shell.run("%mesh product names --domain media")
    shell.run("plays = %mesh connect plays")
    shell.run("last = {row['k']: row['id'] for row in plays.collect().to_dicts()}")  # In[5]
    shell.run("out = pl.DataFrame({'k': list(last), 'id': list(last.values())})")
    shell.run("%mesh output daily out --key k")
    with pytest.raises(ExportRefused) as caught:
        shell.run("%mesh export bundle")
    told = str(caught.value)
    assert (caught.value.facts["cell"], caught.value.facts["name"]) == (5, "last")
    assert "the order of the rows of the port `plays`" in told
    assert "in the notebook" not in told
    assert "sort them just before by what identifies a row" in told
    shell.run("last = {row['k']: row['id'] for row in plays.sort('id').collect().to_dicts()}")
    shell.run("out = pl.DataFrame({'k': list(last), 'id': list(last.values())})")
    shell.run("%mesh output daily out --key k")
    assert shell.run("%mesh export bundle").rows == {"daily": 3}
