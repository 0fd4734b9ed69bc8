"""TPC-H from a notebook to three engines: exported, run on each, and the rows compared.

`make engines` runs this and prints a table; Spark is started once for all queries.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from conftest import Shell

from engines.tpch import QUERIES
from engines.tpch.data import tables
from mesh_notebook.export.comparing import difference
from mesh_notebook.mesh.engines import ENGINES

LEAST = 21


@pytest.fixture(scope="module")
def ran(java: None, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return the export of a notebook with a port for each query, and what each engine made."""
    folder = tmp_path_factory.mktemp("tpch")
    shell = Shell()
    shell.mesh.base = folder
    shell.run("%mesh product tpch --domain tests --owner tests")
    for name, frame in tables().items():
        frame.write_parquet(folder / f"{name}.parquet")
        shell.run(f"%mesh source {name} {folder / name}.parquet")
    for name, query in QUERIES.items():
        shell.run(f"%%mesh sql {name}\n{query}")
        shell.run(f"%mesh output {name} {name}")
    exported = shell.mesh.export(folder / "bundle")
    made = {}
    for engine in ENGINES:
        began = time.monotonic()
        made[engine] = shell.mesh.run(folder / "bundle", engine).frames
        print(f"\n{engine}: {len(QUERIES)} queries in {time.monotonic() - began:.0f} s", end="")
    yield exported, made
    shell.ip.run_line_magic("unload_ext", "mesh_notebook")
    shell.ip.clear_instance()


def test_nearly_all_queries_give_the_same_rows_on_every_engine(ran: Any) -> None:
    exported, made = ran
    refused = {r.port: r for r in exported.portable.refusals}
    print(f"\n\n{'query':6} {'rows':>6}  " + " ".join(f"{engine:8}" for engine in ENGINES))
    equal = 0
    for name in QUERIES:
        frames = {engine: frames[name] for engine, frames in made.items()}
        wrong = {engine: difference(frames["polars"], one) for engine, one in frames.items()}
        said = " ".join(f"{'differs' if wrong[e] else 'equal':8}" for e in ENGINES)
        print(f"{name:6} {frames['polars'].height:6}  {said}", refused.get(name, ""))
        assert name in refused or not any(wrong.values()), (name, wrong)
        equal += not any(wrong.values())
    print(f"\n{equal} of {len(QUERIES)} queries are equal on all three engines")
    assert equal >= LEAST


def test_every_query_finds_rows_in_the_generated_data(ran: Any) -> None:
    for name, frame in ran[1]["polars"].items():
        assert frame.height, name
        assert frame.select(pl.all().is_null().all()).row(0) != (True,) * frame.width, name


def test_spark_and_duckdb_read_the_module_that_has_no_polars(ran: Any) -> None:
    text = (Path(ran[0].folder) / "portable.py").read_text("utf-8")
    assert "import polars" not in text
    assert text.count("SELECT") >= len(QUERIES)
