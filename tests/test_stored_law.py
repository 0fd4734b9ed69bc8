"""The law of storing: what a contract was inferred of, and held to, is what is read back.

Or the frame is refused where it is declared. Of every type that Polars has, at any depth.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from mesh_notebook import open as open_mesh
from mesh_notebook.errors import MeshError
from mesh_notebook.mesh.checks import check
from mesh_notebook.mesh.scan import scan_of
from mesh_notebook.mesh.store import conformed, write_snapshot
from mesh_notebook.mesh.stored import as_stored
from mesh_notebook.mesh.versions import files_of
from mesh_notebook.workspace import Workspace

DAY, SECOND = 86_400, {"ms": 10**3, "us": 10**6, "ns": 10**9}
ZONES = ["UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", None]
TEXTS = st.sampled_from(
    ["", " ", "a", "B", "null", "a b", "O'Hara", '"', "\0", "\n", "\\", "é", "🦆", "1", "\u202e"]
)
Made = tuple[pl.DataType, st.SearchStrategy[Any]]


def _ints(dtype: pl.DataType) -> Made:
    least, most = (pl.select(getattr(dtype, end)()).item() for end in ("min", "max"))
    edges = st.sampled_from([least, least + 1, 0, 1, most - 1, most])
    return dtype, st.one_of(edges, st.integers(0, min(most, 9)))


def _instants(unit: str, zone: str | None) -> Made:
    """Instants as counts since 1970: about the ends of what is kept, and between microseconds."""
    ticks = SECOND[unit]
    # A day further in, where another zone's clock is in a year that Python does not know.
    inset = 0 if zone in ("UTC", None) else 1
    ends = [(-719_162 + inset) * DAY * ticks, (2_932_897 - inset) * DAY * ticks - 1]
    far = [n + step for n in ends for step in (-1, 0, 1)] if unit != "ns" else [-(2**63), 2**63 - 1]
    near = st.integers(-9, 9).map(lambda n: n * ticks)
    fine = st.sampled_from([1, -1, 999, 1_000, -1_000, 1_001, *far])
    return pl.Datetime(unit, zone), st.one_of(near, near, near, fine)  # type: ignore[arg-type]


def _leaves() -> list[Made]:
    whole = (pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64)
    floats = st.sampled_from([0.0, -0.0, 1.5, 0.1, 1e300, 5e-324, float("inf"), float("nan")])
    bytes_ = st.sampled_from([b"", b"a", b"\0", b"\xff"])
    small = st.sampled_from([0.0, -0.0, 1.5, float("-inf"), float("nan")])
    days = st.sampled_from([0, 1, 19_000, -719_162, -719_163, 2_932_896, 2_932_897, -(2**31)])
    return [
        *(_ints(dtype()) for dtype in (*whole, pl.Int128, pl.UInt128)),
        *((pl.Float64(), st.one_of(floats, st.floats())), (pl.Float32(), small)),
        *(
            (pl.Boolean(), st.booleans()),
            (pl.String(), TEXTS),
            (pl.Binary(), bytes_),
        ),
        (pl.Categorical(), TEXTS),
        (pl.Enum(["a", "b", "O'Hara"]), st.sampled_from(["a", "O'Hara"])),
        (pl.Decimal(9, 2), st.integers(-99, 99).map(lambda n: Decimal(n) / 100)),
        (pl.Decimal(38, 10), st.sampled_from([Decimal("0.1234567891"), Decimal(10**27)])),
        (pl.Date(), st.one_of(st.integers(-9, 9), days)),
        (pl.Time(), st.integers(0, 9)),
        (pl.Duration("us"), st.integers(-9, 9)),
        (pl.Null(), st.none()),
        *(_instants(unit, zone) for unit in SECOND for zone in ZONES),
    ]


def _nested(inner: st.SearchStrategy[Made]) -> st.SearchStrategy[Made]:
    lists = inner.map(lambda made: (pl.List(made[0]), st.lists(_or_null(made[1]), max_size=2)))
    names = st.sampled_from(["a", "B c", 'q"', "é", "x.y"])
    fields = st.dictionaries(names, inner, min_size=1, max_size=2)
    return st.one_of(lists, fields.map(_struct))


def _struct(fields: dict[str, Made]) -> Made:
    dtype = pl.Struct({name: made[0] for name, made in fields.items()})
    return dtype, st.fixed_dictionaries({name: _or_null(made[1]) for name, made in fields.items()})


def _or_null(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.none(), values, values, values)


# Plain types twice as often, so that a frame is refused for one of its columns, and not always.
COLUMNS = st.recursive(st.sampled_from(_leaves()), _nested, max_leaves=3)


@st.composite
def frames(draw: Callable[..., Any]) -> pl.DataFrame:
    rows = draw(st.integers(0, 4))
    columns = {}
    for name in draw(st.sampled_from([["a"], ["a", "é"], ["a", "b", 'c"d']])):
        dtype, values = draw(COLUMNS)
        given = draw(st.lists(_or_null(values), min_size=rows, max_size=rows))
        columns[name] = _series(given, dtype)
    return pl.DataFrame(columns)


def _series(values: list[Any], dtype: pl.DataType) -> pl.Series:
    physical = _physical(dtype)
    return pl.Series(values, dtype=physical, strict=False).cast(dtype)


def _physical(dtype: pl.DataType) -> pl.DataType:
    """Return the type in which the values were drawn: a count, where it is an instant."""
    if isinstance(dtype, pl.List):
        return pl.List(_physical(dtype.inner))  # type: ignore[arg-type]
    if isinstance(dtype, pl.Struct):
        return pl.Struct({f.name: _physical(f.dtype) for f in dtype.fields})  # type: ignore[arg-type]
    if isinstance(dtype, (pl.Datetime, pl.Duration, pl.Time)):
        return pl.Int64()
    if isinstance(dtype, (pl.Categorical, pl.Enum)):
        return pl.String()
    return pl.Int32() if isinstance(dtype, pl.Date) else dtype


def plain(value: Any) -> Any:
    """Return a value as any engine would say it: whole numbers alike, instants in UTC."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return repr(int(value))
    return repr(value)


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return open_mesh(tmp_path_factory.mktemp("mesh"))


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(frame=frames())
def test_what_was_checked_is_what_is_read_back_or_it_is_refused_where_it_is_declared(
    mesh: Workspace, frame: pl.DataFrame
) -> None:
    mesh.namespace["df"] = frame
    try:
        mesh.output("out", "df")
    except MeshError:
        return
    port = mesh.draft.port("out")
    contract, checked = port.contract(mesh.draft, "draft"), port.frame.collect()
    assert check(port.frame, contract).passed
    assert [plain(row) for row in checked.to_dicts()] == [plain(row) for row in frame.to_dicts()]
    with TemporaryDirectory() as folder:
        # As a deployment does: of what the module gives, which the clean process writes.
        made = as_stored(pl.read_ipc(frame.write_ipc(None).getvalue()).lazy())
        assert check(made, contract).passed
        version = write_snapshot(Path(folder), conformed(made, contract), contract, {})
        files = files_of(Path(folder), version)
        assert_frame_equal(scan_of(files, contract, named=False).lazy().collect(), checked)
