"""A mesh on storage that speaks S3: the same path, the same guarantees."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from bundles import Clock, contract, write_bundle
from deltalake import DeltaTable
from test_kinds import Port, ids

import mesh_notebook
from mesh_notebook.deploy.deploying import deploy
from mesh_notebook.errors import DeployRefused, MeshError, NoSnapshot, StoreError, UsageError
from mesh_notebook.mesh.catalogue import Catalogue
from mesh_notebook.mesh.inputs import OpenedInput
from mesh_notebook.mesh.reading import read_port
from mesh_notebook.mesh.s3 import storage_options
from mesh_notebook.model.origin import Origin
from mesh_notebook.model.product import InputPort
from mesh_notebook.model.receipt import InputPin
from mesh_notebook.model.time import Window

SECRET = "test-secret-of-s3"


@pytest.fixture
def log(tmp_path: Path, s3: Any) -> Port:
    return Port(tmp_path, {"kind": "log", "eventTime": "day"}, root=f"{s3.url}/mesh")


def test_a_port_on_s3_reads_as_one_in_a_folder(log):
    first = log.publish((1, 1, 1, 10), (2, 1, 2, 20))
    log.publish((2, 1, 2, 25), (3, 1, 3, 30))
    assert ids(log.rows()) == [(1, 10), (2, 25), (3, 30)]
    assert ids(log.rows(None, None, first.processing_time)) == [(1, 10), (2, 20)]
    assert ids(log.rows("2026-01-02", "2026-01-03")) == [(2, 25)]
    with pytest.raises(NoSnapshot):
        log.rows(None, None, "2026-05-01")


def test_a_version_on_s3_is_a_delta_table_to_any_reader(log):
    receipt = log.publish((1, 1, 1, 10))
    table = DeltaTable(
        f"{log.root}/music/plays/ports/plays/v1",
        version=receipt.ports["plays"].delta_version,
        storage_options=storage_options(),
    )
    assert table.to_pyarrow_table().num_rows == 1


def test_the_whole_path_runs_on_a_root_on_s3(shell, s3, tmp_path, monkeypatch):
    monkeypatch.setenv("MESH_ROOTS", f"{s3.url}/mesh{os.pathsep}{tmp_path / 'other'}")
    shell.run("%reload_ext mesh_notebook")
    (tmp_path / "flights.csv").write_text("day,n\n2026-01-01,1\n2026-01-02,2\n")
    shell.run("%mesh source flights flights.csv")
    shell.run("%mesh product delays --domain travel")
    shell.run("%mesh output daily flights --key day --event-time day")
    shell.run("%mesh export bundle")
    shell.run("%mesh deploy bundle")
    shell.run("%mesh connect delays --as again")
    assert shell.names["again"].collect().height == 2
    shell.run("%%mesh sql total\nSELECT sum(n) AS n FROM again")
    assert shell.names["total"]["n"].item() == 3
    assert [p.name for p, _ in shell.mesh.search("delays").found] == ["delays"]
    everything = "".join(path.read_text("utf-8", "replace") for path in tmp_path.rglob("*.json"))
    assert SECRET not in everything


def test_a_product_made_of_a_port_on_s3_is_deployed_in_a_clean_process(shell, s3, log, monkeypatch):
    log.publish((1, 1, 1, 10), (2, 1, 2, 20))
    monkeypatch.setenv("MESH_ROOTS", log.root)
    shell.run("%reload_ext mesh_notebook")
    shell.run("%mesh connect plays")
    shell.run("import polars as pl")
    shell.run("out = plays.select('day', twice=pl.col('n') * 2)")
    shell.run("%mesh product twice --domain music")
    shell.run("%mesh output twice out --key day")
    shell.run("%mesh export twice")
    shell.run("%mesh deploy twice")
    rows = shell.mesh.connect("twice", name="made").collect()
    assert sorted(rows["twice"]) == [20, 40]


SPY = """
import os

import polars as pl


def spy(plays):
    found = os.environ.get("AWS_SECRET_ACCESS_KEY", "none")
    return plays.select(v=pl.lit(found))
"""


def test_a_transform_cannot_read_the_credentials_of_its_inputs(s3, log, tmp_path):
    log.publish((1, 1, 1, 10))
    scan, address = log.read().scan, "urn:dmesh:local:music:spy"
    port = contract({"v": "VARCHAR"}, id=f"{address}:spy:1", event_time=None)
    made = write_bundle(
        tmp_path / "spy", address=address, ports={"spy": port}, inputs=("plays",), transform=SPY
    )

    def opened(port: InputPort, folder: Path) -> OpenedInput:
        return OpenedInput(scan, InputPin("plays", "port", "plays", "1", Origin.LIVE))

    deploy(made, log.root, opened, principal="ana", clock=Clock())
    found = Catalogue([log.root]).resolve("spy")[0]
    assert read_port(found, None, Window(), "bo").frame.collect()["v"].to_list() == ["none"]


PUBLISHER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
import polars as pl
sys.path.insert(0, {tests!r})
from bundles import published
for n in range({each}):
    day = datetime(2026, 1, 1).date()
    frame = pl.DataFrame({{"id": [{who} * 1000 + n], "day": [day], "n": [n]}})
    published(Path({made!r}), {root!r}, lambda: datetime.now(UTC), plays=frame)
"""


def publishers(log: Port, many: int, each: int) -> list[subprocess.Popen]:
    tests = str(Path(__file__).parent)
    return [
        subprocess.Popen(
            [
                sys.executable,
                "-c",
                PUBLISHER.format(
                    tests=tests, each=each, who=who, made=str(log.made), root=str(log.root)
                ),
            ],
        )
        for who in range(many)
    ]


def test_publishers_that_race_on_s3_lose_nothing(log):
    ended = [process.wait(120) for process in publishers(log, 3, 3)]
    assert ended == [0, 0, 0]
    assert len(log.rows()) == 9
    found = Catalogue([log.root]).resolve("plays")[0]
    assert found.snapshots() == list(range(1, 10))
    times = [found.receipt(n).processing_time for n in found.snapshots()]
    assert times == sorted(set(times))


@pytest.mark.parametrize(("host", "patience"), [("elsewhere", 0.3), (socket.gethostname(), 60)])
def test_a_publisher_that_was_killed_in_its_turn_is_not_waited_for(
    log, s3, host, patience, monkeypatch
):
    monkeypatch.setattr("mesh_notebook.mesh.aside._PATIENCE", patience)
    ended = subprocess.Popen(["true"])
    ended.wait()
    s3.put("mesh/.aside/music.plays.turn", f"{host} {ended.pid} {'0' * 32}".encode())
    log.publish((1, 1, 1, 10))
    assert ids(log.rows()) == [(1, 10)]
    assert ".aside" not in " ".join(s3.keys())


def test_storage_that_is_not_there_is_one_short_error_without_the_secret(log, monkeypatch):
    log.publish((1, 1, 1, 10))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setattr("mesh_notebook.mesh.s3._RETRIES", 1)
    with pytest.raises(StoreError, match="cannot be reached") as unreachable:
        log.rows()
    assert SECRET not in str(unreachable.value)


def test_a_bucket_that_does_not_exist_says_so(log, s3):
    mesh = mesh_notebook.open(f"{s3.url}-no-such")
    with pytest.raises(MeshError):
        mesh.connect("plays")
    with pytest.raises(StoreError):
        Port(log.folder, {"kind": "log"}, root=f"{s3.url}-no-such/mesh").publish((1, 1, 1, 1))


@pytest.mark.parametrize("root", ["gs://bucket/mesh", "s3://key:secret@bucket/mesh", "s3://"])
def test_a_root_of_another_kind_is_refused_and_not_repeated(root):
    with pytest.raises(UsageError, match="no root that can be opened") as refused:
        Catalogue([root])
    assert "secret@" not in str(refused.value)


def test_a_version_that_stands_on_s3_is_not_changed(log):
    log.publish((1, 1, 1, 10))
    (log.made / "transform.py").write_text("def plays():\n    return None\n")
    with pytest.raises(DeployRefused, match="another transform"):
        log.publish((2, 1, 2, 20))
