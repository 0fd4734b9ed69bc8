"""Asking a private port: a question, an answer with noise on it, and what it cost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from mesh_notebook.errors import AccessDenied, StoreError
from mesh_notebook.mesh.access import asked as asked_of
from mesh_notebook.mesh.access import note
from mesh_notebook.mesh.budget import Budget
from mesh_notebook.mesh.disclosure import told_of
from mesh_notebook.mesh.groups import groups_of
from mesh_notebook.mesh.noise import check_installed
from mesh_notebook.mesh.private import answer
from mesh_notebook.mesh.published import PublishedProduct
from mesh_notebook.mesh.question import Question, budget_of, settled
from mesh_notebook.mesh.reading import raw_rows
from mesh_notebook.model.decision import Decision
from mesh_notebook.model.policy import Principal, Privacy
from mesh_notebook.model.product import Product
from mesh_notebook.model.receipt import Receipt
from mesh_notebook.model.time import Window

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Answer", "ask"]


@dataclass(frozen=True)
class Answer:
    """What a private port answered.

    Attributes
    ----------
    frame : polars.DataFrame
        The groups, the figure of each and its `accuracy` (see `mesh.private.answer`).
    question : Question
        As it was asked, with its epsilon, which is what was spent.
    left, budget : int
        What the principal may still spend, and might in all; millionths of epsilon.
    """

    frame: pl.DataFrame
    question: Question
    product: Product
    port: str
    receipt: Receipt
    privacy: Privacy
    principal: Principal
    left: int
    budget: int


def ask(
    published: PublishedProduct,
    port: str | None,
    question: Question,
    principal: Principal | str,
    clock: Callable[[], datetime],
) -> Answer:
    """Ask a private port of its last snapshot, at the cost of the principal's budget.

    Parameters
    ----------
    port : str or None
        None means the only one there is.

    Raises
    ------
    AccessDenied
        The port is not private, is not open to the principal, does not answer this question, or
        the budget is spent. Then nothing more is.
    UsageError
        It is no question.
    StoreError
        The snapshot is damaged, or what was spent is.
    MissingExtra
        OpenDP is not installed.
    """
    found = asked_of(published, port, Window(), principal)
    receipt, product, name, decision = found.receipt, found.product, found.port, found.decision
    privacy = _privacy(decision, product, published, receipt)
    rows = raw_rows(published, receipt, name)
    with _to_its_end(product, name, receipt):
        schema = rows.collect_schema()
    asked = settled(question, privacy, schema)
    groups_of(asked.by, privacy, schema)  # raises where the policy's values cannot be the column's
    check_installed()
    budget = Budget(published, name, decision.principal, budget_of(privacy))
    # Before a row is read, not only before the answer: that a read fails may tell something too.
    left = budget.spend(asked, clock, receipt.snapshot)
    with _to_its_end(product, name, receipt):
        frame = answer(rows, asked, privacy)
    told = replace(receipt, ports={name: told_of(receipt.ports[name], decision, None)})
    return Answer(
        frame, asked, product, name, told, privacy, decision.principal, left, budget.total
    )


@contextmanager
def _to_its_end(product: Product, port: str, receipt: Receipt) -> Iterator[None]:
    """Turn what goes wrong in a read into an error that quotes nothing of what was read."""
    from polars.exceptions import PolarsError

    try:
        yield
    except (OSError, PolarsError):
        raise StoreError(
            f"{product.name}/{port} cannot be read to its end.",
            next_step="was its data moved or removed meanwhile? tell the product's owner",
            snapshot=receipt.snapshot,
        ) from None


def _privacy(
    decision: Decision, product: Product, published: PublishedProduct, receipt: Receipt
) -> Privacy:
    policy, asks = decision.policy, decision.principal
    where = f"{product.name}/{policy.port}"
    if policy.privacy is None:
        raise AccessDenied(
            f"{where} has no privacy policy, so it answers no questions.",
            next_step=f"read it: %mesh read {where}",
            port=policy.port,
        )
    # That it answers aggregates only is why one asks.
    refusals = replace(decision, policy=replace(policy, privacy=None)).refusals
    note(published, receipt, decision, Window(), refusals, "ask")
    if refusals:
        raise AccessDenied(
            f"{asks.name} may not ask {where}: {'; '.join(refusals)}.",
            next_step=f"ask its owner, {product.owner or 'whom it does not name'}, for the role",
            port=policy.port,
        )
    return policy.privacy
