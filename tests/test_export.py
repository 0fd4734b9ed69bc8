"""An export is proved equal in a clean process, or refused with the cell and the name."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from importlib.metadata import files as files_of_distribution
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from mesh_notebook.errors import ExportRefused
from mesh_notebook.mesh.bundle import Bundle

ROWS = "day,origin,delay\n" + "".join(
    f"2026-01-{d:02},{o},{d * 3 + n}\n" for d in range(1, 11) for n, o in enumerate(("EWR", "JFK"))
)


@pytest.fixture
def notebook(shell: Any, tmp_path: Path) -> Any:
    """A notebook that has named its product and declared one source."""
    (tmp_path / "flights.csv").write_text(ROWS)
    shell.run("import polars as pl")
    shell.run('%mesh product airport-delays --domain travel --owner ops --purpose "How late"')
    shell.run("%mesh source flights flights.csv")
    return shell


def export(notebook: Any, frame: str = "out", port: str = "daily") -> Any:
    notebook.run(f"%mesh output {port} {frame} --key day,origin --event-time day")
    return notebook.run("%mesh export bundle")


def refused(notebook: Any, frame: str = "out") -> ExportRefused:
    with pytest.raises(ExportRefused) as caught:
        export(notebook, frame)
    return caught.value


def contents(folder: Path) -> dict[str, bytes]:
    paths = sorted(p for p in folder.rglob("*") if p.is_file())
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in paths}


# ---- proved ------------------------------------------------------------------------------------


def test_a_bundle_holds_everything_that_the_product_is(notebook: Any, tmp_path: Path) -> None:
    notebook.run("out = flights.filter(pl.col('delay') > 9)")
    made = export(notebook)
    assert (made.ports, made.inputs, made.rows) == (("daily",), ("flights",), {"daily": 15})
    assert made.kept < made.total
    assert (
        set(contents(tmp_path / "bundle"))
        == {
            *("product.odps.yaml", "transform.py", "pyproject.toml", "README.md", "receipt.json"),
            "lineage.json",
            *("contracts/daily.odcs.yaml", "contracts/inputs/flights.odcs.yaml", "notebook.ipynb"),
            *("policies/README.md", "tests/test_transform.py", "portable.py"),
            "tests/mocks/flights.parquet",
            ".github/workflows/data-product.yml",
        }
        == set(made.files)
    )
    bundle = Bundle(tmp_path / "bundle")
    (taken,), (given,) = bundle.product.inputs, bundle.product.outputs
    assert taken.recipe == {"kind": "source", "uri": "../flights.csv"}
    assert (taken.name, taken.contract_id.count(":")) == ("flights", 6)
    assert given.temporality == {"kind": "snapshot", "eventTime": "day"}
    assert given.raw["inputContracts"] == [{"id": taken.contract_id, "version": "1.0.0"}]
    assert bundle.contract("daily").key == ("day", "origin")


def test_the_receipt_seals_every_file_and_pins_every_input(notebook: Any, tmp_path: Path) -> None:
    notebook.run("out = flights")
    export(notebook)
    files = contents(tmp_path / "bundle")
    receipt = json.loads(files.pop("receipt.json"))
    assert receipt["files"] == {n: hashlib.sha256(c).hexdigest() for n, c in files.items()}
    (pin,) = receipt["inputs"]
    assert (pin["name"], pin["kind"], pin["origin"]) == ("flights", "source", "live")
    assert len(pin["version"]) == 64
    assert receipt["proved"]["rows"] == {"daily": 20}


def test_the_same_notebook_gives_the_same_bytes(notebook: Any, tmp_path: Path) -> None:
    notebook.run(
        "%%mesh sql out\nSELECT day, origin, avg(delay) AS delay FROM flights GROUP BY ALL"
    )
    export(notebook)
    first = contents(tmp_path / "bundle")
    notebook.run("%mesh export bundle")
    assert contents(tmp_path / "bundle") == first


def test_the_transform_runs_where_only_polars_and_duckdb_are(notebook: Any, tmp_path: Path) -> None:
    notebook.run("late = flights.filter(pl.col('delay') > 9)")
    notebook.run("%%mesh sql out\nSELECT day, origin, sum(delay) AS delay FROM late GROUP BY ALL")
    export(notebook)
    only = tmp_path / "only"
    only.mkdir()
    for distribution in ("polars", "polars-runtime-32", "duckdb"):
        for top in {file.parts[0] for file in files_of_distribution(distribution) or ()}:
            found = Path(pl.__file__).parents[1] / top
            if top != ".." and found.exists():
                (only / top).symlink_to(found)
    script = (
        f"import sys; sys.path[:0] = [{str(only)!r}, {str(tmp_path / 'bundle')!r}]\n"
        "import polars as pl, transform\n"
        "made = transform.daily(pl.scan_csv('flights.csv', try_parse_dates=True))\n"
        "made.collect().write_ipc('made.arrow')\n"
        "assert not {'numpy', 'pandas', 'pyarrow', 'mesh_notebook'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-I", "-S", "-c", script], check=True, cwd=tmp_path)
    made = pl.read_ipc(tmp_path / "made.arrow")
    assert_frame_equal(made, notebook.names["out"], check_row_order=False)


def test_the_bundles_own_tests_pass_where_this_package_is_not(
    notebook: Any, tmp_path: Path
) -> None:
    notebook.run("out = flights.with_columns(late=pl.col('delay') > 15)")
    export(notebook)
    script = (
        "import sys, pytest\nsys.modules['mesh_notebook'] = None\n"
        "sys.exit(pytest.main(['-q', '-p', 'no:cacheprovider']))"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=tmp_path / "bundle", capture_output=True, check=False)
    assert done.returncode == 0, done.stdout.decode()
    assert b"passed" in done.stdout
    assert "mesh" not in (tmp_path / "bundle/pyproject.toml").read_text()


def test_what_mocks_cannot_show_is_expected_to_fail_and_said(notebook: Any, tmp_path: Path) -> None:
    notebook.run("def old(delay):\n    return delay > 15")
    notebook.run("frame = flights.collect().to_pandas()")
    notebook.run("frame['late'] = frame['delay'].apply(old)\nkept = frame[['late']]")
    notebook.run("known = {day * 3 + n: n for day in range(1, 11) for n in (0, 1)}")
    notebook.run("coded = flights.select(code=pl.col('delay').replace_strict(known))")
    notebook.run("%mesh output kept kept")
    notebook.run("%mesh output coded coded")
    done = notebook.run("%mesh export bundle")
    assert [one.partition(":")[0] for one in done.unfit] == ["kept on no rows", "coded on mocks"]
    assert "expected to fail: coded on mocks: " in notebook.shown(done)["text/plain"]
    command = [sys.executable, "-m", "pytest", "-q", "-rx", "-p", "no:cacheprovider"]
    ran = subprocess.run(command, cwd=tmp_path / "bundle", capture_output=True, check=False)
    assert ran.returncode == 0, ran.stdout.decode()
    assert b"2 xfailed" in ran.stdout


def test_a_module_that_makes_other_columns_fails_the_bundles_own_tests(
    notebook: Any, tmp_path: Path
) -> None:
    notebook.run("out = flights.with_columns(late=pl.col('delay') > 15)")
    export(notebook)
    module = tmp_path / "bundle/transform.py"
    module.write_text(module.read_text().replace("> 15", "+ 15"))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=tmp_path / "bundle", capture_output=True, check=False)
    assert done.returncode == 1


def test_cells_out_of_order_and_deleted_cells_are_proved(notebook: Any, tmp_path: Path) -> None:
    use = "out = flights.filter(pl.col('delay') > limit)"
    for cell in ("limit = 3", "limit = 12", use, "limit = 100"):  # the second is then deleted
        notebook.run(cell)
    assert export(notebook).rows == {"daily": notebook.names["out"].collect().height}
    assert "limit = 12" in (tmp_path / "bundle/transform.py").read_text()


def test_several_ports_are_several_functions(notebook: Any, tmp_path: Path) -> None:
    notebook.run("late = flights.filter(pl.col('delay') > 9)")
    notebook.run("counts = late.group_by('day', 'origin').len()")
    notebook.run("%mesh output late-flights late --key day,origin")
    made = export(notebook, "counts", "counts")
    assert made.rows == {"late-flights": 15, "counts": 15}
    text = (tmp_path / "bundle/transform.py").read_text()
    assert "def late_flights(flights: pl.LazyFrame)" in text
    assert "def counts(flights: pl.LazyFrame)" in text


def test_export_in_the_cell_that_declares_the_output(notebook: Any) -> None:
    made = notebook.run(
        "out = flights.head(4)\n%mesh output daily out --key day,origin\n%mesh export bundle"
    )
    assert made.rows == {"daily": 4}


def test_a_pandas_frame_is_an_output_like_any_other(notebook: Any) -> None:
    notebook.run("table = flights.collect().to_pandas()\ntable['double'] = table['delay'] * 2.0")
    notebook.run("table['day'] = table['day'].dt.tz_localize('UTC')")
    assert export(notebook, "table").rows == {"daily": 20}


def test_mocked_inputs_keep_their_origin(notebook: Any, tmp_path: Path) -> None:
    notebook.run("out = flights")
    export(notebook)
    notebook.run("%mesh mock bundle/contracts/daily.odcs.yaml --rows 50 --seed 3 --as made")
    notebook.run("out = made.filter(pl.col('delay').is_not_null())")
    notebook.run("%mesh output daily out --key day,origin")
    notebook.run("%mesh export mocked")
    receipt = json.loads((tmp_path / "mocked/receipt.json").read_text())
    assert receipt["origin"] == "mock"
    assert Bundle(tmp_path / "mocked").product.status == "draft"


# ---- refused -----------------------------------------------------------------------------------


def test_a_change_that_no_code_shows_is_refused_with_the_cell_and_the_name(
    notebook: Any, tmp_path: Path
) -> None:
    notebook.run("columns = ['day', 'origin']")
    notebook.run("get_ipython().user_ns['columns'].append('delay')")
    notebook.run("out = flights.select(columns)")
    error = refused(notebook)
    assert (error.cell, error.name) == (6, "columns")
    assert "In[6] changed `columns` by means that its code does not show" in str(error)
    assert not (tmp_path / "bundle").exists()


def test_a_value_that_a_clean_process_makes_otherwise_is_refused_with_its_cell(
    notebook: Any, tmp_path: Path
) -> None:
    notebook.run("columns = ['day', 'origin', pl.col('delay')]\nfactors = [2.0]")
    notebook.run("get_ipython().user_ns['factors'][0] = 3.0")
    notebook.run("scaled = flights.with_columns(pl.col('delay') * factors[0])")
    notebook.run("out = scaled.select(columns)")
    error = refused(notebook)
    assert (error.cell, error.name) == (5, "factors")
    assert "In[5] makes `factors`, where they part" in str(error)
    assert "`factors` is [3.0] in the notebook, [2.0] in the clean process" in str(error)
    assert "day=2026-01-01, origin='EWR': delay is 9.0 in the notebook, 6.0 in the" in str(error)
    assert not (tmp_path / "bundle").exists()


def test_differing_rows_are_shown(notebook: Any) -> None:
    notebook.run("limits = {'low': 6}")
    notebook.run("out = flights.filter(pl.col('delay') > limits['low'])")
    notebook.run("get_ipython().user_ns['limits']['low'] = 7")
    notebook.run("out = flights.filter(pl.col('delay') > limits['low'])")
    error = refused(notebook)
    assert error.name == "limits"
    assert "the notebook has 16 rows, the clean process 17" in str(error)
    assert "only in the clean process" in str(error)


def test_the_clock_is_named(notebook: Any) -> None:
    notebook.run("from datetime import UTC, datetime")
    notebook.run("out = flights.with_columns(at=pl.lit(datetime.now(UTC)))")
    error = refused(notebook)
    assert "In[6]: `datetime.now` reads the clock" in str(error)
    assert "bind the moment from a literal" in str(error)


def test_a_module_beside_the_notebook_is_refused(notebook: Any, tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("LIMIT = 5\n")
    notebook.run("import sys; sys.path.insert(0, '.')")
    notebook.run("import beside")
    notebook.run("out = flights.head(beside.LIMIT)")
    error = refused(notebook)
    assert (error.cell, error.name) == (6, "beside")
    assert "put its code into a cell" in str(error)


def test_settings_made_in_a_module_are_part_of_what_is_exported(notebook: Any) -> None:
    notebook.run("import os\nos.environ['LIMIT'] = '5'")
    notebook.run(
        "import os",
    )
    notebook.run("out = flights.head(int(os.environ['LIMIT']))")
    assert export(notebook).rows == {"daily": 5}


def test_code_that_fails_in_a_clean_process_is_traced_to_its_cell(notebook: Any) -> None:
    notebook.run("import sys")  # where nothing has loaded IPython
    notebook.run(
        "few = flights.head(\n    len(sys.modules['IPython'].__name__))\nout = few.select(pl.all())"
    )
    error = refused(notebook)
    assert (error.cell, error.name) == (6, "few")
    assert "In[6] ran in the notebook but fails in a clean process: KeyError" in str(error)


def test_a_refused_export_leaves_the_standing_bundle_alone(notebook: Any, tmp_path: Path) -> None:
    notebook.run("out = flights.head(3)")
    export(notebook)
    before = contents(tmp_path / "bundle")
    notebook.run("import random")
    notebook.run("out = flights.head(random.randint(1, 9))")
    assert refused(notebook).cell is not None
    assert contents(tmp_path / "bundle") == before
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".bundle")] == []


def test_a_folder_of_somebody_else_is_not_written_over(notebook: Any, tmp_path: Path) -> None:
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle/thesis.tex").write_text("mine")
    notebook.run("out = flights")
    assert "holds files that no export wrote" in str(refused(notebook))
    assert contents(tmp_path / "bundle") == {"thesis.tex": b"mine"}


def test_an_edited_bundle_is_not_written_over(notebook: Any, tmp_path: Path) -> None:
    notebook.run("out = flights")
    export(notebook)
    transform = tmp_path / "bundle/transform.py"
    transform.write_text(transform.read_text() + "# mine\n")
    assert "transform.py was edited since it was exported" in str(refused(notebook))
    assert transform.read_text().endswith("# mine\n")


def test_what_a_person_put_beside_the_bundle_stays(notebook: Any, tmp_path: Path) -> None:
    notebook.run("out = flights")
    export(notebook)
    (tmp_path / "bundle/notes").mkdir()
    (tmp_path / "bundle/notes/why.md").write_text("because")
    notebook.run("out = flights.head(2)")
    assert export(notebook).rows == {"daily": 2}
    assert (tmp_path / "bundle/notes/why.md").read_text() == "because"


def test_an_export_that_was_killed_is_made_good_by_the_next(notebook: Any, tmp_path: Path) -> None:
    notebook.run("out = flights")
    export(notebook)
    (tmp_path / "bundle/notes.md").write_text("because")
    before = contents(tmp_path / "bundle")
    (tmp_path / "bundle").rename(tmp_path / ".bundle.0badcafe.old")
    notebook.run("%mesh export bundle")
    assert contents(tmp_path / "bundle") == before
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".bundle")] == []


def test_what_a_killed_export_began_to_write_goes_later(notebook: Any, tmp_path: Path) -> None:
    notebook.run("out = flights")
    left, young = tmp_path / ".bundle.0badcafe", tmp_path / ".bundle.5eedf00d"
    for folder in (left, young):
        folder.mkdir()
        (folder / "transform.py").write_text("half")
    os.utime(left, (time.time() - 3_600,) * 2)
    export(notebook)
    # The younger may be of an export that writes just now.
    assert [p for p in tmp_path.iterdir() if p.name.startswith(".bundle")] == [young]
