"""One port, several modes, one meaning; and files that are whole or not there."""

from __future__ import annotations

import io
import json
import resource
import signal
import subprocess
import sys
from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import polars as pl
import pyarrow as pa
import pytest
from ports import TYPES, PublishedPort, frame_of, typed_contract
from test_text import bits

from mesh_notebook.errors import ExportRefused, MeshError, SqlError, StoreError, UsageError
from mesh_notebook.mesh.modes import MODES
from mesh_notebook.mesh.modes.lexical import text_shape, typed
from mesh_notebook.mesh.modes.text import read_csv, read_ndjson
from mesh_notebook.workspace.port import FILES, Port

CONTRACT = typed_contract()


def moments(*days: int) -> list[datetime]:
    return [datetime(2026, 3, day, 1, 2, 3, 4, UTC) for day in days]


ROWS: dict[str, list[Any]] = {
    "n": [2**62 + 1, 2, -3],
    "at": moments(1, 2, 3),
    "day": [date(2026, 3, 1), None, date(1900, 1, 1)],
    "text": ['a,"b"\n<é>&%', "", None],
    "flag": [True, None, False],
    "tiny": [-128, 127, None],
    "small": [-32768, 1, None],
    "whole": [2**31 - 1, 0, None],
    "single": [0.1, float("-inf"), None],
    "double": [1e300, float("nan"), None],
    "price": [Decimal("12345678901234567890.0123456789"), Decimal("-0.5"), None],
    "blob": [b"\x00\xff", b"", None],
    "many": [[0.5, None, float("inf")], [], None],
    "pair": [{"a b": "x", "t": moments(1)[0], "bs": [b"a", None]}, None, None],
    "nest": [[{"x": 2**60 + 1, "d": Decimal("1.50")}, None], [], None],
}
WINDOWS: dict[str, dict[str, Any]] = {
    "whole": {},
    "window": {"start": "2026-03-02", "end": "2026-03-03"},
    "nothing in the window": {"start": "2030-01-01"},
    "as of": {"as_of": "2026-01-01T03:30:00Z"},
    "window as of": {"as_of": "2026-01-01T03:30:00Z", "end": "2026-03-02"},
}


@pytest.fixture(scope="module")
def visits(tmp_path_factory: pytest.TempPathFactory) -> PublishedPort:
    """All types, in two snapshots, an empty one, and the first rows again."""
    made = PublishedPort(tmp_path_factory.mktemp("visits"), CONTRACT)
    rows = frame_of(CONTRACT, ROWS)
    return made.publish(rows.head(2), rows.head(0), rows.reverse())


# ---- each mode, read back as rows -------------------------------------------------------------


def by_file(format: str, read: Any) -> Any:
    def rows(port: Port, folder: Path) -> pl.DataFrame:
        port.write(folder / "rows", format)
        return read(folder / "rows")

    return rows


def from_json(lines: list[dict[str, Any]]) -> pl.DataFrame:
    """Return JSON objects as the port's rows, by the way that NDJSON is read."""
    types = typed_contract().columns
    shapes = {c.name: _dtype(c.name) for c in types}
    frame = pl.DataFrame(
        [[_texts(row.get(name)) for name in shapes] for row in lines],
        schema={name: text_shape(dtype) for name, dtype in shapes.items()},
        orient="row",
    )
    return frame.select(typed(pl.col(n), t).alias(n) for n, t in shapes.items())


def _dtype(name: str) -> pl.DataType:
    from mesh_notebook.mesh.dtypes import polars_dtype

    return polars_dtype(TYPES[name])


def _texts(value: Any) -> Any:
    if isinstance(value, list):
        return [_texts(part) for part in value]
    if isinstance(value, dict):
        return {k: _texts(v) for k, v in value.items()}
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value)


def by_events(port: Port, folder: Path) -> pl.DataFrame:
    table: dict[str, Any] = {}
    for event in port.events():
        if event["type"] == "dmesh.row.removed":
            del table[event["subject"]]
        else:
            table[event["subject"]] = event["data"]
    return from_json(list(table.values()))


def by_graph(port: Port, folder: Path) -> pl.DataFrame:
    _, *nodes = port.graph()["@graph"]
    assert all(unquote(n["@id"]).endswith(f"#n={n['n']}") for n in nodes)
    return from_json(nodes)


WAYS: dict[str, Any] = {
    "polars": lambda port, folder: port.lazy().collect(),
    "sql": lambda port, folder: port.sql("SELECT * FROM port"),
    "arrow": lambda port, folder: pl.DataFrame(port.arrow().read_all()),
    "parquet": by_file("parquet", pl.read_parquet),
    "csv": by_file("csv", lambda path: read_csv(path, CONTRACT)),
    "ndjson": by_file("ndjson", lambda path: read_ndjson(path, CONTRACT)),
    "events": by_events,
    "graph": by_graph,
}


def same(frame: pl.DataFrame) -> Counter[str]:
    return Counter(repr(bits(row)) for row in frame.to_dicts())


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("window", WINDOWS.values(), ids=WINDOWS)
def test_every_mode_has_the_same_rows_of_the_same_types(visits, tmp_path, mode, window):
    port = visits.port(**window)
    meant = port.reading.frame.collect()
    assert meant.height == {"whole": 3, "window": 1, "as of": 2, "window as of": 1}.get(
        next(name for name, w in WINDOWS.items() if w is window), 0
    )
    rows = WAYS[mode](port, tmp_path)
    assert rows.schema == meant.schema
    assert same(rows) == same(meant)


@pytest.mark.parametrize("mode", MODES)
def test_an_empty_snapshot_is_empty_in_every_mode(visits, tmp_path, mode):
    moment = visits.port().pictures.receipt(2).processing_time
    port = visits.port(as_of=moment)
    rows = WAYS[mode](port, tmp_path)
    assert (rows.height, rows.schema) == (0, port.lazy().collect_schema())


def test_every_mode_that_a_port_offers_was_tried_and_no_other():
    assert set(WAYS) == set(MODES)
    assert set(FILES) <= set(MODES)


# ---- each mode ----------------------------------------------------------------------------------


def test_the_view_has_the_ports_own_name_too(visits):
    assert visits.port().sql("SELECT count(*) AS n FROM port JOIN visits USING (n)").item() == 3


def test_a_query_that_does_more_than_read_the_port_is_refused(visits, tmp_path):
    with pytest.raises(SqlError, match="did you mean visits"):
        visits.port().sql("SELECT * FROM visit")
    with pytest.raises(SqlError, match="reads past"):
        visits.port().sql(f"SELECT * FROM read_text('{tmp_path}/*')")


def test_arrow_is_a_stream_that_says_where_it_is_from(visits):
    stream = visits.port().arrow()
    assert isinstance(stream, pa.RecordBatchReader)
    assert stream.schema.metadata[b"mesh.origin"] == b"live"
    assert hasattr(stream, "__arrow_c_stream__")
    assert pl.DataFrame(visits.port().arrow()).height == 3


def test_arrow_computes_no_batch_before_its_time(tmp_path):
    made = PublishedPort(tmp_path, typed_contract({"n": "BIGINT"}, event_time=None))
    made.publish(pl.DataFrame({"n": range(300_000)}))
    stream = made.port().arrow()
    assert 0 < stream.read_next_batch().num_rows < 300_000
    stream.close()


def test_a_parquet_file_says_where_it_is_from(visits, tmp_path):
    visits.port().write(tmp_path / "a.parquet")
    told = pl.read_parquet_metadata(tmp_path / "a.parquet")
    assert (told["mesh.origin"], told["mesh.snapshot"]) == ("live", "3")


def test_a_port_says_what_it_is(visits):
    assert repr(visits.port()) == "<visits/visits, snapshot 3, live>"


# ---- files ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "starts"),
    [
        ("a.parquet", b"PAR1"),
        ("a.csv", b"n,at,day"),
        ("a.ndjson", b'{"n":'),
        ("a.jsonl", b'{"n":'),
        ("a.json", b'{"n":'),
        ("a.ARROW", b"ARROW1"),
        ("a.jsonld", b'{"@context"'),
    ],
)
def test_the_ending_says_the_format(visits, tmp_path, name, starts):
    done = visits.port().write(tmp_path / name)
    assert (tmp_path / name).read_bytes().startswith(starts)
    assert (done.rows, done.what, done.cursor) == (3, "rows", "")


def test_events_are_written_with_the_cursor_to_go_on_from(visits, tmp_path):
    done = visits.port().write(tmp_path / "a", "events")
    lines = [json.loads(line) for line in (tmp_path / "a").read_text().splitlines()]
    assert (done.rows, done.what, done.cursor) == (7, "events", lines[-1]["cursor"])
    again = visits.port().write(tmp_path / "a", "events", since=lines[2]["cursor"])
    assert (again.rows, again.cursor) == (4, done.cursor)
    none = visits.port().write(tmp_path / "a", "events", since=done.cursor)
    assert (none.rows, none.cursor, (tmp_path / "a").read_text()) == (0, done.cursor, "")


@pytest.mark.parametrize("format", ["parqet", "xlsx", "", "table"])
def test_an_unknown_format_lists_the_known(visits, tmp_path, format):
    with pytest.raises(UsageError, match="is not a format") as unknown:
        visits.port().write(tmp_path / "a.csv", format)
    assert all(name in unknown.value.next_step for name in FILES)
    with pytest.raises(UsageError, match="does not say which format"):
        visits.port().write(tmp_path / "a.txt")
    assert list(tmp_path.iterdir()) == []


def test_a_cursor_for_anything_but_events_is_refused(visits, tmp_path):
    with pytest.raises(UsageError, match="--format events"):
        visits.port().write(tmp_path / "a.csv", since="2026-01-01")
    with pytest.raises(UsageError, match="--format events"):
        visits.port().encoded("graph", since="2026-01-01")


@pytest.mark.parametrize("format", FILES)
def test_a_file_that_cannot_be_written_is_told_and_nothing_is_left(visits, tmp_path, format):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "none" / "a", tmp_path / "folder", tmp_path / "file" / "a"):
        with pytest.raises(StoreError, match="cannot be written"):
            visits.port().write(path, format)
    with pytest.raises(StoreError, match="cannot be written"):
        visits.port().write("/proc/a", format)
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["file", "folder"]


@pytest.mark.parametrize("format", FILES)
def test_a_file_that_was_there_is_replaced_whole(visits, tmp_path, format):
    (tmp_path / "a").write_text("x" * 100_000)
    visits.port().write(tmp_path / "a", format)
    assert b"xxx" not in (tmp_path / "a").read_bytes()
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("format", FILES)
def test_a_port_whose_files_are_gone_leaves_the_old_file_as_it_was(tmp_path, format):
    made = PublishedPort(tmp_path, CONTRACT).publish(frame_of(CONTRACT, ROWS))
    port = made.port()
    for file in port.reading.scan.paths:
        Path(file).unlink()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a").write_text("old")
    with pytest.raises(StoreError, match="cannot be read to its end"):
        port.write(tmp_path / "out" / "a", format)
    assert [p.read_text() for p in (tmp_path / "out").iterdir()] == ["old"]


def limit_files() -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))


@pytest.mark.parametrize("format", FILES)
def test_a_full_disk_is_told_and_leaves_the_old_file_as_it_was(tmp_path, format):
    made = PublishedPort(tmp_path, typed_contract({"n": "BIGINT"}, event_time=None))
    made.publish(pl.DataFrame({"n": range(0, 2_000_000, 17)}))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a").write_text("old")
    mesh = Path(sys.executable).parent / "mesh"
    words = ["--root", made.root, "read", "visits", "--out", tmp_path / "out" / "a"]
    done = subprocess.run(
        [mesh, *map(str, words), "--format", format],
        capture_output=True,
        text=True,
        preexec_fn=limit_files,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("StoreError: ")
    assert "cannot be written" in done.stderr
    assert "File too large" in done.stderr
    assert [p.read_text() for p in (tmp_path / "out").iterdir()] == ["old"]


# ---- the verb ---------------------------------------------------------------------------------


def test_read_hands_over_text_bytes_or_the_first_rows(visits):
    mesh = visits_mesh(visits)
    assert mesh.read("visits").rows == 3
    assert mesh.read("visits", format="csv").startswith("n,at,")
    assert mesh.read("visits", format="json") == mesh.read("visits", format="ndjson")
    assert pl.read_parquet(io.BytesIO(mesh.read("visits", format="parquet"))).height == 3
    assert pl.read_ipc(io.BytesIO(mesh.read("visits", format="arrow"))).height == 3
    assert json.loads(mesh.read("visits", format="graph"))["@graph"]
    events = [json.loads(line) for line in mesh.read("visits", format="events").splitlines()]
    rest = mesh.read("visits", format="events", since=events[3]["cursor"])
    assert [json.loads(line) for line in rest.splitlines()] == events[4:]


def test_read_refuses_a_cursor_for_a_table_and_a_window_that_ends_before_it_starts(visits):
    mesh = visits_mesh(visits)
    with pytest.raises(UsageError, match="--format events"):
        mesh.read("visits", since="2026-01-01")
    with pytest.raises(UsageError, match="before or when it starts"):
        mesh.port("visits", start="2026-02-01", end="2026-01-01")
    with pytest.raises(MeshError, match="is not a format"):
        mesh.read("visits", format="yaml")


def visits_mesh(visits: PublishedPort) -> Any:
    import mesh_notebook

    return mesh_notebook.open(visits.root)


def test_a_port_in_a_notebook_is_shown_and_is_no_input_of_an_export(shell, published):
    shell.run("port = mesh.port('airport-delays')")
    assert "in SQL" in shell.shown(shell.run("port"))["text/plain"]
    shell.run("rows = port.lazy().filter(pl.col('flights') > 1)")
    shell.run("%mesh product again --domain analytics --owner x")
    shell.run("%mesh output daily rows --key origin,day --event-time day")
    with pytest.raises(ExportRefused, match=r"by mesh.port"):
        shell.run("%mesh export again")


def test_the_exported_product_offers_every_mode(published):
    from mesh_notebook.mesh.catalogue import Catalogue

    product, _ = Catalogue([published]).resolve("airport-delays")
    (port,) = product.product(product.latest()).outputs
    assert port.modes == MODES
