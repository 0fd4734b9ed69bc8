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
    ) -> Ran:
        """Run a bundle on its inputs, on Polars, DuckDB or Spark; publish nothing."""
        from mesh_notebook.workspace import running

        return running.run(self, folder, engine, master, format, out, rows)

    def verify(
        self, folder: str | Path, engine: str = "polars", master: str | None = None
    ) -> Verified:
        """Hold a bundle to its receipt, and prove it again on the rows of then, on an engine.

        Raises
        ------
        VerificationFailed
            With every finding: files that were changed, inputs that cannot be had as they were,
            rows that are not those that were proved.
        DeployRefused
            The product does not go to that engine.
        """
        from mesh_notebook.workspace import verifying

        return verifying.verify(self, folder, engine, master)

    def plan(
        self,
        folder: str | Path,
        interval: Time = None,
        backfill: tuple[Time, Time] | None = None,
        engine: str = "polars",
        master: str | None = None,
        renamed: Sequence[str] | str = (),
        format: str | None = None,
    ) -> Plan | dict[str, Any]:
        """Say what deploying a bundle would change, and for whom; nothing is run or written.

        Parameters
        ----------
        interval, backfill, engine, master, renamed
            As `deploy` is to take them.
        format
            `json`.
        """
        from mesh_notebook.workspace import planning

        asked = planning.Asked.of(interval, backfill, engine, master, renamed)
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
        """
        from mesh_notebook.workspace import planning

        asked = planning.Asked.of(interval, backfill, engine, master, renamed)
        return planning.deployed(self, folder, asked, plan)

    def rejects(
        self,
        product: str,
        port: str | None = None,
        rule: str | None = None,
        out: str | Path | None = None,
        clear: bool = False,
    ) -> Rejected:
        """Show the rows for which a deployment was refused; they are kept on this machine alone."""
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
