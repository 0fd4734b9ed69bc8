"""A contract in a file, described: what it says of itself, its tables, and how they are tied."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mesh_notebook.model.contract import Contract

__all__ = ["ContractFile", "names_file"]


@dataclass(frozen=True)
class ContractFile:
    """A contract, and the file that it is in."""

    path: str
    contract: Contract

    @property
    def tables(self) -> dict[str, tuple[tuple[str, str, str], ...]]:
        """By table: its columns as name, type and meaning."""
        return {
            str(table["name"]): tuple(
                (column.name, column.physical_type or column.said_logical_type, column.meaning)
                for column in self.contract.of_table(table["name"]).columns
            )
            for table in self.contract.tables
        }

    def as_dict(self) -> dict[str, Any]:
        """Return the document, as v3.1 says it, and what it has beyond its standard."""
        return {"contract": self.contract.edited(), "warnings": list(self.contract.warnings)}


def names_file(base: Path, name: str) -> bool:
    """Say whether a name is that of a contract's file, and not of a product or a bundle."""
    return name.endswith((".yaml", ".yml")) and (base / name).is_file()
