"""A plan refuses what a deployment would refuse, in the same words, before anything runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from mesh_notebook.errors import AccessDenied, DeployRefused, MeshError, SourceError
from mesh_notebook.model.origin import Origin

PLAYS = "at,user,seconds\n2026-10-01T08:00:00Z,u1,30\n2026-10-02T09:00:00Z,u2,45\n"
LISTENED = "heard = plays.group_by('user').agg(pl.col('seconds').sum().alias('s'))"


def made(shell: Any, folder: Path, code: str, output: str, rows: str = PLAYS) -> None:
    (folder / "plays.csv").write_text(rows)
    shell.run("import polars as pl")
    shell.run("%mesh product heard --domain media --owner media-data")
    shell.run("%mesh source plays plays.csv")
    shell.run(code)
    shell.run(f"%mesh output heard heard {output}")
    shell.run("%mesh export bundle")


def refused(shell: Any, line: str = "") -> tuple[list[str], MeshError]:
    """Return what a plan says, or raises, and what a deployment raises."""
    with pytest.raises(MeshError) as caught:
        shell.run(f"%mesh deploy bundle {line}")
    try:
        plan = shell.run(f"%mesh plan bundle {line}")
    except MeshError as error:
        return [error.message], caught.value
    assert plan.failed
    return [error.message for error in plan.refusals], caught.value


# ---- columns -----------------------------------------------------------------------------------


def test_a_column_that_was_renamed_upstream_is_asked_about_before_anything_runs(shell, tmp_path):
    made(shell, tmp_path, LISTENED, "--key user")
    (tmp_path / "plays.csv").write_text(PLAYS.replace("seconds", "duration_s"))
    said, error = refused(shell)
    assert said == [error.message]
    assert "`seconds` is gone, `duration_s` is new: renamed?" in error.message
    assert 'plays = plays.rename({"duration_s": "seconds"})' in error.next_step
    # The line that is advised, typed as it stands.
    shell.run("%mesh source plays plays.csv")
    shell.run('plays = plays.rename({"duration_s": "seconds"})')
    shell.run(LISTENED)
    shell.run("%mesh output heard heard --key user")
    shell.run("%mesh export bundle")
    assert shell.run("%mesh plan bundle").refusals == ()
    assert shell.run("%mesh deploy bundle").receipt.snapshot == 1


def test_a_column_that_is_gone_counts_only_where_the_transform_uses_it(shell, tmp_path):
    made(shell, tmp_path, LISTENED, "--key user")
    (tmp_path / "plays.csv").write_text("user,seconds,device\nu1,30,tv\nu2,45,tv\n")
    plan = shell.run("%mesh plan bundle")
    assert plan.refusals == ()
    assert any("`at` is gone; `device` is new" in note for note in plan.notes)
    assert shell.run("%mesh deploy bundle").receipt.snapshot == 1


@pytest.mark.parametrize(
    "code",
    [
        "%%mesh sql heard\nSELECT user, sum(seconds) AS s FROM plays GROUP BY user",
        "df = plays.collect().to_pandas()\n"
        "heard = df.groupby('user', as_index=False)['seconds'].sum()",
    ],
    ids=["sql", "pandas"],
)
def test_sql_and_pandas_name_their_columns_too(shell, tmp_path, code):
    made(shell, tmp_path, code, "--key user")
    (tmp_path / "plays.csv").write_text(PLAYS.replace("seconds", "length"))
    said, error = refused(shell)
    assert all("`seconds` is gone, `length` is new: renamed?" in one for one in said)
    assert "`seconds` is gone, `length` is new: renamed?" in error.message
    assert "rename" in error.next_step
    # A column that nothing names may go.
    (tmp_path / "plays.csv").write_text("user,seconds\nu1,30\nu2,45\n")
    assert shell.run("%mesh plan bundle").refusals == ()
    assert shell.run("%mesh deploy bundle").receipt.snapshot == 1


def test_a_number_with_a_fraction_is_no_bar_and_is_told(shell, tmp_path):
    made(shell, tmp_path, LISTENED.replace(".sum()", ".sum().round(0).cast(pl.Int64)"), "")
    (tmp_path / "plays.csv").write_text(PLAYS.replace(",45", ",45.5"))
    plan = shell.run("%mesh plan bundle")
    assert any("`seconds` was BIGINT and is DOUBLE" in note for note in plan.notes)
    assert plan.refusals == ()
    shell.run("%mesh deploy bundle")


# ---- inputs that are not there, or may not be read ---------------------------------------------


def test_a_source_that_is_gone_stops_a_plan_as_it_stops_a_deployment(shell, tmp_path):
    made(shell, tmp_path, LISTENED, "--key user")
    (tmp_path / "plays.csv").unlink()
    said, error = refused(shell)
    assert isinstance(error, SourceError)
    assert said == [error.message]


def test_a_role_that_is_missing_is_in_the_plan(shell, tmp_path, monkeypatch):
    made(shell, tmp_path, LISTENED, "--key user")
    shell.run("%mesh protect heard --roles analyst")
    shell.run("%mesh export bundle")
    shell.run("%mesh deploy bundle")
    shell.run("%mesh grant ana analyst")
    shell.mesh.principal = "ana"
    shell.run("%mesh product loud --domain media --owner media-data")
    shell.run("%mesh connect heard")
    shell.run("loud = heard.filter(pl.col('s') > 40)")
    shell.run("%mesh output loud loud --key user")
    shell.run("%mesh protect loud --roles analyst")
    shell.run("%mesh export loud")
    assert shell.run("%mesh plan loud").refusals == ()
    said = []
    for verb in ("plan", "deploy"):
        with pytest.raises(AccessDenied) as caught:
            shell.run(f"%mesh {verb} loud --principal bo")
        said.append(caught.value.message)
        assert "%mesh grant bo analyst" in caught.value.next_step
    assert said[0] == said[1]


def test_a_key_that_is_missing_stops_the_plan(shell, tmp_path, monkeypatch):
    made(shell, tmp_path, LISTENED, "--key user")
    shell.run("%mesh protect heard.user --with tokenise --except officer")
    shell.run("%mesh export bundle")
    shell.run("%mesh deploy bundle")
    (tmp_path / "plays.csv").write_text(PLAYS.replace(",45", ",46"))
    monkeypatch.setenv("MESH_KEYS", str(tmp_path / "elsewhere"))
    said, error = refused(shell)
    assert said == [error.message]


# ---- intervals ---------------------------------------------------------------------------------

DAILY = "heard = plays.group_by('at').agg(pl.col('seconds').sum().alias('s'))"
NOVEMBER = f"{PLAYS}2026-11-01T08:00:00Z,u1,31\n"


def test_an_interval_that_nothing_says_is_asked_for_by_the_plan(shell, tmp_path):
    made(shell, tmp_path, LISTENED, "--key user --interval month")
    said, error = refused(shell)
    assert said == [error.message]
    assert "--interval 2026-10" in error.next_step
    assert shell.run("%mesh plan bundle --interval 2026-10").refusals == ()


def test_rows_of_two_months_are_refused_by_the_plan(shell, tmp_path):
    made(shell, tmp_path, DAILY, "--key at --event-time at --interval month")
    assert shell.run("%mesh plan bundle").refusals == ()
    (tmp_path / "plays.csv").write_text(NOVEMBER)
    said, error = refused(shell)
    assert said == [error.message]
    assert "in more than one" in error.message


def test_rows_of_another_month_than_is_meant_are_refused_by_the_plan(shell, tmp_path):
    kept = "heard = plays.filter(pl.col('seconds') > 1)"
    made(shell, tmp_path, kept, "--event-time at --interval month")
    said, error = refused(shell, "--interval 2026-09")
    assert said == [error.message]
    assert shell.run("%mesh plan bundle --interval 2026-10").refusals == ()


def test_what_a_filter_may_leave_out_is_only_doubted(shell, tmp_path):
    cut = "heard = plays.filter(pl.col('seconds') > 40)"
    made(shell, tmp_path, cut, "--event-time at --interval month")
    (tmp_path / "plays.csv").write_text(NOVEMBER)
    plan = shell.run("%mesh plan bundle")
    assert plan.refusals == ()
    assert any("plays.at" in note and "Running it will tell" in note for note in plan.notes)
    assert shell.run("%mesh deploy bundle").receipt.ports["heard"].rows == 1


# ---- from mock to live -------------------------------------------------------------------------


def test_a_mocked_log_goes_live_without_a_major_version_and_says_that_it_begins_anew(
    shell, tmp_path
):
    made(shell, tmp_path, "heard = plays.select('at', 'user', 'seconds')", "--key at --kind log")
    contract = tmp_path / "bundle" / "contracts" / "heard.odcs.yaml"
    (tmp_path / "up.odcs.yaml").write_text(
        contract.read_text().replace("media:heard:heard", "media:plays:plays")
    )
    shell.run("%mesh product heard --version 0.1.0")
    shell.run("%mesh mock up.odcs.yaml --rows 5 --as plays")
    shell.run("heard = plays.select('at', 'user', 'seconds')")
    shell.run("%mesh output heard heard --key at --kind log")
    shell.run("%mesh export bundle")
    mocked = shell.run("%mesh deploy bundle").receipt
    assert (mocked.origin, mocked.status) == (Origin.MOCK, "draft")
    shell.run("%mesh product heard --version 0.2.0")
    shell.run("%mesh source plays plays.csv")
    shell.run("heard = plays.select('at', 'user', 'seconds')")
    shell.run("%mesh output heard heard --key at --kind log")
    shell.run("%mesh export bundle")
    plan = shell.run("%mesh plan bundle")
    assert plan.refusals == ()
    assert "the log begins anew, since snapshot 1 is of mock data" in plan.writes[0].kind
    done = shell.run("%mesh deploy bundle")
    assert (done.receipt.origin, done.receipt.status) == (Origin.LIVE, "active")
    assert done.receipt.ports["heard"].rows == 2
    for answer in (done, shell.run("%mesh history heard")):
        assert "the log begins anew" in shell.shown(answer)["text/plain"]


def test_drift_is_told_where_a_transform_fails_by_it(shell, tmp_path):
    loops = "total = pl.DataFrame([{'s': sum(r['seconds'] for r in plays.collect().to_dicts())}])"
    made(shell, tmp_path, loops + "\nheard = total", "")
    (tmp_path / "plays.csv").write_text(PLAYS.replace("seconds", "length"))
    with pytest.raises(DeployRefused, match="`seconds` is gone, `length` is new: renamed"):
        shell.run("%mesh deploy bundle")
    with pytest.raises(DeployRefused, match="`seconds` is gone, `length` is new: renamed"):
        shell.run("%mesh run bundle")


def test_nothing_is_known_of_the_columns_of_a_bundle_that_was_written_by_hand(tmp_path):
    from bundles import opener, write_bundle

    from mesh_notebook.deploy.schemas import reshaped
    from mesh_notebook.mesh.bundle import Bundle

    bundle = Bundle(write_bundle(tmp_path / "bundle"))
    (port,) = bundle.product.inputs
    given = opener({"flights": pl.LazyFrame({"x": [1]}).collect()})(port, bundle.folder)
    assert reshaped(port, given, bundle) is None
