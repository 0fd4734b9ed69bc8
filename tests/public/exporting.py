"""One public notebook: its cells in a real shell, its reads declared, its last frame exported.

    python exporting.py NOTEBOOK FRAME FOLDER      tells the verdict as JSON in FOLDER/verdict.json

What a user does to a notebook that somebody else wrote, and nothing more: the reads of local files
become declared sources of the same rows; a frame whose index, names or types a port does not keep
is given others, by the lines that the messages of `%mesh output` say; cells that fail stay as they
are.
"""

from __future__ import annotations

import ast
import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__: list[str] = []

# What is for the front end alone; a shell without one does not know it.
_FRONT_END = re.compile(r"^\s*%(matplotlib|config|pylab|load_ext)\b.*$", re.MULTILINE)
_READS = re.compile(r"(pd|pandas|pl|polars|duckdb)\.(read|scan)_\w+")
# A file in SQL: `read_csv('a.csv', …)`, or `FROM 'a.csv'`.
_CALLED = r"\bread_\w+\s*\(\s*'[^'{}]+'[^()]*\)"
_QUOTED = r"(?<=FROM\s)'[^'{}]+\.\w+'|(?<=JOIN\s)'[^'{}]+\.\w+'"
_IN_SQL = re.compile(f"{_CALLED}|{_QUOTED}", re.IGNORECASE)


class Declared:
    """The files that a notebook reads, as sources of a mesh."""

    def __init__(self, folder: Path, run: Any) -> None:
        self.folder, self.run, self.many, self.duckdb = folder, run, 0, False

    def instead(self, cell: str) -> str:
        """Return a cell in which constant reads of files are reads of declared inputs."""
        cell = _IN_SQL.sub(self._in_sql, cell) if self._by_duckdb(cell) else cell
        try:
            calls = [n for n in ast.walk(ast.parse(cell)) if self._is_read(n)]
        except SyntaxError:
            return cell
        for call in sorted(calls, key=lambda c: (c.lineno, c.col_offset), reverse=True):
            if (given := self._input(ast.unparse(call))) is not None:
                cell = _replaced(cell, call, given)
        return cell

    def _by_duckdb(self, cell: str) -> bool:
        self.duckdb = self.duckdb or "duckdb" in cell
        return self.duckdb

    def _in_sql(self, found: re.Match[str]) -> str:
        return self._input(f'duckdb.sql("""FROM {found[0]}""")', in_sql=True) or found[0]

    def _is_read(self, node: ast.AST) -> bool:
        if not isinstance(node, ast.Call) or not _READS.fullmatch(ast.unparse(node.func)):
            return False
        first = node.args[0] if node.args else None
        return isinstance(first, ast.Constant) and isinstance(first.value, str)

    def _input(self, read: str, in_sql: bool = False) -> str | None:
        import duckdb
        import pandas as pd
        import polars as pl

        try:
            known = {"pd": pd, "pandas": pd, "pl": pl, "polars": pl, "duckdb": duckdb}
            value = eval(read, known)
            name = f"input_{self.many + 1}"
            path = self.folder / f"{name}.parquet"
            given = _written(value, name, path)
        except Exception:  # noqa: BLE001  whatever a reader or a writer says: it stays as it is
            return None
        self.many += 1
        self.run(f"%mesh source {name} {path}")
        return name if in_sql else given


def _written(value: Any, name: str, path: Path) -> str:
    """Write the rows of a frame, and return the expression that gives the frame again."""
    import duckdb
    import pandas as pd
    import polars as pl

    if isinstance(value, pl.LazyFrame):
        value.sink_parquet(path)
        return name
    if isinstance(value, duckdb.DuckDBPyRelation):
        value.pl().write_parquet(path)
        return f'duckdb.sql("FROM {name}")'
    if isinstance(value, pl.DataFrame):
        value.write_parquet(path)
        return f"{name}.collect()"
    keys = [] if type(value.index) is pd.RangeIndex else [n or "index" for n in value.index.names]
    (value.reset_index() if keys else value).to_parquet(path, index=False)
    index = f".set_index({keys})" if keys else ""
    return f"{name}.collect().to_pandas(){index}"


def _replaced(cell: str, call: ast.Call, text: str) -> str:
    lines = [line.encode() for line in cell.splitlines(keepends=True)]
    before = b"".join(lines[: call.lineno - 1]) + lines[call.lineno - 1][: call.col_offset]
    end = call.end_lineno or call.lineno
    after = lines[end - 1][call.end_col_offset :] + b"".join(lines[end:])
    return (before + text.encode() + after).decode()


def made_fit(name: str, frame: Any) -> Iterator[str]:
    """Yield the lines that give a frame the index, names and types that a port keeps."""
    import duckdb
    import pandas as pd
    import polars as pl

    if isinstance(frame, duckdb.DuckDBPyRelation):
        name, frame = f"{name}.pl()", frame.pl()
    clean = '"".join(s if s.isalnum() else "_" for s in str({c})).strip("_") or "column"'
    if isinstance(frame, pl.DataFrame | pl.LazyFrame):
        yield f"port = {name}"
        schema = frame.lazy().collect_schema()
        if any(not re.fullmatch(r"\w+", column) for column in schema.names()):
            yield f"port = port.rename(lambda c: {clean.format(c='c')})"
        if any(isinstance(t, pl.Datetime) and not t.time_zone for t in schema.dtypes()):
            yield 'port = port.with_columns(pl.selectors.datetime().dt.replace_time_zone("UTC"))'
        odd = (pl.Object, pl.Time, pl.Duration)
        if odds := [c for c, t in schema.items() if isinstance(t, odd)]:
            yield f"port = port.with_columns(pl.col({odds}).cast(pl.String))"
        return
    if not isinstance(frame.index, pd.RangeIndex) or frame.index.name is not None:
        yield f"port = {name}.reset_index()"
        frame = frame.reset_index()
    else:
        yield f"port = {name}.copy()"
    if isinstance(frame.columns, pd.MultiIndex):
        yield 'port.columns = ["_".join(map(str, c)) for c in port.columns]'
        frame.columns = ["_".join(map(str, c)) for c in frame.columns]
    if any(not re.fullmatch(r"\w+", str(c)) or not isinstance(c, str) for c in frame.columns):
        yield f"port = port.rename(columns=lambda c: {clean.format(c='c')})"
        frame = frame.rename(columns=lambda c: eval(clean.format(c="c"), {"c": c}))
    for column, dtype in frame.dtypes.items():
        kind = pd.api.types.infer_dtype(frame[column], skipna=True)
        if pd.api.types.is_datetime64_dtype(dtype):
            yield f'port["{column}"] = port["{column}"].dt.tz_localize("UTC")'
        elif kind.startswith("mixed") or isinstance(dtype, pd.PeriodDtype | pd.IntervalDtype):
            yield f'port["{column}"] = port["{column}"].astype(str)'
        elif kind in ("timedelta", "timedelta64"):
            yield f'port["{column}"] = port["{column}"].dt.total_seconds()'


def export(path: Path, name: str, folder: Path) -> dict[str, Any]:
    """Run a notebook's cells, declare its frame and export it; return the verdict."""
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.capture import capture_output

    cells = [c for c in json.loads(path.read_text("utf-8"))["cells"] if c["cell_type"] == "code"]
    shell = InteractiveShell.instance()
    shell.history_manager.enabled = False

    def run(cell: str) -> BaseException | None:
        with capture_output():
            done = shell.run_cell(cell, store_history=True)
        return done.error_in_exec or done.error_before_exec

    run("%load_ext mesh_notebook")
    run("%mesh product public --domain test --owner test --purpose test")
    declared, failed = Declared(folder, run), 0
    for cell in cells:
        text = _FRONT_END.sub("", "".join(cell["source"]))
        failed += run(declared.instead(text)) is not None
    lines = list(made_fit(name, shell.user_ns[name]))
    told: dict[str, Any] = {"cells": len(cells), "failed": failed, "inputs": declared.many}
    for step in ("\n".join(lines), "%mesh output rows port", f"%mesh export {folder / 'bundle'}"):
        if error := run(step):
            return {**told, "end": "refused", "said": f"{type(error).__name__}: {error}"}
    return {**told, "end": "exported", "said": ""}


if __name__ == "__main__":
    notebook, frame, folder = sys.argv[1:]
    os.chdir(Path(notebook).parent)
    verdict = export(Path(notebook), frame, Path(folder))
    (Path(folder) / "verdict.json").write_text(json.dumps(verdict))
    sys.stdout.flush()
    os._exit(0)
