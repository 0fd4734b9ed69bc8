"""Read contracts that others published, mock the flat ones, and hold each mock to its contract.

    python tests/public/contracts.py FOLDER      # FOLDER holds a clone of each, as OWNER+NAME

`contracts.toml` lists them with their source; it was written before the first of them was read.
None of their text is kept here, and nothing is fetched: a clone needs the commit that is named.

A contract counts where it is loaded and described and, if it is flat, mocked with rows that keep
it. Flat is one table of which no column holds others. Of a contract with several tables, or with
columns that hold others, what comes of its mocks is told as well. 200 rows are made, or as many as
a rule on the number of rows demands.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mesh_notebook
from mesh_notebook.errors import MeshError
from mesh_notebook.mesh.dtypes import column_dtype
from mesh_notebook.mesh.rules import threshold
from mesh_notebook.model.contract import Contract, Rule

__all__: list[str] = []

_HERE = Path(__file__).parent
_ROWS, _MOST_ROWS = 200, 2_000_000
_WANTED = 57


def text_of(clones: Path, one: dict[str, str]) -> str:
    """Return the text of a contract at its commit, out of a clone or a bare one."""
    clone = clones / one["repository"].replace("/", "+")
    folder = next(f for f in (clone / ".git", clone / "repo", clone) if (f / "objects").is_dir())
    command = ["git", f"--git-dir={folder}", "show", f"{one['commit']}:{one['path']}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def rows_for(contract: Contract) -> int:
    """Return how many rows to ask for: where rules demand a number of rows, that many."""
    wanted = [least for rule in contract.rules if (least := _least(rule, contract)) is not None]
    return min(max(wanted), _MOST_ROWS) if wanted else _ROWS


def _least(rule: Rule, contract: Contract) -> int | None:
    if rule.kind == "sql":
        query = " ".join(str(rule.value.get("query")).upper().split()).removesuffix(";")
        if not query.startswith(("SELECT COUNT(*) FROM ", "SELECT COUNT(1) FROM ")):
            return None
        if len(query.split(" FROM ")[1].split()) > 1:  # a condition, or a join
            return None
    elif rule.kind != "rowCount":
        return None
    operator = threshold(rule.value)
    value = rule.value[operator]
    first = value[0] if isinstance(value, list) else value
    over = operator in ("mustBeGreaterThan", "mustNotBe")
    return int(first) + over if operator.startswith(("mustBe", "mustNotBe")) else None


def is_flat(contract: Contract) -> bool:
    """Say whether it is one table of which no column holds others."""
    if len(contract.tables) != 1 or not contract.columns:
        return False
    return not any(_holds_others(column) for column in contract.columns)


def _holds_others(column: Any) -> bool:
    try:
        return column_dtype(column).is_nested()
    except MeshError:
        return column.logical_type in ("array", "object")


def tried(path: Path, name: str) -> tuple[str, str]:
    """Return how far one table goes: `mocked`, `kept`, or `refused` with what was said."""
    mesh = mesh_notebook.open(root=path.parent / "mesh")
    contract = mesh.describe(str(path)).contract.of_table(name)
    try:
        mesh.mock(str(path), rows=rows_for(contract), seed=1, name="rows", table=name)
        report = mesh.check("rows").reports[0]
    except MeshError as error:
        return "refused", str(error).splitlines()[0]
    broken = "; ".join(f"{r.rule.id}: {r.note}" for r in report.failures)
    return ("broken", broken) if broken else ("kept", f"{len(report.warnings)} not checked")


def verdicts(clones: Path) -> Iterator[tuple[dict[str, str], str, str]]:
    """Yield what came of each contract: its end, and the reason where it is no good one."""
    for one in tomllib.loads((_HERE / "contracts.toml").read_text("utf-8"))["contract"]:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "one.odcs.yaml"
            path.write_text(text_of(clones, one), "utf-8")
            yield one, *_verdict(path)


def _verdict(path: Path) -> tuple[str, str]:
    mesh = mesh_notebook.open(root=path.parent / "mesh")
    try:
        described = mesh.describe(str(path))
    except MeshError as error:
        return "refused", str(error).splitlines()[0]
    contract = described.contract
    again = Contract.loads(contract.dumps())
    assert again.raw == contract.raw, "a save loses something"
    if not contract.columns:
        return "described", "no table, or no column, yet"
    ends = {name: tried(path, name) for name in described.tables}
    if is_flat(contract):
        return "flat, " + next(iter(ends.values()))[0], next(iter(ends.values()))[1]
    told = Counter(end for end, _ in ends.values())
    bad = [f"{name}: {said}" for name, (end, said) in ends.items() if end != "kept"]
    kinds = ", ".join(f"{many} {end}" for end, many in told.items())
    return f"described; {len(ends)} tables: {kinds}", "; ".join(bad[:3])


def main(folder: str) -> int:
    """Try all of the list; return the exit code."""
    read = flat = kept = many = 0
    for one, end, said in verdicts(Path(folder).resolve()):
        many += 1
        read += end != "refused"
        flat += end.startswith("flat")
        kept += end == "flat, kept"
        print(f"{end}: {one['repository']}/{one['path']}", flush=True)
        if said and end != "flat, kept":
            print(f"    {said}", flush=True)
    print(
        f"{read} of {many} read and described (wanted {_WANTED}); {kept} of {flat} flat ones kept"
    )
    return 0 if read >= _WANTED and kept == flat else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
