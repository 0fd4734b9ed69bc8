"""The bitemporal law: whatever is published, late or corrected, and however the clock steps, a
port answers every question as a naive model in memory does, and never answers it otherwise later.

`make laws` tries it on ten times as many sequences as the other tests do.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any
from unittest import mock

import polars as pl
import pytest
from bundles import contract, published, write_bundle
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mesh_notebook.errors import DeployRefused, NoSnapshot
from mesh_notebook.mesh import log, store
from mesh_notebook.mesh.bundle import Bundle
from mesh_notebook.mesh.published import PublishedProduct
from mesh_notebook.mesh.reading import read_port
from mesh_notebook.model.address import Address
from mesh_notebook.model.time import Window, interval_around

pytestmark = pytest.mark.law

ADDRESS = "urn:dmesh:local:music:plays"
KINDS: dict[str, dict[str, Any]] = {
    "snapshot": {"kind": "snapshot"},
    "log": {"kind": "log"},
    "monthly": {"kind": "snapshot", "interval": "P1M"},
}
DTYPES = {"DATE": pl.Date, "TIMESTAMP_TZ": pl.Datetime("us", "UTC")}
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)
# About the turns of months and days, and a microsecond beside them, where a bound is off by one.
TURNS = [datetime(2026, *day, tzinfo=UTC) for day in ((1, 1), (1, 31), (2, 1), (2, 2), (3, 1))]
MOMENTS = [moment + step for moment in TURNS for step in (-TICK, timedelta(0), TICK)]
MOMENTS += [moment + timedelta(hours=9, microseconds=999_999) for moment in TURNS]

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Read:
    """A question: event times from `start` up to `end`, as known at a publication, give or take."""

    start: datetime | None
    end: datetime | None
    publication: int | None
    aside: timedelta


@dataclass(frozen=True)
class Story:
    """What happens to a port: steps of the clock, frames to publish, and a column that is added."""

    event_type: str
    wide: bool
    gathered: bool
    steps: list[timedelta | list[Row] | None]
    reads: list[Read]


def rows(moments: list[datetime | None]) -> st.SearchStrategy[list[Row]]:
    row = st.tuples(st.integers(0, 4), st.sampled_from(moments), st.sampled_from([None, 0, 1, 2]))
    return st.lists(row, max_size=5, unique_by=lambda one: one[0])


@st.composite
def stories(draw: st.DrawFn, kind: str) -> Story:
    frames = rows([*MOMENTS, None])
    if kind == "monthly":
        # Most within one month, since others are refused, which is a short story.
        months = {(m.year, m.month): [n for n in MOMENTS if n.month == m.month] for m in MOMENTS}
        frames = st.one_of(*[rows(month) for month in months.values()] * 2, frames)
    step = st.one_of(
        frames, frames, st.timedeltas(timedelta(hours=-3), timedelta(hours=3)), st.none()
    )
    bound = st.one_of(st.none(), st.sampled_from(MOMENTS))
    read = st.builds(
        Read,
        bound,
        bound,
        st.one_of(st.none(), st.integers(0, 5)),
        st.sampled_from([-TICK, timedelta(0), TICK, timedelta(minutes=-7), timedelta(minutes=7)]),
    )
    return Story(
        draw(st.sampled_from([*DTYPES])),
        draw(st.booleans()),
        draw(st.booleans()),
        draw(st.lists(step, min_size=1, max_size=8)),
        draw(st.lists(read, max_size=6)),
    )


@dataclass
class Model:
    """The port as one would write it if nothing were ever large, slow, shared or broken."""

    kind: str
    times: list[datetime] = field(default_factory=list)
    pictures: list[dict[Any, list[Row]]] = field(default_factory=list)
    last: Any = None
    stands: dict[Any, tuple[Any, datetime]] = field(default_factory=dict)

    def publish(self, frame: list[Row], columns: int, clock: datetime) -> datetime:
        """Take a frame; return when what it is was published, or raise `DeployRefused`.

        A picture that is the one that stands makes no publication: of an interval, also where
        others were published since.
        """
        month = self.month_of(frame) if self.kind == "monthly" else None
        before = self.pictures[-1] if self.pictures else {}
        if self.kind == "log":
            after = before | {row[0]: [row] for row in frame}
        elif self.kind == "snapshot":
            after = {None: frame}
        else:
            after = before | {month: frame}
        told = (sorted(frame, key=repr), columns)
        if month in self.stands and self.stands[month][0] == told:
            return self.stands[month][1]
        self.last = told
        self.times.append(max(clock, self.times[-1] + TICK) if self.times else clock)
        self.pictures.append(after)
        self.stands[month] = told, self.times[-1]
        return self.times[-1]

    @staticmethod
    def month_of(frame: list[Row]) -> tuple[datetime, datetime]:
        if not frame or any(row[1] is None for row in frame):
            raise DeployRefused("no month")
        months = {interval_around(instant(row[1]), "P1M") for row in frame}
        if len(months) > 1:
            raise DeployRefused("several months")
        return months.pop()

    def read(self, start: datetime | None, end: datetime | None, as_of: datetime | None) -> Any:
        known = len(self.times) if as_of is None else bisect_right(self.times, as_of)
        if known == 0:
            return NoSnapshot
        picture = self.pictures[known - 1]
        if self.kind == "monthly" and start is None and end is None:
            picture = {None: picture[max(picture)]}
        held = [row for frame in picture.values() for row in frame]
        return sorted((row for row in held if within(row[1], start, end)), key=repr)


def instant(moment: date | datetime) -> datetime:
    if isinstance(moment, datetime):
        return moment
    return datetime(moment.year, moment.month, moment.day, tzinfo=UTC)


def within(moment: Any, start: datetime | None, end: datetime | None) -> bool:
    if start is None and end is None:
        return True
    if moment is None:
        return False
    at = instant(moment)
    return (start is None or at >= start) and (end is None or at < end)


class Port:
    """The port itself, in a folder."""

    def __init__(self, kind: str, event_type: str, root: Path) -> None:
        self.kind, self.event_type, self.root = kind, event_type, root
        self.columns, self.clock = 3, NOON
        self.product = PublishedProduct.at(root, Address.parse(ADDRESS))

    def publish(self, frame: list[Row]) -> datetime:
        schema = {"id": pl.Int64, "at": DTYPES[self.event_type], "n": pl.Int64, "more": pl.Int64}
        made = pl.DataFrame(frame, schema=dict([*schema.items()][: self.columns]), orient="row")
        bundle = bundle_of(self.kind, self.event_type, self.columns)
        receipt = published(bundle, self.root, lambda: self.clock, plays=made)
        return datetime.fromisoformat(receipt.processing_time)

    def read(self, start: datetime | None, end: datetime | None, as_of: datetime | None) -> Any:
        try:
            reading = read_port(self.product, "plays", Window(start, end, as_of), "bo")
        except NoSnapshot:
            return NoSnapshot
        frame = reading.frame.collect()
        assert frame.columns == [column.name for column in reading.contract.columns]
        return sorted(frame.rows(), key=repr)


@cache
def bundle_of(kind: str, event_type: str, columns: int) -> Bundle:
    names = {"id": "BIGINT", "at": event_type, "n": "BIGINT", "more": "BIGINT"}
    made = contract(
        dict([*names.items()][:columns]),
        id=f"{ADDRESS}:plays:1",
        event_time="at",
        key=("id",),
    )
    folder = write_bundle(
        Path(mkdtemp()) / "bundle",
        address=ADDRESS,
        version=f"1.{columns - 3}.0",
        ports={"plays": made},
        inputs=(),
        temporality=KINDS[kind],
    )
    return Bundle(folder)


@contextmanager
def port_of(kind: str, story: Story) -> Iterator[Port]:
    """Give an empty port; `wide` has it laid out by day, as only large ports are, and `gathered`
    has its files gathered by each publication, as they are where they have become many.
    """
    with (
        TemporaryDirectory() as folder,
        mock.patch.multiple(store, _WIDE=1 if story.wide else 10**9, _A_DAY=1),
        mock.patch.object(log, "_SCATTERED", 1 if story.gathered else 64),
    ):
        yield Port(kind, story.event_type, Path(folder) / "mesh")


def fitted(frame: list[Row], port: Port) -> list[Row]:
    """Return rows as the port's contract has them: dates, and a value in an added column."""
    as_date = port.event_type == "DATE"
    made = [(i, at.date() if at and as_date else at, n) for i, at, n in frame]
    return [(*row, row[0]) for row in made] if port.columns > 3 else made


def widened(answer: Any, columns: int) -> Any:
    """Return rows as a reader sees them after columns were added: null in what was before."""
    if answer is NoSnapshot:
        return answer
    return sorted(
        ((*row, None)[:columns] if len(row) < columns else row for row in answer), key=repr
    )


def tell(story: Story, port: Port, model: Model) -> None:
    """Do what the story says to both, and find after each publication all earlier ones as ever."""
    for step in story.steps:
        if isinstance(step, timedelta):
            port.clock += step
        elif step is None:
            port.columns = 4
        else:
            publish(fitted(step, port), port, model)
            for time in model.times:
                expected = widened(model.read(None, None, time), columns_seen(model))
                assert port.read(None, None, time) == expected


def columns_seen(model: Model) -> int:
    return int(model.last[1])


def publish(frame: list[Row], port: Port, model: Model) -> None:
    try:
        published = model.publish(frame, port.columns, port.clock)
    except DeployRefused:
        with pytest.raises(DeployRefused):
            port.publish(frame)
    else:
        assert port.publish(frame) == published


def as_of(read: Read, model: Model) -> datetime | None:
    if read.publication is None or not model.times:
        return None
    return model.times[read.publication % len(model.times)] + read.aside


@pytest.mark.parametrize("kind", KINDS)
def test_a_port_answers_as_the_naive_model_does_and_for_ever(kind):
    @settings(
        # A third each of what the profile says: the law is one, the kinds are three.
        max_examples=settings.default.max_examples // len(KINDS),
        deadline=None,
        suppress_health_check=[*HealthCheck],
    )
    @given(stories(kind))
    def law(story: Story) -> None:
        tried.append(len(story.steps))
        model = Model(kind)
        with port_of(kind, story) as port:
            tell(story, port, model)
            for read in story.reads:
                if read.start and read.end and read.end <= read.start:
                    continue
                asked = (read.start, read.end, as_of(read, model))
                expected = model.read(*asked)
                if model.times:
                    expected = widened(expected, columns_seen(model))
                assert port.read(*asked) == expected, asked

    tried: list[int] = []
    law()
    print(f"{kind}: {len(tried):,} sequences of {sum(tried):,} steps agree")
