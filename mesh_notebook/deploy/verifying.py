"""Verify a bundle: its files are as sealed, and its transform makes the sealed rows again."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mesh_notebook.deploy.running import module_for
from mesh_notebook.deploy.validating import Validated
from mesh_notebook.deploy.views import refuse_other_view
from mesh_notebook.errors import MeshError
from mesh_notebook.mesh.bundle import Bundle
from mesh_notebook.mesh.engines import refuse_unknown
from mesh_notebook.mesh.inputs import OpenedInput
from mesh_notebook.mesh.replay import ReplayFailed, replay, rows_in
from mesh_notebook.mesh.seals import RECEIPT, changed_files, conformed, sealed_receipt, unlike
from mesh_notebook.model.product import InputPort
from mesh_notebook.model.receipt import InputPin

__all__ = ["Verified", "verify"]


@dataclass(frozen=True)
class Verified:
    """What a verification found.

    Attributes
    ----------
    engine : str
        Where the rows were made again.
    findings : tuple of str
        What is not as the receipt says; empty where everything is.
    rows : dict
        By output port: how many rows were made again, and equal to those that were proved.
    other_versions : dict
        What runs here in another version than it was proved with: `1.0 here, 0.9 then`.
    """

    product: str
    engine: str
    findings: tuple[str, ...]
    rows: dict[str, int]
    files: int
    inputs: tuple[InputPin, ...]
    other_versions: dict[str, str]

    @property
    def passed(self) -> bool:
        return not self.findings


def verify(
    bundle: Path,
    open_pinned: Callable[[InputPort, Path, InputPin], OpenedInput],
    *,
    engine: str = "polars",
    master: str = "",
    progress: Callable[[str], None] = lambda step: None,
) -> Verified:
    """Hold a bundle to its receipt, and prove it again on the rows that its inputs had then.

    Parameters
    ----------
    open_pinned : callable
        Opens an input port of the bundle in that folder as it was when it was pinned.
    engine, master : str
        As `running.run` takes them. What another engine makes is held to the rows that the
        notebook had, in their types.

    Raises
    ------
    SpecError
        There is no receipt, or it was changed itself; or the bundle's documents are not valid.
    DeployRefused
        The product does not go to that engine, or an input shows something else than was proved.
    UsageError, MissingExtra
        There is no such engine, or it cannot start here.
    """
    refuse_unknown(engine)
    progress("check the seals of the files")
    receipt = sealed_receipt(bundle)
    findings, rows = list(changed_files(bundle, receipt["files"])), dict[str, int]()
    pins = {pin["name"]: _pin(pin) for pin in receipt["inputs"]}
    name = bundle.name
    if not findings:  # what is not as it was sealed is not run
        made = Validated.of(Bundle(bundle))
        name = made.product.name
        module = module_for(made, engine)
        opened = _opened(made, pins, bundle, open_pinned, findings, progress)
        if len(opened) == len(made.product.inputs):
            progress(f"run {module.name} on {engine} in a clean process")
            there = (module, engine, master)
            rows = _proved(made, there, opened, receipt["proved"], findings)
    return Verified(
        product=name,
        engine=engine,
        findings=tuple(findings),
        rows=rows,
        files=len(receipt["files"]),
        inputs=tuple(pins.values()),
        other_versions=_other_versions(receipt["engine"]),
    )


def _pin(raw: Mapping[str, Any]) -> InputPin:
    from mesh_notebook.model.origin import Origin

    return InputPin(**{**raw, "origin": Origin(raw["origin"])})


def _opened(
    made: Validated,
    pins: Mapping[str, InputPin],
    bundle: Path,
    open_pinned: Callable[[InputPort, Path, InputPin], OpenedInput],
    findings: list[str],
    progress: Callable[[str], None],
) -> dict[str, OpenedInput]:
    """Open the inputs as they were; what cannot be is a finding."""
    opened = {}
    for port in made.product.inputs:
        progress(f"open the input {port.name} as it was")
        if port.name not in pins:
            findings.append(f"the input '{port.name}' is not in {RECEIPT}")
            continue
        pin = pins[port.name]
        try:
            given = open_pinned(port, bundle, pin)
        except MeshError as error:
            findings.append(f"the input '{port.name}' cannot be had as it was: {error.message}")
            continue
        refuse_other_view(port, given, made.bundle)
        if given.pin.version != pin.version:
            was, now = _short(pin), _short(given.pin)
            findings.append(f"the input '{port.name}' ({pin.where}) was {was} and is {now}")
            continue
        opened[port.name] = given
    return opened


def _short(pin: InputPin) -> str:
    return f"{'snapshot ' if pin.kind == 'port' else ''}{pin.version[:12]}"


def _proved(
    made: Validated,
    there: tuple[Path, str, str],
    opened: Mapping[str, OpenedInput],
    proved: Mapping[str, Any],
    findings: list[str],
) -> dict[str, int]:
    """Make the rows again by a module, on an engine; return how many are equal to the sealed."""

    module, *engine = there
    rows = {}
    # A JVM that is just ending may still remove files of its own in there.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as work:
        try:
            paths = replay(module, list(made.functions.values()), opened, Path(work), *engine)
        except ReplayFailed as error:
            findings.append(error.message)
            return {}
        for port, name in made.functions.items():
            seal = proved["seals"][port]
            frame = rows_in(paths[name])
            if engine[0] != "polars":
                frame = conformed(frame, seal)
            said = unlike(seal, frame, proved["floats"]["relative32"])
            findings.extend(
                f"the rows of '{port}' are not those that were proved: {s}" for s in said
            )
            if not said:
                rows[port] = frame.height
    return rows


def _other_versions(then: Mapping[str, str]) -> dict[str, str]:
    import platform
    from importlib.metadata import version

    now = {n: platform.python_version() if n == "python" else version(n) for n in then}
    return {n: f"{now[n]} here, {then[n]} then" for n in then if now[n] != then[n]}
