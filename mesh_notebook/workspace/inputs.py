"""Input ports as the notebook holds them: one handle for a port, a source or a mock.

A handle is opened from a *recipe*, the mapping that an exported product keeps in its
`inputPorts`. The notebook, the proof and every later deployment open it the same way.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesh_notebook.errors import SourceError, SpecError
from mesh_notebook.mesh.catalogue import Catalogue
from mesh_notebook.mesh.inputs import EventWindow, OpenedInput
from mesh_notebook.mesh.reading import Reading, read_port
from mesh_notebook.mesh.sources import Asked, World, open_source
from mesh_notebook.model.contract import Contract
from mesh_notebook.model.origin import Origin
from mesh_notebook.model.product import InputPort
from mesh_notebook.model.receipt import InputPin
from mesh_notebook.model.time import Window, iso

if TYPE_CHECKING:
    import polars as pl

    from mesh_notebook.mesh.scan import Scan

__all__ = ["Handle", "Opener", "fitting", "slug"]


@dataclass(frozen=True)
class Handle:
    """One input of the notebook.

    Attributes
    ----------
    frame : polars.LazyFrame
        What is bound under `name`; its identity tells which names still mean this input.
    data : Scan or polars.LazyFrame
        What a clean process reads to see the same rows.
    recipe : dict
        How to open the input again (see `model.product.InputPort`).
    reading : Reading or None
        For a port: what was read, of which snapshot.
    """

    name: str
    kind: str
    frame: pl.LazyFrame
    data: Scan | pl.LazyFrame
    pin: InputPin
    recipe: dict[str, Any]
    contract: Contract | None = None
    reading: Reading | None = None
    window: EventWindow | None = None
    note: str = ""

    @property
    def origin(self) -> Origin:
        return self.pin.origin


@dataclass(frozen=True)
class Opener:
    """Opens inputs against one mesh, for one principal, at one moment."""

    catalogue: Catalogue
    principal: str
    now: datetime
    base: Path
    # Frames by mocked identity: how many keys the upstreams that were mocked here have.
    populations: Mapping[str, int] = field(default_factory=dict)
    progress: Callable[[str], None] = lambda step: None

    def port(self, name: str, product: str, port: str | None, window: Window) -> Handle:
        """Connect to an output port, at the snapshot that the window's `as_of` means."""
        published, named = self.catalogue.resolve(product)
        reading = read_port(published, port or named, window, self.principal)
        address = reading.product.address.with_port(reading.port)
        recipe: dict[str, Any] = {"kind": "port", "address": str(address)}
        for key in ("start", "end", "as_of"):
            if moment := getattr(window, key):
                recipe[key] = iso(moment)
        receipt = reading.receipt
        pin = InputPin(name, "port", str(address), str(receipt.snapshot), receipt.origin)
        cut = _event_window(reading)
        return Handle(
            name, "port", reading.frame, reading.scan, pin, recipe, reading.contract, reading, cut
        )

    def source(self, name: str, asked: Asked) -> Handle:
        """Open an operational source; its path is kept relative to `base`, as it was written."""
        scan = open_source(asked, World(self.base, progress=self.progress))
        # What was captured stands still, so that its pin is known from the first read on.
        version = "" if scan.stamp else scan.fingerprint()
        pin = InputPin(name, "source", asked.uri, version, Origin.LIVE, scan.state)
        return Handle(name, "source", scan.lazy(), scan, pin, asked.recipe(), note=scan.state)

    def mock(
        self, name: str, contract: Contract, rows: int, seed: int, breaking: str | None = None
    ) -> Handle:
        """Make a mock from a contract; upstreams mocked before lend it their keys."""
        from mesh_notebook.mock.from_contract import mock

        used = {
            link: self.populations[link]
            for column in contract.columns
            if (link := column.link) is not None and link in self.populations
        }
        frame = mock(contract, rows, seed, used, breaking).lazy()
        recipe: dict[str, Any] = {"kind": "mock", "rows": rows, "seed": seed}
        if used:
            recipe["populations"] = used
        if breaking:
            recipe["breaking"] = breaking
        pin = InputPin(name, "mock", contract.id, f"{rows} rows, seed {seed}", Origin.MOCK)
        note = f"{rows:,} rows made from the contract, seed {seed}"
        return Handle(name, "mock", frame, frame, pin, recipe, contract, note=note)

    def __call__(self, port: InputPort, bundle: Path) -> OpenedInput:
        """Open an exported product's input: what `deploy` calls for each."""
        recipe = port.recipe
        kind = recipe.get("kind")
        if kind == "port":
            start, end, as_of = (recipe.get(k) for k in ("start", "end", "as_of"))
            window = Window.of(start, end, as_of, self.now)
            handle = self.port(port.name, recipe["address"], None, window)
            return OpenedInput(handle.data, handle.pin, handle.window)
        if kind == "source":
            handle = replace(self, base=bundle).source(port.name, Asked.of_recipe(recipe))
            return OpenedInput(handle.data, pinned(handle))
        if kind == "mock":
            return self._mock(port, recipe, bundle)
        raise SpecError(
            f"input '{port.name}' is of kind {kind!r}, which is not known.",
            next_step="known kinds: port, source, mock",
        )

    def _mock(self, port: InputPort, recipe: dict[str, Any], bundle: Path) -> OpenedInput:
        if "data" in recipe:  # modelled on a real frame: the bundle carries the rows themselves
            scan = open_source(recipe["data"], bundle)
            version = f"{recipe['rows']} rows, seed {recipe['seed']}, {scan.fingerprint()[:12]}"
            return OpenedInput(
                scan, InputPin(port.name, "mock", port.contract_id, version, Origin.MOCK)
            )
        path = bundle / "contracts" / "inputs" / f"{port.name}.odcs.yaml"
        contract = Contract.loads(path.read_text("utf-8"), path.name)
        there = Opener(
            self.catalogue, self.principal, self.now, bundle, recipe.get("populations") or {}
        )
        handle = there.mock(
            port.name, contract, recipe["rows"], recipe["seed"], recipe.get("breaking")
        )
        return OpenedInput(handle.data, handle.pin)


def _event_window(reading: Reading) -> EventWindow | None:
    """Return the limits that a clean process must set again, or None where there are none."""
    column = reading.contract.event_time
    if not reading.window.bounded or column is None:
        return None
    return EventWindow(column, reading.window.start, reading.window.end)


def pinned(handle: Handle) -> InputPin:
    """Return the handle's pin with the content of a source hashed, which reads it once.

    Raises
    ------
    SourceError
        A file was written to since it was opened: what the notebook saw is not there any more.
    """
    from mesh_notebook.mesh.scan import Scan
    from mesh_notebook.mesh.sources.tables import stamp_of

    if handle.kind != "source" or not isinstance(handle.data, Scan):
        return handle.pin
    stamp = handle.data.stamp
    if stamp and stamp_of(handle.data.paths) != stamp:
        raise SourceError(
            f"the source '{handle.name}' ({handle.pin.where}) was written to since it was opened.",
            next_step="run the cell that opens it again, and the cells that follow",
            input=handle.name,
        )
    return replace(handle.pin, version=handle.data.fingerprint())


def fitting(uri: str, base: Path, folder: Path) -> str:
    """Return a relative path as seen from a bundle in `folder`, so that both move together."""
    if "://" in uri or Path(uri).is_absolute():
        return uri
    return Path(os.path.relpath(base / uri, folder)).as_posix()


def slug(name: str) -> str:
    """Return the address part for a Python name (`user_profiles` → `user-profiles`)."""
    return name.strip("_").replace("_", "-") or "input"
