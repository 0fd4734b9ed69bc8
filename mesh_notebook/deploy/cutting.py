"""Inputs cut to one interval of event time, for the picture of that interval."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from mesh_notebook.errors import DeployRefused, UsageError
from mesh_notebook.mesh.inputs import EventWindow, OpenedInput
from mesh_notebook.mesh.sources import Asked
from mesh_notebook.model.contract import Contract
from mesh_notebook.model.product import InputPort, Product
from mesh_notebook.model.time import interval_around, iso

__all__ = ["Interval", "Opens", "cut", "cut_to", "sources_cut"]

Interval = tuple[datetime, datetime]
Opens = Callable[[InputPort, Path], OpenedInput]


def cut(open_input: Opens, interval: Interval) -> Opens:
    """Return what opens an input for one interval alone, where it can be cut."""

    def opens(port: InputPort, bundle: Path) -> OpenedInput:
        if port.recipe.get("kind") == "port":
            try:
                # Asked of the port itself, which may have a picture of each interval.
                return open_input(_narrowed(port, interval), bundle)
            except UsageError as error:
                if "port" not in error.facts:  # else it has no event time, and is read whole
                    raise
        if _is_cuttable(port):
            return replace(open_input(_within(port, interval), bundle), cut=True)
        opened = open_input(port, bundle)
        column = _event_time(port, bundle)
        if opened.window or column is None:
            return opened
        return replace(opened, window=EventWindow(column, *interval))

    return opens


def sources_cut(open_input: Opens, interval: Interval) -> Opens:
    """Return what opens an input, and of sources that can be cut, one interval alone.

    Whatever a notebook cut them to while it explored is of no account.
    """

    def opens(port: InputPort, bundle: Path) -> OpenedInput:
        if not _is_cuttable(port):
            return open_input(port, bundle)
        return replace(open_input(_within(port, interval), bundle), cut=True)

    return opens


def cut_to(product: Product, moment: datetime | None) -> Interval | None:
    """Return the interval around an instant, to which a deployment cuts the product's sources.

    None where no instant is meant, no source can be cut, or its ports have no interval of one
    length.
    """
    lengths = {port.temporality.get("interval") for port in product.outputs}
    if moment is None or len(lengths) != 1 or None in lengths:
        return None
    if not any(map(_is_cuttable, product.inputs)):
        return None
    return interval_around(moment, str(lengths.pop()))


def _is_cuttable(port: InputPort) -> bool:
    recipe = port.recipe
    live = recipe.get("mode", "live") == "live"
    return recipe.get("kind") == "source" and live and Asked.of_recipe(recipe).is_cuttable


def _within(port: InputPort, interval: Interval) -> InputPort:
    start, end = map(iso, interval)
    return _with_recipe(port, {**port.recipe, "start": start, "end": end})


def _narrowed(port: InputPort, interval: Interval) -> InputPort:
    """Return an input whose recipe asks for the part of its window that lies in an interval."""
    recipe = port.recipe
    start, end = (recipe.get(side) for side in ("start", "end"))
    first = max([interval[0], *([datetime.fromisoformat(start)] if start else [])])
    last = min([interval[1], *([datetime.fromisoformat(end)] if end else [])])
    if last <= first:
        raise DeployRefused(
            f"the input '{port.name}' is cut to {start or 'its beginning'} … {end or 'its end'}, "
            f"and has nothing of the interval from {iso(interval[0])}.",
            next_step="connect it without --from and --to, and export again",
            input=port.name,
        )
    return _with_recipe(port, {**recipe, "start": iso(first), "end": iso(last)})


def _with_recipe(port: InputPort, recipe: dict[str, Any]) -> InputPort:
    told = {"property": "input", "value": recipe}
    others = [p for p in port.raw.get("customProperties") or () if p.get("property") != "input"]
    return InputPort({**port.raw, "customProperties": [*others, told]})


def _event_time(port: InputPort, bundle: Path) -> str | None:
    """Return the column that says when, where an input's contract names one."""
    path = bundle / "contracts" / "inputs" / f"{port.name}.odcs.yaml"
    if not path.is_file():
        return None
    return Contract.loads(path.read_text("utf-8"), path.name).event_time
