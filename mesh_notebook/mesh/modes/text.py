"""CSV and NDJSON: text that anybody reads, and that the contract turns into the same rows again."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING

from mesh_notebook.errors import ContractError, SourceError
from mesh_notebook.mesh.dtypes import column_dtype
from mesh_notebook.mesh.modes.lexical import json_object, lexical, text_shape, typed

if TYPE_CHECKING:
    import polars as pl

    from mesh_notebook.model.contract import Contract

__all__ = ["as_ndjson", "read_csv", "read_ndjson", "sink_csv", "sink_ndjson"]


def sink_csv(frame: pl.LazyFrame, target: Path | IO[bytes]) -> None:
    """Stream rows to a CSV: RFC 4180 in UTF-8, with a header.

    Nothing between two commas is a null, `""` is an empty text, a list or struct is JSON.
    """
    import polars as pl

    schema = frame.collect_schema()
    texts = [lexical(pl.col(name), dtype).alias(name) for name, dtype in schema.items()]
    frame.select(texts).sink_csv(target, check_extension=False)


def sink_ndjson(frame: pl.LazyFrame, target: Path | IO[bytes]) -> None:
    """Stream rows to JSON, one object a line, every column in each."""
    # The lines are made here, for Polars writes NaN as null. JSON text has no raw line ends, so
    # that it can be written as a CSV of one column without quotes.
    frame.select(as_ndjson(frame.collect_schema())).sink_csv(
        target, include_header=False, quote_style="never", check_extension=False
    )


def as_ndjson(schema: pl.Schema) -> pl.Expr:
    """Return the expression that makes a row of this schema one line of NDJSON."""
    import polars as pl

    return json_object([(name, pl.col(name), dtype) for name, dtype in schema.items()])


def read_csv(path: str | Path, contract: Contract) -> pl.DataFrame:
    """Read a CSV back as the port's rows: its columns, types and values.

    Parameters
    ----------
    path
        A file as `port.write` writes it; its columns may stand in any order.
    contract : Contract
        That of the port.

    Raises
    ------
    SourceError
        The file cannot be read.
    ContractError
        It has other columns, or a text that is no value of its column's type.
    """
    import polars as pl

    def read(wanted: dict[str, pl.DataType]) -> pl.DataFrame:
        found = _header(Path(path))
        _same_columns(found, list(wanted), path)
        lines = pl.scan_csv(path, infer_schema=False, glob=False, with_column_names=lambda _: found)
        return lines.select(_from_cell(n, t).alias(n) for n, t in wanted.items()).collect()

    return _read(read, path, contract)


def read_ndjson(path: str | Path, contract: Contract) -> pl.DataFrame:
    """Read NDJSON back as the port's rows; a key that a line leaves out is a null.

    Parameters and errors are those of `read_csv`.
    """
    from glob import escape

    import polars as pl

    def read(wanted: dict[str, pl.DataType]) -> pl.DataFrame:
        schema = {name: text_shape(dtype) for name, dtype in wanted.items()}
        lines = pl.scan_ndjson(escape(str(path)), schema=schema)
        return lines.select(typed(pl.col(n), t).alias(n) for n, t in wanted.items()).collect()

    return _read(read, path, contract)


def _read(
    read: Callable[[dict[str, pl.DataType]], pl.DataFrame], path: str | Path, contract: Contract
) -> pl.DataFrame:
    from polars.exceptions import PolarsError

    try:
        return read({column.name: column_dtype(column) for column in contract.columns})
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(
            f"{path} cannot be read: {getattr(error, 'strerror', None) or error}.",
            next_step="give a file that the port was written to",
            path=str(path),
        ) from None
    except PolarsError as error:
        raise ContractError(
            f"{path} does not fit the types of {contract.name}: {str(error).splitlines()[0]}",
            next_step="was it edited, or written under another version of the contract?",
            path=str(path),
        ) from None


def _from_cell(name: str, dtype: pl.DataType) -> pl.Expr:
    import polars as pl

    text = pl.col(name)
    nested = isinstance(dtype, pl.List | pl.Struct)
    return typed(text.str.json_decode(text_shape(dtype)) if nested else text, dtype)


def _header(path: Path) -> list[str]:
    # Python's reader undoubles the quotes of a name, which Polars leaves doubled.
    with path.open(encoding="utf-8", newline="") as file:
        return next(csv.reader(file), [])


def _same_columns(found: list[str], wanted: list[str], path: str | Path) -> None:
    lacking = [name for name in wanted if name not in found]
    beyond = [name for name in found if name not in wanted]
    if not lacking and not beyond:
        return
    said = f"lacks {', '.join(lacking)}" if lacking else f"has {', '.join(beyond)} beyond"
    raise ContractError(
        f"{path} {said}: its columns are not those of the contract.",
        next_step=f"the columns are {', '.join(wanted)}",
        lacking=lacking,
        beyond=beyond,
    )
