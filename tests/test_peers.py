"""A reader that knows nothing of us sees, of each snapshot, the rows that the port serves."""

from __future__ import annotations

import polars as pl
import pytest
from deltalake import DeltaTable
from peers import KINDS, Seen, snapshots

from mesh_notebook.mesh.s3 import storage_options


@pytest.fixture(scope="module", params=KINDS)
def found(request, tmp_path_factory) -> list[Seen]:
    return snapshots(request.param, tmp_path_factory.mktemp(request.param))


def test_deltalake_sees_what_each_snapshot_serves(found):
    assert len(found) == 5
    for one in found:
        table = DeltaTable(one.table, version=one.version).to_pyarrow_table()
        assert not one.differs(pl.from_arrow(table)), one.name


def test_polars_sees_what_each_snapshot_serves(found):
    for one in found:
        frame = pl.scan_delta(one.table, version=one.version).collect()
        assert not one.differs(frame), one.name


def test_the_files_that_a_port_tells_hold_what_each_snapshot_serves(found):
    for one in found:
        frames = [pl.read_parquet(file, hive_partitioning=False) for file in one.files]
        whole = pl.concat(frames, how="diagonal") if frames else one.rows.clear()
        assert not one.differs(whole), one.name


@pytest.mark.parametrize("kind", ["log", "monthly"])
def test_peers_see_the_same_on_s3(kind, s3, tmp_path):
    for one in snapshots(kind, tmp_path, f"{s3.url}/mesh"):
        table = DeltaTable(one.table, version=one.version, storage_options=storage_options())
        assert not one.differs(pl.from_arrow(table.to_pyarrow_table())), one.name
        lazy = pl.scan_delta(one.table, version=one.version, storage_options=storage_options())
        assert not one.differs(lazy.collect()), one.name
