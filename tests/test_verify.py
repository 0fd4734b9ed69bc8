"""A bundle is verified anywhere and later; whatever is not as it was proved is named."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from mesh_notebook.errors import DeployRefused, SpecError, VerificationFailed
from mesh_notebook.mesh.seals import conformed, fingerprint, sealed, unlike

ROWS = "day,origin,delay,share\n" + "".join(
    f"2026-01-{d:02},{o},{d * 3 + n},{d / 7}\n" for d in range(1, 11) for n, o in enumerate("EJ")
)


@pytest.fixture
def notebook(shell: Any, tmp_path: Path) -> Any:
    """A notebook whose product is exported into `bundle`."""
    (tmp_path / "flights.csv").write_text(ROWS)
    shell.run("import polars as pl")
    shell.run("%mesh product airport-delays --domain travel --owner ops")
    shell.run("%mesh source flights flights.csv")
    shell.run("out = flights.filter(pl.col('delay') > 9)")
    shell.run("%mesh output daily out --key day,origin --event-time day")
    shell.run("%mesh export bundle")
    return shell


def found(notebook: Any, folder: str = "bundle") -> str:
    with pytest.raises(VerificationFailed) as caught:
        notebook.run(f"%mesh verify {folder}")
    return str(caught.value)


def test_a_bundle_is_as_it_was_proved(notebook: Any) -> None:
    told = notebook.run("%mesh verify bundle")
    assert (told.findings, told.rows, told.other_versions) == ((), {"daily": 15}, {})


def test_it_is_so_wherever_it_was_moved_to_with_its_source(notebook: Any, tmp_path: Path) -> None:
    (tmp_path / "else").mkdir()
    shutil.move(tmp_path / "bundle", tmp_path / "else" / "bundle")
    shutil.move(tmp_path / "flights.csv", tmp_path / "else" / "flights.csv")
    assert notebook.run("%mesh verify else/bundle").passed


def test_a_changed_byte_is_named_in_every_file(notebook: Any, tmp_path: Path) -> None:
    names = json.loads((tmp_path / "bundle" / "receipt.json").read_text())["files"]
    assert len(names) > 8
    for name in names:
        path = tmp_path / "bundle" / name
        before = path.read_bytes()
        path.write_bytes(before + b"\n")
        assert f"{name} was changed" in found(notebook)
        path.write_bytes(before)
    assert notebook.run("%mesh verify bundle").passed


def test_a_missing_and_a_foreign_module_are_named(notebook: Any, tmp_path: Path) -> None:
    (tmp_path / "bundle" / "README.md").unlink()
    (tmp_path / "bundle" / "polars.py").write_text("x = 1\n")
    said = found(notebook)
    assert "README.md is missing" in said
    assert "polars.py was added" in said


def test_a_changed_receipt_is_noticed(notebook: Any, tmp_path: Path) -> None:
    path = tmp_path / "bundle" / "receipt.json"
    path.write_text(path.read_text().replace('"daily": 15', '"daily": 16'))
    with pytest.raises(SpecError, match="changed since it was sealed"):
        notebook.run("%mesh verify bundle")


def test_who_seals_another_transform_is_told_by_the_rows(notebook: Any, tmp_path: Path) -> None:
    module = (tmp_path / "bundle" / "transform.py").read_text()
    _seal_anew(tmp_path / "bundle", "transform.py", module.replace("> 9", "> 12"))
    assert "it had 15 rows and has 13" in found(notebook)


def _seal_anew(bundle: Path, name: str, text: str) -> None:
    (bundle / name).write_text(text)
    receipt = json.loads((bundle / "receipt.json").read_text())
    receipt.pop("seal")
    receipt["files"][name] = hashlib.sha256(text.encode()).hexdigest()
    (bundle / "receipt.json").write_text(json.dumps(sealed(receipt)))


def test_a_source_that_changed_is_named(notebook: Any, tmp_path: Path) -> None:
    (tmp_path / "flights.csv").write_text(ROWS.replace("EWR", "LGA") + "2026-01-11,E,40,1.0\n")
    assert "the input 'flights'" in found(notebook)


def test_a_port_is_opened_at_the_snapshot_that_was_proved(
    published: Path, shell: Any, tmp_path: Path
) -> None:
    shell.run("%mesh connect airport-delays --as daily_delays")
    shell.run("%mesh product busy --domain travel --owner ops")
    shell.run("out = daily_delays.group_by('origin').len()")
    shell.run("%mesh output busy out --key origin")
    shell.run("%mesh export busy")
    rows = (tmp_path / "flights.csv").read_text()
    (tmp_path / "flights.csv").write_text(rows + "2013-01-03,LGA,2\n")
    assert shell.run("%mesh deploy bundle").receipt.snapshot == 2
    assert shell.run("%mesh verify busy").rows == {"busy": 2}


TYPED = """
out = flights.with_columns(pl.col("delay").cast(pl.Int32)).filter(pl.col("delay") > 9)
"""


@pytest.fixture
def typed(notebook: Any) -> Any:
    """A bundle whose rows have types that other engines would not choose, and a step in SQL."""
    notebook.run(TYPED)
    notebook.run("%mesh output daily out --key day,origin --event-time day")
    notebook.run(
        "%%mesh sql sums\nSELECT origin, sum(delay)::DECIMAL(9, 2) AS whole, avg(share) AS mean, "
        "max(day) AS last FROM flights GROUP BY origin"
    )
    notebook.run("%mesh output sums sums --key origin")
    notebook.run("%mesh export bundle")
    return notebook


@pytest.mark.parametrize("engine", ["duckdb", pytest.param("spark", marks=pytest.mark.spark)])
def test_another_engine_makes_the_sealed_rows_in_their_types(
    typed: Any, engine: str, request: pytest.FixtureRequest
) -> None:
    if engine == "spark":
        request.getfixturevalue("java")
    found = typed.run(f"%mesh verify bundle --engine {engine}")
    assert (found.engine, found.rows) == (engine, {"daily": 15, "sums": 2})
    assert f"on {engine} too" in typed.shown(found)["text/plain"]


def test_an_export_proves_it_on_spark_where_that_is_asked(
    typed: Any, tmp_path: Path, java: None
) -> None:
    shown = typed.shown(typed.run("%mesh export bundle --engines duckdb,spark"))["text/plain"]
    assert "engines  polars proved, duckdb proved, spark proved" in shown
    told = json.loads((tmp_path / "bundle" / "receipt.json").read_text())["engines"]
    assert told == {"polars": "proved", "duckdb": "proved", "spark": "proved"}


def test_helpers_go_to_other_engines_with_what_calls_them(notebook: Any, tmp_path: Path) -> None:
    notebook.run(
        "LEAST = 9\n"
        "def late(frame, least=-1):\n"
        "    return frame.filter(pl.col('delay') > least)\n"
        "def per_airport(frame):\n"
        "    return late(frame, LEAST).group_by('origin').agg(pl.col('delay').max())"
    )
    notebook.run("out = per_airport(flights)")
    notebook.run("%mesh output daily out --key origin")
    notebook.run("%mesh export bundle")
    module = (tmp_path / "bundle" / "portable.py").read_text()
    assert "def per_airport(" in module
    assert notebook.run("%mesh verify bundle --engine duckdb").passed


def test_a_module_for_other_engines_that_makes_other_rows_is_told(
    typed: Any, tmp_path: Path
) -> None:
    bundle = tmp_path / "bundle"
    module = (bundle / "portable.py").read_text()
    assert "> 9" in module
    _seal_anew(bundle, "portable.py", module.replace("> 9", "> 12"))
    assert typed.run("%mesh verify bundle").passed
    said = found(typed, "bundle --engine duckdb")
    assert "not as it was proved on duckdb" in said
    assert "it had 15 rows and has 13" in said


def test_a_bundle_without_a_module_for_other_engines_says_which_expression(notebook: Any) -> None:
    notebook.run("out = flights.filter(pl.col('delay') > 9).map_batches(lambda frame: frame)")
    notebook.run("%mesh output daily out --key day,origin --event-time day")
    assert notebook.run("%mesh export bundle").portable.text is None
    with pytest.raises(DeployRefused, match=r"does not go to duckdb: .*map_batches"):
        notebook.run("%mesh verify bundle --engine duckdb")
    assert notebook.run("%mesh verify bundle").passed


@pytest.mark.parametrize(
    "dtype",
    [
        pl.List(pl.Datetime("us", "UTC")),
        pl.Struct({"a b": pl.Array(pl.Float32, 2), "c": pl.Duration("ms")}),
        pl.Decimal(9, 2),
        pl.Enum(["a", "b"]),
    ],
)
def test_rows_are_given_the_types_that_were_sealed(dtype: pl.DataType) -> None:
    empty = pl.DataFrame({"x": []}, schema={"x": dtype})
    assert conformed(pl.DataFrame({"x": [None]}), fingerprint(empty)).schema == empty.schema


def test_a_type_that_is_none_is_a_difference_and_no_error() -> None:
    frame = pl.DataFrame({"x": [1]})
    wanted = fingerprint(frame) | {"columns": {"x": "read_csv('/etc/passwd')"}}
    assert "its columns were" in unlike(wanted, conformed(frame, wanted), 1e-9)[0]


@pytest.mark.parametrize(
    "changed",
    [
        pl.DataFrame({"k": ["a", "b"], "x": [2.0, 1.0]}),
        pl.DataFrame({"k": ["a", "b"], "x": [1.0, 2.001]}),
        pl.DataFrame({"k": ["a", "c"], "x": [1.0, 2.0]}),
        pl.DataFrame({"k": ["a", "b"], "x": [1.0, None]}),
        pl.DataFrame({"k": ["a", "b", "b"], "x": [1.0, 2.0, 0.0]}),
        pl.DataFrame({"x": [1.0, 2.0], "k": ["a", "b"]}),
    ],
)
def test_rows_that_differ_have_another_fingerprint(changed: pl.DataFrame) -> None:
    assert unlike(fingerprint(pl.DataFrame({"k": ["a", "b"], "x": [1.0, 2.0]})), changed, 1e-6)


def test_neither_order_nor_the_last_digit_of_a_float_is_a_difference() -> None:
    frame = pl.DataFrame({"k": ["a", "b"], "x": [0.1 + 0.2, 2.0], "b": [b"\x00", None]})
    other = pl.DataFrame({"k": ["b", "a"], "x": [2.0, 0.3], "b": [None, b"\x00"]})
    assert unlike(fingerprint(frame), other, 1e-9) == []
    assert unlike(fingerprint(frame.clear()), frame.clear(), 1e-9) == []


@pytest.mark.parametrize(
    "frame",
    [
        pl.DataFrame({"x": [0.5, None, float("inf")], "y": [1.0, 2.0, float("nan")]}),
        pl.DataFrame({"x": []}, schema={"x": pl.Float32}),
        pl.DataFrame({"x": [None, None]}),
        pl.DataFrame({"x": [b"a"], "y": [[b"a"]], "z": [{"a": b"b", "c": 1}]}),
        pl.DataFrame({"x": [[1.5]], "y": [["a"]]}, schema_overrides={"y": pl.List(pl.Categorical)}),
        pl.DataFrame({"line": ["a"], "f0": [1.0]}),
    ],
    ids=["floats alone", "no rows", "nulls alone", "bytes", "nested", "names like ours"],
)
def test_rows_of_every_type_have_a_fingerprint(frame: pl.DataFrame) -> None:
    sealed_rows = fingerprint(frame)
    assert unlike(json.loads(json.dumps(sealed_rows)), frame, 1e-9) == []
    doubled = pl.concat([frame, frame])
    assert (unlike(sealed_rows, doubled, 1e-9) == []) == (frame.height == 0)
