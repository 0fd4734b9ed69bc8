"""Commands that are killed: what each is, what a person sees of it, and how it is killed."""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import polars as pl
from bundles import contract, write_bundle

from mesh_notebook.mesh.place import place_of
from mesh_notebook.mesh.published import PublishedProduct
from mesh_notebook.mesh.reading import read_port
from mesh_notebook.model.document import parse_yaml, set_custom, to_yaml
from mesh_notebook.model.time import Window

MESH = [sys.executable, "-c", "from mesh_notebook.surfaces.cli import main; main()"]
ADDRESS = "urn:dmesh:local:travel:batches"
ROWS = 30_000
MONTHS = (1, 2, 3)
TRANSFORM = """
def left(batch):
    return batch


def right(batch):
    return batch.sort("row", descending=True)
"""


@dataclass(frozen=True)
class Command:
    """A command of the shell that may be killed.

    Attributes
    ----------
    words : tuple of str
        What is typed after `mesh`.
    writes : str
        The step, as it is told, from which on it writes what will be seen.
    pieces : int
        In how many pieces what it makes becomes visible, each whole.
    seen : callable
        From the folder and the batch to how many pieces of this batch are seen; raises where one
        is torn, lost, half visible, or of another batch than this and the one before.
    temporality : dict
        How the bundle's ports are published.
    """

    name: str
    words: tuple[str, ...]
    writes: str
    pieces: int
    seen: Callable[[Path, int], int]
    temporality: dict[str, str]


# ---- what is seen ------------------------------------------------------------------------------


def batch_of(frame: pl.DataFrame, rows: int) -> int:
    """Return the one batch that rows are of, having found them whole."""
    assert sorted(frame["row"].to_list()) == list(range(rows))
    (batch,) = frame["batch"].unique()
    return int(batch)


def files_of(folder: Path, batch: int) -> int:
    """Return how many of the two files are of this batch; the other is of the one before."""
    assert not (folder / "mesh").exists()
    shown = [path for path in (folder / "rows").iterdir() if not path.name.startswith(".")]
    assert sorted(path.name for path in shown) == ["left.csv", "right.csv"]
    found = [batch_of(pl.read_csv(path), ROWS) for path in shown]
    assert set(found) <= {batch, batch - 1}
    return found.count(batch)


def snapshot_of(folder: Path, batch: int) -> int:
    """Return 1 if the newest snapshot is of this batch, which no other is; else 0."""
    product = PublishedProduct(place_of(folder / "mesh"), "travel", "batches")
    numbers = product.snapshots()
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) in (batch, batch - 1)
    assert _both_ports(product, Window(), ROWS) == len(numbers)
    return len(numbers) - (batch - 1)


def pictures_of(folder: Path, batch: int) -> int:
    """Return how many months show this batch: the first ones, and no publication comes twice."""
    product = PublishedProduct(place_of(folder / "mesh"), "travel", "batches")
    found = []
    for month in MONTHS:
        start, end = (datetime(2026, m, 1, tzinfo=UTC) for m in (month, month + 1))
        found.append(_both_ports(product, Window(start, end), ROWS // len(MONTHS)))
    new = found.count(batch)
    assert found == [batch] * new + [batch - 1] * (len(MONTHS) - new)
    assert product.snapshots() == list(range(1, len(MONTHS) * (batch - 1) + new + 1))
    return new


def _both_ports(product: PublishedProduct, window: Window, rows: int) -> int:
    found = set()
    for port in ("left", "right"):
        frame = read_port(product, port, window, "bo").frame.collect()
        first = frame["row"].min()
        found.add(batch_of(frame.with_columns(pl.col("row") - first), rows))
    assert len(found) == 1
    return found.pop()


COMMANDS = {
    one.name: one
    for one in (
        Command(
            "run",
            ("run", "bundle", "--out", "rows", "--format", "csv"),
            "write",
            2,
            files_of,
            {"kind": "snapshot"},
        ),
        Command("deploy", ("deploy", "bundle"), "publish", 1, snapshot_of, {"kind": "snapshot"}),
        Command(
            "backfill",
            ("deploy", "bundle", "--backfill", "2026-01", "2026-04"),
            "2026-01-01",
            3,
            pictures_of,
            {"kind": "snapshot", "interval": "P1M"},
        ),
    )
}


# ---- how it is killed --------------------------------------------------------------------------


class Killer:
    """Starts a command on ever new batches, in a process of its own, and kills it."""

    def __init__(self, folder: Path, command: Command) -> None:
        self.folder, self.command, self.batch = folder, command, 0
        (folder / "tmp").mkdir()
        made = write_bundle(
            folder / "bundle",
            address=ADDRESS,
            ports={port: _contract(port) for port in ("left", "right")},
            inputs=("batch",),
            transform=TRANSFORM,
            temporality=command.temporality,
        )
        (made / "contracts" / "inputs").mkdir()
        (made / "contracts" / "inputs" / "batch.odcs.yaml").write_text(_contract("batch").dumps())
        product = parse_yaml((made / "product.odps.yaml").read_text(), "product")
        set_custom(product["inputPorts"][0], "input", {"kind": "source", "uri": "../batch.parquet"})
        (made / "product.odps.yaml").write_text(to_yaml(product))

    def next_batch(self) -> None:
        self.batch += 1
        size = ROWS // len(MONTHS)
        day = pl.concat([pl.Series([datetime(2026, m, 5)] * size) for m in MONTHS]).cast(pl.Date)
        rows = pl.DataFrame({"row": range(ROWS), "day": day}, schema_overrides={"row": pl.Int64})
        aside = self.folder / "batch.new"
        rows.with_columns(batch=pl.lit(self.batch, pl.Int64)).write_parquet(aside)
        aside.rename(self.folder / "batch.parquet")

    def start(self) -> tuple[subprocess.Popen[bytes], int]:
        """Start the command; return it, and the terminal on which it tells its steps."""
        here, there = os.openpty()
        own = {"MESH_ROOTS": "mesh", "TMPDIR": str(self.folder / "tmp")}
        process = subprocess.Popen(
            [*MESH, *self.command.words],
            cwd=self.folder,
            env={**os.environ, **own},
            stdout=subprocess.DEVNULL,
            stderr=there,
        )
        os.close(there)
        return process, here

    def to_its_end(self) -> None:
        """Run the command on this batch, and find all that it makes."""
        process, terminal = self.start()
        said = _heard(terminal)
        assert process.wait() == 0, said
        assert self.seen() == self.command.pieces
        left = self.left_behind()
        assert not left, left

    def seen(self) -> int:
        return self.command.seen(self.folder, self.batch)

    def left_behind(self) -> list[Path]:
        """Return what lies about that no command at work needs."""
        places = (self.folder / "tmp", self.folder / "rows", self.folder / "mesh" / ".aside")
        found = [path for place in places if place.is_dir() for path in place.iterdir()]
        kept = re.compile(r"\w+\.csv|lock|.*\.turn")
        return [path for path in found if not kept.fullmatch(path.name) and not _waits(path)]

    def lasts(self, step: str, tries: int) -> float:
        """Return how long the command goes on after a step, in seconds: the median of so many."""
        times = []
        for _ in range(tries):
            self.next_batch()
            process, terminal = self.start()
            _heard(terminal, step)
            began = time.monotonic()
            _heard(terminal)
            assert process.wait() == 0
            times.append(time.monotonic() - began)
        return median(times)

    def lasting(self) -> float:
        """Return how long the command goes on for this batch, in seconds."""
        process, terminal = self.start()
        began = time.monotonic()
        said = _heard(terminal)
        assert process.wait() == 0, said
        return time.monotonic() - began

    def kill(self, step: str, after: float) -> bool:
        """Kill the command so many seconds after a step; return whether it was alive until then."""
        process, terminal = self.start()
        _heard(terminal, step)
        time.sleep(after)
        process.send_signal(signal.SIGKILL)
        ended = process.wait()
        os.close(terminal)
        assert ended in (0, -signal.SIGKILL)
        return ended != 0


def kill_many(folder: Path, command: Command, wanted: int) -> str:
    """Kill a command at random moments, run it again each time, and say what became of it."""
    killer = Killer(folder, command)
    killer.next_batch()
    killer.to_its_end()
    # Writing is a short part of a command's time: every second kill falls in it.
    tries = 3 if wanted > 2 else 1
    lasts = {step: killer.lasts(step, tries) for step in ("", command.writes)}
    moments, found = random.Random(23), dict.fromkeys(("nothing", "part", "all"), 0)
    for attempt in range(4 * wanted):
        step = ("", command.writes)[attempt % 2]
        killer.next_batch()
        # The writing itself is the first part of what comes after its step.
        spread = moments.random() ** 4 if step else moments.random()
        hit = killer.kill(step, spread * lasts[step])
        pieces = killer.seen()
        if hit:
            word = "all" if pieces == command.pieces else "part" if pieces else "nothing"
            found[word] += 1
        killer.to_its_end()
        if sum(found.values()) == wanted:
            break
    assert sum(found.values()) == wanted
    shutil.rmtree(folder / "mesh", ignore_errors=True)
    return (
        f"{wanted} killed: {found['nothing']} before anything was seen of it, {found['part']} "
        f"between two whole pieces of {command.pieces}, {found['all']} when all was seen; 0 torn, "
        f"0 lost, 0 half visible; {wanted} of {wanted} went through when run again"
    )


def _contract(port: str):  # type: ignore[no-untyped-def]
    columns = {"row": "BIGINT", "day": "DATE", "batch": "BIGINT"}
    return contract(columns, id=f"{ADDRESS}:{port}:1", key=("row",))


def _waits(path: Path) -> bool:
    """Whether it is the empty folder by which a later deployment knows what was killed."""
    return path.parent.name == ".aside" and path.is_dir() and not list(path.iterdir())


def _heard(terminal: int, word: str | None = None) -> str:
    """Read a terminal up to a line that begins with a word; without one to its end, and close it.

    The empty word is heard at once.
    """
    said = b""
    while word is None or not re.search(rf"(?m)^\s*{word}".encode(), said):
        try:
            more = os.read(terminal, 4096)
        except OSError:  # nobody has the other end any more
            more = b""
        if not more:
            break
        said += more
    if word is None:
        os.close(terminal)
    return said.decode()
