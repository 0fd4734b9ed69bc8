"""The contract of an input that came with none: what its rows say, and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mesh_notebook.errors import ContractError
from mesh_notebook.explore.infer import described
from mesh_notebook.mesh.dtypes import physical_type

if TYPE_CHECKING:
    import polars as pl

    from mesh_notebook.model.contract import Contract

__all__ = ["observe"]


def observe(frame: pl.LazyFrame, *, name: str, contract_id: str, domain: str) -> Contract:
    """Return a contract of a source, from which mocks of it can be made.

    A source is as it is: nothing is refused. A column of a type that no contract can name is left
    out.
    """
    schema = dict(frame.collect_schema())
    named = [column for column, dtype in schema.items() if _has_a_type(dtype)]
    return described(
        frame.select(named),
        name=name,
        contract_id=contract_id,
        version="1.0.0",
        domain=domain,
        key=(),
        event_time=None,
        status="active",
    )


def _has_a_type(dtype: pl.DataType) -> bool:
    try:
        physical_type(dtype)
    except ContractError:
        return False
    return True
