"""To which other engines a product goes: `portable.py`, run there and compared, or refused.

That an engine cannot take a product is no reason not to export it: it is told, and recorded.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesh_notebook.errors import ContractError, UsageError
from mesh_notebook.export.comparing import difference
from mesh_notebook.export.drafts import OutputDraft
from mesh_notebook.export.module import Module
from mesh_notebook.export.portable import NotPortable, Portable, portable_of
from mesh_notebook.export.proving import seen
from mesh_notebook.mesh.engines import ENGINES, refuse_unknown
from mesh_notebook.mesh.replay import ReplayFailed, replay
from mesh_notebook.mesh.store import conformed
from mesh_notebook.model.address import python_name

if TYPE_CHECKING:
    import polars as pl

__all__ = ["PROVED", "Ported", "ported", "refuse_unready"]

# On which engines an export proves a product if nobody says: those that cost next to nothing.
PROVED = ("polars", "duckdb")


@dataclass(frozen=True)
class Ported:
    """How a product goes to each engine.

    Attributes
    ----------
    text : str or None
        `portable.py`; None where no other engine can run the transform.
    engines : dict
        By engine: 'proved', 'translated' (it can go, and was not run there) or 'refused'.
    refusals : tuple of NotPortable
        What keeps it from which engine.
    """

    text: str | None
    engines: dict[str, str]
    refusals: tuple[NotPortable, ...]

    def told(self) -> dict[str, Any]:
        """Return what a receipt says of it."""
        return {"engines": self.engines, "notPortable": [asdict(one) for one in self.refusals]}


def refuse_unready(engines: Sequence[str]) -> None:
    """Raise where a product cannot be proved on one of these engines here, whatever it is."""
    for name in engines:
        refuse_unknown(name)
    if "spark" in engines:
        from mesh_notebook.mesh.engines.on_spark import refuse_without_spark

        refuse_without_spark()


def ported(
    module: Module, outputs: Mapping[str, OutputDraft], engines: Sequence[str] = PROVED
) -> Ported:
    """Write a product for other engines, and prove it on those that are named.

    It is proved when it gives the notebook's rows, in the types of the contracts.
    """
    portable = portable_of(module)
    verdicts = {"polars": "proved"}
    refusals = list(portable.refusals)
    for engine in ENGINES[1:]:
        verdicts[engine] = "translated" if engine in portable.engines else "refused"
        if verdicts[engine] == "refused" or engine not in engines:
            continue
        failed = _differing(module, portable, outputs, engine)
        verdicts[engine] = "refused" if failed else "proved"
        refusals += failed
    goes = any(verdicts[engine] != "refused" for engine in ENGINES[1:])
    return Ported(portable.text if goes else None, verdicts, tuple(refusals))


def _differing(
    module: Module, portable: Portable, outputs: Mapping[str, OutputDraft], engine: str
) -> list[NotPortable]:
    ports = [one.port for one in module.plan.slices]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        try:
            made = _made(module, portable, ports, Path(folder), engine)
        except ReplayFailed as error:
            port = next((p for p in ports if python_name(p) == error.function), "")
            return [NotPortable(engine, port, "", _line(portable, error.line), error.message)]
        told = (_told(module, port, made[port], outputs[port], engine) for port in ports)
        return [one for one in told if one]


def _made(
    module: Module, portable: Portable, ports: list[str], folder: Path, engine: str
) -> dict[str, pl.DataFrame]:
    import polars as pl

    path = folder / "portable.py"
    path.write_text(portable.text or "", "utf-8")
    inputs = {name: draft.replayed for name, draft in module.plan.inputs.items()}
    made = replay(path, [python_name(port) for port in ports], inputs, folder, engine)
    return {port: pl.read_ipc(made[python_name(port)]) for port in ports}


def _told(
    module: Module, port: str, made: pl.DataFrame, output: OutputDraft, engine: str
) -> NotPortable | None:
    one = next(one for one in module.plan.slices if one.port == port)
    try:
        saw = conformed(seen(one, output), output.contract)
        said = difference(saw, conformed(made, output.contract), output.contract.key)
    except (ContractError, UsageError) as error:
        said = error.message
    return NotPortable(engine, port, "", one.result, f"other rows: {said}") if said else None


def _line(portable: Portable, line: int | None) -> str:
    lines = (portable.text or "").splitlines()
    return lines[line - 1].strip() if line and line <= len(lines) else ""
