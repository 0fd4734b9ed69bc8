"""Run pieces of code as a transform would be run, guarded, all in one clean process.

`python -I guarded.py FOLDER` reads `FOLDER/pieces.json`, `{name: code}`, and writes
`FOLDER/work/told.json`, `{name: [what it reached for]}`.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import indent
from typing import Any

# Stands for an installed library: one that looks about for itself, and one that is asked to.
LIBRARY = """
import os, subprocess
os.path.exists('matplotlibrc')

def fonts(): return [os.path.exists(os.path.expanduser(p)) for p in ('~/.fonts', '~/.config/lib')]
def read(path):
    with open(path) as file: return file.read()
def save(path):
    new = not os.path.exists(path)
    with open(path, 'w') as file: file.write('x')
def cached(path): return os.path.exists(path) and read(path)
def processors():
    try: return subprocess.check_output(['lscpu'])
    except OSError: return b''
"""


def main(folder: Path) -> None:
    pieces = json.loads((folder / "pieces.json").read_text())
    work, own, installed = folder / "work", folder / "transform.py", folder / "site-packages"
    for one in (work / "home", work / "tmp", installed):
        one.mkdir(parents=True)
    (installed / "library.py").write_text(LIBRARY)
    (folder / "input.csv").write_text("a\n1\n")
    sys.path.append(str(installed))
    os.chdir(work)
    os.environ.update({"HOME": str(work / "home"), "TMPDIR": str(work / "tmp")})
    code = [f"def f{n}():\n{indent(one, '    ')}" for n, one in enumerate(pieces.values())]
    own.write_text("\n\n".join(code))
    (work / "attempts.jsonl").touch()
    record = os.open(work / "attempts.jsonl", os.O_RDONLY)
    from mesh_notebook.mesh.guard import guard

    guard([str(folder / "input.csv")], work, own, present=["settings"])
    names: dict[str, Any] = {}
    exec(compile("\n\n".join(code), str(own), "exec"), names)
    told = {name: reached(names[f"f{n}"], record) for n, name in enumerate(pieces)}
    (work / "told.json").write_text(json.dumps(told))


def reached(piece: Callable[[], object], record: int) -> list[str]:
    """Run a piece, whatever becomes of it, and return what was written down meanwhile."""
    before = os.fstat(record).st_size
    failed = []
    try:
        piece()
    except Exception as error:  # noqa: BLE001  whatever its own mistake is
        failed = [f"failed: {error!r}"]
    lines = os.pread(record, 1_000_000, before).splitlines()
    said = [json.loads(line) for line in lines]
    made = [one["made"] for one in said if "made" in one]
    what = [one["what"] for one in said if "what" in one and one["place"] not in made]
    return what or failed


if __name__ == "__main__":
    main(Path(sys.argv[1]))
