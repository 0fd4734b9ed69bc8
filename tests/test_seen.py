"""What was seen of rows is told where it changes, and demanded only of who asks for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from bundles import Clock, deployed, published, write_bundle
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh_notebook.errors import ContractError, DeployRefused, UnknownName
from mesh_notebook.explore.infer import infer, without_values
from mesh_notebook.mesh.bundle import Bundle
from mesh_notebook.mesh.checks import check
from mesh_notebook.mesh.drift import drift, moving
from mesh_notebook.mesh.seen import news_of, shape_seen
from mesh_notebook.mesh.shape import shape_of
from mesh_notebook.mock.from_contract import mock
from mesh_notebook.model.contract import Contract
from mesh_notebook.model.policy import PortPolicy
from mesh_notebook.model.seen import LARGE, demanded, seen_of
from mesh_notebook.surfaces.as_json import json_of
from mesh_notebook.workspace.declaring import output_calls

DECLARE = "%mesh output sales sales --key id"


def day(rows: int = 30, *, artist: str = "", amount: int = 0) -> None:
    """Write the sales of a day: of three artists, unless another one is among them."""
    artists = ["Ana", "Bo", "Cy"]
    lines = [f"{n},{artists[n % 3]},{n % 7 + 1}" for n in range(rows)]
    lines += [f"{rows},{artist or 'Ana'},{amount}"] if artist or amount else []
    Path("sales.csv").write_text("\n".join(["id,artist,amount", *lines]) + "\n")


@pytest.fixture
def notebook(shell, tmp_path):
    """A notebook that publishes the sales of the day as they are."""
    day()
    shell.run("%mesh source sales sales.csv")
    shell.run("%mesh product charts --domain media --owner sales")
    shell.run(DECLARE)
    return shell


def text(shell: Any, result: Any) -> str:
    return " ".join(shell.shown(result)["text/plain"].split())


def inferred(frame: pl.DataFrame, key: tuple[str, ...] = ()) -> Contract:
    return infer(
        frame.lazy(),
        name="sales",
        contract_id="urn:test",
        version="1.0.0",
        domain="media",
        key=key,
        event_time=None,
        status="draft",
    )


# ---- a product from day to day -----------------------------------------------------------------


def test_a_new_artist_and_a_higher_amount_on_the_fourth_day_are_published_and_told(notebook):
    notebook.run("%mesh export b")
    day(artist="Bo", amount=8)
    # Nothing was published before: what the export saw stands for it.
    assert [one.now for one in notebook.run("%mesh deploy b").news["sales"]] == ["up to 8"]
    for rows in (33, 36):
        day(rows)
        assert notebook.run("%mesh deploy b").news == {"sales": ()}
    day(36, artist="Di", amount=950)
    fourth = notebook.run("%mesh deploy b")
    assert fourth.receipt.snapshot == 4
    told = {one.column: (one.now, one.before) for one in fourth.news["sales"]}
    assert told == {"artist": ("new: Di", "3 different values"), "amount": ("up to 950", "up to 8")}
    assert "not seen before, and not demanded" in text(notebook, fourth)
    described = notebook.run("mesh.describe('charts')")
    said = "artist new: Di (before: 3 different values); amount up to 950 (before: up to 8)"
    assert f"not seen before {said}" in text(notebook, described)
    assert len(notebook.run("mesh.describe('charts', 'json')")["ports"][0]["news"]) == 2
    # A notebook tells it before, and its check passes.
    day(36, artist="Ed", amount=951)
    notebook.run("%mesh source sales sales.csv")
    notebook.run(DECLARE)
    checked = notebook.run("mesh.check()")
    assert checked.passed
    assert "new: Ed" in text(notebook, checked)
    assert [one["column"] for one in json_of(checked)["ports"][0]["news"]] == ["artist", "amount"]
    _readme_of_a_port_that_is_not_strict(Path("b/README.md").read_text())
    _mock_as_was_seen(Contract.loads(Path("b/contracts/inputs/sales.odcs.yaml").read_text()))


def _readme_of_a_port_that_is_not_strict(readme: str) -> None:
    assert "| `id` | BIGINT | required; unique |  |" in readme
    assert "| `amount` | BIGINT |  | never null; 1 … 7 |" in readme
    assert f"`{DECLARE} --strict`" in readme


def _mock_as_was_seen(contract: Contract) -> None:
    made = mock(contract, 200, 1)
    assert set(made["artist"]) == {"Ana", "Bo", "Cy"}
    assert made["amount"].is_between(1, 7).all()
    assert check(made.lazy(), contract).passed


def test_what_was_seen_is_no_part_of_what_a_release_is(tmp_path):
    bundles = []
    for name, most in (("a", 7), ("b", 950)):
        made = inferred(pl.DataFrame({"id": [1, 2], "amount": [1, most]}), ("id",))
        transform = "def sales(rows):\n    return rows\n"
        folder = write_bundle(tmp_path / name, ports={"sales": made}, transform=transform)
        bundles.append(Bundle(folder))
    assert bundles[0].contract("sales").dumps() != bundles[1].contract("sales").dumps()
    assert bundles[0].release == bundles[1].release
    strict = demanded(bundles[1].contract("sales"))
    (tmp_path / "b/contracts/sales.odcs.yaml").write_text(strict.dumps())
    assert Bundle(tmp_path / "b").release != bundles[0].release


def test_what_was_demanded_before_and_is_only_seen_now_can_be_demanded_again(tmp_path):
    rows = pl.DataFrame({"id": [1, 2], "amount": [1, 7]})
    made = inferred(rows, ("id",))
    for contract in (demanded(made), made):
        told = {"ports": {"sales": contract}, "transform": "def sales(rows):\n    return rows\n"}
        bundle = write_bundle(tmp_path / "b", inputs=("rows",), **told)
        if contract is not made:
            published(bundle, tmp_path / "mesh", Clock(), sales=rows)
    with pytest.raises(DeployRefused, match="another specification") as refused:
        deployed(bundle, tmp_path / "mesh", Clock(), rows=rows)
    assert "--version 1.1.0" in refused.value.next_step
    assert "%mesh output sales … --strict" in refused.value.next_step


# ---- asked for ---------------------------------------------------------------------------------


def test_a_strict_port_is_held_to_what_was_seen(notebook):
    contract = notebook.run(f"{DECLARE} --strict").contract
    day(artist="Di", amount=950)
    report = check(pl.scan_csv("sales.csv"), contract)
    assert [r.rule.id for r in report.failures] == ["artist.enum", "amount.maximum"]


@pytest.mark.parametrize(
    "line",
    [
        f"{DECLARE} --strict amount",
        "%mesh output --strict=amount sales sales --key id",
        "mesh.output('sales', sales, 'id', strict='amount')",
    ],
)
def test_a_column_may_be_strict_alone(notebook, line):
    contract = notebook.run(line).contract
    assert contract.column("amount").options == {"minimum": 1, "maximum": 7}
    assert contract.column("amount").required
    assert contract.column("artist").values is None
    assert seen_of(contract.column("artist").raw)["values"] == ["Ana", "Bo", "Cy"]


@pytest.mark.parametrize(
    "line",
    [
        "%mesh output --strict sales sales --key id",
        "%mesh output sales --strict sales --key id",
        "%mesh output sales sales --strict --key id",
        "mesh.output('sales', sales, 'id', strict=True)",
    ],
)
def test_all_columns_are_strict_wherever_the_option_stands(notebook, line):
    contract = notebook.run(line).contract
    assert not any(seen_of(column.raw) for column in contract.columns)


def test_declaring_again_without_it_demands_no_more_than_is_inferred(notebook):
    assert notebook.run(f"{DECLARE} --strict").contract.column("artist").values
    assert notebook.run(DECLARE).contract.column("artist").values is None


def test_an_unknown_strict_column_is_refused_with_the_near_one(notebook):
    with pytest.raises(UnknownName, match="artst") as caught:
        notebook.run(f"{DECLARE} --strict artst")
    assert "artist" in caught.value.next_step


def test_the_card_shows_apart_what_is_demanded_and_what_was_seen(notebook):
    card = text(notebook, notebook.run(DECLARE))
    assert "artist VARCHAR never null; Ana, Bo, Cy" in card
    line = f"{DECLARE} --strict"
    assert line in card
    strict = text(notebook, notebook.run(line))
    assert "required; one of Ana, Bo, Cy" in strict
    assert "--strict" not in strict


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ({"strict": False}, DECLARE),
        ({"strict": True}, f"{DECLARE} --strict"),
        ({"strict": ["amount", "artist"]}, f"{DECLARE} --strict amount,artist"),
        ({}, f"{DECLARE} --strict"),  # before this was said, all that was seen was demanded
    ],
)
def test_a_product_that_is_opened_again_is_as_strict_as_it_was(
    said: dict[str, Any], line: str
) -> None:
    calls = output_calls("sales", "sales", {"key": ["id"], **said}, PortPolicy("sales"))
    assert [call.text for call in calls] == [line]


# ---- what is protected -------------------------------------------------------------------------


def test_what_was_seen_of_a_protected_column_is_written_nowhere(notebook):
    notebook.run(f"{DECLARE} --strict")
    notebook.run("%mesh protect sales.artist --with redact")
    notebook.run("%mesh protect sales.amount --with null --except payroll")
    view = notebook.run("%mesh contract sales")
    assert "No value of artist, amount is demanded" in text(notebook, view)
    contract = view.contract
    for name in ("artist", "amount"):
        assert seen_of(contract.column(name).raw) == {}
        assert {rule.kind for rule in contract.column(name).rules()} == {"type", "required"}
    notebook.run("%mesh export b")
    day(artist="Di", amount=950)
    deployed = notebook.run("%mesh deploy b")
    assert deployed.news == {"sales": ()}
    written = "".join(
        path.read_text()
        for folder in ("b", ".mesh")
        for path in Path(folder).rglob("*")
        if path.suffix in (".yaml", ".md", ".json") and "_delta_log" not in path.parts
    )
    assert "Cy" not in written
    assert "Di" not in written


def test_of_a_hidden_column_no_value_is_kept_and_its_numbers_still_do_not_drift() -> None:
    contract = without_values(inferred(pl.DataFrame({"n": range(40)})), ["n"])
    assert seen_of(contract.column("n").raw) == {"required": True, "different": True}
    assert moving(contract) == {"n"}


# ---- mocks, drift ------------------------------------------------------------------------------


def test_a_mock_has_more_rows_than_the_keys_that_were_seen() -> None:
    frame = pl.DataFrame({"shop": ["a", "b"] * 15, "hour": [n // 2 for n in range(30)], "n": 1})
    contract = inferred(frame, ("shop", "hour"))
    assert set(mock(contract, 20, 1)["shop"]) <= {"a", "b"}
    many = mock(contract, 200, 1)
    assert check(many.lazy(), contract).passed
    with pytest.raises(ContractError, match="leaves room for 30"):
        mock(demanded(contract), 200, 1)


def test_the_keys_of_a_linked_column_join_whatever_range_of_them_was_seen() -> None:
    users = inferred(pl.DataFrame({"user": range(30)}), ("user",))
    plays = inferred(pl.DataFrame({"play": range(40), "user": [n % 9 for n in range(40)]}))
    target = f"{users.id}#user"
    plays.raw["schema"][0]["properties"][1]["authoritativeDefinitions"] = [
        {"type": "ontology", "url": target}
    ]
    assert seen_of(plays.column("user").raw)["maximum"] == 8
    keys = set(mock(users, 50, 1)["user"])
    assert set(mock(plays, 200, 1, {target: 50})["user"]) <= keys


def test_numbers_of_rows_do_not_drift_and_those_of_a_contract_of_others_may() -> None:
    first, next_ = (pl.DataFrame({"n": range(at, at + 40)}) for at in (0, 40))
    contract = inferred(first)
    shapes = [shape_of(frame, contract) for frame in (first, next_)]
    assert drift(shapes[1], shapes[:1], moving(contract)) == {"drift": 0.0, "drift.n": 0.0}
    others = demanded(contract, ["n"])  # which says no more than limits
    assert drift(shapes[1], shapes[:1], moving(others))["drift"] == 1.0


FRAMES = st.lists(
    st.tuples(
        st.one_of(st.none(), st.integers(-5, 5)),
        st.one_of(st.none(), st.floats(-9, 9)),
        st.one_of(st.none(), st.sampled_from(["a", "b", "a long one of six words here"])),
        st.booleans(),
    ),
    max_size=30,
).map(
    lambda rows: pl.DataFrame(
        rows, {"n": pl.Int64, "x": pl.Float64, "s": pl.String, "b": pl.Boolean}, orient="row"
    )
)


@settings(max_examples=40, deadline=None)
@given(FRAMES)
def test_the_same_rows_are_no_news_and_keep_what_was_seen(frame: pl.DataFrame) -> None:
    contract = inferred(frame)
    shape = shape_of(frame, contract)
    assert news_of(shape, [shape]) == ()
    assert news_of(shape, [shape_seen(contract)]) == ()
    assert check(frame.lazy(), demanded(contract)).passed


@settings(max_examples=40, deadline=None)
@given(FRAMES, FRAMES)
def test_rows_that_keep_what_was_seen_of_others_are_no_news(
    one: pl.DataFrame, other: pl.DataFrame
) -> None:
    contract = inferred(one)
    news = news_of(shape_of(other, contract), [shape_seen(contract)])
    if check(other.lazy(), demanded(contract)).passed:
        assert news == ()
    elif one.height and other.height:
        broken = {r.rule.column for r in check(other.lazy(), demanded(contract)).failures}
        assert {told.column for told in news} <= broken


@pytest.mark.parametrize(
    ("now", "said"),
    [
        ({"n": [None, 1]}, ("50.00% are null", "none were")),
        ({"n": [-3, 1]}, ("down to -3", "down to 1")),
        ({"n": [1, 12_000]}, ("up to 12,000", "up to 2")),
    ],
)
def test_each_change_is_said_beside_what_was_before(
    now: dict[str, list[Any]], said: tuple[str, str]
) -> None:
    before = pl.DataFrame({"n": [1, 2] * 5})
    contract = inferred(before)
    told = news_of(shape_of(pl.DataFrame(now), contract), [shape_of(before, contract)])
    assert (told[0].now, told[0].before) == said


def test_values_that_come_again_are_news_where_so_many_never_did() -> None:
    before = pl.DataFrame({"code": range(LARGE)})
    contract, again = inferred(before), pl.DataFrame({"code": [1, 1, 2]})
    known = [shape_of(before, contract)]
    told = news_of(shape_of(again, contract), known, moving(contract))
    assert [one.now for one in told] == ["values come again"]
    few = pl.DataFrame({"code": range(5)})
    assert news_of(shape_of(again, contract), [shape_of(few, contract)]) == ()
