"""The whole path in folders whose names a URL, a shell or a glob would take for something else."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from bundles import Clock, contract, deployed, write_bundle
from conftest import Shell

from mesh_notebook.errors import DeployRefused, ExportRefused
from mesh_notebook.mesh.scan import scan_of
from mesh_notebook.mesh.sources import open_source
from mesh_notebook.mesh.store import write_snapshot
from mesh_notebook.mesh.versions import files_of

pytestmark = pytest.mark.attacks

AWKWARD = "my é#1 50% a+b&c=d;e,f{g} 'h' \"i\" @~!$ 日本?"
CONTRACT = """
apiVersion: v3.1.0
kind: DataContract
id: urn:dmesh:local:music:songs:songs:1
version: 1.0.0
status: active
schema:
  - name: songs
    properties:
      - {name: song, logicalType: integer, physicalType: BIGINT, primaryKey: true, required: true}
      - {name: title, logicalType: string, physicalType: VARCHAR}
"""
RULE = """package mesh
deny contains "no owner" if { not input.product.owner }
"""


def written(folder: Path, plays: range) -> Path:
    """Write one day of plays as a CSV file."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = "".join(f"{n},u{n % 3},2026-01-0{1 + n % 5},{n % 4 / 2}\n" for n in plays)
    (folder / "plays #1 a%20b.csv").write_text(f"play,user,day,minutes\n{rows}")
    return folder


def walk(shell: Shell, home: Path, name: str) -> None:
    """Take a product from its sources to its end, every verb on the way."""
    mesh, bundle = shell.mesh, f"bundle {name}"
    data = written(home / f"data {name}", range(20))
    (home / f"{name}.odcs.yaml").write_text(CONTRACT)
    (home / f"{name}.rego").write_text(RULE)
    mesh.mock(f"{name}.odcs.yaml", rows=30, seed=1, name="songs")
    mesh.source("folder", f"data {name}")
    assert mesh.source("one", data / "plays #1 a%20b.csv").collect().height == 20
    shell.run(f"mesh.source('plays', {f'data {name}/*.csv'!r})")
    shell.run("%%mesh sql daily\nSELECT play, user, CAST(day AS DATE) AS day, minutes FROM plays")
    mesh.profile("daily")
    mesh.product("listening", domain="music", owner="me", purpose="listening")
    shell.run("%mesh output daily daily --key play --event-time day --kind log")
    mesh.promise("daily", "completeness=0.5")
    mesh.protect("daily.user", mask="tokenise", exempt="privacy-officer")
    mesh.protect("daily", erasable="user")
    assert mesh.check().passed
    mesh.export(bundle)
    mesh.verify(bundle)
    mesh.plan(bundle)
    mesh.rule(f"{name}.rego", name="owned")
    assert not mesh.deploy(bundle).unchanged
    mesh.grant("ann", "privacy-officer")
    mesh.load(bundle, out=home / f"{name}.ipynb")
    mesh.diff(bundle, home / f"{name}.ipynb")
    mesh.run(bundle, out=home / f"run {name}")
    mesh.run(bundle, engine="duckdb")
    written(data, range(1, 30))
    assert mesh.deploy(bundle).receipt.snapshot == 2
    for format in ("parquet", "csv", "ndjson", "arrow", "events", "graph"):
        mesh.read("listening", format=format, out=home / f"{name}.{format}")
    assert mesh.connect("listening", name="again").collect().height == 30
    mesh.sql("counted", "SELECT count(*) AS n FROM again")
    assert mesh.namespace["counted"].item() == 30
    mesh.describe("listening", out=home / f"{name}.html")
    (mesh.search("listening"), mesh.status("listening"), mesh.history("listening"))
    (mesh.lineage("listening"), mesh.lineage(bundle), mesh.why("listening"))
    mesh.decisions("listening")
    mesh.erase("listening", "u1")
    mesh.retain("listening", keep=1)
    (data / "plays #1 a%20b.csv").write_text("play,user,day,minutes\n,u1,2026-01-01,1\n")
    with pytest.raises(DeployRefused):
        mesh.deploy(bundle)
    mesh.rejects("listening", out=home / f"rejects {name}.csv")
    assert mesh.connect("listening", name="kept").collect().height == 30


def settled(shell: Shell, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Open the notebook anew in a folder, with all that it keeps on this machine in there."""
    home.mkdir()
    monkeypatch.chdir(home)
    monkeypatch.setenv("MESH_CACHE", str(home / "cache"))
    shell.run("%reload_ext mesh_notebook")
    return home


def test_every_verb_works_in_a_folder_with_an_awkward_name(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    walk(shell, settled(shell, tmp_path / AWKWARD, monkeypatch), AWKWARD)


def test_every_verb_works_on_an_awkward_prefix_of_a_bucket(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, s3: Any
) -> None:
    monkeypatch.setenv("MESH_ROOTS", f"{s3.url}/{AWKWARD}")
    walk(shell, settled(shell, tmp_path / "br[0]", monkeypatch), "br[0]")
    keys = s3.keys()
    assert {key.partition("/")[0] for key in keys} == {AWKWARD}


@pytest.mark.parametrize("name", ["br[0]", "a%20b", "a|b", "a^b", "a\\b", "a\tb"])
def test_a_root_that_delta_cannot_name_is_refused_before_anything_is_run(
    tmp_path: Path, name: str
) -> None:
    bundle, root = write_bundle(tmp_path / "bundle"), tmp_path / name
    with pytest.raises(DeployRefused, match=re.escape(f"of {name!r}")) as raised:
        deployed(bundle, root, Clock())
    assert "another root" in raised.value.next_step
    assert not root.exists()


@pytest.mark.parametrize("name", ["a b", "é 日本", "a#b", "100%", "a?b", "*", "a+b&c", "'h' \"i\""])
def test_a_snapshot_is_read_back_from_a_folder_with_an_awkward_name(
    tmp_path: Path, name: str
) -> None:
    held = contract()
    frame = pl.DataFrame({"airport": ["JFK"], "day": [date(2026, 1, 1)], "delay": [5.0]})
    table = tmp_path / name / "ports" / "daily"
    version = write_snapshot(table, frame, held, {})
    for twice in (version, write_snapshot(table, frame, held, {})):
        files = files_of(table, twice)
        assert scan_of(files, held, named=False).lazy().collect().equals(frame)
    assert {path.name for path in tmp_path.iterdir()} == {name}


@pytest.mark.parametrize("kind", ["csv", "parquet", "ndjson", "json", "arrow", "db"])
def test_a_folder_that_is_called_like_a_glob_is_none(tmp_path: Path, kind: str) -> None:
    home = tmp_path / "[x]?" / "br[0]"
    home.mkdir(parents=True)
    put_rows(home / f"rows.{kind}", kind)
    (tmp_path / "[x]?" / "br0").mkdir()
    put_rows(tmp_path / "[x]?" / "br0" / f"other.{kind}", kind)
    for uri in (f"br[0]/rows.{kind}", "br[0]", f"br[0]/*.{kind}", f"br[[]0]/*.{kind}"):
        assert open_source(uri, home.parent).lazy().collect()["k"].to_list() == [1], uri
        assert [Path(p).name for p in open_source(uri, home.parent).paths] == [f"rows.{kind}"]
    assert "other" in open_source(f"b*0/*.{kind}", home.parent).paths[0]


def put_rows(path: Path, kind: str) -> None:
    frame = pl.DataFrame({"k": [1]})
    if kind == "db":
        with closing(sqlite3.connect(path)) as con:
            con.execute("CREATE TABLE t (k INTEGER)")
            con.execute("INSERT INTO t VALUES (1)")
            con.commit()
    else:
        name = {"arrow": "ipc"}.get(kind, kind)
        getattr(frame, f"write_{name}")(path)


def test_a_file_url_may_be_escaped(tmp_path: Path) -> None:
    (tmp_path / "my a%20b").mkdir()
    put_rows(tmp_path / "my a%20b" / "rows.csv", "csv")
    for uri in (f"file://{tmp_path}/my a%20b/rows.csv", (tmp_path / "my a%20b/rows.csv").as_uri()):
        assert open_source(uri, tmp_path).lazy().collect().height == 1


def test_temporary_files_may_lie_in_a_folder_that_is_called_like_a_glob(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What proves, what explains and what verifies each read back what a clean process made."""
    odd = tmp_path / "[t]mp*?{a,b} c=d"
    odd.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(odd))
    (tmp_path / "plays.csv").write_text("id,day\n" + "".join(f"{n},{n % 7}\n" for n in range(40)))
    for line in (
        "import polars as pl",
        "%mesh product plays --domain media",
        "%mesh source plays plays.csv",
        "limits = {'all': 3}",
        "other = limits",
        "def low():\n    return limits['all']",
        "__import__('operator').setitem(get_ipython().user_ns['other'], 'all', 9)",
        "out = plays.filter(pl.col('day') < low())",
        "%mesh output daily out --key id",
    ):
        shell.run(line)
    with pytest.raises(ExportRefused, match="makes `limits`, where they part"):
        shell.run("%mesh export bundle")
    shell.run("days = plays.unique(['day', 'id']).collect()['id'].to_list()")
    shell.run("out = plays.filter(pl.col('id') == days[0])")
    shell.run("%mesh output daily out --key id")
    with pytest.raises(ExportRefused, match="the order of rows that have none"):
        shell.run("%mesh export bundle")
    shell.run("few = 3")
    shell.by_hand("few = 4")
    shell.run("out = plays.filter(pl.col('day') < few)")
    shell.run("%mesh output daily out --key id")
    with pytest.raises(ExportRefused, match="`few`"):
        shell.run("%mesh export bundle")
    shell.run("few = 3")
    shell.run("out = plays.filter(pl.col('day') < few)")
    shell.run("%mesh output daily out --key id")
    shell.run("%mesh export bundle")
    shell.run("%mesh verify bundle")
    shell.run("%mesh run bundle --engine duckdb")
    assert not shell.run("%mesh deploy bundle").unchanged


@pytest.mark.parametrize("name", ["br[0]", "a%20b", "a|b", "a^b", "a\\b", "a\tb"])
def test_a_root_that_delta_cannot_name_is_refused_to_the_whole_path_of_a_notebook(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The notebook's own folder may be called so; what it publishes goes to another root."""
    home = settled(shell, tmp_path / name, monkeypatch)
    for line in (
        "import polars as pl",
        "df = pl.DataFrame({'k': [1]})",
        "%mesh product p --domain d --owner me --purpose x",
        "%mesh output o df --key k",
        "%mesh export b",
    ):
        shell.run(line)
    with pytest.raises(DeployRefused, match=re.escape(f"of {name!r}")):
        shell.run("%mesh deploy b")
    assert not (home / ".mesh").exists(), "nothing was written"
    monkeypatch.setenv("MESH_ROOTS", str(tmp_path / "plain"))
    shell.run("%reload_ext mesh_notebook")
    assert shell.run("%mesh deploy b").receipt.snapshot == 1


def test_a_prefix_that_delta_cannot_name_is_refused_before_anything_is_put(
    tmp_path: Path, s3: Any
) -> None:
    with pytest.raises(DeployRefused, match=re.escape("of 'a%20b'")):
        deployed(write_bundle(tmp_path / "bundle"), f"{s3.url}/a%20b", Clock())
    assert s3.keys() == []
