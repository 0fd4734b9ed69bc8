"""The lineage of a transform, found in a clean process that holds no row of any input."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesh_notebook.model.lineage import Grouped, InputField, PortLineage

if TYPE_CHECKING:
    import polars as pl

__all__ = ["lineage_of"]

_JOB, _FOUND = "lineage-job.json", "lineage-found.json"
_SECONDS = 60


def lineage_of(
    transform: str,
    columns: Mapping[str, tuple[str, tuple[str, ...]]],
    schemas: Mapping[str, pl.Schema],
    parameters: Mapping[str, tuple[str, ...]],
    workdir: Path,
) -> dict[str, PortLineage]:
    """Return by output port what its columns are made of.

    Parameters
    ----------
    transform : str
        The module's text.
    columns : mapping
        By output port: the function that makes it, and its columns.
    schemas : mapping
        By input: its columns and their types.
    parameters : mapping
        By output port: the inputs that its function is given.
    workdir : Path
        An existing, empty folder that the caller removes.

    Of a function that cannot be followed, every column may be made of every column of its inputs.
    """
    import polars as pl

    (workdir / "lineage.py").write_text(transform, "utf-8")
    for name, schema in schemas.items():
        pl.DataFrame(schema=schema).write_ipc(workdir / f"{name}.arrow")
    job = {"functions": [function for function, _ in columns.values()], "inputs": list(schemas)}
    (workdir / _JOB).write_text(json.dumps(job), "utf-8")
    found = _found(workdir)
    return {
        port: _read(found[function], names)
        if function in found
        else _anything(names, {p: schemas[p] for p in parameters[port]})
        for port, (function, names) in columns.items()
    }


def _found(workdir: Path) -> dict[str, Any]:
    command = [sys.executable, "-I", "-m", "mesh_notebook.mesh.lineage.running", _JOB]
    environment = {"TZ": "UTC", "HOME": str(workdir), "PATH": ""}
    try:
        subprocess.run(
            command, cwd=workdir, env=environment, timeout=_SECONDS, capture_output=True, check=True
        )
        return dict(json.loads((workdir / _FOUND).read_text("utf-8")))
    except (subprocess.SubprocessError, OSError, ValueError):
        return {}  # which says that anything may be made of anything


def _read(told: dict[str, Any], names: tuple[str, ...]) -> PortLineage:
    dataset = tuple(InputField(*one) for one in told["dataset"])
    every = {InputField(*one[:2]) for fields in told["fields"].values() for one in fields}
    anything = tuple(sorted(every | {InputField(one.input, one.field) for one in dataset}))
    # A column that only data brings about (a pivot's) may be made of all that was read.
    fields = {
        name: tuple(InputField(*one) for one in told["fields"][name])
        if name in told["fields"]
        else anything
        for name in names
    }
    matched = frozenset((name, column) for name, column in told.get("matched", ()))
    groups = told.get("grouped")
    grouped = groups and Grouped(groups["input"], frozenset(groups["keyed"]))
    return PortLineage(fields, dataset, matched, grouped)


def _anything(names: tuple[str, ...], schemas: Mapping[str, pl.Schema]) -> PortLineage:
    every = tuple(InputField(name, c) for name, schema in schemas.items() for c in schema)
    return PortLineage(dict.fromkeys(names, every), every)


# The child's half ------------------------------------------------------------------------


def main(job_file: str) -> None:
    """Follow each function; those that cannot be followed are left out."""
    import ast

    import polars as pl

    from mesh_notebook.mesh.guard import guard
    from mesh_notebook.mesh.lineage.following import follow
    from mesh_notebook.mesh.replaying import loaded

    job = json.loads(Path(job_file).read_text("utf-8"))
    schemas = {name: pl.read_ipc(f"{name}.arrow").schema for name in job["inputs"]}
    guard([], Path.cwd(), Path("lineage.py").resolve())
    tree = ast.parse(Path("lineage.py").read_text("utf-8"))
    module = loaded(Path("lineage.py"))
    found = {}
    for name in job["functions"]:
        try:
            found[name] = follow(module, tree, name, schemas)
        # The user's own code runs here: whatever it raises, it cannot be followed.
        except Exception as error:  # noqa: BLE001
            print(f"{name}: {type(error).__name__}: {error}", file=sys.stderr)
    Path(_FOUND).write_text(json.dumps(found), "utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
