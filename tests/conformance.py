"""Hold what the notebooks export to the public checkers of ODPS and ODCS.

`make conformance` runs this with the checkers' folder of programs, and a Python that has Polars and
DuckDB alone, as its arguments. The tutorials are executed in a copy, so that nobody's mesh is
touched; then, for each exported bundle, `dataproduct lint` and `datacontract lint` read its
documents, and `datacontract test` reads each output port from a Parquet file that was written
through the port. Of these bundles, and of ten more (`tests/exported`), a clean checkout is held to
the very commands of its own workflow.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import yaml
from standalone import standalone

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ("01-podcast-listeners.ipynb", "02-airport-delays.ipynb", "03-policies.ipynb")
MUST_EXIST = {"podcast-listeners", "airport-delays"}
TEN = ROOT / "tests" / "exporting_ten.py"
# What the checker says of every Parquet file, whatever the contract: it is no finding.
KNOWN = ("Checking types in parquet files is not supported yet",)


def main(programs: Path, plain: Path) -> int:
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        for name in ("notebooks", "synthetic"):
            ignored = shutil.ignore_patterns(".mesh", "products", "data", ".ipynb_checkpoints")
            shutil.copytree(ROOT / name, work / name, ignore=ignored)
        environment = {k: v for k, v in os.environ.items() if k != "MESH_ROOTS"}
        for notebook in NOTEBOOKS:
            demo = [sys.executable, "-m", "mesh_notebook.surfaces.demo", f"notebooks/{notebook}"]
            subprocess.run(demo, cwd=work, env=environment, check=True)
        bundles = sorted((work / "notebooks" / "products").iterdir())
        missing = MUST_EXIST - {bundle.name for bundle in bundles}
        failed = [f"{name}: no bundle" for name in missing]
        passed = 0
        for bundle in bundles:
            for what, problem in (*findings(bundle, programs), alone(bundle, plain)):
                print(f"{'✗' if problem else '✓'} {bundle.name:<20} {what} {problem}".rstrip())
                failed += [what] if problem else []
                passed += not problem
        ten = work / "ten"
        failed += ["ten notebooks"] if subprocess.run([sys.executable, TEN, ten]).returncode else []
        more = sorted((ten / "products").iterdir())
        for bundle in (*bundles, *more):
            for command, problem in checked_out(bundle, programs, work):
                print(f"{'✗' if problem else '✓'} {bundle.name:<20} {command} {problem}".rstrip())
                failed += [command] if problem else []
                passed += not problem
    print(f"\n{passed} passed, {len(failed)} failed")
    return 1 if failed else 0


def findings(bundle: Path, programs: Path) -> Iterator[tuple[str, str]]:
    """Yield what was checked, and what was found wrong with it; nothing if it conforms."""
    yield (
        "dataproduct lint",
        outcome(bundle, programs, "dataproduct", "lint", "--all-errors", "product.odps.yaml"),
    )
    for contract in sorted(bundle.glob("contracts/**/*.odcs.yaml")):
        name = contract.relative_to(bundle).as_posix()
        yield (
            f"datacontract lint {name}",
            outcome(bundle, programs, "datacontract", "lint", "--all-errors", name),
        )
    product = yaml.safe_load((bundle / "product.odps.yaml").read_text())
    for port in product["outputPorts"]:
        write_parquet(bundle, product["name"], port["name"])
        name = f"contracts/{port['name']}.odcs.yaml"
        yield (
            f"datacontract test {name}",
            outcome(bundle, programs, "datacontract", "test", "--server", "parquet", name),
        )


def checked_out(bundle: Path, programs: Path, work: Path) -> Iterator[tuple[str, str]]:
    """Run each command of a bundle's workflow in a clean checkout of it; yield what fails.

    Nothing is installed: what `pip install` would bring is here, and `pipx run --spec NAME`
    becomes the program in the checkers' environment.
    """
    checkout = bundle.with_name(f"{bundle.name}-checkout")
    git = ["git", "-c", "user.name=test", "-c", "user.email=test@localhost", "-C", bundle]
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "as exported"]):
        subprocess.run([*git, *words], check=True)
    subprocess.run(["git", "clone", "-q", bundle, checkout], check=True)
    environment = {**os.environ, "PATH": f"{shims(programs, work)}{os.pathsep}{os.environ['PATH']}"}
    environment["MESH_ROOTS"] = str(bundle.parent.parent / ".mesh")
    environment["MYPY_CACHE_DIR"] = str(work / "mypy")
    jobs = yaml.safe_load((checkout / ".github/workflows/data-product.yml").read_text())["jobs"]
    runs = [step["run"] for step in jobs["check"]["steps"] if "run" in step]
    for command in (line for run in runs for line in run.splitlines()):
        if command.startswith("pip install"):
            continue
        done = subprocess.run(
            ["bash", "-c", command], cwd=checkout, env=environment, capture_output=True, text=True
        )
        said = (done.stdout + done.stderr).strip()[-600:]
        yield command, f"exit {done.returncode}: {said}" if done.returncode else ""


def shims(programs: Path, work: Path) -> Path:
    """Return a folder with a `pipx` that runs what is there, and our programs."""
    folder = work / "shims"
    if not folder.exists():
        folder.mkdir()
        for name in ("ruff", "mypy", "pytest", "mesh"):
            (folder / name).symlink_to(Path(sys.executable).parent / name)
        pipx = folder / "pipx"  # pipx run --spec NAME PROGRAM …
        pipx.write_text(f'#!/bin/sh\nshift 3\nprogram=$1\nshift\nexec "{programs}/$program" "$@"\n')
        pipx.chmod(0o755)
    return folder


def alone(bundle: Path, plain: Path) -> tuple[str, str]:
    """Run the transform where only Polars and DuckDB are, and compare with the port."""
    with tempfile.TemporaryDirectory() as work:
        root = bundle.parent.parent / ".mesh"
        problem = standalone(bundle, root, plain, Path(work))
    return "transform.py alone makes what the port serves", problem


def write_parquet(bundle: Path, product: str, port: str) -> None:
    """Write the port's rows where the contract's server entry says they are."""
    target = bundle / "data" / port / f"{port}.parquet"
    target.parent.mkdir(parents=True, exist_ok=True)
    mesh = Path(sys.executable).parent / "mesh"
    root = bundle.parent.parent / ".mesh"
    read = [mesh, "--root", root, "read", f"{product}/{port}", "--out", target]
    subprocess.run(read, check=True, capture_output=True)


def outcome(bundle: Path, programs: Path, program: str, *words: str) -> str:
    """Run a checker in the bundle; return its complaint, or nothing."""
    report = bundle / ".report.json"
    command = [programs / program, *words, "--output-format", "json", "--output", report]
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command, cwd=bundle, env={**os.environ, "PATH": path}, capture_output=True, text=True
    )
    if not report.exists():
        return f"exit {done.returncode}: {(done.stdout + done.stderr).strip()[-400:]}"
    checks = json.loads(report.read_text()).get("checks") or []
    report.unlink()
    bad = [c for c in checks if c.get("result") != "passed" and not expected(c)]
    reasons = "; ".join(f"{c.get('name')}: {c.get('reason')}" for c in bad[:5])
    if done.returncode or bad:
        return f"exit {done.returncode}: {reasons or done.stdout[-400:]}"
    return "" if checks else "no check was run"


def expected(check: dict[str, str]) -> bool:
    return check.get("result") == "warning" and any(k in str(check.get("reason")) for k in KNOWN)


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).absolute()))
