"""`mesh plan` and `mesh deploy`: for this mesh, these inputs and this principal."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesh_notebook.deploy.backfilling import backfill, intervals_of
from mesh_notebook.deploy.cutting import Interval, Opens, cut_to, sources_cut
from mesh_notebook.deploy.deploying import deploy
from mesh_notebook.deploy.planning import Options, Plan, plan_of
from mesh_notebook.deploy.preparing import Prepared
from mesh_notebook.errors import DeployRefused, UsageError
from mesh_notebook.mesh.consumers import Consumer, consumers_of
from mesh_notebook.mesh.engines import refuse_unknown
from mesh_notebook.model.time import as_instant, say_interval
from mesh_notebook.workspace.running import MASTER
from mesh_notebook.workspace.stopping import stopping_deployment

if TYPE_CHECKING:
    from mesh_notebook.deploy.backfilling import Backfilled
    from mesh_notebook.deploy.deploying import Deployed
    from mesh_notebook.model.address import Address
    from mesh_notebook.model.policy import Asker
    from mesh_notebook.workspace.session import Session, Time

__all__ = ["Asked", "deployed", "planned"]


@dataclass(frozen=True)
class Asked:
    """What is asked of a deployment, as it was typed."""

    interval: Time = None
    backfill: tuple[Time, Time] | None = None
    engine: str = "polars"
    master: str | None = None
    renamed: Sequence[str] = ()
    principal: str = ""
    purpose: str = ""
    allow: tuple[bool, bool] = (False, False)  # fewer rows, no rows

    @classmethod
    def of(
        cls,
        interval: Time,
        backfill: tuple[Time, Time] | None,
        engine: str,
        master: str | None,
        renamed: Sequence[str] | str,
        principal: str = "",
        purpose: str = "",
        allow: tuple[bool, bool] = (False, False),
    ) -> Asked:
        words = renamed.split(",") if isinstance(renamed, str) else renamed
        words = [word for word in words if word]
        return cls(interval, backfill, engine, master, words, principal, purpose, allow)

    def options(self, session: Session, environ: Mapping[str, str] = os.environ) -> Options:
        """Return it as options; raises `UsageError` where it contradicts itself."""
        refuse_unknown(self.engine)
        if self.master and self.engine != "spark":
            raise UsageError(f"{self.engine} has no master.", next_step="add --engine spark")
        if self.backfill and self.interval:
            raise UsageError(
                "--interval and --backfill both say of when the rows are.",
                next_step="give one of them",
            )
        now, said = session.clock(), (self.principal, self.purpose, *self.allow)
        interval = as_instant(self.interval, now) if self.interval else None
        master = self.master or environ.get(MASTER, "") if self.engine == "spark" else ""
        if not self.backfill:
            return Options(interval, None, self.engine, master, *said)
        start, end = self.backfill
        if start is None or end is None:
            raise UsageError("a backfill has two ends.", next_step="--backfill 2026-01 2026-07")
        window = (as_instant(start, now), as_instant(end, now))
        return Options(None, window, self.engine, master, *said)

    def renames(self, folder: Path) -> dict[tuple[str, str], str]:
        """Return by port and old column what it is called now.

        Raises
        ------
        UsageError
            It is not `old=new`, or the product has several ports and none is named.
        """
        from mesh_notebook.mesh.bundle import Bundle

        if not self.renamed:
            return {}
        product = Bundle(folder).product
        found = {}
        for word in self.renamed:
            old, _, new = word.partition("=")
            port, dot, column = old.rpartition(".")
            if not (new and column):
                raise UsageError(
                    f"'{word}' says of no column what it is called now.",
                    next_step="write old=new, or PORT.old=new",
                )
            found[product.output(port if dot else None).name, column] = new
        return found


def planned(session: Session, folder: str | Path, asked: Asked) -> Plan:
    """Return what a deployment would do; nothing is run or written."""
    bundle, options = session.base / folder, asked.options(session)
    asker = session.asker(asked.principal, asked.purpose)
    refusals: list[DeployRefused] = []
    renamed = asked.renames(bundle)
    told = _told(session, asker, renamed, _cut(bundle, options))
    prepared = Prepared.of(bundle, session.roots[0], refuse=refusals.append, **told)
    if options.engine != "polars":
        from mesh_notebook.deploy.running import module_for

        try:
            module_for(prepared.made, options.engine)
        except DeployRefused as error:
            refusals.append(error)
    intervals = 1
    if options.backfill:
        try:
            intervals = len(intervals_of(prepared.made, options.backfill))
        except DeployRefused as error:
            refusals.append(error)
    return plan_of(prepared, options, refusals, asker, list(renamed), intervals)


def deployed(
    session: Session, folder: str | Path, asked: Asked, plan: str
) -> Deployed | Backfilled:
    """Publish a bundle: as it was planned, where a plan's id is given."""
    bundle, options = session.base / folder, asked.options(session)
    asker = session.asker(asked.principal, asked.purpose)
    with stopping_deployment(session, bundle):
        return _deployed(session, bundle, options, asked, asker, plan)


def _deployed(
    session: Session, bundle: Path, options: Options, asked: Asked, asker: Asker, plan: str
) -> Deployed | Backfilled:
    interval = _cut(bundle, options)
    told = _told(session, asker, asked.renames(bundle), interval)
    told |= {"options": options, "plan": plan}
    if options.backfill:
        filled = backfill(bundle, session.roots[0], window=options.backfill, **told)
        said = f"{filled.product.name}, {len(filled.published):,} intervals"
        session.taken["deploy"] = said
        return filled
    cut = say_interval(interval) if interval else ""
    done = deploy(bundle, session.roots[0], **told, cut=cut)
    session.taken["deploy"] = f"{done.product.name}, snapshot {done.receipt.snapshot}"
    return done


def _cut(bundle: Path, options: Options) -> Interval | None:
    """Return the interval that the sources of a bundle are cut to, where one is meant.

    Raises
    ------
    UsageError
        One is given, and no port of the product is of intervals.
    """
    from mesh_notebook.mesh.bundle import Bundle

    product = Bundle(bundle).product
    if options.interval and not any(p.temporality.get("interval") for p in product.outputs):
        raise UsageError(
            f"no port of {product.name} is the picture of an interval, so --interval says nothing.",
            next_step="leave it out; or declare the port with %mesh output … --interval month, "
            "and export again",
        )
    return cut_to(product, options.interval)


def _told(
    session: Session,
    asker: Asker,
    renamed: Mapping[tuple[str, str], str],
    interval: Interval | None,
) -> dict[str, Any]:
    def consumers(address: Address) -> Sequence[Consumer]:
        return consumers_of(session.catalogue, address)

    opens: Opens = session.opener(asker)
    return {
        "open_input": sources_cut(opens, interval) if interval else opens,
        "principal": asker,
        "clock": session.clock,
        "consumers": consumers,
        "renamed": renamed,
        "progress": session.progress,
    }
