"""Make a dataset from its contract alone.

- The same contract, rows, seed and populations give the same frame, to the byte (with the
  same versions of Faker and Polars).
- Columns are independent streams: adding one changes no other. The first N rows of a longer
  mock are the mock of N rows, unless a rule on the number of nulls says otherwise.
- Keys join. The i-th key of a column is a function of what the column *means* (its semantic
  link, else its own URN) and of i alone; not of the seed. A product mocked with N rows holds
  the keys 0 to N-1, and whoever links to it draws from them. Both contracts must give the
  column the same type and the same limits.
- Where nothing is demanded of a column, its values are as was seen of it (see `model.seen`), unless
  so many rows need more different ones.
- A rule in SQL that tells of each row whether it breaks the rule is kept (`in_sql`); one about all
  rows together is not, but for hints (`after`, `between`, …) that make rows which keep it. A
  `rowCount` rule is kept by whoever asks for that many rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from mesh_notebook.errors import ContractError
from mesh_notebook.mock.breaking import breakable_rules, broken
from mesh_notebook.mock.drafting import Draft, drawn_by, identity, normal
from mesh_notebook.mock.in_sql import kept_in_sql, narrowed
from mesh_notebook.mock.limits import countable

if TYPE_CHECKING:
    import polars as pl

    from mesh_notebook.model.contract import Contract

__all__ = ["breakable_rules", "identity", "mock", "one_table"]

_FAR = 1_000_003  # so that another draw of a row is not that of the next seed


def mock(
    contract: Contract,
    rows: int,
    seed: int,
    populations: Mapping[str, int] | None = None,
    breaking: str | None = None,
) -> pl.DataFrame:
    """Make `rows` rows that keep the contract, or that break one rule of it.

    Parameters
    ----------
    contract : Contract
    rows : int
    seed : int
        Any whole number; the same one gives the same frame.
    populations : mapping, optional
        URN of a linked column → how many distinct keys the upstream has; 1,000 where unsaid.
    breaking : str, optional
        The id of the one rule that the frame is to break (see `breakable_rules`).

    Raises
    ------
    ContractError
        A column cannot be made; the error names it and the hint to give. Or the contract
        describes several tables.
    UsageError
        Rows are negative or more than 100 million, or the rule to break is not known or
        cannot be broken alone.
    """
    countable(rows)
    one_table(contract)
    known = {normal(urn): count for urn, count in (populations or {}).items()}

    def kept(count: int) -> pl.DataFrame:
        countable(count)  # to break a rule on the number of rows, others than asked for are made
        drawn = narrowed(drawn_by(contract, count, known))
        draft = Draft(drawn, count, seed, known)

        def again(attempt: int) -> pl.DataFrame:
            return Draft(drawn, count, seed + attempt * _FAR, known).frame()

        return kept_in_sql(draft.frame(), contract, draft.hints, again)

    return broken(contract, breaking, rows, seed, kept) if breaking is not None else kept(rows)


def one_table(contract: Contract) -> None:
    """Raise `ContractError` where a contract describes several tables, or none yet."""
    names = [str(table["name"]) for table in contract.tables]
    if not contract.columns:
        what = f"no column of '{names[0]}'" if names else "no table"
        raise ContractError(
            f"{contract.where} describes {what} yet, so there is nothing to mock.",
            next_step="give its schema a table with properties",
            tables=names,
        )
    if len(names) > 1:
        raise ContractError(
            f"{contract.where} describes {len(names)} tables ({', '.join(names)}); "
            "a mock is of one.",
            next_step=f"%mesh mock FILE --table {names[0]} mocks that one",
            tables=names,
        )
