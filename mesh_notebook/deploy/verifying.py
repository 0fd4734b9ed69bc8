"""Verify a bundle: its files are as sealed, and its transform makes the sealed rows again."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mesh_notebook.deploy.validating import Validated
from mesh_notebook.errors import MeshError
from mesh_notebook.mesh.bundle import Bundle
from mesh_notebook.mesh.inputs import OpenedInput
from mesh_notebook.mesh.replay import ReplayFailed, replay
from mesh_notebook.mesh.seals import RECEIPT, changed_files, sealed_receipt, unlike
from mesh_notebook.model.product import InputPort
from mesh_notebook.model.receipt import InputPin

__all__ = ["Verified", "verify"]


@dataclass(frozen=True)
class Verified:
    """What a verification found.

    Attributes
    ----------
    findings : tuple of str
        What is not as the receipt says; empty where everything is.
    rows : dict
        By output port: how many rows were made again, and equal to those that were proved.
    other_versions : dict
        What runs here in another version than it was proved with: `1.0 here, 0.9 then`.
    """

    product: str
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
    progress: Callable[[str], None] = lambda step: None,
) -> Verified:
    """Hold a bundle to its receipt, and prove it again on the rows that its inputs had then.

    Parameters
    ----------
    open_pinned : callable
        Opens an input port of the bundle in that folder as it was when it was pinned.

    Raises
    ------
    SpecError
        There is no receipt, or it was changed itself; or the bundle's documents are not valid.
    """
    progress("check the seals of the files")
    receipt = sealed_receipt(bundle)
    findings, rows = list(changed_files(bundle, receipt["files"])), dict[str, int]()
    pins = {pin["name"]: _pin(pin) for pin in receipt["inputs"]}
    name = bundle.name
    if not findings:  # what is not as it was sealed is not run
        made = Validated.of(Bundle(bundle))
        name = made.product.name
        opened = _opened(made, pins, bundle, open_pinned, findings, progress)
        if len(opened) == len(made.product.inputs):
            progress("run the transform in a clean process")
            rows = _proved(made, opened, receipt["proved"], findings)
    return Verified(
        product=name,
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
    opened: Mapping[str, OpenedInput],
    proved: Mapping[str, Any],
    findings: list[str],
) -> dict[str, int]:
    """Make the rows again; return how many were equal to those that were sealed."""
    import polars as pl

    rows = {}
    with tempfile.TemporaryDirectory() as work:
        try:
            paths = replay(made.bundle.transform, list(made.functions.values()), opened, Path(work))
        except ReplayFailed as error:
            findings.append(error.message)
            return {}
        for port, name in made.functions.items():
            frame = pl.read_ipc(paths[name])
            said = unlike(proved["seals"][port], frame, proved["floats"]["relative32"])
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
