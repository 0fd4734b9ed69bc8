"""A bundle on a standalone cluster of Spark: a master and two workers, processes of their own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from mesh_notebook.export.comparing import difference

WORKERS = 2


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture(scope="module")
def cluster(java: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start the processes on loopback, and end them; give the master's address."""
    import pyspark

    folder, port = tmp_path_factory.mktemp("cluster"), free_port()
    address, home = f"spark://127.0.0.1:{port}", Path(pyspark.__file__).parent
    log = (folder / "log").open("w+b")
    environment = {
        **{name: os.environ[name] for name in ("PATH", "JAVA_HOME") if name in os.environ},
        "SPARK_HOME": str(home),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_WORKER_DIR": str(folder),
        "PYSPARK_PYTHON": sys.executable,
    }

    def start(role: str, *words: str) -> subprocess.Popen[bytes]:
        name = f"org.apache.spark.deploy.{role.lower()}.{role}"
        command = [str(home / "bin" / "spark-class"), name, "--host", "127.0.0.1", *words]
        return subprocess.Popen(command, env=environment, stdout=log, stderr=log)

    ui = ("--webui-port", "0")
    running = [start("Master", "--port", str(port), *ui)]
    each = ("--cores", "1", "--memory", "1g")
    running += [start("Worker", *each, *ui, address) for _ in range(WORKERS)]
    try:
        _registered(folder / "log")
        yield address
    finally:
        for process in running:
            process.kill()
            process.wait()
        log.close()


def _registered(log: Path) -> None:
    end = time.monotonic() + 60
    while log.read_text("utf-8", "replace").count("Registering worker") < WORKERS:
        assert time.monotonic() < end, log.read_text("utf-8", "replace")[-2_000:]
        time.sleep(0.2)


def test_a_bundle_runs_on_a_standalone_cluster_as_it_does_here(
    shell: Any, tmp_path: Path, cluster: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = pl.DataFrame({"id": range(10_000), "group": [n % 7 for n in range(10_000)]})
    rows.write_parquet(tmp_path / "rows.parquet")
    shell.run("import polars as pl")
    shell.run("%mesh source rows rows.parquet")
    shell.run("%mesh product sums --domain tests --owner tests")
    shell.run('%%mesh sql sums\nSELECT "group", sum(id) AS n, avg(id) AS m FROM rows GROUP BY ALL')
    shell.run("%mesh output sums sums")
    shell.run("%mesh export bundle")
    monkeypatch.setenv("MESH_SPARK_MASTER", cluster)
    here = shell.mesh.run("bundle").frames["sums"]
    there = shell.mesh.run("bundle", "spark").frames["sums"]
    assert here.height == 7
    assert difference(here, there) is None
    worked = list(tmp_path.parent.rglob("app-*/*/stderr"))
    assert len({path.parent.name for path in worked}) == WORKERS, "both workers ran executors"
