"""What a pandas frame loses on its way into a port: refused, with a line that mends it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from conftest import Shell

from mesh_notebook import open as open_mesh
from mesh_notebook.errors import MeshError
from mesh_notebook.workspace import Workspace

SALES = pd.DataFrame(
    {"shop": ["A", "B", "A"], "day": [1, 1, 2], "amount": [3, 4, 5], "kind": ["x", "y", "x"]}
)
NAIVE = pd.to_datetime(pd.Series(["2024-01-01 10:00", None, "2024-01-02 11:30"]))
UTC = dt.UTC


@pytest.fixture
def mesh(tmp_path: Path) -> Workspace:
    """A workspace with names of its own, as a notebook has them."""
    opened = open_mesh(tmp_path)
    exec("import pandas as pd, polars as pl", opened.namespace)  # type: ignore[arg-type]
    return opened


def refused(mesh: Workspace, value: Any) -> MeshError:
    mesh.namespace["df"] = value
    with pytest.raises(MeshError) as raised:
        mesh.output("out", "df")
    return raised.value


def mended(mesh: Workspace, value: Any) -> pl.DataFrame:
    """Follow the advice until the port is declared, and return its rows."""
    mesh.namespace["df"] = value
    for _ in range(4):
        try:
            mesh.output("out", "df")
        except MeshError as error:
            exec(error.next_step, mesh.namespace)  # type: ignore[arg-type]
        else:
            return mesh.draft.port("out").frame.collect()
    raise AssertionError("the advice does not lead to a port")


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (SALES.groupby("shop")[["amount"]].sum(), "an index `shop`"),
        (SALES.groupby(["shop", "day"])[["amount"]].sum(), "an index `shop`, `day`"),
        (SALES.set_index("shop", drop=False), "an index `shop`"),
        (SALES.rename_axis("row"), "an index `row`"),
        (SALES[["day", "amount"]].describe(), "an index without a name, of type object"),
        (
            SALES.set_index(pd.date_range("2024-01-01", periods=3)).rename_axis(None),
            "without a name",
        ),
        (pd.concat({"a": SALES, "b": SALES}), "without a name"),
        (SALES.groupby("shop").agg({"amount": ["min", "max"]}), "columns in two levels"),
        (SALES.pivot_table(index="shop", columns="day", values="amount"), "an index `shop`"),
        (pd.concat([SALES, SALES], axis=1), "2 columns that are labelled `shop`"),
        (pd.DataFrame([[1, 2, 3]], columns=["a", "a", "a_2"]), "labelled `a`"),
        (pd.DataFrame({1: [1], "1": [2]}), "labelled `1`"),
        (pd.DataFrame({2.5: [1], "a": [2]}), "labelled by float"),
        (pd.DataFrame({"": [1], "x": [2], "X": [3], "x_2": [4]}), "'', 'X'"),
        (pd.DataFrame({"Unit Price": [1], "a,b": [2], "c": [3]}), "'Unit Price', 'a,b'"),
        (pd.DataFrame({pd.Timestamp("2024-01-01").date(): [1]}), "labelled by date"),
        (
            pd.DataFrame(
                {("a", "b"): [1], "c": [2]},
                columns=pd.Index([("a", "b"), "c"], tupleize_cols=False),
            ),
            "labelled by tuple",
        ),
    ],
)
def test_an_index_or_labels_that_a_port_does_not_keep_are_refused_with_a_line_that_works(
    mesh: Workspace, frame: Any, said: str
) -> None:
    assert said in refused(mesh, frame).message
    assert mended(mesh, frame).height == len(frame)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([1, "two", None], "holds int and str"),
        ([True, 2], "holds bool and int"),
        ([b"a", "b"], "holds bytes and str"),
        ([1, Decimal("2.5")], "holds Decimal and int"),
        ([{"a": 1}, [1]], "holds dict and list"),
        ([dt.date(2024, 1, 1), dt.datetime(2024, 1, 2, 3)], "holds date and datetime"),
        ([dt.datetime(2024, 1, 1), dt.datetime(2024, 1, 2, tzinfo=UTC)], "datetime without a zone"),
        (pd.Series([dt.datetime(2024, 1, 1)], dtype=object), "times without a time zone"),
        ([{1, 2}, {3}], "whose values have no order"),
        ([2**70, 1], "holds values (int)"),
        ([[1, "a"], [2]], "holds values (list)"),
        ([object(), object()], "holds values (object)"),
        (NAIVE, "times without a time zone"),
        (NAIVE.dt.normalize(), "days as times without a time zone"),
        (NAIVE.dt.tz_localize("UTC") + pd.Timedelta(1, "ns"), "finer than a microsecond"),
        (NAIVE.dt.tz_localize("+05:30"), "times at an offset from UTC"),
        (NAIVE - pd.Timestamp("2024-01-01"), "durations"),
        (pd.period_range("2024-01", periods=3, freq="M"), "periods (period[M])"),
        (pd.arrays.IntervalArray.from_breaks([1, 2, 3]), "intervals"),
        (pd.cut([1.0, np.nan, 3.0], 2), "categories that are intervals"),
        (pd.Categorical([1, "a", None]), "categories that are int and str"),
        (pd.Categorical(NAIVE), "categories that are datetime64[ns]"),
        (pd.arrays.SparseArray([0, 1, 0]), "is sparse"),
        ([1 + 2j, 2j], "complex128"),
        (pd.Series([dt.timedelta(1)], dtype=object), "durations"),
        (np.array([1.5], dtype="float16"), "float16"),
        (pd.to_datetime([None, None]), "times without a time zone"),
    ],
)
def test_values_that_a_port_would_change_are_refused_with_a_line_that_works(
    mesh: Workspace, values: Any, said: str
) -> None:
    frame = pd.DataFrame({"x": values})
    assert said in refused(mesh, frame.copy()).message
    rows = mended(mesh, frame.copy())
    assert rows["x"].null_count() == frame["x"].isna().sum()


@pytest.mark.parametrize(
    "frame",
    [
        SALES[SALES.amount > 3],
        SALES.sort_values("amount", ascending=False),
        pd.concat([SALES, SALES]),
        SALES.sample(2, random_state=1),
        SALES[SALES.amount > 99],
        SALES.groupby("shop", as_index=False).amount.sum(),
        SALES.pivot_table(index="shop", columns="day", values="amount").reset_index(),
        pd.DataFrame(np.arange(6).reshape(3, 2)),
        pd.DataFrame({"a": pd.Series([1, 2.5, None], dtype=object)}),
        pd.DataFrame({"a": pd.Categorical(["x", None, "x"]), "b": pd.array([1, None, 2])}),
        pd.DataFrame({"a": [[1], [2, 3]], "b": [(1, 2), np.array([3])], "c": [{"k": 1}, None]}),
        pd.DataFrame({"a": NAIVE.dt.tz_localize("Europe/Berlin")}),
        pd.DataFrame({"a": ["x", np.nan], "b": [Decimal("1.50"), None], "c": [True, None]}),
    ],
)
def test_everyday_frames_become_ports_as_they_are(mesh: Workspace, frame: pd.DataFrame) -> None:
    mesh.namespace["df"] = frame
    mesh.output("out", "df")
    rows = mesh.draft.port("out").frame.collect()
    assert rows.height == len(frame)
    assert rows.columns == [str(label) for label in frame.columns]


@pytest.mark.parametrize(
    ("value", "step"),
    [
        (SALES["amount"], 'df = df.to_frame("amount")'),
        (SALES.groupby("shop").amount.sum(), 'df = df.reset_index(name="amount")'),
        (SALES["amount"].to_numpy(), "df = pl.DataFrame(df)"),
        (pl.Series("a", [1, 2]), "df = df.to_frame()"),
    ],
)
def test_a_series_is_refused_with_the_line_that_makes_a_frame_of_it(
    mesh: Workspace, value: Any, step: str
) -> None:
    assert refused(mesh, value).next_step == step
    with pytest.raises(MeshError) as raised:
        mesh.output("out", value)
    assert raised.value.next_step == step
    assert mended(mesh, value).height == len(value)


@pytest.mark.parametrize(
    ("declared", "step"),
    [
        ({"key": "shop"}, "df = df.drop_duplicates(['shop'])"),
        ({"key": "kind"}, 'df = df.dropna(subset=["kind"])'),
        ({"event_time": "at"}, 'df["at"] = pd.to_datetime(df["at"], utc=True)'),
    ],
)
def test_a_key_and_an_event_time_are_mended_in_pandas(
    mesh: Workspace, declared: dict[str, str], step: str
) -> None:
    twice = pd.DataFrame(
        {"shop": ["A", "B", "A"], "kind": ["x", None, "y"], "at": ["2024-01-01"] * 3}
    )
    mesh.namespace["df"] = twice if "kind" in declared.values() else twice[["shop", "at"]].copy()
    with pytest.raises(MeshError) as raised:
        mesh.output("out", "df", **declared)
    assert raised.value.next_step.startswith(step)
    exec(raised.value.next_step, mesh.namespace)  # type: ignore[arg-type]
    mesh.output("out", "df", **declared)


def test_a_notebook_that_follows_the_advice_is_exported(shell: Shell, tmp_path: Path) -> None:
    SALES.to_csv(tmp_path / "sales.csv", index=False)
    shell.run("%mesh source sales sales.csv")
    shell.run("wide = sales.collect().to_pandas().groupby('shop').agg({'amount': ['min', 'max']})")
    shell.run("%mesh product totals --domain lab --owner me --purpose totals")
    for _ in range(2):
        with pytest.raises(MeshError) as raised:
            shell.run("%mesh output totals wide")
        shell.run(raised.value.next_step)
    shell.run("%mesh output totals wide --key shop")
    assert shell.run("%mesh export bundle").rows == {"totals": 2}
