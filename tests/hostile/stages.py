"""One stage of a hostile notebook's trial, in a process of its own.

python stages.py export FOLDER SEED     the notebook beside few rows, and its export
python stages.py again FOLDER SEED      the notebook's cells beside other rows
python stages.py run FOLDER SEED BUNDLE the exported module on those rows

The modules of the tests that it imports are found through PYTHONPATH, which `__main__.py` sets.
"""

from __future__ import annotations

import contextlib
import inspect
import json
import os
import sys
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import polars as pl
from corpus_reader import FLIGHTS, OTHERS, WEATHER

from notebooks import HAND, SIDE, Notebook, drawn

__all__: list[str] = []

_MANY = 300_000


def rows(notebook: Notebook, few: bool) -> pl.DataFrame:
    """Return the flights of the notebook: few rows, or others."""
    if few or not notebook.many:
        frame = pl.read_csv((FLIGHTS if few else OTHERS).encode(), try_parse_dates=True)
        return frame.with_columns(pl.col("delay").cast(pl.Int64))
    number = pl.int_range(_MANY, dtype=pl.Int64).alias("n")
    return pl.select(number).select(
        day=pl.date(2026, 1, 1) + pl.duration(days=pl.col("n") % 28),
        origin=pl.col("n").hash(5).mod(4).replace_strict({0: "EWR", 1: "JFK", 2: "LGA", 3: "SFO"}),
        delay=(pl.col("n").hash(7) % 500).cast(pl.Int64),
    )


def ran(notebook: Notebook, few: bool) -> Any:
    """Run the notebook's cells in a real shell, in this folder; return the shell."""
    from conftest import Shell

    Path("weather.csv").write_text(WEATHER)
    if notebook.side:
        for name, text in SIDE.items():
            Path(name).write_text(text)
        _packed()
    shell = Shell()
    shell.ip.showtraceback = lambda *a, **k: None
    shell.run("import polars as pl")
    shell.run("%mesh product airport-delays --domain travel --owner me --purpose test")
    if notebook.port:
        _published(rows(notebook, few))
        shell.run("%mesh connect raw-flights --as flights")
    else:
        rows(notebook, few).write_parquet("flights.parquet")
        shell.run("%mesh source flights flights.parquet")
    shell.run("%mesh source weather weather.csv")
    for cell in notebook.cells:
        if cell.startswith(HAND):
            exec(compile(cell, "hand", "exec"), shell.names)
        else:
            with contextlib.suppress(*((Exception, SystemExit) if notebook.fails else ())):
                shell.run(cell)
    return shell


def _packed() -> None:
    import dbm.dumb
    import shelve
    import sqlite3

    with sqlite3.connect("s.db") as base:
        base.execute("create table if not exists t (lim)")
        base.execute("insert into t values (50)")
    with zipfile.ZipFile("s.zip", "w") as packed:
        packed.writestr("a", "b")
    with shelve.Shelf(dbm.dumb.open("s-shelf")) as shelf:
        shelf["lim"] = 50


def _published(frame: pl.DataFrame) -> None:
    from bundles import Clock, contract, published, write_bundle

    columns = {"day": "DATE", "origin": "VARCHAR", "delay": "BIGINT"}
    address = "urn:dmesh:local:travel:raw-flights"
    made = contract(columns, id=f"{address}:daily:1")
    bundle = write_bundle(Path("raw"), address=address, ports={"daily": made})
    published(bundle, Path(".mesh"), Clock(), daily=frame)


def whole(frame: Any) -> pl.DataFrame:
    return pl.from_pandas(frame) if hasattr(frame, "iloc") else frame.lazy().collect()


def export(notebook: Notebook) -> dict[str, Any]:
    from mesh_notebook.errors import MeshError

    shell = ran(notebook, few=True)
    try:
        shell.run("%mesh output daily out")
        shell.run("%mesh export bundle")
    except MeshError as error:
        return {"end": "refused", "said": str(error)}
    return {"end": "exported"}


def again(notebook: Notebook) -> dict[str, Any]:
    made = whole(ran(notebook, few=False).names["out"])
    made.write_ipc("again.arrow")
    return {"end": "ran"}


def run(notebook: Notebook, bundle: Path) -> dict[str, Any]:
    """Run the module on other rows; those of a port come in another order."""
    module = sys.modules["transform"] = ModuleType("transform")
    text = (bundle / "transform.py").read_text("utf-8")
    exec(compile(text, "transform.py", "exec", dont_inherit=True), vars(module))
    flights = rows(notebook, few=False)
    if notebook.port:
        flights = flights.sample(fraction=1, shuffle=True, seed=os.getpid())
    given = {"flights": flights.lazy(), "weather": pl.read_csv(WEATHER.encode()).lazy()}
    names = inspect.signature(module.daily).parameters
    made = module.daily(*(given[name.removesuffix("_input")] for name in names))
    whole(made).write_ipc(f"made-{os.environ['PYTHONHASHSEED']}.arrow")
    return {"end": "ran"}


def main(stage: str, folder: str, seed: str, *more: str) -> None:
    notebook = drawn(int(seed))
    Path(folder).mkdir(parents=True, exist_ok=True)
    os.chdir(folder)
    stages = {"export": export, "again": again, "run": lambda n: run(n, Path(more[0]))}
    try:
        told = stages[stage](notebook)
    except Exception as error:  # noqa: BLE001  a cell's own mistake, told to who judges
        told = {"end": "failed", "said": f"{type(error).__name__}: {error}"[:300]}
    Path(f"{stage}.json").write_text(json.dumps(told))
    sys.stdout.flush()
    os._exit(0)  # threads that a cell left behind are none of ours


if __name__ == "__main__":
    main(*sys.argv[1:])
