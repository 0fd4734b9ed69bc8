"""Export notebooks that others published, and say of each whether it went.

    python tests/public FOLDER      # FOLDER holds a clone of each repository, as OWNER+NAME

`notebooks.toml` lists them with their source; it was written before the first export. They are
those of the repositories named there that need no network and no other library, whose last frame is
the same in two plain runs with different hash seeds. None of their text is kept here.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

__all__: list[str] = []

_HERE = Path(__file__).parent
_PATIENCE = 900  # seconds a notebook
_WANTED = 0.95


def exported(clones: Path, one: dict[str, str]) -> dict[str, Any]:
    """Return the verdict on one notebook of the list, tried in a process of its own."""
    notebook = clones / one["repository"].replace("/", "+") / one["path"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        world = {"MESH_ROOTS": "root", "MESH_KEYS": "keys", "MESH_CACHE": "cache"}
        environ = {**os.environ, **{k: str(folder / v) for k, v in world.items()}}
        environ["MPLBACKEND"] = "agg"
        command = [sys.executable, str(_HERE / "exporting.py"), str(notebook), one["frame"], name]
        try:
            subprocess.run(
                command, env=environ, capture_output=True, timeout=_PATIENCE, check=False
            )
        except subprocess.TimeoutExpired:
            return {"end": "refused", "said": "it took too long"}
        told = folder / "verdict.json"
        return json.loads(told.read_text()) if told.exists() else {"end": "died", "said": ""}


def main(folder: str) -> int:
    """Try all of the list; return the exit code."""
    listed = tomllib.loads((_HERE / "notebooks.toml").read_text("utf-8"))["notebook"]
    clones = Path(folder).resolve()
    went = 0
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for one, told in zip(listed, pool.map(lambda o: exported(clones, o), listed), strict=True):
            went += told["end"] == "exported"
            print(f"{told['end']}: {one['repository']}/{one['path']} {one['frame']}", flush=True)
            if told["end"] != "exported":
                print(f"    {told['said']}".replace("\n", "\n    "), flush=True)
    print(f"{went} of {len(listed)} exported ({went / len(listed):.1%}; wanted {_WANTED:.0%})")
    return 0 if went >= _WANTED * len(listed) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
