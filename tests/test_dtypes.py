"""Physical types: what a frame's column is called in a contract, and read back."""

from __future__ import annotations

import polars as pl
import pytest

from mesh_notebook.errors import ContractError
from mesh_notebook.mesh.dtypes import physical_type, polars_dtype


@pytest.mark.parametrize(
    "dtype",
    [
        *(pl.Boolean(), pl.Int8(), pl.Int16(), pl.Int32(), pl.Int64(), pl.Float32(), pl.Float64()),
        *(pl.String(), pl.Binary(), pl.Date(), pl.Decimal(10, 2), pl.Datetime("us", "UTC")),
        *(pl.Datetime("us"), pl.List(pl.Int64()), pl.List(pl.List(pl.String()))),
        pl.Struct({"x": pl.Int64(), "At Home": pl.Datetime("us", "UTC")}),
        pl.List(pl.Struct({"x": pl.Decimal(9, 3)})),
    ],
    ids=str,
)
def test_a_stored_type_is_read_back_as_the_same_type(dtype):
    assert polars_dtype(physical_type(dtype)) == dtype


@pytest.mark.parametrize(
    ("dtype", "stored"),
    [
        (pl.UInt8(), pl.Int16()),
        (pl.UInt16(), pl.Int32()),
        (pl.UInt32(), pl.Int64()),
        (pl.UInt64(), pl.Decimal(20, 0)),
        (pl.Categorical(), pl.String()),
        (pl.Enum(["a"]), pl.String()),
        (pl.Datetime("ns", "Europe/Zurich"), pl.Datetime("us", "UTC")),
    ],
    ids=str,
)
def test_what_delta_lacks_is_stored_without_loss(dtype, stored):
    assert polars_dtype(physical_type(dtype)) == stored


@pytest.mark.parametrize("dtype", [pl.Duration(), pl.Time(), pl.Null(), pl.Object()], ids=str)
def test_a_type_that_no_snapshot_holds_is_refused(dtype):
    with pytest.raises(ContractError, match="cast it"):
        physical_type(dtype)


@pytest.mark.parametrize("name", ["NUMBERY", "DECIMAL", "STRUCT(", "BIGINT[", ""])
def test_an_unknown_name_is_refused(name):
    with pytest.raises(ContractError, match="not known"):
        polars_dtype(name)
