"""Storage that is busy, breaks off, or does what it was asked and cannot say so any more."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from faults import BUSY, DROP, LOSE, Proxy, proxied
from test_kinds import Port, ids

from mesh_notebook.errors import Unreachable
from mesh_notebook.mesh.catalogue import Catalogue

pytestmark = pytest.mark.faults

SECRET = "test-secret-of-s3"
PATIENCE = 40  # seconds


@pytest.fixture(scope="module")
def proxy(s3_endpoint: str) -> Iterator[Proxy]:
    with proxied(s3_endpoint) as proxy:
        yield proxy


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give up sooner than usual, where it is not patience that is tested."""
    monkeypatch.setattr("mesh_notebook.mesh.s3._RETRIES", 2)
    monkeypatch.setattr("mesh_notebook.mesh.store._PATIENCE", 1)


@pytest.fixture
def log(tmp_path: Path, s3: Any, proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> Port:
    """A log on S3 with one row, reached through the proxy."""
    proxy.heal()
    monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
    port = Port(tmp_path, {"kind": "log", "eventTime": "day"}, root=f"{s3.url}/mesh")
    port.publish((1, 1, 1, 1))
    return port


def snapshots(port: Port) -> list[int]:
    return Catalogue([port.root]).resolve("plays")[0].snapshots()


@contextmanager
def one_short_error() -> Iterator[None]:
    """Expect an error of the store: in time, short, and without the secret."""
    began = time.monotonic()
    with pytest.raises(Unreachable) as error:
        yield
    assert time.monotonic() - began < PATIENCE
    assert SECRET not in str(error.value)
    assert len(str(error.value)) < 400
    assert "\n" not in error.value.message


@pytest.mark.parametrize(("fate", "share"), [(BUSY, 0.2), (DROP, 0.2), (LOSE, 0.1)])
def test_faults_that_pass_stop_no_publication_and_no_read(log, proxy, fate, share):
    proxy.fail(fate, share=share)
    for n in range(2, 6):
        log.publish((1, 1, 1, n), (n, 1, 1, n))  # a correction, and a row that is new
        assert ids(log.rows()) == [(1, n), *((m, m) for m in range(2, n + 1))]
    assert sum(proxy.heal().values()) > 10
    assert snapshots(log) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("once", [True, False])
def test_the_lost_answer_to_a_commit_publishes_once_and_is_no_loss(log, proxy, once):
    proxy.fail(LOSE, method="PUT", creations=True, once=once, part="" if once else "/publications/")
    receipt = log.publish((1, 1, 1, 2), (2, 1, 1, 2))
    assert proxy.heal()["publications"] >= 1
    assert receipt.snapshot == 2
    assert (receipt.ports["plays"].added, receipt.ports["plays"].corrected) == (2, 1)
    assert snapshots(log) == [1, 2]
    assert ids(log.rows()) == [(1, 2), (2, 2)]


@pytest.mark.parametrize("fate", [BUSY, DROP])
def test_faults_that_last_are_one_short_error_in_time_and_change_nothing(log, proxy, fate):
    proxy.fail(fate)
    with one_short_error():
        log.rows()
    with one_short_error():
        log.publish((1, 1, 1, 2))
    proxy.heal()
    assert snapshots(log) == [1]
    assert ids(log.rows()) == [(1, 1)]
    log.publish((1, 1, 1, 2))
    assert ids(log.rows()) == [(1, 2)]


@pytest.mark.parametrize(
    ("part", "fate"),
    [
        *(("/_delta_log/", BUSY), (".parquet", DROP), ("/releases/", BUSY)),
        *(("/publications/", BUSY), ("/publications/", DROP)),
    ],
)
def test_wherever_storage_breaks_off_nothing_is_half_visible(hasty, log, proxy, part, fate):
    log.bundle("1.1.0", n={"description": "How many."})  # so that a release is to be kept, too
    proxy.fail(fate, method="PUT", part=part)
    with one_short_error():
        log.publish((1, 1, 1, 2), (2, 1, 1, 2))
    assert snapshots(log) == [1]
    assert ids(log.rows()) == [(1, 1)]
    proxy.heal()
    assert log.publish((1, 1, 1, 2), (2, 1, 1, 2)).snapshot == 2
    assert ids(log.rows()) == [(1, 2), (2, 2)]


def test_rows_that_storage_withholds_from_a_correction_are_one_short_error(hasty, log, proxy):
    proxy.fail(BUSY, part=".parquet")
    with one_short_error():
        log.publish((1, 1, 1, 2))
    proxy.heal()
    assert ids(log.rows()) == [(1, 1)]


def test_a_frame_whose_storage_breaks_off_tells_no_secret(hasty, log, proxy):
    frame = log.read().frame
    proxy.fail(BUSY)
    began = time.monotonic()
    with pytest.raises((pl.exceptions.PolarsError, OSError)) as broken:
        frame.collect()
    assert time.monotonic() - began < PATIENCE
    assert SECRET not in str(broken.value)
