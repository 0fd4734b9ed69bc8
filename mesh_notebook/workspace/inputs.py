"""Input ports as the notebook holds them: one handle for a port, a source or a mock.

A handle is opened from a *recipe*, the mapping that an exported product keeps in its
`inputPorts`. The notebook, the proof and every later deployment open it the same way.
Which of its truths it shows (live, sample, mock) is part of the recipe (see `truths`).
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
from mesh_notebook.model.address import Address, python_name
from mesh_notebook.model.contract import Contract
from mesh_notebook.model.origin import Origin
from mesh_notebook.model.policy import Asker
from mesh_notebook.model.product import InputPort, major_of
from mesh_notebook.model.receipt import InputPin
from mesh_notebook.model.time import Window, iso
from mesh_notebook.model.truth import LIVE, Truth
from mesh_notebook.model.view import View

if TYPE_CHECKING:
    import polars as pl

    from mesh_notebook.mesh.scan import Scan
    from mesh_notebook.mesh.shape import Shape

__all__ = ["Handle", "Opener", "fitting", "pinned", "port_recipe", "recipe_window", "slug"]


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
        For a port: what was read, of which snapshot; nothing where it is mocked.
    truth : Truth
        What was asked for; what it is, `origin` says.
    note : str
        How the rows were chosen or made, where they are not all the live ones.
    warnings : tuple of str
        What its contract has beyond the standard, and what a mock of it does not keep.
    guessed : str
        Of a source: what nobody said, and was read off its files.
    untied : Contract or None
        Of a mock: the contract as it was written, before it was tied to those of other mocks.
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
    truth: Truth = LIVE
    warnings: tuple[str, ...] = ()
    guessed: str = ""
    untied: Contract | None = None

    @property
    def origin(self) -> Origin:
        return self.pin.origin

    @property
    def mode(self) -> Origin:
        return self.truth.mode


@dataclass(frozen=True)
class Opener:
    """Opens inputs against one mesh, for one who asks, at one moment."""

    catalogue: Catalogue
    asks: Asker | str
    now: datetime
    base: Path
    # Frames by mocked identity: how many keys the upstreams that were mocked here have.
    populations: Mapping[str, int] = field(default_factory=dict)
    progress: Callable[[str], None] = lambda step: None

    def port(
        self,
        name: str,
        product: str,
        port: str | None,
        window: Window,
        truth: Truth = LIVE,
        major: str | None = None,
        purpose: str = "",
    ) -> Handle:
        """Connect to an output port, at the snapshot that the window's `as_of` means.

        Without a name, the input is called after the product. `major` is the major version that
        it was connected to before; without one it is the newest, and stays the one that is read.
        `purpose` is what it was connected for; what who asks says counts more.
        """
        from mesh_notebook.workspace.truths import mocked, sampled

        published, named = self.catalogue.resolve(product)
        if truth.mode is Origin.MOCK:
            of = (published, port or named, window, truth, major, purpose)
            return mocked(self, name, *of)
        reading = read_port(published, port or named, window, self._asker(purpose), major)
        address = reading.product.address.with_port(reading.port)
        receipt, name = reading.receipt, name or python_name(reading.product.name)
        live = Handle(
            name=name,
            kind="port",
            frame=reading.frame,
            data=reading.scan,
            pin=InputPin(name, "port", str(address), str(receipt.snapshot), reading.origin),
            recipe={
                **port_recipe(address, window, major_of(receipt.version), purpose),
                "view": View.of(reading.decision).as_dict(),
            },
            contract=reading.contract,
            reading=reading,
            window=_event_window(reading),
        )
        return sampled(live, truth)

    def _asker(self, purpose: str) -> Asker:
        asks = Asker(self.asks) if isinstance(self.asks, str) else self.asks
        return replace(asks, purpose=asks.purpose or purpose)

    def sourced(self, name: str, recipe: Mapping[str, Any]) -> Handle:
        """Open an operational source by its recipe."""
        from mesh_notebook.workspace.truths import sampled

        live = self.source(name, Asked.of_recipe(recipe))
        return sampled(live, Truth.from_recipe(recipe))

    def source(self, name: str, asked: Asked) -> Handle:
        """Open an operational source; its path is kept relative to `base`, as it was written."""
        scan = open_source(asked, World(self.base, progress=self.progress))
        # What was captured stands still, so that its pin is known from the first read on.
        version = "" if scan.stamp else scan.fingerprint()
        pin = InputPin(name, "source", asked.uri, version, Origin.LIVE, scan.state)
        window, frame = _cut_of(asked), scan.lazy()
        if asked.event_time and not asked.uri.startswith("postgres"):  # which cuts its own
            EventWindow(asked.event_time).refuse_unread(frame)
        frame = window.cut(frame) if window else frame
        handle = Handle(name, "source", frame, scan, pin, asked.recipe(), note=scan.state)
        return replace(handle, guessed=scan.guessed, window=window)

    def keys_of(self, contract: Contract) -> dict[str, int]:
        """Return how many keys there are of each column that the contract's columns mean."""
        from mesh_notebook.mock.drafting import normal

        links = [column.link for column in contract.columns if column.link]
        known = {normal(urn): count for urn, count in self.populations.items()}
        return {link: known[normal(link)] for link in links if normal(link) in known}

    def mock(
        self,
        name: str,
        contract: Contract,
        rows: int,
        seed: int,
        breaking: str | None = None,
        window: Window | None = None,
        shape: Shape | None = None,
    ) -> Handle:
        """Make a mock from a contract; upstreams mocked before lend it their keys.

        With a `shape`, its values lie as the shape says: a stand-in.
        """
        from mesh_notebook.mock.from_contract import mock
        from mesh_notebook.mock.from_shape import stand_in
        from mesh_notebook.mock.within import within

        used = self.keys_of(contract)
        narrowed = within(contract, window) if window else contract
        made = (
            stand_in(narrowed, shape, rows, seed, used)
            if shape
            else mock(narrowed, rows, seed, used, breaking)
        )
        frame = made.lazy()
        recipe: dict[str, Any] = {"kind": "mock", "rows": rows, "seed": seed}
        if used:
            recipe["populations"] = used
        if breaking:
            recipe["breaking"] = breaking
        pin = InputPin(name, "mock", contract.id, f"{rows} rows, seed {seed}", Origin.MOCK)
        note = f"{rows:,} rows made from the contract, seed {seed}"
        truth = Truth(Origin.MOCK, rows, seed)
        return Handle(name, "mock", frame, frame, pin, recipe, contract, note=note, truth=truth)

    def __call__(self, port: InputPort, bundle: Path) -> OpenedInput:
        """Open an exported product's input: what `deploy` calls for each."""
        recipe = port.recipe
        kind = recipe.get("kind")
        if kind == "mock" or (kind == "port" and recipe.get("mode") == Origin.MOCK):
            return self._mock(port, recipe, bundle)
        if kind == "port":
            window, truth = recipe_window(recipe, self.now), Truth.from_recipe(recipe)
            wanted = (recipe["address"], None, window, truth, recipe.get("major"))
            handle = self.port(port.name, *wanted, str(recipe.get("purpose") or ""))
            decision = handle.reading.decision if handle.reading else None
            return OpenedInput(handle.data, handle.pin, handle.window, decision)
        if kind == "source":
            handle = replace(self, base=bundle).sourced(port.name, recipe)
            return OpenedInput(handle.data, pinned(handle), handle.window)
        raise SpecError(
            f"input '{port.name}' is of kind {kind!r}, which is not known.",
            next_step="known kinds: port, source, mock",
        )

    def _mock(self, port: InputPort, recipe: dict[str, Any], bundle: Path) -> OpenedInput:
        from mesh_notebook.workspace.standins import of_shape, shape_again

        if "data" in recipe:  # modelled on a real frame: the bundle carries the rows themselves
            scan = open_source(recipe["data"], bundle)
            version = f"{recipe['rows']} rows, seed {recipe['seed']}, {scan.fingerprint()[:12]}"
            return OpenedInput(
                scan, InputPin(port.name, "mock", port.contract_id, version, Origin.MOCK)
            )
        path = bundle / "contracts" / "inputs" / f"{port.name}.odcs.yaml"
        contract = Contract.loads(path.read_text("utf-8"), path.name)
        there = Opener(self.catalogue, self.asks, self.now, bundle, recipe.get("populations") or {})
        snapshot = recipe.get("shapeOf")
        shape = shape_again(self.catalogue, recipe["address"], snapshot) if snapshot else None
        handle = there.mock(
            port.name,
            contract,
            recipe["rows"],
            recipe["seed"],
            recipe.get("breaking"),
            recipe_window(recipe, self.now),
            shape,
        )
        pin = of_shape(handle.pin, snapshot) if snapshot else handle.pin
        return OpenedInput(handle.data, pin)


def port_recipe(address: Address, window: Window, major: str, purpose: str = "") -> dict[str, Any]:
    """Return how to open the live rows of a port again, of the same major version."""
    recipe: dict[str, Any] = {"kind": "port", "address": str(address), "major": major}
    if purpose:
        recipe["purpose"] = purpose
    for name in ("start", "end", "as_of"):
        if moment := getattr(window, name):
            recipe[name] = iso(moment)
    return recipe


def recipe_window(recipe: Mapping[str, Any], now: datetime) -> Window:
    """Return the window that a recipe was made with; one without limits where it says none."""
    return Window.of(recipe.get("start"), recipe.get("end"), recipe.get("as_of"), now)


def _event_window(reading: Reading) -> EventWindow | None:
    """Return the limits that a clean process must set again, or None where there are none."""
    column = reading.contract.event_time
    if not reading.window.bounded or column is None:
        return None
    return EventWindow(column, reading.window.start, reading.window.end)


def _cut_of(asked: Asked) -> EventWindow | None:
    """Return how the rows of a source are cut once they are here; a database cuts its own."""
    if asked.event_time is None or asked.uri.startswith("postgres"):
        return None
    limits = (asked.start, asked.end)
    start, end = (datetime.fromisoformat(one) if one else None for one in limits)
    return EventWindow(asked.event_time, start, end) if start or end else None


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
