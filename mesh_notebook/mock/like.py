"""Make a dataset like a real one: modelled by SDV's Gaussian copula, then sampled.

What SDV models are numbers, times, booleans and categories (texts of at most 200 values, each
seen twice or more on average): their spread, their shares and how they go together. What it
never sees are keys, data about people, and texts with many values: those are invented, repeat
and are missing as often as the real ones, and go together with nothing. No value of theirs is
a real one. A date or number of a person (a birth date) is modelled, so it may by chance equal
a real one; a category is real, so a person's name that looks like none should be dropped first.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mesh_notebook.errors import ContractError, MissingExtra, UsageError, near
from mesh_notebook.mock.encoding import Code
from mesh_notebook.mock.limits import countable
from mesh_notebook.mock.stand_ins import fresh, is_personal, replaced, with_no_numbers

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

__all__ = ["FIT_ROWS", "like"]

FIT_ROWS = 10_000
_MOST_CATEGORIES = 200
_TABLE = "t"
_ROUNDS = 4


def like(frame: pl.DataFrame, rows: int, seed: int, key: tuple[str, ...] = ()) -> pl.DataFrame:
    """Return `rows` synthetic rows with the columns, types and character of a real frame.

    The same frame, rows, seed and key give the same bytes (with the same versions of SDV,
    Faker and Polars).

    Parameters
    ----------
    frame : polars.DataFrame
        The real rows. A model of a frame with more than 10,000 rows is fitted to that many
        of them, drawn by the seed.
    rows : int
        At most 100 million.
    seed : int
    key : tuple of str
        Columns that together never repeat and are never null. The values of a one-column key
        are all new; so joins to real tables find nothing.

    Raises
    ------
    MissingExtra
        SDV is not installed.
    ContractError
        A column has no name.
    UsageError
        Rows are negative or too many; the frame is empty or has columns that no model can
        hold; a key column is missing; there are not so many different keys.
    """
    _refuse(frame, rows, key)
    if not rows:
        return frame.clear()
    single = key[0] if len(key) == 1 and _inventable(frame[key[0]]) else None
    if single and frame.width == 1:
        return fresh(frame[single], rows).to_frame()
    kinds = {name: _kind(frame[name]) for name in frame.columns if name != single}
    modelled = [name for name, kind in kinds.items() if kind == "modelled"]
    synthetic = _Synthetic(frame, seed, modelled, kinds)
    alone = not key or single
    made = synthetic.rows(rows) if alone else _keyed(synthetic, rows, seed, key)
    if single:
        made = made.with_columns(fresh(frame[single], rows).alias(single))
    return made.select(frame.columns)


def _refuse(frame: pl.DataFrame, rows: int, key: tuple[str, ...]) -> None:
    import polars as pl

    countable(rows)
    if frame.height < 2 or not frame.columns:
        raise UsageError(
            f"a frame of {frame.height} rows and {frame.width} columns shows nothing to model.",
            next_step="give at least two rows, or mock from a contract",
        )
    if "" in frame.columns:
        raise ContractError(
            f"column {frame.columns.index('') + 1} of the frame has no name.",
            next_step="give it one: frame.rename({'': 'a_name'})",
        )
    for name in key:
        if name not in frame.columns:
            close = near(name, frame.columns)
            raise UsageError(
                f"the key column '{name}' is not in the frame.",
                next_step=f"did you mean {', '.join(close)}?"
                if close
                else f"it has {', '.join(frame.columns)}",
            )
    good = (pl.String, pl.Categorical, pl.Enum, pl.Boolean, pl.Date, pl.Datetime, pl.Null)
    bad = [
        f"{name} ({dtype})"
        for name, dtype in frame.schema.items()
        if not (dtype.is_numeric() or isinstance(dtype, good))
    ]
    if bad:
        raise UsageError(
            f"no model can hold {', '.join(bad)}.",
            next_step="drop these columns, or cast them to numbers, texts or instants",
            columns=bad,
        )


def _inventable(column: pl.Series) -> bool:
    import polars as pl

    return column.dtype.is_integer() or isinstance(column.dtype, (pl.String, pl.Categorical))


def _kind(column: pl.Series) -> str:
    """Return `empty`, `invented` or `modelled`."""
    import polars as pl

    if column.null_count() == len(column):
        return "empty"
    if is_personal(column):
        return "invented"
    if isinstance(column.dtype, (pl.String, pl.Categorical)):
        there = column.drop_nulls()
        different = there.n_unique()
        few = different <= _MOST_CATEGORIES and 2 * different <= len(there)
        return "modelled" if few else "invented"
    return "modelled"


@dataclass
class _Synthetic:
    """Makes synthetic rows of a frame, as many as asked, again and again the same."""

    frame: pl.DataFrame
    seed: int
    modelled: list[str]
    kinds: dict[str, str]
    model: Any = None

    def rows(self, count: int) -> pl.DataFrame:
        import polars as pl

        made = self._sampled(count)
        for name, kind in self.kinds.items():
            real = self.frame[name]
            if kind == "modelled":
                made[name] = with_no_numbers(made[name], real, self.seed)
            elif kind == "invented":
                made[name] = replaced(real, count, self.seed)
            elif kind == "empty":
                made[name] = pl.Series(name, [None], dtype=real.dtype).new_from_index(0, count)
        return pl.DataFrame([made[name].alias(name) for name in self.kinds])

    def _sampled(self, count: int) -> dict[str, pl.Series]:
        if not self.modelled:
            return {}
        codes = {name: Code.of(self.frame[name]) for name in self.modelled}
        with _quiet():
            if self.model is None:
                part = self._part()
                self.model = _fitted({n: codes[n].encode(part[n]) for n in self.modelled}, codes)
            # SDV has no public seed; this sets the copula's, and keeps the first sample
            # from setting it back to SDV's own.
            self.model.reset_sampling()
            self.model._set_random_state(self.seed % (1 << 32))
            table: pd.DataFrame = self.model.sample(count)[_TABLE]
        return {n: codes[n].decode(table[f"c{i}"]) for i, n in enumerate(self.modelled)}

    def _part(self) -> pl.DataFrame:
        if self.frame.height <= FIT_ROWS:
            return self.frame
        return self.frame.sample(FIT_ROWS, seed=self.seed % (1 << 63))


def _fitted(columns: dict[str, Any], codes: dict[str, Code]) -> Any:
    """Fit SDV's model; the columns go by number, so that no name can trouble it."""
    import pandas as pd

    synthesizer, metadata = _sdv()
    kinds = {
        f"c{i}": {"sdtype": "categorical" if codes[name].category else "numerical"}
        for i, name in enumerate(columns)
    }
    described = metadata.load_from_dict({"tables": {_TABLE: {"columns": kinds}}})
    model = synthesizer(described)
    model.fit({_TABLE: pd.DataFrame({f"c{i}": v for i, v in enumerate(columns.values())})})
    return model


def _sdv() -> tuple[Any, Any]:
    """Import SDV without letting it make its log folder in the user's home."""
    try:
        import platformdirs

        original = platformdirs.user_data_dir
        platformdirs.user_data_dir = lambda *_, **__: os.path.join(os.devnull, "sdv")
        try:
            from sdv.metadata import Metadata
            from sdv.single_table import GaussianCopulaSynthesizer
        finally:
            platformdirs.user_data_dir = original
    except ImportError as error:
        raise MissingExtra("sdv", "a mock like a real frame") from error
    return GaussianCopulaSynthesizer, Metadata


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Hold back SDV's warnings, and the log that it keeps of every fit and sample."""
    import logging
    import warnings

    log = logging.getLogger("SingleTableSynthesizer")
    before = log.disabled
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        log.disabled = True
        try:
            yield
        finally:
            log.disabled = before


# ---- keys of several columns ----------------------------------------------------------------


def _keyed(synthetic: _Synthetic, rows: int, seed: int, key: tuple[str, ...]) -> pl.DataFrame:
    """Return rows whose key columns together never repeat."""
    for round_ in range(_ROUNDS):
        drawn = synthetic.rows(rows << round_).drop_nulls(list(key))
        made = drawn.unique(list(key), keep="first", maintain_order=True)
        if made.height >= rows:
            return made.head(rows)
    return _filled(drawn, made, rows, seed, key)


def _filled(
    drawn: pl.DataFrame, made: pl.DataFrame, rows: int, seed: int, key: tuple[str, ...]
) -> pl.DataFrame:
    """Give the missing rows combinations of key values that the model did not happen on."""
    from math import prod

    lists = [made.select(name).unique(maintain_order=True) for name in key]
    missing = rows - made.height
    room = prod(part.height for part in lists)
    if room < rows or room > 20_000_000:
        raise UsageError(
            f"only {max(made.height, min(room, rows)):,} different keys ({', '.join(key)}) "
            f"can be made, not {rows:,}.",
            next_step="ask for fewer rows, or name more key columns",
        )
    combined = lists[0]
    for part in lists[1:]:
        combined = combined.join(part, how="cross")
    unused = combined.join(made.select(key), on=list(key), how="anti", maintain_order="left")
    fresh_keys = unused.sample(missing, seed=seed % (1 << 63))
    others = drawn.drop(key).sample(missing, seed=seed % (1 << 63), with_replacement=True)
    return made.vstack(fresh_keys.hstack(others.get_columns()).select(made.columns))
