"""Deploying: what is published, what is refused, and that a refusal leaves nothing behind."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest
from bundles import COLUMNS, TRANSFORM, Clock, contract, deployed, opener, write_bundle

from mesh_notebook.deploy.deploying import deploy
from mesh_notebook.deploy.planning import Options
from mesh_notebook.errors import DeployRefused, SourceError, SpecError, StoreError
from mesh_notebook.mesh.catalogue import Catalogue
from mesh_notebook.mesh.inputs import OpenedInput
from mesh_notebook.mesh.reading import read_port
from mesh_notebook.mesh.scan import Scan
from mesh_notebook.model.origin import Origin
from mesh_notebook.model.receipt import InputPin
from mesh_notebook.model.time import Window

FLIGHTS = pl.DataFrame(
    {
        "airport": ["JFK", "JFK", "LGA"],
        "day": [date(2026, 1, 1), date(2026, 1, 1), date(2026, 1, 2)],
        "delay": [10.0, 20.0, 5.0],
    }
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "mesh"


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return write_bundle(tmp_path / "airport-delays")


def rows(root: Path, name: str = "airport-delays") -> list[tuple]:
    published, port = Catalogue([root]).resolve(name)
    frame = read_port(published, port, Window(), "bo").frame
    return sorted(frame.collect().rows(), key=str)


def files(root: Path) -> list[str]:
    """Everything a reader could come upon."""
    paths = (p.relative_to(root).as_posix() for p in root.rglob("*")) if root.exists() else ()
    return sorted(path for path in paths if not path.startswith(".aside"))


def test_a_bundle_becomes_a_snapshot_with_its_receipt(root, bundle):
    done = deployed(bundle, root, Clock(), flights=FLIGHTS)
    assert not done.unchanged
    assert done.product.name == "airport-delays"
    assert done.checks["daily"].passed
    assert rows(root) == [("JFK", date(2026, 1, 1), 15.0), ("LGA", date(2026, 1, 2), 5.0)]
    receipt = done.receipt
    assert (receipt.snapshot, receipt.version, receipt.origin) == (1, "1.0.0", Origin.LIVE)
    assert receipt.principal == "ana"
    assert [(pin.name, pin.kind) for pin in receipt.inputs] == [("flights", "source")]
    assert receipt.ports["daily"].rows == 2
    assert receipt.ports["daily"].slos["completeness"] == 1.0
    assert set(receipt.engine) == {"python", "polars", "duckdb", "deltalake", "mesh-notebook"}
    assert Catalogue([root]).resolve("airport-delays")[0].latest() == receipt


def test_the_same_again_changes_nothing(root, bundle):
    first = deployed(bundle, root, Clock(), flights=FLIGHTS)
    before = files(root)
    again = deployed(bundle, root, Clock(), flights=FLIGHTS)
    assert again.unchanged
    assert again.receipt == first.receipt
    # Only that it was looked at is noted, since the rows are as fresh as that.
    assert [path for path in files(root) if "/verified" not in path] == before


def test_new_data_makes_a_new_snapshot_of_the_same_version(root, bundle):
    clock = Clock()
    deployed(bundle, root, clock, flights=FLIGHTS)
    second = deployed(bundle, root, clock, flights=FLIGHTS.head(1))
    assert (second.receipt.snapshot, second.receipt.version) == (2, "1.0.0")
    assert rows(root) == [("JFK", date(2026, 1, 1), 10.0)]


@pytest.mark.parametrize(
    ("changed", "differs"),
    [
        ({"transform": TRANSFORM + "\nx = 1\n"}, ["transform"]),
        ({"purpose": "Another."}, ["specification"]),
        ({"ports": {"daily": contract(delay={"description": "minutes"})}}, ["specification"]),
        ({"transform": TRANSFORM + "y = 1\n", "purpose": "No."}, ["specification", "transform"]),
    ],
)
def test_the_same_version_with_other_content_is_refused(root, bundle, changed, differs):
    deployed(bundle, root, Clock(), flights=FLIGHTS)
    before = files(root)
    write_bundle(bundle, **changed)
    with pytest.raises(DeployRefused, match=r"1\.0\.0 .* was published before") as refused:
        deployed(bundle, root, Clock(), flights=FLIGHTS)
    assert refused.value.differs == differs
    assert "--version 1.0.1" in refused.value.next_step
    assert files(root) == before
    write_bundle(bundle, **changed, version="1.0.1")
    assert deployed(bundle, root, Clock(), flights=FLIGHTS).receipt.version == "1.0.1"


def test_layout_and_comments_of_the_specification_are_no_change(root, bundle):
    deployed(bundle, root, Clock(), flights=FLIGHTS)
    spec = bundle / "product.odps.yaml"
    spec.write_text("# kept by the travel team\n" + spec.read_text())
    assert deployed(bundle, root, Clock(), flights=FLIGHTS).unchanged


@pytest.mark.parametrize("origin", [Origin.MOCK, Origin.SAMPLE])
def test_what_is_not_live_may_only_be_a_draft(root, bundle, origin):
    open_input = opener({"flights": FLIGHTS}, origin)
    with pytest.raises(DeployRefused, match=f"flights is {origin}") as refused:
        deploy(bundle, root, open_input, principal="ana", clock=Clock())
    assert "--status draft" in refused.value.next_step
    assert files(root) == []
    write_bundle(bundle, status="draft")
    done = deploy(bundle, root, open_input, principal="ana", clock=Clock())
    assert (done.receipt.status, done.receipt.origin) == ("draft", origin)
    assert Catalogue([root]).resolve("airport-delays")[0].latest().origin == origin


def test_rows_that_break_the_contract_are_not_published(root, tmp_path):
    made = contract(key=("airport",), delay={"logicalTypeOptions": {"maximum": 12}})
    bundle = write_bundle(tmp_path / "b", ports={"daily": made})
    late = pl.concat([FLIGHTS, FLIGHTS.with_columns(day=date(2026, 1, 3))])
    with pytest.raises(DeployRefused, match="breaks its contract") as refused:
        deployed(bundle, root, Clock(), flights=late)
    failed = {result.rule.id: result.failed for result in refused.value.failures["daily"]}
    assert failed["delay.maximum"] == 2
    assert failed["table.key"] > 0
    assert "of 4 rows" in str(refused.value)
    assert files(root) == []


def test_a_missing_or_further_column_is_not_published(root, tmp_path):
    text = "def daily(flights):\n    return flights.select('airport', 'day', x='delay')\n"
    bundle = write_bundle(tmp_path / "b", transform=text)
    with pytest.raises(DeployRefused, match="delay"):
        deployed(bundle, root, Clock(), flights=FLIGHTS)
    assert files(root) == []


def test_one_bad_port_of_two_keeps_both_back(root, tmp_path):
    text = TRANSFORM + "\n\ndef worst(flights):\n    return flights.filter(pl.col('delay') < 0)\n"
    worst = contract(id="urn:dmesh:local:travel:airport-delays:worst:1")
    worst.table["quality"] = [{"metric": "rowCount", "mustBeGreaterThan": 0}]
    ports = {"daily": contract(), "worst": worst}
    bundle = write_bundle(tmp_path / "b", ports=ports, transform=text)
    with pytest.raises(DeployRefused, match="worst"):
        deployed(bundle, root, Clock(), flights=FLIGHTS)
    assert files(root) == []
    early = pl.concat([FLIGHTS, FLIGHTS.with_columns(delay=-1.0)])
    done = deployed(bundle, root, Clock(), flights=early)
    assert {port: s.rows for port, s in done.receipt.ports.items()} == {"daily": 2, "worst": 3}
    assert len(rows(root, "airport-delays/worst")) == 3


def test_a_transform_that_fails_is_named_with_its_line(root, tmp_path):
    text = "def daily(flights):\n    return flights.select(late)\n"
    bundle = write_bundle(tmp_path / "b", transform=text)
    with pytest.raises(DeployRefused, match="NameError") as refused:
        deployed(bundle, root, Clock(), flights=FLIGHTS)
    assert (refused.value.function, refused.value.line) == ("daily", 2)
    assert files(root) == []


@pytest.mark.parametrize(
    ("transform", "says"),
    [
        ("def weekly(flights):\n    return flights\n", "no function for the output port 'daily'"),
        ("def daily(flights, weather):\n    return flights\n", "wants 'weather'"),
        ("def daily(:\n", "is not Python"),
        ("def daily(flights):\n    return\x00\n", "is not Python"),
    ],
)
def test_a_transform_that_does_not_match_the_ports_is_not_run(root, tmp_path, transform, says):
    bundle = write_bundle(tmp_path / "b", transform=transform)
    with pytest.raises(DeployRefused, match=says):
        deployed(bundle, root, Clock(), flights=FLIGHTS)
    assert not root.exists()


@pytest.mark.parametrize("name", ["product.odps.yaml", "contracts/daily.odcs.yaml", "transform.py"])
def test_a_bundle_that_lacks_a_part_says_which(root, bundle, name):
    (bundle / name).unlink()
    with pytest.raises(SpecError, match=name):
        deployed(bundle, root, Clock(), flights=FLIGHTS)


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("product.odps.yaml", "a: [", "not valid YAML"),
        ("product.odps.yaml", "kind: DataProduct", "does not follow its standard"),
        ("contracts/daily.odcs.yaml", "kind: DataContract", "does not follow its standard"),
        ("contracts/daily.odcs.yaml", contract(id="urn:dmesh:x:y:z:daily:1").dumps(), "contract"),
        ("product.odps.yaml", b"\xff\xfe", "UTF-8"),
    ],
)
def test_a_specification_that_is_not_valid_is_refused(root, bundle, name, text, says):
    (bundle / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(SpecError, match=says):
        deployed(bundle, root, Clock(), flights=FLIGHTS)
    assert not root.exists()


@pytest.mark.parametrize("version", ["../../x", "1/2", ".1", ""])
def test_a_version_that_would_leave_its_folder_is_refused(root, bundle, version):
    spec = bundle / "product.odps.yaml"
    spec.write_text(spec.read_text().replace("version: 1.0.0", f"version: '{version}'", 1))
    if version:
        with pytest.raises(SpecError, match="cannot be a version"):
            deployed(bundle, root, Clock(), flights=FLIGHTS)
    else:
        assert deployed(bundle, root, Clock(), flights=FLIGHTS).receipt.version == "0.1.0"


def test_a_folder_that_is_no_bundle_says_what_is_missing(root, tmp_path):
    with pytest.raises(SpecError, match=r"has no product\.odps\.yaml"):
        deployed(tmp_path / "nowhere", root, Clock(), flights=FLIGHTS)


def test_an_input_that_cannot_be_opened_stops_the_deployment(root, bundle):
    def broken(port, folder):
        raise SourceError(f"{port.name} is gone.")

    with pytest.raises(SourceError, match="flights is gone"):
        deploy(bundle, root, broken, principal="ana", clock=Clock())
    assert not root.exists()


def test_another_tenants_product_of_the_same_name_keeps_its_place(root, bundle):
    deployed(bundle, root, Clock(), flights=FLIGHTS)
    write_bundle(bundle, address="urn:dmesh:acme:travel:airport-delays", version="2.0.0")
    with pytest.raises(DeployRefused, match="is the home of urn:dmesh:local"):
        deployed(bundle, root, Clock(), flights=FLIGHTS)


def test_a_root_that_is_a_file_or_below_one_is_refused(tmp_path, bundle):
    file = tmp_path / "file"
    file.write_text("")
    for root in (file, file / "mesh"):
        with pytest.raises(StoreError, match=r"file is a file") as refused:
            deployed(bundle, root, Clock(), flights=FLIGHTS)
        assert "MESH_ROOTS" in refused.value.next_step


def test_a_root_that_cannot_be_made_is_refused(bundle):
    with pytest.raises(StoreError, match="cannot be written"):
        deployed(bundle, Path("/proc/mesh"), Clock(), flights=FLIGHTS)


def test_the_steps_are_told_as_they_begin(root, bundle):
    told: list[str] = []
    frames = opener({"flights": FLIGHTS})
    deploy(bundle, root, frames, principal="ana", clock=Clock(), progress=told.append)
    assert told[:4] == [
        "validate the bundle",
        "open the input flights",
        "run the transform in a clean process",
        "check the contracts",
    ]
    assert told[-2:] == [
        "publish snapshot 1 of airport-delays",
        "snapshot 1 of airport-delays is published",
    ]


def test_the_release_holds_the_bundle_without_hidden_files_caches_and_links(root, bundle):
    (bundle / "README.md").write_text("hello")
    (bundle / ".env").write_text("SECRET=1")
    (bundle / "__pycache__").mkdir()
    (bundle / "elsewhere").symlink_to("/")
    done = deployed(bundle, root, Clock(), flights=FLIGHTS)
    release = (done.folder / "releases" / done.receipt.release).local()
    kept = sorted(p.name for p in release.iterdir())
    assert kept == ["README.md", "contracts", "product.odps.yaml", "transform.py"]


def test_a_port_without_rows_is_published_with_its_types_where_it_is_allowed(root, bundle):
    none = opener({"flights": FLIGHTS.clear()})
    allowed = Options(allow_empty=True)
    deploy(bundle, root, none, principal="ana", clock=Clock(), options=allowed)
    published, _ = Catalogue([root]).resolve("airport-delays")
    frame = read_port(published, None, Window(), "bo").frame.collect()
    assert frame.height == 0
    assert frame.schema == {"airport": pl.String, "day": pl.Date, "delay": pl.Float64}
    assert list(frame.columns) == list(COLUMNS)


def test_a_source_that_changes_while_it_is_read_is_not_published(root, bundle, tmp_path):
    path = tmp_path / "flights.parquet"
    FLIGHTS.write_parquet(path)
    scan = Scan("parquet", (str(path),))
    pin = InputPin("flights", "source", "flights.parquet", scan.fingerprint(), Origin.LIVE)

    def write_meanwhile(step: str) -> None:
        if "clean process" in step:
            FLIGHTS.head(1).write_parquet(path)

    with pytest.raises(DeployRefused, match=r"flights\.parquet\) changed while it was read"):
        deploy(
            bundle,
            root,
            lambda port, folder: OpenedInput(scan, pin),
            principal="ana",
            clock=Clock(),
            progress=write_meanwhile,
        )
    assert files(root) == []


@pytest.mark.parametrize(
    "error", [PermissionError(13, "Permission denied"), OSError(5, "I/O error")]
)
def test_a_folder_that_cannot_be_read_is_refused(root, bundle, monkeypatch, error):
    def unreadable(*_: object) -> None:
        raise error

    monkeypatch.setattr(Path, "rglob", unreadable)
    with pytest.raises(SpecError, match="cannot be read") as caught:
        deployed(bundle, root, Clock(), flights=FLIGHTS)
    assert "who may read it" in caught.value.next_step


def test_a_device_is_no_bundle(root):
    with pytest.raises(SpecError, match="name a bundle's folder"):
        deployed(Path("/dev/null"), root, Clock(), flights=FLIGHTS)
