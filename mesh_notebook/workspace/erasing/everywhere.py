"""`%mesh erase --everywhere`: one subject, erased from every product of the mesh that can."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mesh_notebook.errors import AccessDenied, KeyMissing, MeshError, UsageError
from mesh_notebook.mesh.erasure import Subjects
from mesh_notebook.mesh.holding import holds
from mesh_notebook.model.policy import PortPolicy
from mesh_notebook.workspace.erasing.rights import refuse_eraser
from mesh_notebook.workspace.erasing.subject import erase_from

if TYPE_CHECKING:
    from mesh_notebook.mesh.published import PublishedProduct
    from mesh_notebook.model.contract import Column
    from mesh_notebook.workspace.session import Session

__all__ = ["ErasedEverywhere", "Outcome", "erase_everywhere"]


@dataclass(frozen=True)
class Outcome:
    """What became of the subject in one place: erased, or why it was not."""

    product: str
    port: str
    column: str
    erased: bool
    said: str


@dataclass(frozen=True)
class ErasedEverywhere:
    """What became of a subject in all products that hold it."""

    subject: str
    outcomes: tuple[Outcome, ...]

    @property
    def failed(self) -> bool:
        """Whether somebody still holds it, or cannot tell."""
        return not all(one.erased for one in self.outcomes)


@dataclass(frozen=True)
class _Spot:
    """A column of a port that may say who a subject is."""

    published: PublishedProduct
    policy: PortPolicy
    column: Column
    urn: str

    @property
    def erasable(self) -> bool:
        return self.policy.subject == self.column.name

    @property
    def key(self) -> str:
        mask = self.policy.mask(self.column.name)
        return mask.key if mask else ""

    @property
    def said(self) -> str:
        return f"{self.published.name}/{self.policy.port}.{self.column.name}"

    def is_like(self, other: _Spot) -> bool:
        """Whether both name subjects alike: under one key, by one name, or by a semantic link."""
        linked = self.column.link == other.urn or other.column.link == self.urn
        same = self.column.name == other.column.name
        return linked or same or bool(self.key and self.key == other.key)

    def knows(self, subject: str) -> bool:
        """Whether it has something to erase; raises `KeyMissing` where it cannot tell."""
        address = str(self.published.address)
        return bool(Subjects(address, self.policy.subject).found([subject]))


def erase_everywhere(
    session: Session, subject: str, product: str | None, port: str | None
) -> ErasedEverywhere:
    """Erase a subject wherever the mesh holds it; say of each place what became of it.

    Of a place that who asks may not erase from, it is told that it was not asked, and nothing else:
    the same whether the subject is there or not.

    Parameters
    ----------
    product, port
        Which port's subjects are meant: the order 17 is nobody's user 17. Without, it is told by
        who holds it; what is meant is not guessed.

    Raises
    ------
    AccessDenied
        Who asks may not erase from the product that is named.
    UsageError
        Nobody holds it, or several hold something of that name that may not be the same.
    """
    spots: list[_Spot] = []
    outcomes: list[Outcome] = []
    for published in session.catalogue.products():
        try:
            spots += _spots(published)
        except MeshError as error:
            told = f"it cannot be read, so nobody knows: {error.message}"
            outcomes.append(Outcome(published.name, "", "", False, told))
    meant = _alike(spots, _anchors(session, spots, subject, product, port))
    erased: dict[tuple[str, str], str] = {}
    # Who keeps it is told first: once it is erased, nobody makes the token that would tell.
    for spot in sorted(meant, key=lambda one: one.erasable):
        outcomes += _treated(session, spot, subject, erased)
    if not outcomes:
        raise UsageError(
            f"no product of this mesh that {session.principal} may ask holds '{subject}', or they "
            "hold nothing of it any more.",
            next_step="is it written as it is in the rows? MESH_ROOTS names further roots",
            subject=subject,
        )
    return ErasedEverywhere(subject, tuple(outcomes))


def _spots(published: PublishedProduct) -> Iterator[_Spot]:
    receipt = published.as_of(None)
    product = published.product(receipt)
    for output in product.outputs:
        policy = PortPolicy.of(product, output.name)
        for column in published.contract(receipt, output.name).columns:
            urn = f"{product.address.with_port(output.name)}#{column.name}"
            yield _Spot(published, policy, column, urn)


def _anchors(
    session: Session, spots: list[_Spot], subject: str, product: str | None, port: str | None
) -> list[_Spot]:
    """Return the columns that say what kind of subject is meant."""
    erasable = [spot for spot in spots if spot.erasable]
    if product:
        published, named = session.catalogue.resolve(product)
        of = published.product(published.as_of(None)).output(port or named).name
        own = [
            spot
            for spot in erasable
            if spot.published.address == published.address and spot.policy.port == of
        ]
        if not own:
            raise UsageError(
                f"{published.name}/{of} does not say who its subjects are.",
                next_step=f"%mesh protect {of} --erasable COLUMN, or name another product",
            )
        refuse_eraser(published, own[0].policy, session.asker())
        return own
    asked = [spot for spot in erasable if not _barred(session, spot)]
    if erasable and not asked:
        raise AccessDenied(
            f"{session.principal} may erase from no product of this mesh.",
            next_step="name one to hear what it takes: %mesh erase PRODUCT SUBJECT --everywhere",
            reasons=(),
        )
    holders = [spot for spot in asked if _surely_knows(spot, subject)]
    if holders and (other := [s for s in holders if s not in _alike(spots, holders[:1])]):
        raise UsageError(
            f"'{subject}' may be two: {holders[0].said} and {other[0].said} are called otherwise, "
            "are under no key that both share, and no semantic link joins them.",
            next_step=f"name the one that is meant: %mesh erase {holders[0].published.name} "
            f"{subject} --everywhere",
            places=[spot.said for spot in holders],
        )
    return holders


def _barred(session: Session, spot: _Spot) -> str:
    """Say why who asks may not even be told whether a place has something to erase."""
    try:
        refuse_eraser(spot.published, spot.policy, session.asker())
    except AccessDenied as error:
        return f"not asked: {'; '.join(error.facts['reasons'])}"
    return ""


def _surely_knows(spot: _Spot, subject: str) -> bool:
    try:
        return spot.knows(subject)
    except KeyMissing:
        return False  # it is told when its turn comes


def _alike(spots: list[_Spot], anchors: list[_Spot]) -> list[_Spot]:
    """Return the columns that name subjects as the anchors do, one after the other."""
    found, rest = list(anchors), [spot for spot in spots if spot not in anchors]
    for one in found:  # it grows while it is gone through
        found += [spot for spot in rest if spot.is_like(one)]
        rest = [spot for spot in rest if not spot.is_like(one)]
    return found


def _treated(
    session: Session, spot: _Spot, subject: str, erased: dict[tuple[str, str], str]
) -> Iterator[Outcome]:
    """Yield what becomes of a subject in one place; nothing where it is not there."""
    name, port, column = spot.published.name, spot.policy.port, spot.column.name

    def outcome(done: bool, said: str) -> Outcome:
        return Outcome(name, port, column, done, said)

    keys = (str(spot.published.address), column)
    try:
        if not spot.erasable:
            if holds(spot.published, port, column, subject, session.asker()):
                yield outcome(False, f"its values are not sealed by subject: {_advice(spot)}")
        elif barred := _barred(session, spot):
            yield outcome(False, barred)
        elif keys in erased:
            yield outcome(True, f"erased with {erased[keys]}, whose keys it shares")
        elif spot.knows(subject):
            done = erase_from(session, spot.published, subject, port)
            erased[keys] = port
            yield outcome(True, f"erased from {done.snapshots} snapshots")
    except MeshError as error:
        yield outcome(False, error.message)


def _advice(spot: _Spot) -> str:
    port = spot.policy.port
    if spot.policy.subject:
        return f"they are by {spot.policy.subject}; mend what it reads, and deploy it again"
    return f"%mesh protect {port} --erasable {spot.column.name}, or mend what it reads, and deploy"
