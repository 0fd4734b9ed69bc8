"""What happens to a bundle: run, verified, planned, deployed, and traced."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesh_notebook.workspace.control import Control
from mesh_notebook.workspace.session import Time

if TYPE_CHECKING:
    from mesh_notebook.deploy.backfilling import Backfilled
    from mesh_notebook.deploy.deploying import Deployed
    from mesh_notebook.deploy.planning import Plan
    from mesh_notebook.deploy.running import Ran
    from mesh_notebook.deploy.verifying import Verified
    from mesh_notebook.workspace.rejecting import Rejected
    from mesh_notebook.workspace.tracing_back import Traced

__all__ = ["Operation"]


class Operation(Control):
    """The verbs that take a bundle, or what was deployed of it."""

    def run(
        self,
        folder: str | Path,
        engine: str = "polars",
        master: str | None = None,
        format: str | None = None,
        out: str | Path | None = None,
        rows: int = 10,
        principal: str = "",
        purpose: str = "",
    ) -> Ran:
        """Run a bundle on its inputs, on Polars, DuckDB or Spark; publish nothing."""
        from mesh_notebook.workspace import running

        asker = self.asker(principal, purpose)
        return running.run(self, folder, engine, master, format, out, rows, asker)

    def verify(
        self,
        folder: str | Path,
        engine: str = "polars",
        master: str | None = None,
        principal: str = "",
        purpose: str = "",
    ) -> Verified:
        """Hold a bundle to its receipt, and prove it again on the rows of then, on an engine.

        Raises
        ------
        VerificationFailed
            With every finding: files that were changed, inputs that cannot be had as they were,
            rows that are not those that were proved.
        DeployRefused
            The product does not go to that engine, or who asks sees an input otherwise.
        """
        from mesh_notebook.workspace import verifying

        asker = self.asker(principal, purpose)
        return verifying.verify(self, folder, engine, master, asker)

    def plan(
        self,
        folder: str | Path,
        interval: Time = None,
        backfill: tuple[Time, Time] | None = None,
        engine: str = "polars",
        master: str | None = None,
        renamed: Sequence[str] | str = (),
        principal: str = "",
        purpose: str = "",
        allow_fewer: bool = False,
        allow_empty: bool = False,
        format: str | None = None,
    ) -> Plan | dict[str, Any]:
        """Say what deploying a bundle would change, and for whom; nothing is run or written.

        Parameters
        ----------
        interval, backfill, engine, master, renamed, principal, purpose, allow_fewer, allow_empty
            As `deploy` is to take them.
        format
            `json`.
        """
        from mesh_notebook.workspace import planning

        who = (principal, purpose, (allow_fewer, allow_empty))
        asked = planning.Asked.of(interval, backfill, engine, master, renamed, *who)
        found = planning.planned(self, folder, asked)
        return found.as_dict() if format == "json" else found

    def deploy(
        self,
        folder: str | Path,
        interval: Time = None,
        backfill: tuple[Time, Time] | None = None,
        plan: str = "",
        engine: str = "polars",
        master: str | None = None,
        renamed: Sequence[str] | str = (),
        principal: str = "",
        purpose: str = "",
        allow_fewer: bool = False,
        allow_empty: bool = False,
    ) -> Deployed | Backfilled:
        """Run a bundle on its inputs, check it, and publish a snapshot, all or nothing.

        Parameters
        ----------
        interval
            An instant in the interval that the rows are the picture of, where nothing in them says.
        backfill
            From when to when: a publication of each interval in between (see `deploy.backfilling`).
        plan
            The id of the plan to do: exactly that, or nothing.
        engine, master
            Where it is computed (see `run`).
        renamed
            `old=new`: what a column that is gone is called now.
        principal, purpose
            Who deploys, and what it reads the inputs for; by default as the session says.
        allow_fewer, allow_empty
            Publish though there are hardly any rows left of what was usual, or none; the receipt
            says so (see `deploy.falling`).
        """
        from mesh_notebook.workspace import planning

        who = (principal, purpose, (allow_fewer, allow_empty))
        asked = planning.Asked.of(interval, backfill, engine, master, renamed, *who)
        return planning.deployed(self, folder, asked, plan)

    def rejects(
        self,
        product: str,
        port: str | None = None,
        rule: str | None = None,
        out: str | Path | None = None,
        clear: bool = False,
    ) -> Rejected:
        """Show the rows for which a deployment was refused; they are kept on this machine alone.

        The account protects them. Another principal than the one who deployed is shown them only
        where no policy would hide anything from it.
        """
        from mesh_notebook.workspace.rejecting import rejected

        return rejected(self, product, port, rule, out, clear)

    def lineage(self, what: str, format: str | None = None) -> Traced | dict[str, Any]:
        """Trace a product, a port or a column: what it comes from, and what is made of it.

        Parameters
        ----------
        what
            `PRODUCT[/PORT][.COLUMN]`, or a bundle's folder.
        format
            `json`, or `openlineage` (a run event with the facet `columnLineage`).
        """
        from mesh_notebook.workspace.tracing_back import traced

        return traced(self, what, format)
