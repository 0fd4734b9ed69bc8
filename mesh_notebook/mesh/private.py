"""Answers that tell of many and of nobody: counts, sums and means with noise on them.

The groups are the policy's own, whatever the data holds, and an empty one has noise too; else that
a group is there would tell of whoever is in it. Each subject counts with a few rows, each row with
a value between bounds: so one subject moves the true figures by no more than the noise covers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mesh_notebook.mesh.groups import groups_of
from mesh_notebook.mesh.noise import Total, check_installed, half_width, noisy
from mesh_notebook.mesh.question import Question, settled
from mesh_notebook.model.policy import Privacy

if TYPE_CHECKING:
    import polars as pl

__all__ = ["ACCURACY", "CONFIDENCE", "Totals", "answer", "totals"]

ACCURACY = "accuracy"
CONFIDENCE = 0.95
# A value is this many steps from the middle of its bounds, at most. Polars counts no more than
# 2^32 rows, so that a sum of steps always fits in 64 bits.
_STEPS = 2**30


@dataclass(frozen=True)
class Totals:
    """How many rows each group has, and the sum of their values in steps from `centre`.

    Attributes
    ----------
    step, centre : float
        A value is `centre` plus its number of steps times `step`.
    """

    counts: Total
    sums: Total
    step: float
    centre: float


def answer(
    frame: pl.LazyFrame | pl.DataFrame, question: Question, privacy: Privacy
) -> pl.DataFrame:
    """Answer a question with noise; it costs `question.epsilon`, and nothing is spent here.

    Returns
    -------
    polars.DataFrame
        The columns grouped by; the figure, under the name of what was asked; and `accuracy`, how
        far from the figure without noise it is, at most, in 95 of 100 answers. A count may be
        less than 0: cut off there, many of them would add up to too much. A mean is null where
        the noisy count says that nobody is there.

    Raises
    ------
    UsageError, AccessDenied, SpecError
        It cannot be asked (see `settled`).
    MissingExtra
        OpenDP is not installed.
    """
    rows = frame.lazy()
    schema = rows.collect_schema()
    asked = settled(question, privacy, schema)
    check_installed()
    groups = groups_of(asked.by, privacy, schema)
    return _released(totals(rows, asked, privacy, groups), asked, groups)


def totals(
    rows: pl.LazyFrame, question: Question, privacy: Privacy, groups: pl.DataFrame
) -> Totals:
    """Return the figures of each group as they truly are, of the rows that count.

    No row counts that is of no subject, of no group, or without a value to add up (a null, a NaN).
    Of a subject with more rows than count, a hash of what they hold says which: the same ones each
    time, in whatever order they lie, and no other subject has a say in it.
    """
    import polars as pl

    centre, radius = _span(question, privacy)
    steps = _in_steps(question, privacy, centre, radius)
    by = [f"by{n}" for n in range(len(question.by))]
    named = [
        pl.col(column).cast(groups.schema[column]).alias(alias)
        for alias, column in zip(by, question.by, strict=True)
    ]
    known = groups.rename(dict(zip(question.by, by, strict=True))).with_row_index("group").lazy()
    found = rows.select(pl.col(privacy.subject).alias("subject"), *named, steps.alias("steps"))
    found = found.drop_nulls(["subject", "steps"])
    if by:
        found = found.join(known, on=by, how="inner", nulls_equal=True)
    else:
        found = found.with_columns(pl.lit(0, pl.UInt32).alias("group"))
    sums = (
        _bounded(found.select("subject", "group", "steps"), privacy.rows_each)
        .group_by("group")
        .agg(pl.len().cast(pl.Int64).alias("count"), pl.col("steps").sum().alias("sum"))
    )
    told = (
        known.select("group")
        .join(sums, on="group", how="left")
        .sort("group")
        .select(pl.col("count", "sum").fill_null(0))
        .collect()
    )
    each = privacy.rows_each
    return Totals(
        Total(told["count"].to_list(), each),
        Total(told["sum"].to_list(), each * _STEPS),
        radius / _STEPS,
        centre,
    )


def _span(question: Question, privacy: Privacy) -> tuple[float, float]:
    """Return from where values are counted, and how far away they lie at most.

    A mean counts from the middle of the bounds, which takes half the noise or less; a sum could
    not, as it would have to add the middle for each row, and nobody says how many there are.
    """
    if not question.of:
        return 0.0, 1.0
    low, high = privacy.bounds[question.of]
    if question.what == "mean":
        return low / 2 + high / 2, high / 2 - low / 2
    return 0.0, max(abs(low), abs(high))


def _in_steps(question: Question, privacy: Privacy, centre: float, radius: float) -> pl.Expr:
    import polars as pl

    if not question.of:
        return pl.lit(0, pl.Int64)
    low, high = privacy.bounds[question.of]
    # Not strict: what fails to be a number is no value, and no error that quotes it.
    value = pl.col(question.of).cast(pl.Float64, strict=False).fill_nan(None).clip(low, high)
    steps = ((value - centre) / radius * _STEPS).round().clip(-_STEPS, _STEPS)
    return steps.cast(pl.Int64, strict=False)


def _bounded(rows: pl.LazyFrame, rows_each: int) -> pl.LazyFrame:
    """Keep so many rows of each subject, at most."""
    import polars as pl

    alike = pl.int_range(pl.len()).over("subject", "group", "steps")  # equal rows have equal odds
    return (
        rows.with_columns(alike.alias("alike"))
        .with_columns(pl.struct("subject", "group", "steps", "alike").hash().alias("lot"))
        .filter(pl.col("lot").rank("ordinal").over("subject") <= rows_each)
    )


def _released(true: Totals, question: Question, groups: pl.DataFrame) -> pl.DataFrame:
    """Return the answer, of which each figure has noise on it."""
    import polars as pl

    told = {"count": _count, "sum": _sum, "mean": _mean}[question.what](true, question)
    taken = set(question.by)
    names = [_free(question.what, taken), _free(ACCURACY, taken)]
    columns = [series.alias(name) for series, name in zip(told, names, strict=True)]
    return (
        groups.select(question.by).with_columns(columns) if question.by else pl.DataFrame(columns)
    )


def _free(name: str, taken: set[str]) -> str:
    return name if name not in taken else _free(f"{name}_", taken)


def _count(true: Totals, question: Question) -> tuple[pl.Series, pl.Series]:
    import polars as pl

    values, scale = noisy(true.counts, question.millionths / 1e6)
    count = pl.Series(values, dtype=pl.Int64)
    width = half_width(scale, CONFIDENCE)
    return count, pl.repeat(width, len(values), dtype=pl.Int64, eager=True)


def _sum(true: Totals, question: Question) -> tuple[pl.Series, pl.Series]:
    import polars as pl

    values, scale = noisy(true.sums, question.millionths / 1e6)
    width = half_width(scale, CONFIDENCE) * true.step
    total = pl.Series(values, dtype=pl.Int64).cast(pl.Float64) * true.step
    return total, pl.repeat(width, len(values), dtype=pl.Float64, eager=True)


def _mean(true: Totals, question: Question) -> tuple[pl.Series, pl.Series]:
    """Return a noisy sum by a noisy count: of both, nothing more is told than of each."""
    import polars as pl

    part = question.millionths // 2
    counts, count_scale = noisy(true.counts, part / 1e6)
    sums, sum_scale = noisy(true.sums, (question.millionths - part) / 1e6)
    radius = true.step * _STEPS
    count = pl.Series(counts, dtype=pl.Int64).cast(pl.Float64)
    count = count.set(count < 1, None)
    offset = pl.Series(sums, dtype=pl.Int64).cast(pl.Float64) * true.step / count
    # With S, N the noisy and s, n the true figures: S/N - s/n = ((S-s) - s/n (N-n)) / N, where s/n
    # is a radius at most. Either is far off in half of the cases that are left over.
    half = (1 + CONFIDENCE) / 2
    off = half_width(sum_scale, half) * true.step + radius * half_width(count_scale, half)
    width = (off / count).clip(None, 2 * radius)
    return true.centre + offset.clip(-radius, radius), width
