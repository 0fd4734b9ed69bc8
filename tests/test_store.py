"""Snapshots on disk: what a version holds, who may write at once, and what damage is called."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from bundles import contract
from deltalake import DeltaTable

from mesh_notebook.errors import ContractError, StoreError
from mesh_notebook.mesh.store import conformed, content_of, write_snapshot
from mesh_notebook.mesh.versions import clear_unpublished, files_of

NUMBERS = contract({"n": "BIGINT"}, event_time=None)


def write(table: Path, *numbers: int) -> int:
    frame = pl.DataFrame({"n": numbers}, schema={"n": pl.Int64})
    return write_snapshot(table, frame, NUMBERS, {"mesh.port": "numbers"})


def read(table: Path, version: int) -> list[int]:
    files = files_of(table, version)
    return sorted(pl.read_parquet(files)["n"].to_list()) if files else []


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return tmp_path / "mesh" / "ports" / "numbers"


def test_each_version_holds_its_own_rows_for_ever(table):
    versions = [write(table, 1, 2), write(table, 3), write(table), write(table, 4)]
    assert versions == sorted(set(versions))
    assert [read(table, v) for v in versions] == [[1, 2], [3], [], [4]]
    configuration = DeltaTable(table).metadata().configuration
    assert configuration["delta.enableExpiredLogCleanup"] == "false"
    assert "delta.appendOnly" not in configuration


def test_a_version_is_open_to_any_delta_reader_with_its_metadata(table):
    version = write(table, 7)
    opened = DeltaTable(table, version=version)
    assert opened.to_pyarrow_table().to_pylist() == [{"n": 7}]
    assert opened.history(1)[0]["mesh.port"] == "numbers"


def test_a_vacuum_with_the_tables_own_settings_takes_nothing(table):
    versions = [write(table, n) for n in range(3)]
    assert DeltaTable(table).vacuum(dry_run=False) == []
    assert [read(table, v) for v in versions] == [[0], [1], [2]]


def test_writers_that_race_for_a_new_table_never_mix_their_rows(table):
    with ThreadPoolExecutor(6) as pool:
        versions = list(pool.map(lambda n: write(table, n, n), range(6)))
    assert sorted(read(table, v) for v in versions) == [[n, n] for n in range(6)]


def test_a_hundred_versions_do_not_outlive_the_log(table):
    versions = [write(table, n) for n in range(105)]
    assert (table / "_delta_log" / "_last_checkpoint").exists()
    assert [read(table, v) for v in (versions[0], versions[50], versions[104])] == [
        [0],
        [50],
        [104],
    ]


def test_every_type_of_a_contract_comes_back_as_it_went_in(table):
    frame = pl.DataFrame(
        {
            "i8": pl.Series([1, None], dtype=pl.Int8),
            "i32": pl.Series([1, None], dtype=pl.Int32),
            "u32": pl.Series([2**32 - 1, None], dtype=pl.UInt32),
            "u64": pl.Series([2**64 - 1, None], dtype=pl.UInt64),
            "f32": pl.Series([1.5, None], dtype=pl.Float32),
            "f64": [float("nan"), None],
            "s": ["é", None],
            "cat": pl.Series(["x", None], dtype=pl.Categorical),
            "d": [date(1900, 1, 1), None],
            "ns": pl.Series(
                [datetime(2026, 1, 1, tzinfo=UTC), None], dtype=pl.Datetime("ns", "UTC")
            ),
            "b": [True, None],
            "raw": [b"\x00", None],
            "list": [["a", None], []],
            "dec": pl.Series(["1.50", None]).cast(pl.Decimal(10, 2)),
        }
    )
    types = {
        **{"i8": "TINYINT", "i32": "INTEGER", "u32": "BIGINT", "u64": "DECIMAL(20,0)"},
        **{"f32": "FLOAT", "f64": "DOUBLE", "s": "VARCHAR", "cat": "VARCHAR", "d": "DATE"},
        **{"ns": "TIMESTAMP_TZ", "b": "BOOLEAN", "raw": "BLOB", "list": "VARCHAR[]"},
        "dec": "DECIMAL(10,2)",
    }
    made = contract(types, event_time=None)
    kept = conformed(frame, made)
    version = write_snapshot(table, frame, made, {})
    back = pl.read_parquet(files_of(table, version))
    assert back.equals(kept)
    assert back.schema == kept.schema
    assert back.schema["ns"] == pl.Datetime("us", "UTC")
    assert back["u64"].cast(pl.String)[0] == str(2**64 - 1)


def test_columns_stand_in_the_contracts_order(table):
    made = contract({"b": "BIGINT", "a": "BIGINT"}, event_time=None)
    version = write_snapshot(table, pl.DataFrame({"a": [1], "b": [2]}), made, {})
    assert pl.read_parquet(files_of(table, version)).columns == ["b", "a"]


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        ({"m": [1]}, "lacks n"),
        ({"n": [1], "more": [1]}, "more"),
        ({"n": ["one"]}, "does not fit the types"),
        ({"n": [2**63]}, "does not fit the types"),
    ],
)
def test_a_frame_that_is_not_the_contracts_is_not_written(table, frame, says):
    with pytest.raises(ContractError, match=says):
        write_snapshot(table, pl.DataFrame(frame), NUMBERS, {})
    assert not table.exists()


def test_a_time_without_a_zone_is_not_written(table):
    made = contract({"at": "TIMESTAMP_NTZ"}, event_time=None)
    with pytest.raises(ContractError, match="without a zone") as refused:
        write_snapshot(table, pl.DataFrame({"at": [datetime(2026, 1, 1)]}), made, {})
    assert "replace_time_zone" in refused.value.next_step


def test_a_place_that_cannot_be_written_says_so(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written"):
        write(tmp_path / "file" / "table", 1)


def test_content_is_blind_to_the_order_of_rows_and_to_nothing_else():
    frame = pl.DataFrame({"a": [1, 2, 2], "s": ["x", None, "NULL"]})
    same = content_of(frame)
    assert content_of(frame.sample(fraction=1, shuffle=True, seed=3)) == same
    others = [
        frame.head(2),
        pl.concat([frame, frame.head(1)]),
        frame.with_columns(s=pl.col("s").fill_null("NULL")),
        frame.rename({"a": "b"}),
        frame.with_columns(pl.col("a").cast(pl.Int32)),
        frame.with_columns(a=pl.lit(1)),
        frame.clear(),
    ]
    hashes = [content_of(other) for other in others]
    assert len({same, *hashes}) == len(others) + 1


def test_content_tells_columns_apart_that_differ_in_case_alone():
    assert content_of(pl.DataFrame({"a": [1], "A": [2]})) != content_of(
        pl.DataFrame({"a": [2], "A": [1]})
    )


def only_file(table: Path, version: int) -> Path:
    (file,) = files_of(table, version)
    return Path(file)


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (lambda file: file.unlink(), "cannot be read"),
        (lambda file: file.write_bytes(file.read_bytes()[:-1]), "bytes, not"),
        (lambda file: file.write_bytes(b"\x00" * file.stat().st_size), "not as it was written"),
    ],
)
def test_a_damaged_data_file_is_named(table, harm, says):
    whole, hurt = write(table, 1), write(table, 2)
    file = only_file(table, hurt)
    harm(file)
    with pytest.raises(StoreError, match=says) as damaged:
        files_of(table, hurt)
    assert file.name in str(damaged.value)
    assert read(table, whole) == [1]


def test_a_damaged_log_is_one_short_sentence(table):
    whole, hurt = write(table, 1), write(table, 2)
    (table / "_delta_log" / f"{hurt:020}.json").write_text('{"commit')
    with pytest.raises(StoreError, match=r"the log of .* is damaged") as damaged:
        files_of(table, hurt)
    assert "\n" not in damaged.value.message
    assert read(table, whole) == [1]


@pytest.mark.parametrize("version", [99, 0])
def test_a_table_or_version_that_is_not_there_is_damage(table, version):
    if version:
        write(table, 1)
    with pytest.raises(StoreError, match="is damaged"):
        files_of(table, version)


def test_a_file_outside_of_the_table_is_never_read(table, tmp_path):
    version = write(table, 1)
    file = only_file(table, version)
    outside = tmp_path / "outside.parquet"
    file.rename(outside)
    file.symlink_to(outside)
    with pytest.raises(StoreError, match="leads out"):
        files_of(table, version)


def test_a_log_that_points_outside_of_the_table_is_refused(table, tmp_path):
    version = write(table, 1)
    file = only_file(table, version)
    file.rename(tmp_path / "mesh" / "outside.parquet")
    log = table / "_delta_log" / f"{version:020}.json"
    log.write_text(log.read_text().replace(file.name, "../../outside.parquet"))
    with pytest.raises(StoreError, match="leads out"):
        files_of(table, version)


def test_a_log_that_is_a_link_out_of_the_table_is_refused(table, tmp_path):
    version = write(table, 1)
    (table / "_delta_log").rename(tmp_path / "log")
    (table / "_delta_log").symlink_to(tmp_path / "log")
    with pytest.raises(StoreError, match="leads out"):
        files_of(table, version)


def test_clearing_takes_old_files_that_nothing_published_needs(table):
    versions = [write(table, n) for n in range(4)]
    torn = table / "part-00000-torn.parquet"
    torn.write_text("half")
    fresh = table / "part-00000-fresh.parquet"
    fresh.write_text("half")
    for path in set(table.glob("*.parquet")) - {fresh}:
        os.utime(path, (0, 0))
    clear_unpublished(table, [versions[0], versions[2]])
    assert not torn.exists()
    assert fresh.exists()
    assert read(table, versions[0]) == [0]
    assert read(table, versions[2]) == [2]
    assert read(table, write(table, 9)) == [9]


def test_a_commit_says_how_many_rows_it_added(table):
    version = write(table, 1, 2, 3)
    log = (table / "_delta_log" / f"{version:020}.json").read_text().splitlines()
    (added,) = [json.loads(line)["add"] for line in log if '"add"' in line]
    assert json.loads(added["stats"])["numRecords"] == 3
