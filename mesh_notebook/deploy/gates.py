"""What a publication is held to before it is one: its rules, and the promises that are gates."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from mesh_notebook.errors import DeployRefused
from mesh_notebook.mesh.disclosure import OF_EVENTS, lag_told, seen_by_all, shape_to_tell
from mesh_notebook.mesh.earlier import Earlier, earlier, snapshots_before
from mesh_notebook.mesh.evolution import last_as_good
from mesh_notebook.mesh.log import news_of
from mesh_notebook.mesh.sealing import Protection
from mesh_notebook.mesh.seen import News, news_told
from mesh_notebook.mesh.shape import Shape
from mesh_notebook.mesh.slos import SloVerdict, measure, verdicts
from mesh_notebook.mesh.veil import raw_picture
from mesh_notebook.model.policy import PortPolicy
from mesh_notebook.model.product import major_of

if TYPE_CHECKING:
    import polars as pl

    from mesh_notebook.mesh.checks import CheckReport, RuleResult
    from mesh_notebook.mesh.published import PublishedProduct
    from mesh_notebook.mesh.rejects import Rejection
    from mesh_notebook.model.contract import Contract
    from mesh_notebook.model.origin import Origin
    from mesh_notebook.model.product import Product

__all__ = ["Measured", "refuse_broken_gates", "refuse_broken_rules"]

_SHOWN = 10


@dataclass(frozen=True)
class Measured:
    """By output port: what was measured, the statistical shape, and what is news; when that was.

    Both are published with the snapshot, so they tell no more than everybody sees of the rows (see
    `mesh.disclosure`); but how many rows there are, and how complete, is told of all of them.
    """

    slos: dict[str, dict[str, float]]
    shapes: dict[str, Shape]
    at: datetime
    news: dict[str, tuple[News, ...]]

    @classmethod
    def of(
        cls,
        frames: Mapping[str, pl.DataFrame],
        product: Product,
        contracts: Mapping[str, Contract],
        published: PublishedProduct,
        origin: Origin,
        now: datetime,
    ) -> Measured:
        slos, shapes, news = {}, {}, {}
        for port, frame in frames.items():
            contract, policy = contracts[port], PortPolicy.of(product, port)
            Protection.of(policy, contract)  # raises where it does not fit the contract
            before = earlier(published, port, origin)
            is_log = product.output(port).temporality.get("kind") == "log"
            if is_log:
                before = before.without_events()  # its frame holds what is new, late rows included
            seen = seen_by_all(frame, policy, contract, str(product.address))
            shapes[port] = shape_to_tell(seen, policy, contract)
            then = snapshots_before(published, port, origin)
            news[port] = news_told(shapes[port], then, contract, policy)
            slos[port] = _measured(frame, seen, contract, policy, now, before, shapes[port])
            if is_log and _gates_lag(contract):
                added = _added(frame, port, product, contract, published, origin)
                slos[port] |= lag_told(added, policy, contract, str(product.address), now)
        return cls(slos, shapes, now, news)


def _measured(
    frame: pl.DataFrame,
    seen: pl.DataFrame,
    contract: Contract,
    policy: PortPolicy,
    now: datetime,
    before: Earlier,
    shape: Shape,
) -> dict[str, float]:
    """Measure all rows, and event times where everybody sees them."""
    whole = measure(frame.lazy(), contract, now, before, shape)
    if seen is frame and not policy.closed:
        return whole
    counted = {name: value for name, value in whole.items() if name not in OF_EVENTS}
    if policy.closed:
        return counted
    timed = measure(seen.lazy(), contract, now, before)
    return counted | {name: timed[name] for name in OF_EVENTS if name in timed}


def _gates_lag(contract: Contract) -> bool:
    lags = (slo.gate and slo.property.startswith(("lag", "latency")) for slo in contract.slos)
    return contract.event_time is not None and any(lags)


def _added(
    rows: pl.DataFrame,
    port: str,
    product: Product,
    contract: Contract,
    published: PublishedProduct,
    origin: Origin,
) -> pl.DataFrame:
    """Return the rows that a log does not have yet: only they are late, or are not."""
    last = last_as_good(published, product.version, origin)
    if last is None or port not in last.ports:
        return rows
    table = published.table(port, major_of(product.version))
    picture = raw_picture(table, last.ports[port], contract, port, str(product.address))
    return news_of(rows, picture, contract).rows


def refuse_broken_rules(
    product: Product,
    checks: Mapping[str, CheckReport],
    keep: Callable[[], Rejection] | None = None,
) -> None:
    """Raise `DeployRefused` where rows break a rule of their contract, or it is not decided.

    Parameters
    ----------
    keep : callable, optional
        Keeps the rejected rows apart; may raise `OSError`, which undoes no refusal.
    """
    broken = {port: report.failures for port, report in checks.items() if not report.passed}
    if not broken:
        return
    lines = [f"  {port}: {_rule_said(r)}" for port, results in broken.items() for r in results]
    more = [f"  … and {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else []
    kept, said = _kept(keep)
    shows = f"%mesh rejects {product.address.product} shows the rows; " if kept else ""
    raise DeployRefused(
        f"{product.name} breaks its contract, so nothing was published:\n"
        + "\n".join(lines[:_SHOWN] + more + said),
        next_step=f"{shows}mend the transform or what it reads, or change the contract and export "
        "again",
        failures=broken,
    )


def _kept(keep: Callable[[], Rejection] | None) -> tuple[int, list[str]]:
    """Return how many rows were kept, and what to say of them."""
    if keep is None:
        return 0, []
    try:
        kept = sum(one.kept for one in keep().broken)
    except OSError as error:
        return 0, [f"  (the rejected rows could not be kept: {error.strerror or error})"]
    said = f"  {kept:,} rejected rows are kept on this machine, for you alone"
    return kept, [said] if kept else []


def _rule_said(result: RuleResult) -> str:
    if not result.decided:
        return f"{result.rule.id} was not checked: {result.note}"
    parts: Iterable[str] = (
        f"{result.rule.id} fails for {result.failed:,} of {result.checked:,} rows",
        result.note,
        f"for example {result.example}" if result.example else "",
    )
    return "; ".join(part for part in parts if part)


def refuse_broken_gates(
    product: Product, contracts: Mapping[str, Contract], measured: Mapping[str, dict[str, float]]
) -> None:
    """Raise `DeployRefused` where a promise that is marked as a gate is not kept.

    A promise of which nothing was measured (a lag without new rows, a drift without an earlier
    snapshot) is not broken; one that cannot be read is.
    """
    broken = [
        (port, verdict)
        for port, contract in contracts.items()
        for verdict in verdicts(measured[port], contract)
        if verdict.slo.gate and (verdict.kept is False or verdict.limit is None)
    ]
    if not broken:
        return
    lines = [f"  {port}: {_said(verdict)}" for port, verdict in broken]
    port, first = broken[0]
    raise DeployRefused(
        f"{product.name} breaks what its gates promise, so nothing was published:\n"
        + "\n".join(lines),
        next_step=f"mend what it reads; or promise what it can keep (%mesh promise {port} "
        f"{first.name}=… without the mark of a gate) and export again",
        broken={p: v.name for p, v in broken},
    )


def _said(verdict: SloVerdict) -> str:
    if verdict.limit is None:
        return f"{verdict.name} = {verdict.promised} is no promise that can be measured"
    return f"{verdict.name} was promised {verdict.promised}, and is {verdict.measured}"
