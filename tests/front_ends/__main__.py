"""Run the tutorials as each front end does, over one mesh: each version has one release in the end.

    .venv-browser/bin/python tests/front_ends .venv/bin [FRONT_END …]      # `make browser`

First `make demo`, then every tutorial twice in JupyterLab, by Run All Cells in a real Chromium
(CHROMIUM names it, else it is looked for), then under nbclient, `jupyter execute`, papermill with
parameters, and as VS Code talks to a kernel. Every cell must run through, and nothing may count as
another transform: neither Markdown, which only some of them can tell, nor the name of the file.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import headless
from lab import in_lab

_PROJECT = Path(__file__).parents[2]
FRONT_ENDS: dict[str, Callable[[Path, list[Path]], None]] = {
    "demo": headless.demo,
    "lab": in_lab,
    "lab again": in_lab,
    "nbclient": headless.by_nbclient,
    "jupyter execute": headless.by_jupyter_execute,
    "papermill": headless.by_papermill,
    "vs code": headless.as_vs_code,
}


def main(binaries: Path, wanted: list[str]) -> int:
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        shutil.copytree(_PROJECT / "synthetic", home / "synthetic")
        (home / "notebooks").mkdir()
        for path in sorted((_PROJECT / "notebooks").glob("*.ipynb")):
            shutil.copy(path, home / "notebooks")
        _surround(home, binaries)
        notebooks = sorted((home / "notebooks").glob("*.ipynb"))
        several = {
            f"{front_end}: {said}"
            for front_end in wanted or FRONT_ENDS
            for said in _tried(front_end, binaries, notebooks)
        }
    for said in sorted(several):
        print(f"  ✗ {said}")
    return 1 if several else 0


def _surround(home: Path, binaries: Path) -> None:
    """Keep what the tutorials make, and what Jupyter remembers, within a folder."""
    for name in [name for name in os.environ if name.startswith(("MESH_", "JPY_", "JUPYTER_"))]:
        del os.environ[name]
    os.environ |= {"HOME": str(home), "JUPYTER_PATH": str(home / "jupyter")}
    spec = home / "jupyter" / "kernels" / headless.KERNEL
    spec.mkdir(parents=True)
    command = [str(binaries / "python"), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (spec / "kernel.json").write_text(
        json.dumps({"argv": command, "display_name": "Python 3", "language": "python"})
    )


def _tried(front_end: str, binaries: Path, notebooks: list[Path]) -> list[str]:
    """Return what is wrong after a front end ran the tutorials."""
    began = time.monotonic()
    try:
        FRONT_ENDS[front_end](binaries, notebooks)
    except headless.Failed as failed:
        return [str(failed)]
    found = _releases(notebooks[0].parent)
    took = time.monotonic() - began
    snapshots = sum(count for _, count in found.values())
    print(
        f"{front_end:<16} {len(found)} versions, {snapshots} snapshots, {took:4.0f} s", flush=True
    )
    return [
        f"{product} has {len(names)} releases: {', '.join(sorted(names))}"
        for product, (names, _) in found.items()
        if len(names) != 1
    ]


def _releases(folder: Path) -> dict[str, tuple[set[str], int]]:
    """Return by product and version its releases, and how many snapshots are of it."""
    names: dict[str, set[str]] = defaultdict(set)
    counts: dict[str, int] = defaultdict(int)
    for mesh in (folder / ".mesh", folder / "data" / "policies" / "mesh"):
        for kept in mesh.glob("*/*/releases/*"):
            names[f"{kept.parts[-3]} {kept.name.rpartition('-')[0]}"].add(kept.name)
        for path in mesh.glob("*/*/publications/0*.json"):
            receipt = json.loads(path.read_text())
            version = f"{path.parts[-3]} {receipt['version']}"
            names[version].add(receipt["release"])
            counts[version] += 1
    return {version: (names[version], counts[version]) for version in sorted(names)}


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1]).absolute(), sys.argv[2:]))
