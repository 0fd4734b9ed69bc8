"""What a bundle's receipt seals: its files, its inputs, and the rows that were proved.

The seal notices what went wrong by accident or unseen; it is no signature. Who can write the
receipt can seal it anew, but not so that other rows are made of the same inputs.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesh_notebook.errors import SpecError
from mesh_notebook.mesh.rows import ABSOLUTE
from mesh_notebook.model.document import digest

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "RECEIPT",
    "changed_files",
    "conformed",
    "fingerprint",
    "sealed",
    "sealed_receipt",
    "sealed_rows",
    "unlike",
]

RECEIPT = "receipt.json"
_SEAL = "seal"
# What tools leave in a checkout, and what belongs to it but not to the product.
_LET_BE = frozenset({"__pycache__", "build", "dist", "node_modules", "data"})
_MODULUS = 1_000_003


# ---- the receipt -------------------------------------------------------------------------------


def sealed(receipt: Mapping[str, Any]) -> dict[str, Any]:
    """Return a receipt with the seal over all that it says."""
    return {**receipt, _SEAL: digest(dict(receipt))}


def sealed_receipt(folder: Path) -> dict[str, Any]:
    """Return a bundle's receipt.

    Raises
    ------
    SpecError
        There is none, it is not one, or it is not as it was sealed.
    """
    path = folder / RECEIPT
    try:
        raw = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise _refused(f"{folder} has no {RECEIPT}, so nothing was proved of it.", path) from None
    except (OSError, ValueError):
        raise _refused(f"{RECEIPT} cannot be read.", path) from None
    if not isinstance(raw, dict) or not isinstance(raw.get("files"), dict):
        raise _refused(f"{RECEIPT} is no receipt of an export.", path)
    if _SEAL not in raw:
        raise _refused(f"{RECEIPT} bears no seal: an older version wrote it.", path)
    rest = {key: value for key, value in raw.items() if key != _SEAL}
    if raw[_SEAL] != digest(rest):
        raise _refused(f"{RECEIPT} was changed since it was sealed.", path)
    return raw


def sealed_rows(folder: Path) -> dict[str, int]:
    """Return by port how many rows were proved; nothing where no receipt tells."""
    try:
        receipt = sealed_receipt(folder)
    except SpecError:  # a bundle that was written by hand has none
        return {}
    return dict(receipt.get("proved", {}).get("rows", {}))


def _refused(said: str, path: Path) -> SpecError:
    return SpecError(said, next_step="export the product again", where=str(path))


# ---- files -------------------------------------------------------------------------------------


def changed_files(folder: Path, files: Mapping[str, str]) -> Iterator[str]:
    """Yield what is not as sealed: `transform.py was changed`, `README.md is missing`, …"""
    for name, wanted in sorted(files.items()):
        path = folder / name
        if not path.is_file():
            yield f"{name} is missing"
        elif hashlib.sha256(path.read_bytes()).hexdigest() != wanted:
            yield f"{name} was changed"
    for path in sorted(folder.rglob("*.py")):
        inside = path.relative_to(folder)
        hidden = any(part.startswith(".") or part in _LET_BE for part in inside.parts)
        if not hidden and inside.as_posix() not in files:
            yield f"{inside.as_posix()} was added"


# ---- rows --------------------------------------------------------------------------------------


def fingerprint(frame: pl.DataFrame) -> dict[str, Any]:
    """Return what tells rows from others, however they are ordered and floats are rounded.

    Returns
    -------
    dict
        `rows`; `columns`, by name the type; `exact`, the sum of MD5 over the rows without their
        floats; `floats`, by column how many are null, NaN and infinite, the sum of magnitudes, and
        the sum of values each weighted by the MD5 of its row. The last two are equal within the
        tolerance of a proof, and a value that moved to another row shows. Floats and bytes inside
        lists and structs are not sealed; `unsealed` names their columns. In a frame of floats alone
        nothing else tells its rows apart, so there a value that moved does not show.
    """
    import duckdb
    import polars as pl

    floats = [name for name, dtype in frame.schema.items() if dtype.is_float()]
    unsealed = [n for n, dtype in frame.schema.items() if dtype.is_nested() and _unsayable(dtype)]
    exact = [_text(n, d) for n, d in frame.schema.items() if n not in (*floats, *unsealed)]
    line = pl.struct(exact).struct.json_encode() if exact else pl.repeat("", pl.len())
    numbers = [pl.col(name).cast(pl.Float64).alias(f"f{i}") for i, name in enumerate(floats)]
    told = frame.select(line.alias("line"), *numbers) if frame.height else None
    found: dict[str, Any] = {
        "rows": frame.height,
        "columns": {name: str(dtype) for name, dtype in frame.schema.items()},
    }
    if told is None:
        return {**found, "exact": "", "floats": {}, "unsealed": unsealed}
    with duckdb.connect() as connection:
        connection.register("told", told.to_struct())
        # Once for all of its floats: the line of a wide row takes long to hash.
        connection.execute(
            "CREATE TEMP TABLE hashed AS SELECT * EXCLUDE line, md5_number_lower(line) AS hash"
            " FROM told"
        )
        ((whole,),) = connection.execute(
            "SELECT CAST(sum(CAST(hash AS HUGEINT)) AS VARCHAR) FROM hashed"
        ).fetchall()
        sums = {name: _sums(connection, f"f{i}") for i, name in enumerate(floats)}
    return {**found, "exact": whole, "floats": sums, "unsealed": unsealed}


def _text(name: str, dtype: pl.DataType) -> pl.Expr:
    """Return a column in a form that JSON can say."""
    import polars as pl

    column = pl.col(name)
    if dtype == pl.Binary:
        return column.bin.encode("hex")
    if dtype in (pl.Categorical, pl.Enum):
        return column.cast(pl.String)
    return column


def _unsayable(dtype: pl.DataType) -> bool:
    """Return whether there is a float in it, or bytes, which JSON cannot say."""
    import polars as pl

    if not dtype.is_nested():
        return dtype.is_float() or dtype == pl.Binary
    inner = getattr(dtype, "inner", None)
    parts = [inner] if inner is not None else [f.dtype for f in getattr(dtype, "fields", ())]
    return any(_unsayable(part) for part in parts)


def _sums(connection: Any, column: str) -> dict[str, Any]:
    from sqlglot import exp

    value = exp.column(column, quoted=True).sql("duckdb")  # a name of our own: f0, f1, …
    weight = f"(hash % {_MODULUS}) / {_MODULUS}.0"
    query = f"""
        SELECT count(*) FILTER ({value} IS NULL), count(*) FILTER (isnan({value})),
               count(*) FILTER (isinf({value}) AND {value} > 0),
               count(*) FILTER (isinf({value}) AND {value} < 0),
               coalesce(fsum(abs({value})) FILTER (isfinite({value})), 0),
               coalesce(fsum({value} * {weight}) FILTER (isfinite({value})), 0)
        FROM hashed
    """
    ((nulls, nans, above, below, magnitude, weighted),) = connection.execute(query).fetchall()
    counts = {"nulls": nulls, "nans": nans, "infinities": [above, below]}
    return {**counts, "magnitude": magnitude, "weighted": weighted}


def unlike(wanted: Mapping[str, Any], frame: pl.DataFrame, relative: float) -> list[str]:
    """Say how rows differ from those that were sealed; nothing where they are equal.

    Parameters
    ----------
    relative
        By how much of its size a float may differ.
    """
    found = fingerprint(frame)
    if wanted["columns"] != found["columns"] or list(wanted["columns"]) != list(found["columns"]):
        return [f"its columns were {_said(wanted)} and are {_said(found)}"]
    if wanted["rows"] != found["rows"]:
        return [f"it had {wanted['rows']:,} rows and has {found['rows']:,}"]
    said = []
    if wanted["exact"] != found["exact"]:
        said.append("rows differ in columns that are no floats")
    for name, one in wanted["floats"].items():
        if not _alike(one, found["floats"][name], relative):
            said.append(f"values of the column '{name}' differ")
    return said


def conformed(frame: pl.DataFrame, wanted: Mapping[str, Any]) -> pl.DataFrame:
    """Return rows of another engine in the types that were sealed; as they are, where they cannot
    be, which `unlike` then tells.
    """
    import polars as pl

    if frame.columns != list(wanted["columns"]):
        return frame
    try:
        return frame.cast({name: _dtype(said) for name, said in wanted["columns"].items()})
    except (pl.exceptions.PolarsError, SyntaxError, ValueError):  # a type that is not known here
        return frame


def _dtype(said: str) -> Any:
    """Return the type that Polars writes so: `List(Int64)`, `Decimal(precision=9, scale=2)`, …"""
    return _read(ast.parse(said, mode="eval").body)


def _read(node: ast.expr) -> Any:
    match node:
        case ast.Name(id=name):
            return _named(name)
        case ast.Call(func=ast.Name(id=name), args=given, keywords=named):
            options = {str(one.arg): _read(one.value) for one in named}
            return _named(name)(*map(_read, given), **options)
        case ast.Dict(keys=keys, values=values):
            return {_read(k): _read(v) for k, v in zip(keys, values, strict=True) if k}
    return ast.literal_eval(node)


def _named(name: str) -> type[pl.DataType]:
    import polars as pl

    found = getattr(pl, name, None)
    if isinstance(found, type) and issubclass(found, pl.DataType):
        return found
    raise ValueError(f"'{name}' is no type")


def _said(one: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {dtype}" for name, dtype in one["columns"].items()) or "none"


def _alike(one: Mapping[str, Any], other: Mapping[str, Any], relative: float) -> bool:
    counts = ("nulls", "nans", "infinities")
    room = relative * max(one["magnitude"], other["magnitude"]) + ABSOLUTE
    near = all(abs(one[key] - other[key]) <= room for key in ("magnitude", "weighted"))
    return near and all(one[key] == other[key] for key in counts)
