"""A question to a private port, and whether the port's policy lets it be asked.

What a policy says is public, so errors may quote it; a value of the data stands in none of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from mesh_notebook.errors import AccessDenied, SpecError, UsageError, near
from mesh_notebook.model.policy import Privacy

if TYPE_CHECKING:
    import polars as pl

__all__ = ["WHATS", "Question", "budget_of", "said_epsilon", "settled"]

WHATS = ("count", "sum", "mean")
MOST_GROUPS = 10_000
# More rows of one subject than that, and the noise covers all there is.
_MOST_ROWS_EACH = 1_000_000
_MILLION = 1_000_000


@dataclass(frozen=True)
class Question:
    """What is asked of a private port.

    Attributes
    ----------
    what : str
        One of `WHATS`.
    of : str
        The column that is added up or averaged; empty for a count, which counts rows.
    by : tuple of str
        The columns to group by; none makes one group of all rows.
    epsilon : float, optional
        What the answer may tell of any one subject, and costs; the less, the more noise. None is a
        tenth of the budget. It is counted in whole millionths.
    """

    what: str
    of: str = ""
    by: tuple[str, ...] = ()
    epsilon: float | None = None

    @property
    def millionths(self) -> int:
        """The epsilon as an integer: sums of them are exact, as those of floats are not."""
        assert self.epsilon is not None  # `settled` gives each question one
        return round(_exact(self.epsilon) * _MILLION)

    def said(self) -> str:
        """Say it in words: `mean of minutes by country`."""
        of = f" of {self.of}" if self.of else ""
        by = f" by {', '.join(self.by)}" if self.by else ""
        return f"{self.what}{of}{by}"


def _exact(epsilon: float) -> Decimal:
    return Decimal(repr(float(epsilon)))


def budget_of(privacy: Privacy) -> int:
    """Return a policy's budget in whole millionths of epsilon; raises `SpecError` without one."""
    whole = math.isfinite(privacy.budget) and math.floor(_exact(privacy.budget) * _MILLION)
    if not whole or whole < 0:
        raise _bad_policy(f"its budget is {privacy.budget:g}, and must be a number above 0")
    return whole


def said_epsilon(millionths: int) -> str:
    """Write millionths as an epsilon, every digit of it."""
    return f"{Decimal(millionths).scaleb(-6).normalize():f}"


def settled(question: Question, privacy: Privacy, schema: pl.Schema) -> Question:
    """Return the question as it is asked, with its epsilon, if the policy lets it be asked.

    Parameters
    ----------
    schema : polars.Schema
        The columns of the port.

    Raises
    ------
    UsageError
        It is no question.
    AccessDenied
        The policy does not answer it.
    SpecError
        The policy itself cannot hold.
    """
    _check_words(question)
    _check_allowed(question, privacy)
    _check_policy(question, privacy, schema)
    groups = math.prod(len(privacy.keys[column]) for column in question.by)
    if groups > MOST_GROUPS:
        raise UsageError(
            f"{question.said()} has {groups:,} groups, and {MOST_GROUPS:,} are the most.",
            next_step=f"group by fewer columns than {', '.join(question.by)}",
            groups=groups,
        )
    budget = budget_of(privacy)
    epsilon = budget / 10 / _MILLION if question.epsilon is None else question.epsilon
    # A mean is two answers, and each takes its part.
    least = 2 if question.what == "mean" else 1
    if not math.isfinite(epsilon) or round(_exact(epsilon) * _MILLION) < least:
        raise UsageError(
            f"{epsilon:g} is no epsilon for a {question.what}.",
            next_step=f"give a number from {said_epsilon(least)} to {said_epsilon(budget)}",
        )
    asked = replace(question, epsilon=epsilon)
    return replace(asked, epsilon=asked.millionths / _MILLION)


def _check_words(question: Question) -> None:
    if question.what not in WHATS:
        close = near(question.what, WHATS)
        raise UsageError(
            f"a private port has no '{question.what}'.",
            next_step=f"did you mean {close[0]}?" if close else f"ask for {', '.join(WHATS)}",
        )
    if question.what == "count" and question.of:
        raise UsageError(
            f"a count counts rows, and takes no column '{question.of}'.",
            next_step=f"leave it out, or write --by {question.of} to group by it",
        )
    if question.what != "count" and not question.of:
        raise UsageError(
            f"a {question.what} is of a column.", next_step=f"name it: {question.what} COLUMN"
        )
    if len(set(question.by)) < len(question.by):
        raise UsageError(
            f"{', '.join(question.by)} names a column twice.", next_step="name each column once"
        )


def _check_allowed(question: Question, privacy: Privacy) -> None:
    if question.of and question.of not in privacy.bounds:
        raise _closed(question.of, f"{question.what} of", privacy.bounds)
    for column in question.by:
        if column not in privacy.keys:
            raise _closed(column, "answers by", privacy.keys)


def _closed(column: str, what: str, opened: Iterable[str]) -> AccessDenied:
    opened = list(opened)
    close = near(column, opened)
    step = f"it allows {', '.join(opened)}" if opened else "it allows no column there"
    return AccessDenied(
        f"the port's policy gives no {what} '{column}'.",
        next_step=f"did you mean {close[0]}? {step}" if close else step,
        column=column,
        allowed=opened,
    )


def _check_policy(question: Question, privacy: Privacy, schema: pl.Schema) -> None:
    """Refuse a policy under which the noise would not cover what one subject can do."""
    import polars as pl

    for column in (privacy.subject, *filter(None, [question.of]), *question.by):
        if column not in schema:
            raise _bad_policy(f"it names '{column}', which is no column of the port")
    if not 1 <= privacy.rows_each <= _MOST_ROWS_EACH:
        raise _bad_policy(f"rowsEach is {privacy.rows_each}, not from 1 to {_MOST_ROWS_EACH:,}")
    if question.of:
        low, high = privacy.bounds[question.of]
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise _bad_policy(f"{low:g} and {high:g} are no bounds of {question.of}")
        dtype = schema[question.of]
        if not (dtype.is_numeric() or dtype == pl.Boolean):
            raise _bad_policy(f"it bounds {question.of}, which is no number but a {dtype}")
    for column in question.by:
        if not privacy.keys[column]:
            raise _bad_policy(f"it names no value of {column}")


def _bad_policy(what: str) -> SpecError:
    return SpecError(
        f"the port's privacy policy cannot hold: {what}.",
        next_step="set it again with %mesh protect, and deploy",
    )
