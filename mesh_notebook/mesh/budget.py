"""The budget of a principal at a private port: what was spent is kept, and never given back.

    <root>/<domain>/<product>/budgets/<port>/<principal>/000000000001.json

It is of the port, over all its snapshots and versions: each answer tells a little more of the same
subjects.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mesh_notebook.errors import AccessDenied, StoreError
from mesh_notebook.mesh.journal import Journal
from mesh_notebook.mesh.published import PublishedProduct
from mesh_notebook.mesh.question import Question, said_epsilon
from mesh_notebook.model.address import checked_name
from mesh_notebook.model.policy import Principal
from mesh_notebook.model.time import iso

__all__ = ["Budget"]


@dataclass(frozen=True)
class Budget:
    """What one principal may spend at one port, in whole millionths of epsilon."""

    published: PublishedProduct
    port: str
    principal: Principal
    total: int

    @property
    def journal(self) -> Journal:
        published = self.published
        path = published.domain, published.name, "budgets", checked_name(self.port, "port")
        return Journal(published.root, *path, _slug(self.principal.name))

    def left(self) -> int:
        """Return what may still be spent; raises `StoreError` where an entry is damaged."""
        return max(self.total - self._spent(self.journal.entries()), 0)

    def spend(
        self, question: Question, clock: Callable[[], datetime], snapshot: int | None = None
    ) -> int:
        """Spend a question's epsilon, and return what is left.

        Of several who ask at once each sees what the others spent before it spends.

        Raises
        ------
        AccessDenied
            There is not so much left; nothing is spent.
        StoreError
            An entry is damaged, or the mesh cannot be written: nobody knows what is left.
        """

        def entry(before: list[dict[str, Any]]) -> dict[str, Any]:
            spent = self._spent(before)
            if question.millionths > self.total - spent:
                raise self._exceeded(question, max(self.total - spent, 0))
            return {
                "principal": self.principal.name,
                "purpose": self.principal.purpose,
                "time": iso(clock()),
                "snapshot": snapshot,
                "what": question.what,
                "of": question.of,
                "by": list(question.by),
                "millionths": question.millionths,
                # What was spent with this, so that a missing entry is missed.
                "spent": spent + question.millionths,
            }

        return max(self.total - int(self.journal.append(entry)["spent"]), 0)

    def _spent(self, entries: list[dict[str, Any]]) -> int:
        spent = 0
        for entry in entries:
            cost = entry.get("millionths")
            # `type`, not `isinstance`: True is no number here.
            if type(cost) is not int or cost < 1 or entry.get("principal") != self.principal.name:
                raise self._damaged()
            spent += cost
            if type(entry.get("spent")) is not int or entry["spent"] != spent:
                raise self._damaged()
        return spent

    def _damaged(self) -> StoreError:
        folder = self.journal.folder
        return StoreError(
            f"what {self.principal.name} spent at {self.published.name}/{self.port} is damaged.",
            next_step=f"restore {folder} from a backup: until then nothing is answered",
            where=str(folder),
        )

    def _exceeded(self, question: Question, left: int) -> AccessDenied:
        owed, total = said_epsilon(question.millionths), said_epsilon(self.total)
        if left:
            step = f"ask with --epsilon {said_epsilon(left)} or less; the noise grows as it falls"
        else:
            step = "it does not grow back; the product's owner may set a greater one"
        return AccessDenied(
            f"{question.said()} costs epsilon {owed}, and {self.principal.name} has "
            f"{said_epsilon(left)} of {total} left at {self.published.name}/{self.port}.",
            next_step=step,
            left=left / 1_000_000,
        )


def _slug(name: str) -> str:
    """Return a folder's name for a principal: another for each, and the same in any file system."""
    readable = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40]
    return f"{readable or 'principal'}-{hashlib.sha256(name.encode()).hexdigest()[:32]}"
