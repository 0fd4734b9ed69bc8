"""Objects on S3: keys, globs and folders, each captured once a version."""

from __future__ import annotations

import io
import sys
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from s3 import Bucket
from webserver import Reply, Request, WebServer

from mesh_notebook.errors import MissingExtra, SourceError
from mesh_notebook.mesh.sources import Asked, World, open_source


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, pause=lambda seconds: None, patience=3.0)


def parquet(*days: int) -> bytes:
    buffer = io.BytesIO()
    pl.DataFrame({"day": list(days)}).write_parquet(buffer)
    return buffer.getvalue()


def days(uri: str, world: World) -> list[int]:
    return open_source(uri, world).lazy().collect()["day"].to_list()


def refused(uri: str, world: World) -> SourceError:
    with pytest.raises(SourceError) as caught:
        open_source(uri, world)
    assert caught.value.next_step
    assert len(str(caught.value)) < 400
    return caught.value


def test_a_key_a_glob_and_a_folder_are_read_in_order(s3: Bucket, world: World) -> None:
    for name, day in (("b", 2), ("a", 1), ("deep/c", 3)):
        s3.put(f"plays/{name}.parquet", parquet(day))
    s3.put("plays/_hidden.parquet", parquet(9))
    s3.put("plays/README.md", b"notes")
    assert days(f"{s3.url}/plays/a.parquet", world) == [1]
    assert days(f"{s3.url}/plays/", world) == [1, 2]
    assert days(f"{s3.url}/plays", world) == [1, 2]
    assert days(f"{s3.url}/plays/[ab].parquet", world) == [1, 2]
    assert days(f"{s3.url}/plays/[!a_]*.parquet", world) == [2]
    assert days(f"{s3.url}/pl?ys/**/*.parquet", world) == [9, 1, 2, 3]


def test_other_kinds_and_odd_names_are_read_too(s3: Bucket, world: World) -> None:
    s3.put("the plays/täg #1.csv", b"day\n1\n")
    assert days(f"{s3.url}/the plays/täg #1.csv", world) == [1]
    s3.put("d.csv.gz", __import__("gzip").compress(b"day\n2\n"))
    assert days(f"{s3.url}/d.csv.gz", world) == [2]
    s3.put("blob", b"day\n3\n")
    asked = Asked(f"{s3.url}/blob", format="csv")
    assert open_source(asked, world).lazy().collect()["day"].to_list() == [3]
    buffer = io.BytesIO()
    pl.DataFrame({"day": [4]}).write_excel(buffer, worksheet="plays")
    s3.put("book.xlsx", buffer.getvalue())
    assert days(f"{s3.url}/book.xlsx#plays", world) == [4]


def test_folders_keep_their_columns_and_options_are_heeded(s3: Bucket, world: World) -> None:
    for day in (1, 2):
        s3.put(f"log/day=2026-10-0{day}/kind=a%20b/part.csv", f"of May\nid;v\n{day};1,5\n".encode())
    for uri in ("log", "log/", "log/**/*.csv", "log/day=*/kind=*/part.csv"):
        asked = Asked(f"{s3.url}/{uri}", skip=1, decimal=",")
        assert open_source(asked, world).lazy().collect().rows() == [
            (1, 1.5, date(2026, 10, 1), "a b"),
            (2, 1.5, date(2026, 10, 2), "a b"),
        ]
    s3.put("log/_delta_log/0.json", b"{}")
    assert refused(f"{s3.url}/log", world)
    asked = Asked(f"{s3.url}/log/day=2026-10-01/kind=a%20b/part.csv", skip=1)
    assert open_source(asked, world).lazy().collect().columns == ["id", "v"]


def test_an_unchanged_object_is_not_downloaded_twice(
    s3: Bucket, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    import obstore

    got: list[str] = []
    plain = obstore.get

    def counted(store: object, path: str, **options: object) -> object:
        got.append(path)
        return plain(store, path, **options)

    monkeypatch.setattr(obstore, "get", counted)
    s3.put("p/1.parquet", parquet(1))
    s3.put("p/2.parquet", parquet(2))
    first = open_source(f"{s3.url}/p/", world)
    assert open_source(f"{s3.url}/p/", world) == first
    assert got == ["p/1.parquet", "p/2.parquet"]
    s3.put("p/2.parquet", parquet(3))
    assert days(f"{s3.url}/p/", world) == [1, 3]
    assert got[2:] == ["p/2.parquet"]
    assert first.lazy().collect()["day"].to_list() == [1, 2]


def test_the_state_is_the_etag_and_the_version(s3: Bucket, world: World) -> None:
    s3.client.put_bucket_versioning(Bucket=s3.name, VersioningConfiguration={"Status": "Enabled"})
    s3.put("a.parquet", parquet(1))
    told = s3.client.head_object(Bucket=s3.name, Key="a.parquet")
    scan = open_source(f"{s3.url}/a.parquet", world)
    assert scan.state == f"{told['ETag']} version {told['VersionId']}"
    s3.put("b.parquet", parquet(1))
    assert open_source(f"{s3.url}/*.parquet", world).state.startswith("2 objects, ETags ")


def test_an_object_that_changes_while_it_is_read_is_read_again(
    s3: Bucket, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    import obstore

    plain, changes = obstore.get, [parquet(2), parquet(3)]

    def racing(store: object, path: str, **options: object) -> object:
        if changes:
            s3.put("a.parquet", changes.pop())
        return plain(store, path, **options)

    monkeypatch.setattr(obstore, "get", racing)
    s3.put("a.parquet", parquet(1))
    assert days(f"{s3.url}/a.parquet", world) == [2]
    changes.extend(parquet(n) for n in range(10, 20))  # none of them known already
    s3.put("a.parquet", parquet(9))
    assert "changed while it was read" in refused(f"{s3.url}/a.parquet", world).message


def test_what_is_not_there_names_what_is_near(s3: Bucket, world: World) -> None:
    s3.put("plays/october.parquet", parquet(1))
    assert "october.parquet" in refused(f"{s3.url}/plays/octobre.parquet", world).next_step
    assert "plays/" in refused(f"{s3.url}/pleys/", world).next_step
    refused(f"{s3.url}/plays/*.csv", world)
    assert "NoSuchBucket" in refused("s3://no-such-bucket-here/a.csv", world).message
    assert "names no bucket" in refused("s3:///a.csv", world).message


def test_mixed_kinds_are_refused(s3: Bucket, world: World) -> None:
    s3.put("m/a.csv", b"day\n1\n")
    s3.put("m/b.parquet", parquet(1))
    assert "mixes kinds" in refused(f"{s3.url}/m/", world).message


def test_storage_that_is_not_there_is_a_short_error_without_the_secret(
    s3: Bucket, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    error = refused(f"{s3.url}/a.csv", world)
    assert "cannot be reached at http://127.0.0.1:1" in error.message
    assert "test-secret" not in str(error)


def flaky(web: WebServer, monkeypatch: pytest.MonkeyPatch, *replies: Reply) -> None:
    """Let the environment lead to storage that gives these answers, one after the other."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", web.url)
    facts = {"ETag": '"1"', "Last-Modified": "Mon, 05 Jan 2026 00:00:00 GMT"}
    got: list[Reply] = []

    def answer(request: Request) -> Reply:
        if request.method == "HEAD":
            return Reply(parquet(1), 200, facts)
        got.append(replies[min(len(got), len(replies) - 1)])
        return Reply(got[-1].body, got[-1].status, {**got[-1].headers, **facts}, got[-1].cut)

    web.pages["/bucket/a.parquet"] = answer


def test_storage_that_is_busy_or_drops_the_connection_is_asked_again(
    s3: Bucket, web: WebServer, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = parquet(1)
    flaky(web, monkeypatch, Reply(b"", 503), Reply(whole, 200, {}, 20), Reply(whole))
    assert days("s3://bucket/a.parquet", world) == [1]


@pytest.mark.parametrize("reply", [Reply(b"", 503), Reply(parquet(1), 200, {}, 20)])
def test_storage_that_stays_so_is_an_error_and_leaves_nothing_half_written(
    s3: Bucket,
    web: WebServer,
    world: World,
    captures: Path,
    monkeypatch: pytest.MonkeyPatch,
    reply: Reply,
) -> None:
    flaky(web, monkeypatch, reply)
    error = refused("s3://bucket/a.parquet", world)
    assert "503" in error.message or "cannot be reached" in error.message
    assert list((captures / "sources").iterdir()) == []


def test_a_large_object_is_streamed_to_its_file(s3: Bucket, world: World, captures: Path) -> None:
    import tracemalloc

    size = 40_000_000
    s3.put("big.csv", b"day\n" + b"1234567\n" * (size // 8))
    from mesh_notebook.mesh.sources.s3 import _Bucket

    bucket = _Bucket.of(Asked(f"{s3.url}/big.csv"), world)
    (one,), _ = bucket.found()
    tracemalloc.start()
    kept = bucket.kept(one)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert kept.stat().st_size == one.size > size
    assert peak < size / 2


def test_without_its_part_the_command_that_installs_it_is_said(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [n for n in sys.modules if n.partition(".")[0] == "obstore"]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, "obstore.store", None)
    with pytest.raises(MissingExtra, match=r"pip install 'mesh-notebook\[s3\]'"):
        open_source("s3://bucket/a.csv", world)
