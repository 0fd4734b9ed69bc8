"""A database of DuckDB is no source; what is said of it can be typed, and works."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from mesh_notebook.errors import SourceError


@pytest.mark.parametrize("file", ["file.db", "file.duckdb"])
def test_a_database_of_duckdb_is_named_with_the_lines_that_make_it_a_source(
    shell: Any, tmp_path: Path, file: str
) -> None:
    with duckdb.connect(str(tmp_path / file)) as con:
        con.sql("CREATE TABLE c AS SELECT 1 AS a")
    with pytest.raises(SourceError, match="is a database of DuckDB") as caught:
        shell.run(f"%mesh source x {file}#c")
    write, declare = caught.value.next_step.removeprefix("write the table to a file: ").split(
        "; and then "
    )
    shell.run("import duckdb")
    shell.run(write.replace("TABLE", "c"))
    shell.run(declare.replace("NAME", "x").replace("TABLE", "c"))
    assert shell.names["x"].collect().to_dicts() == [{"a": 1}]
