"""Invented values for columns whose real ones must not appear: keys, and people's data."""

from __future__ import annotations

import re
import string
from typing import TYPE_CHECKING, Any

from mesh_notebook.errors import UsageError
from mesh_notebook.mock.hints import Hints
from mesh_notebook.mock.limits import limits_of
from mesh_notebook.mock.makers import maker_of
from mesh_notebook.mock.noise import number_of, permuted, uniforms
from mesh_notebook.mock.shapes import Shape, Shaped
from mesh_notebook.mock.texts import Use
from mesh_notebook.mock.values import Choice, Maker, picked
from mesh_notebook.model.contract import Column

if TYPE_CHECKING:
    import polars as pl

    from mesh_notebook.mock.noise import Floats

__all__ = ["fresh", "is_personal", "replaced", "with_no_numbers"]

_PERSONAL = re.compile(
    r"e_?mail|phone|mobile|fax|passport|iban|\bssn\b|social_security|tax_?(id|number)"
    r"|(first|last|middle|given|family|maiden|full|user|nick|screen|customer|person|contact|"
    r"patient|employee|host|owner|author|artist|passenger)_?name|surname|\bname\b"
    r"|street|address|\bip\b|ip_?addr|licen[cs]e_?(no|number)|credit_?card|account_?(no|number)"
)
_ID = re.compile(r"(^|_)(id|uuid|guid|token|ssn|phone|mobile|fax|passport|iban)$")
_CONTENT = {
    "email": r"^[^@\s]+@[^@\s]+\.[^@\s]+$",
    "ipv4": r"^\d{1,3}(\.\d{1,3}){3}$",
    "phone": r"^\+?[\d(][\d ()./-]{7,}$",
}
_MOST_MASKS = 64
_MANY = 20  # texts of one shape, so that its characters give none of them away
_UPPER, _LOWER = tuple(string.ascii_uppercase), tuple(string.ascii_lowercase)
_DIGITS = tuple(string.digits)


def is_personal(column: pl.Series) -> bool:
    """Say whether a column's name, or most of its values, look like data about a person.

    Whole numbers count only by name; other numbers and times are modelled, never copied.
    """
    words = re.sub(r"[^a-z]+", "_", column.name.lower()).strip("_")
    named = _PERSONAL.search(words.replace("_", " ")) or _PERSONAL.search(words)
    if column.dtype.is_integer():
        return bool(_ID.search(column.name.lower()))
    if not _is_text(column):
        return False
    return bool(named or _ID.search(column.name.lower())) or _content(column) is not None


def _is_text(column: pl.Series) -> bool:
    import polars as pl

    return isinstance(column.dtype, (pl.String, pl.Categorical))


def _content(column: pl.Series) -> str | None:
    """Return what most of a column's texts look like, if it is one of the known kinds."""
    import polars as pl

    texts = column.drop_nulls().cast(pl.String)
    for name, pattern in _CONTENT.items():
        if texts.str.contains(pattern).sum() * 2 > len(texts):
            return name
    return None


def fresh(column: pl.Series, rows: int) -> pl.Series:
    """Return `rows` values, all different and none of the real ones: a key."""
    if column.dtype.is_integer():
        return _fresh_numbers(column, rows)
    values = _invented(column, rows, distinct=True)
    if len(values) < rows:
        raise UsageError(
            f"only {len(values):,} new keys can be made for '{column.name}', not {rows:,}.",
            next_step="ask for fewer rows",
        )
    return values.head(rows).cast(column.dtype)


def replaced(column: pl.Series, rows: int, seed: int) -> pl.Series:
    """Return invented values, repeated and missing as often as the real ones are."""
    import polars as pl

    there = column.drop_nulls().alias("value")
    counts = there if column.dtype.is_integer() else there.cast(pl.String)
    odds = counts.value_counts().get_column("count").sort(descending=True).to_numpy()
    many = min(len(odds), max(rows, 1))
    values = (
        _fresh_numbers(column, many)
        if column.dtype.is_integer()
        else _invented(column, many, distinct=False)
    )
    few = odds[: len(values)].astype("float64")
    chosen = values.gather(picked(uniforms(seed, rows, column.name, "stand-in"), few))
    return _with_nulls(
        chosen.cast(column.dtype), column, uniforms(seed, rows, column.name, "nulls")
    )


def _with_nulls(values: pl.Series, real: pl.Series, luck: Floats) -> pl.Series:
    import polars as pl

    there = pl.Series(luck >= real.null_count() / len(real))
    return pl.select(pl.when(there).then(values)).to_series().alias(real.name)


def with_no_numbers(values: pl.Series, real: pl.Series, seed: int) -> pl.Series:
    """Turn into NaN and infinities their real share of the missing values.

    A model knows none of them: to it, what is no number is missing.
    """
    import numpy as np
    import polars as pl

    if not real.dtype.is_float() or real.is_finite().all():
        return values
    odd = pl.Series([None, float("nan"), float("inf"), float("-inf")], dtype=real.dtype)
    odds = [
        int(real.null_count()),
        int(real.is_nan().sum()),
        int((real == float("inf")).sum()),
        int((real == float("-inf")).sum()),
    ]
    luck = uniforms(seed, len(values), real.name, "no number")
    instead = odd.gather(picked(luck, np.array(odds, dtype="float64")))
    return pl.select(pl.when(values.is_null()).then(instead).otherwise(values)).to_series()


# ---- numbers --------------------------------------------------------------------------------


def _fresh_numbers(column: pl.Series, count: int) -> pl.Series:
    """Return whole numbers outside the range of the real ones, of as many digits if possible."""
    import polars as pl

    low, high = int(column.min() or 0), int(column.max() or 0)  # type: ignore[arg-type]
    bottom, top = (int(pl.select(e).item()) for e in (column.dtype.min(), column.dtype.max()))  # type: ignore[attr-defined]
    if high + count <= min(top, (1 << 62)):
        start = high + 1
    elif low - count >= bottom:
        start = low - count
    else:
        raise UsageError(
            f"'{column.name}' ({column.dtype}) has no room for {count:,} new numbers.",
            next_step="cast it to a wider type, or ask for fewer rows",
        )
    # 128 bits wide, since the largest UInt64 are beyond what Int64 counts.
    whole = pl.int_range(count).cast(pl.Int128) + pl.lit(start, dtype=pl.Int128)
    return pl.select(whole.cast(column.dtype).alias(column.name)).to_series()


# ---- texts ----------------------------------------------------------------------------------


def _invented(column: pl.Series, count: int, distinct: bool) -> pl.Series:
    """Return up to `count` different texts, none of them real."""
    import polars as pl

    real = column.drop_nulls().cast(pl.String).unique()
    for maker in _makers(column, distinct):
        values = _different(maker, real, count)
        if len(values) >= (count if distinct else max(1, min(count, 20))):
            return values.alias(column.name)
    return values.alias(column.name)


def _makers(column: pl.Series, distinct: bool) -> list[Maker]:
    """Return what could make the values, the most realistic first."""
    found: list[Maker] = []
    kind = _content(column)
    named = re.search(r"name|street|address|city|company", column.name.lower())
    if kind in ("email", "ipv4") or (named and not distinct):
        raw: dict[str, Any] = {"name": column.name, "logicalType": "string"}
        if kind in ("email", "ipv4"):
            raw["logicalTypeOptions"] = {"format": kind}
        found.append(_by_contract(raw, keyed=False))
    found += [shaped for seen in (True, False) if (shaped := _of_masks(column, seen))]
    found.append(_by_contract({"name": column.name, "logicalType": "string"}, keyed=True))
    return found


def _by_contract(raw: dict[str, Any], keyed: bool) -> Maker:
    column = Column(raw)
    use = Use(f"like#{column.name}", keyed=keyed, distinct=keyed)
    return maker_of(limits_of(column, 0), Hints.of(column), use)


def _different(maker: Maker, real: pl.Series, count: int) -> pl.Series:
    import numpy as np
    import polars as pl

    tries = min(maker.capacity, count + len(real) + 64)
    index = np.arange(tries)
    if isinstance(maker, Choice):
        index = permuted(index, tries, number_of("order"))
    values = maker.nth(index).cast(pl.String).unique(maintain_order=True)
    return values.filter(~values.is_in(real.implode())).head(count)


def _of_masks(column: pl.Series, seen: bool) -> Shaped | None:
    """Return the shapes of the real texts: letters for letters, digits for digits.

    With `seen`, a place of a shape that many texts share takes only the characters that some
    of them have there, so that tail numbers begin with N and months with 0 or 1.
    """
    import polars as pl

    texts = column.drop_nulls().cast(pl.String).unique(maintain_order=True).alias("text")
    mask = (
        pl.col("text")
        .str.replace_all(r"[A-Z]", "A")
        .str.replace_all(r"[^\x00-\x7F]|[a-z]", "a")
        .str.replace_all(r"[0-9]", "0")
        .alias("mask")
    )
    masked = texts.to_frame().with_columns(mask)
    counts = masked["mask"].value_counts().sort("count", "mask", descending=[True, False])
    shapes = []
    for mask_, count in counts.head(_MOST_MASKS).iter_rows():
        if seen and count >= _MANY:
            shapes.append(_seen(masked.filter(pl.col("mask") == mask_)["text"], len(mask_)))
        elif any(character in "Aa0" for character in mask_):
            shapes.append(_shape(mask_))
    return Shaped(tuple(shapes), number_of("like", column.name)) if shapes else None


def _seen(texts: pl.Series, length: int) -> Shape:
    """Return for each place the characters that stand there in some text."""
    return tuple(
        tuple(texts.str.slice(place, 1).unique().sort().to_list()) for place in range(length)
    )


def _shape(mask: str) -> Shape:
    tokens = {"A": _UPPER, "a": _LOWER, "0": _DIGITS}
    return tuple(tokens.get(character, (character,)) for character in mask)
