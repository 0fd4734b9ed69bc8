"""The control port: where policies are set, explained and enforced, for a product and a mesh."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mesh_notebook.workspace.session import Session

if TYPE_CHECKING:
    from mesh_notebook.mesh.asking import Answer
    from mesh_notebook.workspace.erasing import Erased, ErasedEverywhere
    from mesh_notebook.workspace.governing import Decisions, Grants, MeshRules
    from mesh_notebook.workspace.protecting import NewKey, Protected, Why

__all__ = ["Control"]

Names = Sequence[str] | str


class Control(Session):
    """The verbs of the control port."""

    def protect(
        self,
        target: str,
        mask: str = "",
        exempt: Names = (),
        to: str = "",
        keep: int = 0,
        groups: Names = (),
        key: str = "",
        where: str = "",
        roles: Names = (),
        purposes: Names = (),
        stand_in: bool = False,
        erasable: str = "",
        private: str = "",
        budget: str | float = 0.0,
        rows_each: int = 1,
        bounds: Names = (),
        values: Names = (),
        aggregates: int = 0,
        declassify: bool = False,
        because: str = "",
        erasers: Names = (),
        remove: bool = False,
    ) -> Protected:
        """Set a rule of a port, or mask one of its columns; it holds from the next deployment on.

        Parameters
        ----------
        target
            `PORT.COLUMN` to mask a column, `PORT` for all else; alone, it shows the policy.
        mask
            What others see: `redact`, `null`, `truncate`, `generalise`, `tokenise`, `encrypt`.
        exempt
            The roles that see values, or rows, as they are.
        where
            Which rows others see, in SQL: `country = 'DE'`.
        erasable
            The column whose single values can be erased from all snapshots (`%mesh erase`).
        erasers
            Roles that may do so, besides who deployed last; by default those that see the column.
        private
            The column that says whose a row is, of a port that answers noisy aggregates only.
        aggregates
            From how many rows on an aggregate is open to all, in what others make of the port.
        declassify
            Show on purpose what an input hides from others, and shows to you; `because` says why.
        """
        from mesh_notebook.errors import UsageError
        from mesh_notebook.workspace.protecting import Rule, protect, words

        try:
            epsilon = float(budget)
        except ValueError:
            raise UsageError(f"'{budget}' is no budget.", next_step="--budget 10") from None
        rule = Rule(
            *(mask, words(exempt), to, keep, words(groups), key, where),
            *(words(roles), words(purposes), stand_in, erasable, private, epsilon, rows_each),
            *(words(bounds), words(values), aggregates, declassify, because, words(erasers)),
        )
        return protect(self, target, rule, remove)

    def why(
        self, product: str, port: str | None = None, purpose: str = "", principal: str = ""
    ) -> Why:
        """Explain what the policy of a port makes of who asks: what a read gives them, and why.

        Parameters
        ----------
        purpose, principal
            As `read` takes them; by default as the session says.
        """
        from mesh_notebook.workspace.protecting import why

        return why(self, product, port, self.asker(principal, purpose))

    def erase(
        self,
        product: str,
        subject: str | None = None,
        port: str | None = None,
        everywhere: bool = False,
    ) -> Erased | ErasedEverywhere:
        """Erase one subject from every snapshot of a port, by destroying its key: for ever.

        Who deployed the product last may, and who has a role that its policy names for it, or else
        one that sees the subject as it is.

        Parameters
        ----------
        everywhere
            From every product of the mesh that holds it. Then the subject may stand alone, without
            a product that says what kind of subject it is.
        """
        from mesh_notebook.errors import UsageError
        from mesh_notebook.workspace.erasing import erase, erase_everywhere

        if everywhere:
            of, whom = (None, product) if subject is None else (product, subject)
            return erase_everywhere(self, whom, of, port)
        if subject is None:
            raise UsageError(
                "it is not said who is to be erased.",
                next_step=f"%mesh erase {product} SUBJECT, or %mesh erase SUBJECT --everywhere",
            )
        return erase(self, product, subject, port)

    def key(self, action: str, name: str) -> NewKey:
        """Make a key that products share, so that their tokens join: `new`, and a name for it."""
        from mesh_notebook.workspace.protecting import new_key

        return new_key(action, name)

    def ask(
        self,
        product: str,
        what: str,
        of: str | None = None,
        by: Sequence[str] | str = (),
        epsilon: float | None = None,
        port: str | None = None,
    ) -> Answer:
        """Ask a private port for a `count`, `sum` or `mean`; the answer has noise on it.

        Parameters
        ----------
        of
            The column to add up or average.
        by
            The columns to group by, of those whose values the port's policy names.
        epsilon
            What to spend of your budget; the less, the more noise. Default: a tenth of it.

        Raises
        ------
        AccessDenied
            The port is not private, does not answer this, or the budget is spent.
        """
        from mesh_notebook.mesh.asking import ask
        from mesh_notebook.mesh.question import Question
        from mesh_notebook.workspace.drafts import words_of

        published, named = self.catalogue.resolve(product)
        question = Question(what, of or "", words_of(by), epsilon)
        self.progress(f"{question.said()}, over all rows")
        return ask(published, port or named, question, self.principal, self.clock)

    def grant(
        self, who: str | None = None, role: str | None = None, revoke: bool = False
    ) -> Grants:
        """Grant a principal a role in the first root, or take it away; alone, list all grants."""
        from mesh_notebook.workspace import governing

        return governing.grant(self, who, role, revoke)

    def rule(
        self, file: str | Path | None = None, name: str | None = None, remove: str | None = None
    ) -> MeshRules:
        """Push a rule to every product of the first root, or remove one; alone, list all rules."""
        from mesh_notebook.workspace import governing

        return governing.rule(self, file, name, remove)

    def decisions(self, product: str, last: int = 20) -> Decisions:
        """Return the last decisions on a product, or on one port of it, newest first."""
        from mesh_notebook.workspace import governing

        return governing.decisions(self, product, last)
