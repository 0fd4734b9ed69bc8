"""`mesh diff`: a bundle's notebook and its module, each held to what was exported."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesh_notebook.errors import SourceError, SpecError, UsageError, as_typed
from mesh_notebook.export.differing import Change, changes_of, joined, of_no_port
from mesh_notebook.export.notebook import told_of
from mesh_notebook.export.said import code_cells, in_module, in_notebook, of_seal
from mesh_notebook.mesh.seals import RECEIPT, changed_files, sealed_receipt
from mesh_notebook.model.address import python_name
from mesh_notebook.workspace.exporting import notebook_of, shown

if TYPE_CHECKING:
    from mesh_notebook.workspace.session import Session

__all__ = ["Differing", "diff"]

_NOTEBOOK, _MODULE = "notebook.ipynb", "transform.py"


@dataclass(frozen=True)
class Differing:
    """Which side of a bundle changed since its export.

    Attributes
    ----------
    product, folder : str
    changes : tuple of Change
        Statement by statement: the notebook's first.
    laid_out : tuple of str
        The sides of which only layout or comments changed.
    others : tuple of str
        What else of the bundle is not as it was exported.
    """

    product: str
    folder: str
    changes: tuple[Change, ...] = ()
    laid_out: tuple[str, ...] = ()
    others: tuple[str, ...] = ()

    @property
    def differs(self) -> bool:
        return bool(self.changes)

    @cached_property
    def sides(self) -> frozenset[str]:
        """The sides that changed."""
        found = {change.side for change in self.changes}
        return frozenset(found - {"both"} | ({"notebook", "module"} if "both" in found else set()))

    @property
    def conflicts(self) -> tuple[Change, ...]:
        return tuple(change for change in self.changes if change.conflict)

    @property
    def verdict(self) -> str:
        """Which side changed, in a few words."""
        if not self.changes:
            return "the same"
        if self.conflicts:
            return "both sides changed the same statement"
        if len(self.sides) == 2:
            return "both sides changed"
        return f"the {next(iter(self.sides))} changed"

    @property
    def verdicts(self) -> dict[str, str]:
        """By side: how many of its statements changed, or that nothing of meaning did."""
        told = {}
        for side in ("notebook", "module"):
            count = sum(change.side in (side, "both") for change in self.changes)
            told[side] = f"{count} statement{'s' if count > 1 else ''} changed"
            if not count:
                told[side] = "as exported"
                if side in self.laid_out:
                    told[side] = "layout or comments alone, so no change of meaning"
        return told

    @property
    def next_step(self) -> str:
        if not self.changes:
            return ""
        if self.conflicts:
            where = [change.where for change in self.conflicts]
            return (
                f"decide between {' and '.join(where)}: say in the notebook what shall hold, and "
                f"in the module what was exported; then %mesh export {as_typed(self.folder)}"
            )
        if self.sides == {"notebook"}:
            return f"run the notebook, then %mesh export {as_typed(self.folder)}"
        if self.sides == {"module"}:
            return f"%mesh load {as_typed(self.folder)} opens the module as it is now as a notebook"
        return (
            "carry the module's changes into the notebook, or %mesh load "
            f"{as_typed(self.folder)} and carry the notebook's into that one"
        )


def diff(session: Session, folder: str | Path, notebook: str | Path | None) -> Differing:
    """Hold both sides to what was exported."""
    bundle = session.base / folder
    receipt = sealed_receipt(bundle)
    if "statements" not in receipt:
        raise SpecError(
            f"{RECEIPT} says no statements: an older version wrote it.",
            next_step="export the product again",
        )
    path = _notebook(session, notebook)
    changed = {said.rpartition(" ")[0]: said for said in changed_files(bundle, receipt["files"])}
    before = in_notebook(_known(code_cells(_sealed_notebook(bundle, changed), _NOTEBOOK), receipt))
    after = in_notebook(_known(code_cells(_text(path), path.name), receipt))
    sealed = of_seal(receipt["statements"])
    ports = {python_name(port): port for port in receipt["proved"]["rows"]}
    ports |= {name: name for name in receipt.get("beginnings", ())}
    found = changes_of("notebook", before, after)
    on_notebook = [change for change in found if not of_no_port(change, sealed)]
    on_module = changes_of("module", sealed, in_module(_text(bundle / _MODULE), ports))
    written = [said.text for said in before] != [said.text for said in after]
    edited = {"notebook": written, "module": f"{_MODULE} was" in changed}
    meant = {"notebook": on_notebook, "module": on_module}
    return Differing(
        product=_name(bundle),
        folder=shown(bundle, session.base),
        changes=tuple(joined(on_notebook, on_module)),
        laid_out=tuple(side for side in edited if edited[side] and not meant[side]),
        others=_others(changed),
    )


def _known(cells: Sequence[str], receipt: Mapping[str, Any]) -> list[str]:
    """Return the code of cells; nothing for those that ran, and made no part of what is sealed.

    A notebook that was written from what ran holds a cell as often as it ran, so there each counts
    once.
    """
    told = receipt.get("notebook", {})
    known, found = set(told.get("beside", ())), []
    for code in cells:
        found.append("" if told_of(code) in known else code)
        known |= {told_of(code)} if told.get("asItRan") else set()
    return found


def _notebook(session: Session, notebook: str | Path | None) -> Path:
    if notebook is not None:
        return session.base / notebook
    own = notebook_of(session.base, session.namespace, os.environ)
    if own is None:
        raise UsageError(
            "it is not said which notebook to compare.",
            next_step="name its file: %mesh diff DIR notebook.ipynb",
        )
    return own


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(
            f"{path.name} cannot be read: {getattr(error, 'strerror', None) or error}.",
            next_step="is it the right path?",
            path=str(path),
        ) from None


def _sealed_notebook(bundle: Path, changed: Mapping[str, str]) -> str:
    for said in (f"{_NOTEBOOK} was", f"{_NOTEBOOK} is"):
        if said in changed:
            raise SpecError(
                f"{changed[said]} in the bundle, so nothing says what was exported.",
                next_step="put it back as it was; edit another copy of it",
            )
    return _text(bundle / _NOTEBOOK)


def _name(bundle: Path) -> str:
    from mesh_notebook.model.product import Product

    return Product.loads(_text(bundle / "product.odps.yaml"), "product.odps.yaml").name


def _others(changed: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(said for said in changed.values() if not said.startswith(f"{_MODULE} was"))
