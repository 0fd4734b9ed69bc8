"""Frames, series, arrays and long lists, told by a digest that knows no order of rows.

Whole numbers, texts and times count exactly. Floats are summed, each weighed by a hash of what else
stands in its row, so that noise in their last digits does not tell and an exchange of two does. Of
what is very large only a part is looked at, so that no export waits for it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sized
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

__all__ = ["digest_of", "is_large", "large"]

_MOST = 4_000_000  # cells that are told by their rows; of what is larger, columns are summed
_MOST_OF_OTHERS = 1_000_000  # cells of what has to be turned into a frame of Polars first
_MOST_COLUMNS = 50
_LONG = 1_000  # items of a list from which on it is not told one by one
_PLAIN = {int, float, str, bool, type(None)}


def is_large(held: Iterable[Any]) -> bool:
    """Return whether there are too many items to tell each."""
    return isinstance(held, Sized) and len(held) > _LONG


def large(held: Iterable[Any]) -> dict[str, Any] | None:
    """Return the digest of many plain values; None where they are not plain."""
    import polars as pl

    rows = [list(held)]
    if isinstance(held, Mapping):
        rows.append(list(held.values()))
    if len(rows[0]) > _MOST_OF_OTHERS:
        return {"height": len(rows[0])}
    if not all(set(map(type, column)) <= _PLAIN for column in rows):
        return None
    try:
        return _digest(_put_together([pl.Series(column) for column in rows]))
    except (pl.exceptions.PolarsError, TypeError, OverflowError):  # whole numbers and texts mixed
        return None


def digest_of(value: Any) -> dict[str, Any] | None:
    """Return the digest of a frame, a series or an array; None of anything else."""
    library = type(value).__module__.partition(".")[0]
    name = type(value).__name__
    if library == "polars" and name in ("DataFrame", "Series"):
        return _digest(value if name == "DataFrame" else value.to_frame())
    if library == "pandas" and name in ("DataFrame", "Series") and "pandas" in sys.modules:
        return _of_pandas(value)
    if library == "pandas" and hasattr(value, "to_series") and hasattr(value, "nlevels"):
        return _of_pandas(value.to_series())
    if library == "numpy" and hasattr(value, "ravel") and hasattr(value, "dtype"):
        return _of_numpy(value)
    if library == "pyarrow" and hasattr(value, "to_batches"):
        import polars as pl

        return _digest(pl.DataFrame(pl.from_arrow(value)))
    return None


def _of_pandas(value: Any) -> dict[str, Any]:
    frame = value.to_frame() if hasattr(value, "to_frame") and value.ndim == 1 else value
    labels = [repr(label) for label in frame.columns]
    about = {"height": len(frame), "labels": labels, "dtypes": [str(d) for d in frame.dtypes]}
    if frame.size > _MOST_OF_OTHERS:
        return {**about, **_of_numbers(frame)}
    columns = [frame.iloc[:, at] for at in range(frame.shape[1])]
    columns.append(frame.index.to_series())
    return {**about, **_digest(_put_together([_as_polars(column) for column in columns]))}


def _of_numbers(frame: Any) -> dict[str, Any]:
    import polars as pl

    kinds = [getattr(dtype, "kind", "O") for dtype in frame.dtypes]
    numbers = [at for at, kind in enumerate(kinds) if kind in "iufb"][:_MOST_COLUMNS]
    return _sums(pl.DataFrame({str(at): frame.iloc[:, at].to_numpy() for at in numbers}))


def _as_polars(column: Any) -> pl.Series:
    """Return a pandas series as one of Polars; what is mixed by what each value is told as."""
    import polars as pl

    try:
        return pl.Series(pl.from_pandas(column.reset_index(drop=True)))
    except (ValueError, TypeError, NotImplementedError, pl.exceptions.PolarsError):
        return pl.Series([_as_text(one) for one in column], dtype=pl.String)


def _as_text(value: object) -> str:
    return repr(value) if type(value) in _PLAIN else type(value).__name__


def _put_together(columns: list[pl.Series]) -> pl.DataFrame:
    import polars as pl

    return pl.DataFrame([column.alias(str(at)) for at, column in enumerate(columns)])


def _of_numpy(array: Any) -> dict[str, Any] | None:
    import polars as pl

    about = {"shape": list(array.shape), "dtype": str(array.dtype)}
    if array.dtype.kind not in "iufbUMm":
        return None if array.dtype.kind == "O" else about
    if array.dtype.kind in "Mm":
        array = array.astype("int64")
    return {**about, **_digest(pl.Series("0", array.ravel()).to_frame())}


# ---- frames of Polars ----------------------------------------------------------------------------


def _digest(frame: pl.DataFrame) -> dict[str, Any]:
    import polars as pl

    schema = {name: str(dtype) for name, dtype in frame.schema.items()}
    about: dict[str, Any] = {"height": frame.height, "schema": schema}
    if frame.height == 0 or frame.width == 0:
        return about
    if frame.height * frame.width > _MOST:
        return about | _sums(frame)
    exact = [_comparable(name, dtype) for name, dtype in frame.schema.items() if _is_exact(dtype)]
    floats = [name for name, dtype in frame.schema.items() if dtype.is_float()]
    weights = pl.repeat(1.0, frame.height, eager=True)
    if exact:
        hashes = frame.select(exact).hash_rows(seed=7)
        halves = (hashes & 0xFFFFFFFF).sum(), (hashes // 2**32).sum()
        about["exact"] = [str(half) for half in halves]
        weights = (hashes // 2**32).cast(pl.Float64) / 2**32 + 0.5
    return about | {f"float {name}": _weighed(frame[name], weights) for name in floats}


def _sums(frame: pl.DataFrame) -> dict[str, Any]:
    """Return sums of columns, which costs little: numbers, and of others how many are null."""
    import polars as pl

    told: dict[str, Any] = {}
    for name in frame.columns[:_MOST_COLUMNS]:
        column = frame[name]
        told[f"nulls {name}"] = str(column.null_count())
        if column.dtype.is_float():
            column = column.fill_nan(None)
        if column.dtype.is_numeric():
            total, scale = column.sum(), column.cast(pl.Float64).abs().sum()
            told[f"sum {name}"] = {"sum": float(total), "scale": float(scale)}
    return told


def _is_exact(dtype: pl.DataType) -> bool:
    if dtype.is_float() or dtype.is_object():
        return False
    said = str(dtype)
    return not dtype.is_nested() or not any(w in said for w in ("Float", "Categorical", "Object"))


def _comparable(name: str, dtype: pl.DataType) -> pl.Expr:
    """Return a column as it means the same in any process: categories by their texts."""
    import polars as pl

    column = pl.col(name)
    return column.cast(pl.String) if isinstance(dtype, pl.Categorical | pl.Enum) else column


def _weighed(values: pl.Series, weights: pl.Series) -> dict[str, Any]:
    import polars as pl

    numbers = values.cast(pl.Float64)
    finite = numbers.is_finite().fill_null(False)
    # By size, too, since a large number would hide what became of the small ones.
    by_size = (numbers * 1e6).arcsinh()
    return {
        "nulls": str(numbers.null_count()),
        "not finite": str((~finite).sum()),
        "of it": _sum_of((numbers * weights).filter(finite)),
        "by size": _sum_of((by_size * weights).filter(finite)),
    }


def _sum_of(values: pl.Series) -> dict[str, float]:
    return {"sum": float(values.sum()), "scale": float(values.abs().sum())}
