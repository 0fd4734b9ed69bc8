"""Backfill: the pictures of intervals that lie behind, one publication each, by the same bundle.

Each interval is a deployment of its own, whole or not at all. So what a kill or Ctrl-C leaves are
whole publications, and beginning again passes over what stands: the same release, of the same
inputs.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from mesh_notebook.deploy.cutting import Interval, Opens, cut
from mesh_notebook.deploy.deploying import Deployed, deploy
from mesh_notebook.deploy.planning import Options, refuse_other_plan
from mesh_notebook.deploy.preparing import Prepared
from mesh_notebook.deploy.validating import Validated
from mesh_notebook.deploy.views import refuse_other_view
from mesh_notebook.errors import DeployRefused, UsageError
from mesh_notebook.mesh.bundle import Bundle
from mesh_notebook.mesh.consumers import Consumer
from mesh_notebook.mesh.evolution import last_of_major
from mesh_notebook.mesh.identity import is_of
from mesh_notebook.mesh.place import Place, place_of
from mesh_notebook.mesh.published import PublishedProduct
from mesh_notebook.model.address import Address
from mesh_notebook.model.policy import Asker
from mesh_notebook.model.product import Product
from mesh_notebook.model.receipt import InputPin, Receipt
from mesh_notebook.model.time import interval_around, iso, say_interval

__all__ = ["Backfilled", "Interval", "Opens", "backfill", "intervals_of"]

_MOST = 10_000


@dataclass(frozen=True)
class Backfilled:
    """What a backfill did.

    Attributes
    ----------
    window : Interval
        Event times, half-open, UTC.
    intervals : tuple of Interval
        All that the window holds; of a log, the one window.
    published : tuple of Deployed
        By the publications that this run made, oldest interval first.
    standing : int
        How many intervals stood already.
    """

    product: Product
    window: Interval
    intervals: tuple[Interval, ...]
    published: tuple[Deployed, ...]
    standing: int


def backfill(
    bundle: Path,
    root: Place | Path | str,
    open_input: Opens,
    window: Interval,
    *,
    principal: Asker | str,
    clock: Callable[[], datetime],
    options: Options | None = None,
    plan: str = "",
    renamed: Mapping[tuple[str, str], str] | None = None,
    consumers: Callable[[Address], Sequence[Consumer]] = lambda address: (),
    progress: Callable[[str], None] = lambda step: None,
    environ: Mapping[str, str] = os.environ,
) -> Backfilled:
    """Publish the picture of each interval of a window, inputs cut to it by their event times.

    A log is run once over the window: what it has already is not added again, and what differs
    corrects it. An input that has no event time is read whole each time.

    Parameters
    ----------
    bundle, root, open_input, principal, clock, plan, renamed, consumers, progress, environ
        As `deploy` takes them; the plan is of the whole backfill.
    options : Options, optional
        On which engine it is computed.
    window : tuple of datetime
        From when to when, half-open; both where an interval begins.

    Raises
    ------
    UsageError
        The window does not begin and end with an interval.
    DeployRefused
        A port is one whole picture, so that nothing of it lies behind; or a deployment is refused:
        the intervals before it stand.
    """
    made = Validated.of(Bundle(bundle))
    wanted = intervals_of(made, window)
    published = PublishedProduct.at(place_of(root), made.product.address)
    options = replace(options or Options(), backfill=window)
    if plan:
        prepared = Prepared.of(
            bundle,
            root,
            open_input,
            principal=principal,
            clock=clock,
            environ=environ,
            consumers=consumers,
            renamed=renamed,
        )
        refuse_other_plan(plan, prepared, options, principal)
    stands = {i for i in wanted if _stands(published, made, i, cut(open_input, i), bundle)}
    progress(_announced(wanted, stands))
    done: list[Deployed] = []
    left = [interval for interval in wanted if interval not in stands]
    for number, interval in enumerate(left, 1):
        said = f"{_say(interval)} ({number} of {len(left)})"
        deployed = deploy(
            bundle,
            root,
            cut(open_input, interval),
            principal=principal,
            clock=clock,
            options=replace(options, interval=interval[0]),
            renamed=renamed,
            consumers=consumers,
            progress=lambda step, said=said: progress(f"{said}: {step}"),  # type: ignore[misc]
            environ=environ,
            cut=say_interval(interval),
        )
        done.append(deployed)
    return Backfilled(made.product, window, wanted, tuple(done), len(stands))


def intervals_of(made: Validated, window: Interval) -> tuple[Interval, ...]:
    """Return the intervals that a window holds, by how the product's ports are published."""
    if window[1] <= window[0]:
        raise UsageError(
            f"the backfill ends ({iso(window[1])}) before or when it starts ({iso(window[0])}).",
            next_step="give the earlier time first; the later one is not included",
        )
    lengths = {}
    for port in made.product.outputs:
        temporality = port.temporality
        is_log = temporality.get("kind") == "log"
        lengths[port.name] = "" if is_log else str(temporality.get("interval") or "whole")
    if len(set(lengths.values())) > 1 or "whole" in lengths.values():
        raise _not_piecewise(made, lengths)
    length = next(iter(lengths.values()))
    return tuple(_split(window, length)) if length else (window,)


def _not_piecewise(made: Validated, lengths: Mapping[str, str]) -> DeployRefused:
    whole = [name for name, length in lengths.items() if length == "whole"]
    if whole:
        return DeployRefused(
            f"each publication of '{whole[0]}' is the whole picture, so nothing of it lies behind.",
            next_step="deploy it without --backfill; a picture per interval is declared by "
            f"%mesh output {whole[0]} FRAME --interval month",
            port=whole[0],
        )
    said = ", ".join(f"{name}: {length or 'log'}" for name, length in lengths.items())
    return DeployRefused(
        f"the ports of {made.product.name} are published by different intervals ({said}), so one "
        "backfill cannot fit them all.",
        next_step="give them one interval, or make them products of their own",
        intervals=dict(lengths),
    )


def _split(window: Interval, length: str) -> list[Interval]:
    found = [interval_around(window[0], length)]
    while found[-1][1] < window[1]:
        if len(found) == _MOST:
            raise UsageError(
                f"the backfill would make more than {_MOST:,} publications.",
                next_step="give a shorter one, and the rest afterwards",
            )
        found.append(interval_around(found[-1][1], length))
    for given, fits in ((window[0], found[0][0]), (window[1], found[-1][1])):
        if given != fits:
            raise UsageError(
                f"no interval of {length} begins at {iso(given)}.",
                next_step=f"the nearest begins at {iso(fits)}",
                moment=iso(given),
            )
    return found


# ---- what stands, and inputs of one interval ---------------------------------------------------


def _stands(
    published: PublishedProduct,
    made: Validated,
    interval: Interval,
    opens: Opens,
    bundle: Path,
) -> bool:
    """Whether the picture of an interval was published by this release, of these inputs."""
    receipt = _picture(published, made, interval)
    if receipt is None or not is_of(published, receipt, made.bundle):
        return False
    opened = [(port, opens(port, bundle)) for port in made.product.inputs]
    for port, given in opened:
        refuse_other_view(port, given, made.bundle)
    pins: tuple[InputPin, ...] = tuple(given.pin for _, given in opened)
    return receipt.inputs == pins


def _picture(published: PublishedProduct, made: Validated, interval: Interval) -> Receipt | None:
    """Return the publication that holds an interval now; None of a log, which is one picture."""
    latest = last_of_major(published, made.product.version)
    port = next(iter(made.contracts))
    number = latest.ports[port].intervals.get(say_interval(interval)) if latest else None
    if latest is None or number is None:
        return None
    return latest if number == latest.snapshot else published.receipt(number)


def _announced(wanted: tuple[Interval, ...], stands: set[Interval]) -> str:
    many = "1 interval" if len(wanted) == 1 else f"{len(wanted):,} intervals"
    said = f"backfill {many}, {iso(wanted[0][0])[:10]} to {iso(wanted[-1][1])[:10]}"
    left = len(wanted) - len(stands)
    return f"{said}: {len(stands):,} stand already, {left:,} to publish" if stands else said


def _say(interval: Interval) -> str:
    start = iso(interval[0])
    return start[:10] if start[11:19] == "00:00:00" else start[:16]
