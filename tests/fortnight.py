"""The first fortnight of a product, day by day, with all that happens to one.

`heard` is a log of what was heard, out of PostgreSQL; `reach` is made of it and of a file, and
keeps to the major version that it was made with; `profiles` is a picture of each month. The clock
is ours: each day is one function, and says what came of that day.

    make fortnight
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from bundles import contract

from mesh_notebook.errors import DeployRefused, MeshError, NotFound, SourceError
from mesh_notebook.model.origin import Origin
from mesh_notebook.surfaces.as_json import json_of

MONDAY = datetime(2026, 10, 26, 6, tzinfo=UTC)
COLUMNS = {"id": "BIGINT", "at": "TIMESTAMP_TZ", "who": "VARCHAR", "seconds": "BIGINT"}
HEARD = "heard = plays.select('id', 'at', 'who', 'seconds')"
REACH = """\
days = heard.with_columns(pl.col('at').dt.date().cast(pl.String).alias('day'))
sums = days.group_by('day').agg(pl.col('seconds').sum())
reach = sums.join(campaigns, on='day', how='left').sort('day')"""


class Story:
    """A notebook, its database and its clock; what people do to them."""

    def __init__(self, shell: Any, server: Any, database: Any, folder: Path) -> None:
        self.shell, self.server, self.database, self.folder = shell, server, database, folder
        self.now = MONDAY
        shell.mesh.clock = lambda: self.now

    def morning(self, day: int) -> None:
        """It is six o'clock on that day, from one to fourteen."""
        self.now = MONDAY + timedelta(days=day - 1)

    def run(self, *cells: str) -> Any:
        """Run cells, and return the answer of the last."""
        return [self.shell.run(cell) for cell in cells][-1]

    def sql(self, *statements: str) -> None:
        self.database.run(*statements)

    def play(self, id: int, day: int, who: str, seconds: int) -> None:
        """Somebody listens, at noon of that day."""
        at = MONDAY + timedelta(days=day - 1, hours=6)
        self.sql(f"INSERT INTO plays VALUES ({id}, '{at.isoformat()}', '{who}', {seconds})")

    def deploy(self, name: str, **more: Any) -> Any:
        """Deploy what was planned, exactly that, as a job does."""
        plan = self.shell.mesh.plan(name, **more)
        assert not plan.failed, [error.message for error in plan.refusals]
        return self.shell.mesh.deploy(name, plan=plan.id, **more)

    def daily(self) -> dict[str, Any]:
        """The job of each morning: both products, the upstream one first."""
        return {name: self.deploy(name) for name in ("heard", "reach")}

    def refused(self, name: str) -> MeshError:
        """Return why plan and deployment refuse a bundle, in one voice; nothing is published."""
        before = self.snapshots(name)
        with pytest.raises(MeshError) as caught:
            self.shell.mesh.deploy(name)
        try:
            said = [error.message for error in self.shell.mesh.plan(name).refusals]
        except MeshError as error:
            said = [error.message]
        assert said == [caught.value.message]
        assert self.snapshots(name) == before
        return caught.value

    def snapshots(self, name: str) -> int:
        try:
            return len(self.shell.mesh.history(name).receipts)
        except NotFound:
            return 0

    def rows(self, port: str, *window: str, **more: Any) -> list[tuple[Any, ...]]:
        return self.frame(port, *window, **more).sort("id").rows()

    def frame(self, port: str, *window: str, **more: Any) -> Any:
        """Return the rows of a port as who asks sees them, of a window of event time."""
        return self.shell.mesh.port(port, None, *window, **more).lazy().collect()

    def reach(self) -> dict[str, int]:
        frame = self.frame("reach")
        return dict(zip(frame["day"], frame["seconds"], strict=True))

    def broken(self) -> list[str]:
        """Return what a program that checks the mesh hears of: products and promises."""
        found = self.run("%mesh status --check")
        told = json_of(found)["broken"]
        assert found.failed is bool(told)
        return [f"{one['product'].rpartition(':')[2]}: {one['promise']}" for one in told]


# ---- the first week ----------------------------------------------------------------------------


def day_1_there_is_a_contract_and_nothing_else(story: Story) -> None:
    made = contract(COLUMNS, id="urn:dmesh:local:media:plays:plays:1", event_time="at", key=("id",))
    (story.folder / "plays.odcs.yaml").write_text(made.dumps())
    story.run(
        "import polars as pl",
        "%mesh product heard --domain media --owner media-data",
        "%mesh mock plays.odcs.yaml --rows 50 --seed 7 --as plays",
        HEARD,
        "%mesh output heard heard --key id --event-time at --kind log",
        "%mesh export heard",
    )
    done = story.deploy("heard").receipt
    assert (done.origin, done.status, done.ports["heard"].rows) == (Origin.MOCK, "draft", 50)
    assert story.broken() == []


def day_2_the_database_is_there_and_the_product_goes_live(story: Story) -> None:
    story.sql("CREATE TABLE plays (id int8, at timestamptz, who text, seconds int8)")
    story.play(1, 1, "ann", 30)
    story.play(2, 1, "bob", 60)
    (story.folder / "campaigns.csv").write_text("day,campaign\n2026-10-26,autumn\n")
    heard(story, "1.1.0")
    plan = story.shell.mesh.plan("heard")
    assert "the log begins anew, since snapshot 1 is of mock data" in plan.writes[0].kind
    done = story.deploy("heard").receipt
    assert (done.origin, done.status, done.version) == (Origin.LIVE, "active", "1.1.0")
    assert [row[0] for row in story.rows("heard")] == [1, 2], "nothing of the mock stays"
    reach(story, "1.0.0")
    assert story.deploy("reach").receipt.origin is Origin.LIVE
    assert story.reach() == {"2026-10-26": 90}


def day_3_is_as_every_day_should_be(story: Story) -> None:
    story.play(3, 2, "ann", 45)
    told = story.daily()["heard"].receipt.ports["heard"]
    assert (told.added, told.corrected, told.rows) == (1, 0, 3)
    assert story.reach() == {"2026-10-26": 90, "2026-10-27": 45}
    assert story.broken() == []


def day_4_nobody_listened_and_the_promises_are_kept_all_the_same(story: Story) -> None:
    before = story.snapshots("heard"), story.snapshots("reach")
    assert all(done.unchanged for done in story.daily().values())
    assert (story.snapshots("heard"), story.snapshots("reach")) == before
    story.now += timedelta(hours=20)
    assert story.broken() == [], "it was found unchanged this morning"


def day_5_what_is_late_is_known_only_from_today_on(story: Story) -> None:
    yesterday = story.now - timedelta(hours=1)
    story.play(4, 2, "cid", 15)
    story.play(5, 4, "ann", 10)
    assert story.daily()["heard"].receipt.ports["heard"].added == 2
    tuesday = ("2026-10-27", "2026-10-28")
    assert [row[0] for row in story.rows("heard", *tuesday)] == [3, 4]
    assert [row[0] for row in story.rows("heard", *tuesday, as_of=yesterday)] == [3]
    assert story.reach()["2026-10-27"] == 60


def day_6_a_row_is_corrected_and_subscribers_hear_of_that_one(story: Story) -> None:
    story.sql("UPDATE plays SET seconds = 600 WHERE id = 1")
    told = story.daily()["heard"].receipt.ports["heard"]
    assert (told.added, told.corrected, told.rows) == (1, 1, 5)
    since = story.now - timedelta(hours=1)
    told = story.shell.mesh.read("heard", format="events", since=since)
    events = [json.loads(line)["data"] for line in told.splitlines()]
    assert [(event["id"], event["seconds"]) for event in events] == [(1, 600)]
    assert story.reach()["2026-10-26"] == 660


def day_7_the_job_does_not_run_and_a_program_hears_of_it(story: Story) -> None:
    story.now += timedelta(hours=3)
    assert story.broken() == ["heard: freshness", "reach: freshness"]
    status = story.run("%mesh status heard")
    assert status.ports[0].tracks[0].since.startswith("2026-11-01T08:00")
    assert "deploy the product again: %mesh deploy DIR" in story.shell.shown(status)["text/plain"]


# ---- the second week ---------------------------------------------------------------------------


def day_8_october_is_over_and_has_its_picture(story: Story) -> None:
    assert all(done.unchanged for done in story.daily().values())
    story.sql(
        "CREATE TABLE users (who text, plan text)", "INSERT INTO users VALUES ('ann', 'free')"
    )
    anew(story, "profiles", "1.0.0")
    story.run(
        f"%mesh source users {story.database.url}#users",
        "profiles = users.select('who', 'plan')",
        "%mesh output profiles profiles --key who --interval month",
        free("profiles", "plan"),
        "%mesh export profiles",
    )
    assert "--interval 2026-10" in story.refused("profiles").next_step
    assert story.deploy("profiles", interval="2026-10").receipt.ports["profiles"].rows == 1
    story.sql("UPDATE users SET plan = 'paid'")
    story.deploy("profiles", interval="2026-11")
    months = {"October": ("2026-10", "2026-11"), "November": ("2026-11", "2026-12")}
    plans = {name: story.frame("profiles", *of)["plan"].to_list() for name, of in months.items()}
    assert plans == {"October": ["free"], "November": ["paid"]}


def day_9_a_column_of_the_file_is_called_otherwise(story: Story) -> None:
    (story.folder / "campaigns.csv").write_text("day,title\n2026-10-26,autumn\n")
    assert story.deploy("heard").unchanged, "which is none of its business"
    error = story.refused("reach")
    assert isinstance(error, DeployRefused)
    assert "`campaign` is gone, `title` is new: renamed?" in error.message
    assert 'campaigns = campaigns.rename({"title": "campaign"})' in error.next_step
    reach(story, "1.0.1", 'campaigns = campaigns.rename({"title": "campaign"})')
    assert story.deploy("reach").receipt.version == "1.0.1"
    assert story.broken() == []


def day_10_the_database_is_down_and_what_was_published_is_served(story: Story) -> None:
    story.server.stop()
    error = story.refused("heard")
    assert isinstance(error, SourceError)
    assert "is the server up" in error.next_step
    assert story.deploy("reach").unchanged, "its own inputs are there"
    assert len(story.rows("heard")) == 5
    story.now += timedelta(hours=3)
    assert story.broken() == ["heard: freshness"]
    story.server.start()
    assert story.deploy("heard").unchanged
    assert story.broken() == []


def day_11_a_minor_version_has_a_column_more(story: Story) -> None:
    story.sql("ALTER TABLE plays ADD device text", "UPDATE plays SET device = 'tv' WHERE id = 5")
    told = story.deploy("heard").receipt.ports["heard"]
    assert (told.added, told.corrected) == (0, 0), "a column that it does not use is no news"
    heard(story, "1.2.0", "heard = plays.select('id', 'at', 'who', 'seconds', 'device')")
    plan = story.shell.mesh.plan("heard")
    assert (plan.level, plan.least, plan.hurt) == ("minor", "1.2.0", ())
    told = story.deploy("heard").receipt.ports["heard"]
    assert (told.added, told.corrected, told.rows) == (1, 1, 5)
    assert story.deploy("reach").receipt.ports["reach"].rows == 3


def day_12_a_breaking_version_leaves_the_old_one_to_who_keeps_to_it(story: Story) -> None:
    minutes = "heard = plays.select('id', 'at', 'who', (pl.col('seconds') / 60).alias('minutes'))"
    heard(story, "1.3.0", minutes, "minutes")
    assert "2.0.0" in story.refused("heard").next_step
    heard(story, "2.0.0", minutes, "minutes")
    (hurt,) = story.shell.mesh.plan("heard").hurt
    assert (hurt.consumer.product.product, hurt.stays) == ("reach", True)
    assert story.deploy("heard").receipt.version == "2.0.0"
    assert story.deploy("reach").unchanged, "it reads version 1, which is as it was"
    assert story.reach()["2026-10-26"] == 660
    said = story.shell.shown(story.run("%mesh status heard"))["text/plain"]
    assert "major version 1 is served beside it" in " ".join(said.split())
    assert "read by reach" in " ".join(said.split())


def day_13_the_consumer_has_moved(story: Story) -> None:
    story.play(6, 12, "bob", 120)
    story.deploy("heard")
    seconds = "(pl.col('minutes') * 60).round().cast(pl.Int64).alias('seconds')"
    renamed = 'campaigns = campaigns.rename({"title": "campaign"})'
    reach(story, "1.1.0", renamed, f"heard = heard.with_columns({seconds})")
    assert story.deploy("reach").receipt.version == "1.1.0"
    assert story.reach() == {
        "2026-10-26": 660,
        "2026-10-27": 60,
        "2026-10-29": 10,
        "2026-11-06": 120,
    }


def day_14_one_listener_is_erased_for_good(story: Story) -> None:
    story.run("%mesh grant olga officer")
    known = {row[2] for row in story.rows("heard", principal="olga")}
    assert known == {"ann", "bob", "cid"}
    story.run("%mesh erase heard bob")
    after = {row[2] for row in story.rows("heard", principal="olga")}
    assert after == {"ann", "cid", None}
    first = story.shell.mesh.port("heard", as_of=MONDAY + timedelta(days=2), principal="olga")
    assert "bob" not in first.lazy().collect()["who"].to_list(), "nor in what was published before"
    story.play(7, 13, "bob", 5)
    story.play(8, 13, "ann", 5)
    story.daily()
    assert "bob" not in {row[2] for row in story.rows("heard", principal="olga")}
    assert story.broken() == []
    assert [one.product.name for one in story.run("%mesh status").products] == [
        "heard",
        "profiles",
        "reach",
    ]


# ---- what recurs -------------------------------------------------------------------------------


def anew(story: Story, name: str, version: str) -> None:
    """Begin to tell a product's cells again, under another version."""
    story.run(
        "%mesh product another",
        f"%mesh product {name} --domain media --owner media-data --version {version}",
    )


def free(port: str, *columns: str) -> str:
    """Return the cell that lets values be others than those that were seen so far."""
    said = "".join(
        f"\n  {name}: {{required: null, unique: null, logicalTypeOptions: null}}"
        for name in columns
    )
    return f"%%mesh contract {port}\nproperties:{said}"


def heard(story: Story, version: str, code: str = HEARD, measure: str = "seconds") -> None:
    """Tell the cells of `heard`, and export it."""
    anew(story, "heard", version)
    story.run(
        f"%mesh source plays {story.database.url}#plays",
        code,
        "%mesh output heard heard --key id --event-time at --kind log",
        free("heard", "id", "at", "who", measure),
        "%mesh promise heard freshness=26h",
        "%mesh protect heard.who --with tokenise --except officer",
        "%mesh protect heard --erasable who",
        "%mesh export heard",
    )


def reach(story: Story, version: str, *between: str) -> None:
    """Tell the cells of `reach`, some of them its own, and export it."""
    anew(story, "reach", version)
    story.run(
        "%mesh connect heard",
        "%mesh source campaigns campaigns.csv",
        *between,
        "campaigns = campaigns.with_columns(pl.col('day').cast(pl.String))",
        REACH,
        "%mesh output reach reach --key day",
        free("reach", "day", "seconds", "campaign"),
        "%mesh promise reach freshness=26h",
        "%mesh export reach",
    )


DAYS: tuple[Callable[[Story], None], ...] = (
    day_1_there_is_a_contract_and_nothing_else,
    day_2_the_database_is_there_and_the_product_goes_live,
    day_3_is_as_every_day_should_be,
    day_4_nobody_listened_and_the_promises_are_kept_all_the_same,
    day_5_what_is_late_is_known_only_from_today_on,
    day_6_a_row_is_corrected_and_subscribers_hear_of_that_one,
    day_7_the_job_does_not_run_and_a_program_hears_of_it,
    day_8_october_is_over_and_has_its_picture,
    day_9_a_column_of_the_file_is_called_otherwise,
    day_10_the_database_is_down_and_what_was_published_is_served,
    day_11_a_minor_version_has_a_column_more,
    day_12_a_breaking_version_leaves_the_old_one_to_who_keeps_to_it,
    day_13_the_consumer_has_moved,
    day_14_one_listener_is_erased_for_good,
)


def test_a_fortnight(shell: Any, stoppable_postgres: Any, tmp_path: Path, capsys: Any) -> None:
    story = Story(shell, *stoppable_postgres, tmp_path)
    for number, day in enumerate(DAYS, 1):
        story.morning(number)
        day(story)
        with capsys.disabled():
            said = day.__name__.removeprefix(f"day_{number}_").replace("_", " ")
            print(f"  day {number:2}  {said}")
