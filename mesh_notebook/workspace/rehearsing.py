"""Promises made, and rehearsed: what would have been kept, before anything is promised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from mesh_notebook.errors import NotFound, StoreError, UsageError
from mesh_notebook.mesh.earlier import Earlier, earlier, oldest_of, settled, snapshots_before
from mesh_notebook.mesh.verdicts import SloVerdict, verdicts
from mesh_notebook.model.origin import Origin, worst
from mesh_notebook.model.policy import PortPolicy
from mesh_notebook.workspace.results import Agreed

if TYPE_CHECKING:
    from mesh_notebook.mesh.published import PublishedProduct
    from mesh_notebook.mesh.seen import News
    from mesh_notebook.model.contract import Contract
    from mesh_notebook.model.policy import Asker
    from mesh_notebook.workspace.drafts import PortDraft
    from mesh_notebook.workspace.promises import Promises
    from mesh_notebook.workspace.session import Session

__all__ = ["Rehearsed", "RehearsedPromise", "before_of", "measured_now", "promise", "rehearse"]

_HISTORY = 30


@dataclass(frozen=True)
class RehearsedPromise:
    """A promise that was not made: as it stands now, and how often it would have been kept."""

    verdict: SloVerdict
    kept: int
    measured: int


@dataclass(frozen=True)
class Rehearsed:
    """What came of measuring promises before they are made.

    Attributes
    ----------
    origin : Origin
        Of what the notebook's inputs hold: a promise kept by mocks says little of real data.
    publications : int
        How many publications of the deployed port were looked at; 0 of none.
    """

    port: str
    origin: Origin
    promises: tuple[RehearsedPromise, ...]
    publications: int
    words: str


def promise(session: Session, port: str, words: Sequence[str], gates: Sequence[str]) -> Agreed:
    """Promise what the words say, and mark gates, of which some may be promised already."""
    from mesh_notebook.workspace.promises import say_promise

    draft = session.draft.port(port)
    made = _joined(draft, words, gates)
    session.redraft(draft.stands(session.draft, promises=made))
    return Agreed(port, "promises", {name: say_promise(body) for name, body in made.items()})


def _joined(draft: PortDraft, words: Sequence[str], gates: Sequence[str]) -> Promises:
    from mesh_notebook.workspace.promises import marked, parse_promises

    made = {**draft.promises, **parse_promises(words)}
    if not made:
        raise UsageError(
            f"nothing is promised of '{draft.port}'.",
            next_step=f"%mesh promise {draft.port} freshness=1d completeness=0.99",
        )
    return marked(made, gates)


def rehearse(session: Session, port: str, words: Sequence[str], gates: Sequence[str]) -> Rehearsed:
    """Measure promises on the port's frame and on its history; nothing is promised.

    Without words, what is promised already is measured.
    """
    from mesh_notebook.workspace import frames
    from mesh_notebook.workspace.promises import parse_promises

    draft = session.draft.port(port)
    joined = _joined(draft, words, gates)
    asked = {n: body for n, body in joined.items() if n in parse_promises(words) or not words}
    # As a draft, so that no reference is measured which nobody will see.
    contract = draft.stands(session.draft, promises=joined).contract(session.draft, "draft")
    published = before_of(session)
    clock = session.clock()
    with frames.computed(draft.frame_name):
        measured, _ = measured_now(draft, contract, published, _origin(session), clock)
    now = _in_sequence(measured, published, clock)
    past = _past(published, port, contract, session.asker())
    rehearsed = []
    for verdict in verdicts(now, contract):
        if verdict.name in asked:
            then = [one.kept for run in past for one in run if one.slo == verdict.slo]
            told = [kept for kept in then if kept is not None]
            rehearsed.append(RehearsedPromise(verdict, sum(told), len(told)))
    said = " ".join(words) if words else "…"
    return Rehearsed(port, _origin(session), tuple(rehearsed), len(past), said)


def _origin(session: Session) -> Origin:
    return worst(handle.origin for handle in session.inputs.values())


def before_of(session: Session) -> PublishedProduct | None:
    """Return the product that the notebook makes as it stands in the mesh, if it does."""
    try:
        published = session.catalogue.resolve(str(session.draft.address))[0]
        published.latest()
        return published
    except (NotFound, UsageError, StoreError):
        return None


def measured_now(
    draft: PortDraft,
    contract: Contract,
    published: PublishedProduct | None,
    origin: Origin,
    now: datetime,
) -> tuple[dict[str, float], tuple[News, ...]]:
    """Measure a port's frame as its publication now would be measured, and say what is news.

    Interval and retention are left out: they are of the publications and not of the frame, so the
    same notebook would be judged otherwise each time it is run.
    """
    from mesh_notebook.mesh.seen import news_told
    from mesh_notebook.mesh.shape import shape_of
    from mesh_notebook.mesh.slos import measure

    before = earlier(published, draft.port, origin) if published else Earlier()
    if published is None or not before.shapes:
        return measure(draft.frame, contract, now, before), ()
    shape = shape_of(draft.frame, contract)
    # An answer is kept in the notebook, for whoever may read that.
    shown = {name: one for name, one in shape.items() if name not in draft.hidden()}
    policy = draft.policy or PortPolicy(draft.port)
    news = news_told(shown, snapshots_before(published, draft.port, origin), contract, policy)
    return measure(draft.frame, contract, now, before, shape), news


def _in_sequence(
    measured: dict[str, float], published: PublishedProduct | None, now: datetime
) -> dict[str, float]:
    """Return what was measured with interval and retention, if it were published now."""
    if published is None:
        return measured
    return settled(measured, now, now, published.latest(), oldest_of(published))


def _past(
    published: PublishedProduct | None, port: str, contract: Contract, asker: Asker
) -> list[list[SloVerdict]]:
    """Return how the promises would have fared at each of the last publications."""
    from mesh_notebook.workspace.keeping import measured_of, readable

    found = readable(published, _HISTORY, asker) if published else []
    return [
        verdicts(measured_of(receipt.ports[port]), contract)
        for receipt in found
        if port in receipt.ports
    ]
