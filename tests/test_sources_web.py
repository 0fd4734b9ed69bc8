"""Files behind a web address: captured once, streamed, tried again, and never half of one."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import polars as pl
import pytest
from webserver import Reply, WebServer

from mesh_notebook.errors import MeshError, SourceError, UsageError
from mesh_notebook.mesh.sources import Asked, World, open_source

ROWS = pl.DataFrame({"origin": ["EWR", "JFK"], "delay": [5, -3]})
CSV = ROWS.write_csv()


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def world(tmp_path: Path, pauses: list[float]) -> World:
    return World(tmp_path, pause=pauses.append, patience=5.0)


def refused(asked: Asked | str, world: World, kind: type[MeshError] = SourceError) -> MeshError:
    with pytest.raises(kind) as caught:
        open_source(asked, world)
    assert caught.value.next_step
    return caught.value


def left(captures: Path) -> list[str]:
    return sorted(p.name for p in (captures / "sources").glob(".part-*"))


def files(captures: Path) -> list[Path]:
    return sorted(p for p in (captures / "sources").iterdir() if p.suffix != ".note")


def encoded(write: str) -> bytes:
    buffer = io.BytesIO()
    getattr(ROWS, write)(buffer)
    return buffer.getvalue()


BODIES = {
    "/d.csv": CSV.encode(),
    "/d.csv.gz": gzip.compress(CSV.encode()),
    "/d.tsv": CSV.replace(",", "\t").encode(),
    "/d.parquet": encoded("write_parquet"),
    "/d.arrow": encoded("write_ipc"),
    "/d.ndjson": encoded("write_ndjson"),
    "/d.json": encoded("write_json"),
    "/d.xlsx": encoded("write_excel"),
}


@pytest.mark.parametrize("path", BODIES)
def test_a_file_of_every_kind_is_read_from_its_address(
    web: WebServer, world: World, path: str
) -> None:
    web.serve(path, BODIES[path])
    assert open_source(f"{web.url}{path}?version=2", world).lazy().collect().equals(ROWS)


def test_what_the_server_calls_it_says_the_kind_where_the_address_does_not(
    web: WebServer, world: World
) -> None:
    web.serve("/export", CSV, Content_Type="text/csv; charset=utf-8")
    assert open_source(f"{web.url}/export", world).lazy().collect().equals(ROWS)
    web.serve("/blob", CSV, Content_Type="application/octet-stream")
    assert "--format" in refused(f"{web.url}/blob", world).next_step
    asked = Asked(f"{web.url}/blob", format="csv")
    assert open_source(asked, world).lazy().collect().equals(ROWS)


def test_what_a_server_packed_for_the_way_is_unpacked(web: WebServer, world: World) -> None:
    packed = Reply(gzip.compress(CSV.encode()), 200, {"Content-Encoding": "gzip"})
    web.pages["/d.csv"] = web.pages["/e.csv.gz"] = packed
    for path in ("/d.csv", "/e.csv.gz"):
        assert open_source(f"{web.url}{path}", world).lazy().collect().equals(ROWS)


def test_an_unchanged_file_is_not_sent_twice_and_a_changed_one_is_read_anew(
    web: WebServer, world: World
) -> None:
    web.serve("/d.csv", CSV)
    first = open_source(f"{web.url}/d.csv", world)
    again = open_source(f"{web.url}/d.csv", world)
    assert again == first
    assert "if-none-match" in web.asked[1].headers
    web.serve("/d.csv", CSV + "LGA,1\n")
    changed = open_source(f"{web.url}/d.csv", world)
    assert changed.lazy().collect().height == 3
    assert first.lazy().collect().height == 2
    assert changed.state != first.state


def test_a_captured_file_that_was_damaged_is_read_anew(
    web: WebServer, world: World, captures: Path
) -> None:
    web.serve("/d.csv", CSV)
    (path,) = open_source(f"{web.url}/d.csv", world).paths
    Path(path).write_text("origin,delay\n")
    assert open_source(f"{web.url}/d.csv", world).lazy().collect().equals(ROWS)


def test_captures_are_for_this_user_alone_and_named_by_their_content(
    web: WebServer, world: World, captures: Path
) -> None:
    import hashlib

    web.serve("/d.csv", CSV)
    (path,) = open_source(f"{web.url}/d.csv", world).paths
    assert Path(path).name == f"{hashlib.sha256(CSV.encode()).hexdigest()}.csv"
    assert (captures / "sources").stat().st_mode & 0o777 == 0o700
    assert all(p.stat().st_mode & 0o077 == 0 for p in (captures / "sources").iterdir())


def test_a_busy_server_is_asked_again_when_it_says(
    web: WebServer, world: World, pauses: list[float]
) -> None:
    replies = [
        Reply(b"", 503),
        Reply(b"", 429, {"Retry-After": "7"}),
        Reply(CSV.encode(), 200, {}, 10),
        Reply(CSV.encode()),
    ]
    web.pages["/d.csv"] = lambda request: replies[len(web.asked) - 1]
    assert open_source(f"{web.url}/d.csv", world).lazy().collect().equals(ROWS)
    assert len(pauses) == 3
    assert pauses[1] == 7.0


def test_a_server_that_stays_busy_is_an_error_in_the_end(
    web: WebServer, world: World, captures: Path
) -> None:
    web.pages["/d.csv"] = Reply(b"", 503)
    error = refused(f"{web.url}/d.csv", world)
    assert "503" in error.message
    assert "5 times" in error.message
    assert (len(web.asked), left(captures)) == (5, [])


def test_a_connection_that_always_drops_leaves_nothing_half_written(
    web: WebServer, world: World, captures: Path
) -> None:
    web.pages["/d.csv"] = Reply(CSV.encode() * 10_000, 200, {}, 1_000)
    assert "cannot be reached" in refused(f"{web.url}/d.csv", world).message
    assert files(captures) == []


@pytest.mark.parametrize(
    ("status", "step"), [(404, "address"), (401, "--token-env"), (403, "--token-env"), (410, "")]
)
def test_a_refusal_is_not_asked_again(web: WebServer, world: World, status: int, step: str) -> None:
    web.pages["/d.csv"] = Reply(b"", status)
    error = refused(f"{web.url}/d.csv", world)
    assert str(status) in error.message
    assert step in error.next_step
    assert len(web.asked) == 1


def test_redirects_are_followed_but_not_for_ever(web: WebServer, world: World) -> None:
    web.serve("/d.csv", CSV)
    web.pages["/old"] = Reply(b"", 302, {"Location": "/d.csv"})
    assert open_source(f"{web.url}/old", world).lazy().collect().equals(ROWS)
    web.pages["/loop"] = Reply(b"", 302, {"Location": "/loop"})
    assert "redirects more than" in refused(f"{web.url}/loop", world).message


def test_a_token_goes_to_its_own_host_and_no_further(
    web: WebServer, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = WebServer()
    other.serve("/d.csv", CSV)
    web.pages["/here"] = Reply(b"", 302, {"Location": "/on"})
    web.pages["/on"] = Reply(b"", 302, {"Location": f"{other.url}/d.csv"})
    monkeypatch.setenv("API_TOKEN", "s3cret")
    for header in (None, "X-Api-Key"):
        asked = Asked(f"{web.url}/here", token_env="API_TOKEN", token_header=header)
        assert open_source(asked, world).lazy().collect().equals(ROWS)
    other.close()
    sent = [r.headers.get("authorization") or r.headers.get("x-api-key") for r in web.asked]
    assert sent == ["Bearer s3cret"] * 2 + ["s3cret"] * 2
    assert not any("s3cret" in str(request) for request in other.asked)


def test_a_token_that_is_not_there_or_stands_in_the_open_is_refused(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Asked("https://example.org/d.csv", token_env="NO_SUCH_TOKEN")
    assert "NO_SUCH_TOKEN is not set" in refused(asked, world, UsageError).message
    asked = Asked("https://example.org/d.csv", token_env="ghp-0123")
    assert "ghp-0123" not in str(refused(asked, world, UsageError))
    monkeypatch.setenv("API_TOKEN", "s3cret")
    asked = Asked("http://example.org/d.csv", token_env="API_TOKEN")
    assert "unencrypted" in refused(asked, world, UsageError).message


@pytest.mark.parametrize(
    "uri",
    [
        "https://ana:hunter2@example.org/d.csv",
        "https://example.org/d.csv?api_key=hunter2",
        "https://example.org/d.csv?X-Amz-Signature=hunter2",
        "https://example.org/d.csv?sig=hunter2",
    ],
)
def test_an_address_that_holds_a_secret_is_refused_and_not_repeated(world: World, uri: str) -> None:
    error = refused(uri, world, UsageError)
    assert "hunter2" not in str(error)
    assert "--token-env" in error.next_step


def test_http_is_read_and_the_state_says_so(web: WebServer, world: World) -> None:
    web.serve("/d.csv", CSV)
    assert "not encrypted" in open_source(f"{web.url}/d.csv", world).state


def test_errors_speak_of_the_address_and_not_of_the_captured_file(
    web: WebServer, world: World, captures: Path
) -> None:
    web.serve("/d.csv", "a,b\n1,2\n1,2,3\n")
    error = refused(f"{web.url}/d.csv", world)
    assert f"{web.url}/d.csv, line 3" in error.message
    assert str(captures) not in str(error)
    web.serve("/e.csv", "")
    assert f"{web.url}/e.csv is empty" in refused(f"{web.url}/e.csv", world).message


def test_a_host_that_does_not_answer_is_named(world: World) -> None:
    assert "cannot be reached" in refused("http://127.0.0.1:1/d.csv", world).message
    assert "names no host" in refused("https:///d.csv", world).message


def test_a_server_that_falls_silent_is_given_up(web: WebServer, tmp_path: Path) -> None:
    def slow(request: object) -> Reply:
        time.sleep(0.6)
        return Reply(CSV.encode())

    web.pages["/d.csv"] = slow
    world = World(tmp_path, pause=lambda seconds: None, patience=0.1)
    assert "gave nothing for 0.1 s" in refused(f"{web.url}/d.csv", world).message


def test_a_large_file_says_how_far_it_is_and_is_not_held_in_memory(
    web: WebServer, tmp_path: Path
) -> None:
    import tracemalloc

    body = b"a\n" + b"1234567\n" * 4_000_000
    web.serve("/big.csv", body)
    said: list[str] = []
    world = World(tmp_path, progress=said.append)
    from mesh_notebook.mesh.sources.web import Web

    tracemalloc.start()
    with Web.of(Asked(f"{web.url}/big.csv"), world) as asks:
        asks.get(f"{web.url}/big.csv", tmp_path / "part")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (tmp_path / "part").stat().st_size == len(body)
    assert peak < len(body) / 4
    assert all("MB of 32.0 MB" in step or "kB of" in step for step in said)


def test_ctrl_c_in_a_download_leaves_nothing_half_written(
    web: WebServer, tmp_path: Path, captures: Path
) -> None:
    begun = threading.Event()

    def endless(request: object) -> Reply:
        begun.set()
        return Reply(b"a\n" + b"1\n" * 50_000_000)

    web.pages["/d.csv"] = endless
    code = (
        "import sys, pathlib; from mesh_notebook.mesh.sources import open_source;"
        "open_source(sys.argv[1], pathlib.Path('.'))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, f"{web.url}/d.csv"], cwd=tmp_path, stderr=subprocess.PIPE
    )
    assert begun.wait(30)
    until = time.monotonic() + 20
    while not any(p.stat().st_size for p in (captures / "sources").glob(".part-*")):
        assert time.monotonic() < until
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert b"KeyboardInterrupt" in said
    assert files(captures) == []


@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("mount") is None, reason="a small disk needs root to mount"
)
def test_a_full_disk_is_named_and_nothing_is_left_on_it(
    web: WebServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(small)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount a small disk")
    try:
        monkeypatch.setenv("MESH_CACHE", str(small))
        web.serve("/d.csv", b"a\n" + b"1\n" * 5_000_000)
        error = refused(f"{web.url}/d.csv", World(tmp_path))
        assert "No space left" in error.message
        assert "MESH_CACHE" in error.next_step
        assert files(small) == []
        web.json("/api", lambda request: [{"x": "y" * 1_000, "n": n} for n in range(5_000)])
        assert "No space left" in refused(f"{web.url}/api", World(tmp_path)).message
        assert files(small) == []
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_a_folder_of_captures_that_cannot_be_made_is_named(
    web: WebServer, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MESH_CACHE", str(tmp_path / "file"))
    web.serve("/d.csv", CSV)
    assert "MESH_CACHE" in refused(f"{web.url}/d.csv", world).next_step


def test_flags_of_an_api_are_refused_for_a_file(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text(CSV)
    for asked in (Asked("d.csv", records="a"), Asked("d.csv", token_env="T")):
        refused(asked, World(tmp_path), UsageError)
    assert (
        "did you mean parquet"
        in refused(Asked("d.csv", format="parket"), World(tmp_path), UsageError).next_step
    )
