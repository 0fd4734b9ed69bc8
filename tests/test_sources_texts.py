"""Files as others write them: options of a CSV, folders that hold columns, joins by name."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from mesh_notebook.errors import MeshError, SourceError
from mesh_notebook.mesh.scan import Scan, attach, connect_duckdb
from mesh_notebook.mesh.sources import Asked, World, open_source


@pytest.fixture
def world(tmp_path: Path) -> World:
    folder = tmp_path / "here"
    folder.mkdir()
    return World(folder, {"MESH_CACHE": str(tmp_path / "cache")})


def opened(world: World, uri: str, text: str | bytes = "", **asked: Any) -> Scan:
    if text:
        data = text.encode() if isinstance(text, str) else text
        (world.base / uri).write_bytes(data)
    return open_source(Asked(uri, **asked), world)


def rows(scan: Scan) -> list[tuple[Any, ...]]:
    return scan.lazy().collect().rows()


@pytest.mark.parametrize(
    ("text", "asked", "expected"),
    [
        ("id,name\n1,Größe\n".encode("latin1"), {"encoding": "latin1"}, [(1, "Größe")]),
        ("id,name\n1,Größe\n".encode("utf-16"), {"encoding": "utf-16"}, [(1, "Größe")]),
        ("by hand\n\nid,v\n1,2\n", {"skip": 1}, [(1, 2)]),
        ("id:v\n1:2\n", {"separator": ":"}, [(1, 2)]),
        ("id::v\n1::a,b\n", {"separator": "::"}, [(1, "a,b")]),
        (
            "\n  1  2\n 3   4.5 \n",
            {"separator": "space", "columns": ("a", "b")},
            [(1, 2), (3, 4.5)],
        ),
        ("1,x\n2,y\n", {"columns": ("a", "b")}, [(1, "x"), (2, "y")]),
        ("sep=;\na;v\n1;2\n", {}, [(1, 2)]),
        ("x,x\n1,2\n", {"skip": 1, "columns": ("a", "b")}, [(1, 2)]),
        (
            "id;price;day\n1;1,50;31.12.2025\n2;1.000,25;01.01.2026\n",
            {"decimal": ","},
            [(1, 1.5, "31.12.2025"), (2, 1000.25, "01.01.2026")],
        ),
    ],
)
def test_a_text_is_read_as_it_is_said_to_be_written(
    world: World, text: str | bytes, asked: dict[str, Any], expected: list[tuple[Any, ...]]
) -> None:
    assert rows(opened(world, "d.csv", text, **asked)) == expected


def test_a_csv_packed_by_zstandard_opens(world: World) -> None:
    with pa.output_stream(str(world.base / "d.csv.zst"), compression="zstd") as file:
        file.write(b"id,x\n1,2\n")
    assert rows(opened(world, "d.csv.zst")) == [(1, 2)]


def test_columns_without_a_name_are_named_by_their_place_and_it_is_said(world: World) -> None:
    scan = opened(world, "d.csv", ",id,\n0,1,\n")
    assert scan.lazy().collect_schema().names() == ["Unnamed: 0", "id", "Unnamed: 2"]
    assert "'Unnamed: 0', 'Unnamed: 2'" in scan.guessed


@pytest.mark.parametrize(
    ("text", "asked", "option", "line"),
    [
        (b"id,name\n1,x\n2,Gr\xf6\n", {}, "--encoding latin1", 3),
        ("id\n1\n".encode("utf-16"), {}, "--encoding utf-16", 1),
        (b"of May\nid,name\n1,x\n2,Gr\xf6\n", {"skip": 1}, "--encoding latin1", 4),
        ("of May\nid,v\n1,2\n", {}, "--skip", 2),
        ("x\nid,v\n1,2\n3\n", {"skip": 1}, "--skip", 4),
        ("x,x\n1,2\n", {}, "--columns", None),
        ("\n\n", {}, "--columns", None),
        (b"id\n\x81\n", {"encoding": "cp1252"}, "--encoding", None),
        ("id\n1\n", {"encoding": "klingon"}, "--encoding", None),
        ("id\n1\n", {"separator": '"'}, "--separator", None),
        ("id\n1\n", {"decimal": "x"}, "--decimal", None),
        ("id\n1\n", {"skip": -1}, "--skip 0", None),
        ("id\n1\n", {"format": "json", "skip": 1}, "--format csv", None),
    ],
)
def test_a_refusal_names_the_option_and_the_line_of_the_file_itself(
    world: World, text: str | bytes, asked: dict[str, Any], option: str, line: int | None
) -> None:
    with pytest.raises(MeshError) as caught:
        opened(world, "d.csv", text, **asked)
    assert option in caught.value.next_step
    assert caught.value.facts.get("line") == line
    assert line is None or f"d.csv, line {line}:" in caught.value.message


def test_what_was_guessed_is_said_and_what_was_said_is_not(world: World) -> None:
    text = "id;price\n1;1,5\n"
    guessed = opened(world, "d.csv", text).guessed
    assert "separator ';'" in guessed
    assert "UTF-8" in guessed
    assert "price: text" in guessed
    said = opened(world, "d.csv", text, separator=";", decimal=",", encoding="utf-8").guessed
    assert said == "names from the first line; types from all rows"
    assert "--columns" in opened(world, "n.csv", "1,2\n3,4\n").guessed


def test_the_options_survive_a_recipe_and_json() -> None:
    asked = Asked("d", separator=";", skip=2, columns=("a", "b"), by_name=True, encoding="latin1")
    assert Asked.of_recipe(json.loads(json.dumps(asked.recipe()))) == asked
    assert Asked("d").recipe() == {"kind": "source", "uri": "d"}


def test_files_of_other_columns_are_joined_by_name_on_request(world: World) -> None:
    (world.base / "a.csv").write_text("id,x\n1,2\n")
    (world.base / "b.csv").write_text("y,id\n,2\n4,3\n")
    scan = opened(world, "*.csv", by_name=True)
    assert rows(scan) == [(1, 2, None), (2, None, None), (3, None, 4)]
    pl.DataFrame({"id": [1], "n": pl.Series([1], dtype=pl.UInt8)}).write_parquet(
        world.base / "a.parquet"
    )
    pl.DataFrame({"z": ["q"], "id": [2]}).write_parquet(world.base / "b.parquet")
    assert rows(opened(world, "*.parquet", by_name=True)) == [(1, 1, None), (2, None, "q")]
    with pytest.raises(SourceError) as caught:
        opened(world, "*.parquet")
    assert "--by-name" in caught.value.next_step
    pl.DataFrame({"id": ["text"]}).write_parquet(world.base / "c.parquet")
    with pytest.raises(SourceError, match=r"c\.parquet has other columns"):
        opened(world, "*.parquet", by_name=True)


@pytest.mark.parametrize("ending", ["parquet", "csv", "ndjson", "arrow"])
def test_folders_keep_their_columns(world: World, ending: str) -> None:
    write = {"arrow": "write_ipc"}.get(ending, f"write_{ending}")
    for n, folder in enumerate(["day=2026-10-01/n=1", "day=2026-10-02/n=2"], 1):
        (world.base / "d" / folder).mkdir(parents=True)
        getattr(pl.DataFrame({"id": [n]}), write)(world.base / "d" / folder / f"part.{ending}")
    expected = [(1, date(2026, 10, 1), 1), (2, date(2026, 10, 2), 2)]
    for uri in ("d", f"d/**/*.{ending}", f"d/day=*/n=*/part.{ending}"):
        scan = opened(world, uri)
        assert scan.lazy().collect_schema().names() == ["id", "day", "n"]
        assert rows(scan) == expected
        assert "of the folders: day (date), n (bigint)" in scan.guessed
        assert rows(Scan.from_dict(json.loads(json.dumps(scan.as_dict())))) == expected
    with connect_duckdb() as con:
        attach(con, "d", scan, scan.lazy())
        assert con.sql("SELECT id, day, n FROM d ORDER BY id").fetchall() == expected
    assert rows(opened(world, f"d/day=2026-10-01/n=1/part.{ending}")) == [(1,)]


def test_a_folder_without_a_value_is_null_and_one_without_the_column_is_refused(
    world: World,
) -> None:
    for folder in ("k=a%20b", "k=__HIVE_DEFAULT_PARTITION__"):
        (world.base / "d" / folder).mkdir(parents=True)
        pl.DataFrame({"id": [1]}).write_parquet(world.base / "d" / folder / "p.parquet")
    assert {row[1] for row in rows(opened(world, "d"))} == {"a b", None}
    (world.base / "d" / "other").mkdir()
    pl.DataFrame({"id": [1]}).write_parquet(world.base / "d" / "other" / "p.parquet")
    with pytest.raises(SourceError, match="some files lie in a folder k="):
        opened(world, "d/**/*.parquet")


def test_a_delta_table_in_folders_is_not_read_past_its_log(world: World) -> None:
    pl.DataFrame({"id": [1], "k": ["a"]}).write_delta(
        world.base / "t", delta_write_options={"partition_by": ["k"]}
    )
    with pytest.raises(SourceError, match="is a Delta table"):
        opened(world, "t")


@pytest.mark.parametrize(
    ("column", "said"),
    [
        ("1.5 NaN 2.5", "x text for NaN among its numbers (--null NaN reads that as no value)"),
        ("1 2 inf", "x text for inf among its numbers (--null inf reads that as no value)"),
        ("1 -inf 2 nan 4", "x text for -inf, nan among its numbers (pl.col('x').cast"),
        ("1 2 3", ""),
        ("A1 B2 3", ""),
        ("1 2 a b c d e", ""),
    ],
)
def test_a_column_of_numbers_that_a_word_makes_text_says_so(
    world: World, column: str, said: str
) -> None:
    guessed = opened(world, "d.csv", "k,x\n" + "".join(f"1,{x}\n" for x in column.split())).guessed
    assert said in guessed
    assert said or "among its numbers" not in guessed
