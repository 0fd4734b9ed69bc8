"""Backfills: a publication per interval, resumable, and nothing half done."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from bundles import Clock, contract, opener, write_bundle

import mesh_notebook
from mesh_notebook.deploy.backfilling import backfill
from mesh_notebook.errors import DeployRefused, UsageError
from mesh_notebook.mesh.catalogue import Catalogue
from mesh_notebook.mesh.reading import read_port
from mesh_notebook.model.time import Window

FLIGHTS = pl.DataFrame(
    {
        "airport": ["JFK", "JFK", "LGA", "LGA"],
        "day": [date(2026, 1, 3), date(2026, 2, 1), date(2026, 2, 5), date(2026, 3, 9)],
        "delay": [10.0, 20.0, 5.0, 7.0],
    }
)
MONTHS = {"kind": "snapshot", "interval": "P1M"}
JANUARY, APRIL = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "mesh"


def bundle_of(tmp_path: Path, temporality: dict, key: tuple[str, ...] = ()) -> Path:
    daily = contract(key=key)
    bundle = write_bundle(
        tmp_path / "airport-delays", temporality=temporality, ports={"daily": daily}
    )
    inputs = bundle / "contracts" / "inputs"
    inputs.mkdir()
    flights = contract(id="urn:dmesh:local:travel:airport-delays:flights:1")
    (inputs / "flights.odcs.yaml").write_text(flights.dumps())
    return bundle


def fill(bundle, root, frame=FLIGHTS, window=(JANUARY, APRIL), clock=None, progress=None):
    return backfill(
        bundle,
        root,
        opener({"flights": frame}),
        window,
        principal="ana",
        clock=clock or Clock(APRIL),
        progress=progress or (lambda step: None),
    )


def months(root: Path) -> dict[int, list[float]]:
    published, _ = Catalogue([root]).resolve("airport-delays")
    found = {}
    for month in (1, 2, 3):
        start = datetime(2026, month, 1, tzinfo=UTC)
        window = Window(start, datetime(2026, month + 1, 1, tzinfo=UTC))
        frame = read_port(published, "daily", window, "bo").frame.collect()
        found[month] = sorted(frame["delay"].to_list())
    return found


def test_each_interval_is_a_publication_of_its_own(root, tmp_path):
    told: list[str] = []
    done = fill(bundle_of(tmp_path, MONTHS), root, progress=told.append)
    assert told[0] == "backfill 3 intervals, 2026-01-01 to 2026-04-01"
    assert [one.receipt.snapshot for one in done.published] == [1, 2, 3]
    assert months(root) == {1: [10.0], 2: [5.0, 20.0], 3: [7.0]}


def test_what_stands_is_passed_over_and_other_inputs_are_published_anew(root, tmp_path):
    bundle = bundle_of(tmp_path, MONTHS)
    fill(bundle, root)
    again = fill(bundle, root)
    assert (len(again.published), again.standing) == (0, 3)
    changed = fill(bundle, root, FLIGHTS.with_columns(pl.col("delay") + 1))
    assert (len(changed.published), changed.standing) == (3, 0)
    assert months(root)[1] == [11.0]


def test_a_backfill_that_was_stopped_leaves_whole_publications_and_goes_on(root, tmp_path):
    bundle = bundle_of(tmp_path, MONTHS)

    def stop(step: str) -> None:
        if step.startswith("2026-02-01 (2 of 3): publish"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fill(bundle, root, progress=stop)
    published, _ = Catalogue([root]).resolve("airport-delays")
    assert published.snapshots() == [1]
    done = fill(bundle, root)
    assert (len(done.published), done.standing) == (2, 1)
    assert months(root) == {1: [10.0], 2: [5.0, 20.0], 3: [7.0]}


def test_a_log_is_run_once_over_the_window(root, tmp_path):
    bundle = bundle_of(tmp_path, {"kind": "log"}, key=("airport", "day"))
    window = (JANUARY, datetime(2026, 3, 1, tzinfo=UTC))
    done = fill(bundle, root, window=window)
    assert len(done.published) == 1
    assert done.published[0].receipt.ports["daily"].rows == 3
    late = fill(bundle, root, FLIGHTS.with_columns(pl.col("delay") * 2), window=window)
    assert late.published[0].receipt.ports["daily"].corrected == 3


def test_a_whole_picture_has_nothing_that_lies_behind(root, tmp_path):
    with pytest.raises(DeployRefused, match="whole picture"):
        fill(bundle_of(tmp_path, {"kind": "snapshot"}), root)
    assert not root.exists() or not list(root.rglob("publications/*"))


def test_a_window_that_cuts_an_interval_is_refused_with_the_nearest(root, tmp_path):
    bundle = bundle_of(tmp_path, MONTHS)
    with pytest.raises(UsageError, match="2026-01-01"):
        fill(bundle, root, window=(datetime(2026, 1, 9, tzinfo=UTC), APRIL))
    with pytest.raises(UsageError, match="before or when"):
        fill(bundle, root, window=(APRIL, JANUARY))


def test_a_backfill_reads_pictures_of_upstream(tmp_path, root):
    """From a port that itself has a picture per month, each month is read, not just the newest."""
    upstream = bundle_of(tmp_path, MONTHS)
    fill(upstream, root)
    made = contract(id="urn:dmesh:local:travel:late:worst:1")
    bundle = write_bundle(
        tmp_path / "late",
        address="urn:dmesh:local:travel:late",
        ports={"worst": made},
        inputs=(),
        temporality=MONTHS,
        transform="def worst(daily):\n    return daily\n",
    )
    _connect(bundle)
    mesh = mesh_notebook.open(root)
    mesh.base = tmp_path
    done = mesh.deploy("late", backfill=("2026-01", "2026-04"))
    assert [one.receipt.ports["worst"].rows for one in done.published] == [1, 2, 1]
    assert mesh.deploy("late", backfill=("2026-01", "2026-04")).standing == 3


def _connect(bundle: Path) -> None:
    from mesh_notebook.model.document import parse_yaml, to_yaml

    path = bundle / "product.odps.yaml"
    product = parse_yaml(path.read_text(), "product")
    recipe = {"kind": "port", "address": "urn:dmesh:local:travel:airport-delays:daily"}
    product["inputPorts"] = [
        {
            "name": "daily",
            "version": "1.0.0",
            "contractId": "urn:dmesh:local:travel:airport-delays:daily:1",
            "customProperties": [{"property": "input", "value": recipe}],
        }
    ]
    path.write_text(to_yaml(product))


def test_the_magic_and_the_shell_take_both_ends():
    from mesh_notebook.surfaces.magics import parse

    verb, given = parse("deploy products/late --backfill 2026-01 2026-04", None)
    assert (verb.name, given["backfill"]) == ("deploy", ("2026-01", "2026-04"))
