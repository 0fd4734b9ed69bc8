"""A real PostgreSQL on loopback: one server a session, an empty database a test.

`MESH_REQUIRE=postgres` turns the skip into a failure where there is none.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from s3 import free_port, wait_for

PASSWORD = "a-password-nobody-may-see"


@dataclass(frozen=True)
class Database:
    """An empty database; the environment of the test holds its password."""

    name: str
    port: int

    @property
    def url(self) -> str:
        return f"postgresql://owner@127.0.0.1:{self.port}/{self.name}"

    def run(self, *statements: str) -> list[Any]:
        """Run statements, and return the rows of the last."""
        import adbc_driver_postgresql.dbapi as driver

        with driver.connect(self.url, autocommit=True) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []


def _programs() -> Path | None:
    found = shutil.which("initdb")
    places = [Path(found).resolve().parent] if found else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((p for p in places if (p / "initdb").exists() and (p / "postgres").exists()), None)


def _as_another() -> list[str]:
    """Return what runs a program as another user: PostgreSQL refuses to be run by root."""
    if os.geteuid() != 0:
        return []
    import pwd

    users = {entry.pw_name for entry in pwd.getpwall()}
    user = "postgres" if "postgres" in users else "nobody"
    entry = pwd.getpwnam(user)
    return ["setpriv", f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups"]


@pytest.fixture(scope="session")
def postgres_port() -> Iterator[int]:
    """The port of a server of this session's own."""
    programs = _programs()
    if programs is None:
        reason = "PostgreSQL: neither initdb on PATH nor in /usr/lib/postgresql"
        if "postgres" in os.environ.get("MESH_REQUIRE", ""):
            pytest.fail(reason)
        pytest.skip(reason)
    # A folder of its own in /tmp: pytest's are closed to the user that the server runs as.
    folder = Path(tempfile.mkdtemp(prefix="mesh-postgres-"))
    try:
        with _running(programs, folder) as port:
            yield port
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class _running:
    """A server, from its empty folder to its end; it may be stopped and started in between."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self.programs, self.folder, self.port = programs, folder, free_port()

    def __enter__(self) -> int:
        another, data = _as_another(), self.folder / "data"
        secret = self.folder / "password"
        secret.write_text(PASSWORD)
        if another:
            for path in (self.folder, secret):
                shutil.chown(path, int(another[1].partition("=")[2]))
        setting = ["--auth=scram-sha-256", "--username=owner", f"--pwfile={secret}", "--no-sync"]
        setting += ["--encoding=UTF8", "--locale=C", f"--pgdata={data}"]
        subprocess.run(
            [*another, self.programs / "initdb", *setting], check=True, capture_output=True
        )
        self.start()
        return self.port

    def start(self) -> None:
        """Start it on its data, and wait until it answers."""
        options = ["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]
        options += ["-c", f"unix_socket_directories={self.folder}", "-p", str(self.port)]
        with (self.folder / "log").open("ab") as log:
            self.server = subprocess.Popen(
                [*_as_another(), self.programs / "postgres", "-D", self.folder / "data", *options],
                stdout=log,
                stderr=log,
            )
        wait_for(self.port)
        self._until_ready(self.port)

    def _until_ready(self, port: int, seconds: float = 30.0) -> None:
        """Wait until the server takes connections, which is later than it listens."""
        until = time.monotonic() + seconds
        command = [self.programs / "pg_isready", "-h", "127.0.0.1", "-p", str(port)]
        while subprocess.run(command, capture_output=True).returncode:
            if time.monotonic() > until:
                raise TimeoutError((self.folder / "log").read_text())
            time.sleep(0.1)

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop it; who is connected is sent away."""
        self.server.send_signal(signal.SIGINT)
        try:
            self.server.wait(20)
        except subprocess.TimeoutExpired:
            self.server.kill()
            self.server.wait()


@pytest.fixture
def stoppable_postgres(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, Database]]:
    """A server of the test's own, which it may `stop` and `start`, and a database of it."""
    programs = _programs() or pytest.skip("PostgreSQL is not here")
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    folder = Path(tempfile.mkdtemp(prefix="mesh-postgres-"))
    try:
        with (server := _running(programs, folder)) as port:
            yield server, Database("postgres", port)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres(postgres_port: int, monkeypatch: pytest.MonkeyPatch) -> Database:
    """An empty database, whose password is in the environment."""
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    for name in ("PGUSER", "PGHOST", "PGPORT", "PGDATABASE", "PGSERVICE", "PGPASSFILE"):
        monkeypatch.delenv(name, raising=False)
    name = f"d{uuid.uuid4().hex[:12]}"
    Database("postgres", postgres_port).run(f"CREATE DATABASE {name}")
    return Database(name, postgres_port)
