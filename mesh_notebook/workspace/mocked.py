"""Mock rows for the tests of a bundle, made of the contracts of its inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from mesh_notebook.errors import MeshError
from mesh_notebook.model.contract import Contract

if TYPE_CHECKING:
    import polars as pl

__all__ = ["mock_rows"]

_ROWS, _SEED = 500, 7


def mock_rows(contracts: Mapping[str, Contract]) -> dict[str, pl.DataFrame]:
    """Return mock rows by the name of the input; no rows of a contract that cannot be mocked.

    Their keys join, since each knows how many keys the others have.
    """
    from mesh_notebook.mock.from_contract import identity

    keys = {identity(c, c.column(name)): _ROWS for c in contracts.values() for name in c.key}
    return {name: _mocked(contract, keys) for name, contract in contracts.items()}


def _mocked(contract: Contract, keys: Mapping[str, int]) -> pl.DataFrame:
    import polars as pl

    from mesh_notebook.mesh.dtypes import column_dtype
    from mesh_notebook.mock.from_contract import mock

    try:
        return mock(contract, _ROWS, _SEED, keys)
    except MeshError:
        return pl.DataFrame(schema={c.name: column_dtype(c) for c in contract.columns})
