"""The tests of a bundle: they need Polars and pytest alone, and stand on mocks beside them."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from mesh_notebook.mesh.on_mocks import Unfit
from mesh_notebook.model.address import python_name
from mesh_notebook.model.contract import Contract

if TYPE_CHECKING:
    import polars as pl

__all__ = ["MockRows", "in_bundle", "mocks", "tests", "told_unfit"]

MockRows = Callable[[Mapping[str, Contract]], "Mapping[str, pl.DataFrame]"]
_LINE = 100  # characters, as the bundle's own ruff takes them
_INPUTS, _END = "contracts/inputs/", ".odcs.yaml"


def mocks(contracts: Mapping[str, str], mock_rows: MockRows) -> dict[str, bytes]:
    """Return mocks of the inputs as Parquet files, by the inputs' names.

    Parameters
    ----------
    contracts : mapping
        The bundle's texts, by path; those that are contracts of inputs are mocked.
    mock_rows : callable
        Makes the rows of contracts, by the name of the input.
    """
    inputs = {
        path.removeprefix(_INPUTS).removesuffix(_END): Contract.loads(text)
        for path, text in contracts.items()
        if path.startswith(_INPUTS)
    }
    return {name: _bytes(frame) for name, frame in mock_rows(inputs).items()}


def in_bundle(mocked: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return mocks by their path in the bundle."""
    return {f"tests/mocks/{name}.parquet": held for name, held in mocked.items()}


def told_unfit(unfit: Mapping[str, Unfit]) -> tuple[str, ...]:
    """Say which ports do not keep their columns on mocks, or on no rows."""
    told = [
        (port, where, said)
        for port, one in unfit.items()
        for where, said in (("mocks", one.on_mocks), ("no rows", one.on_no_rows))
    ]
    return tuple(f"{port} on {where}: {said}" for port, where, said in told if said)


def _bytes(frame: pl.DataFrame) -> bytes:
    file = io.BytesIO()
    frame.write_parquet(file)
    return file.getvalue()


def tests(frames: Mapping[str, pl.DataFrame], unfit: Mapping[str, Unfit]) -> str:
    """Return the tests that hold the transform to the columns that were proved.

    Parameters
    ----------
    frames : mapping
        By port: the rows that were proved.
    unfit : mapping
        By port: what is expected to fail, and why.
    """
    promised = "".join(_promised(port, frame) for port, frame in frames.items())
    functions = "".join(f'    "{port}": transform.{python_name(port)},\n' for port in frames)
    text = _TESTS.replace("PROMISED_HERE", promised).replace("FUNCTIONS_HERE", functions)
    on_mocks = {port: one.on_mocks for port, one in unfit.items() if one.on_mocks}
    on_no_rows = {port: one.on_no_rows for port, one in unfit.items() if one.on_no_rows}
    dicts = [("ON_MOCKS", on_mocks), ("ON_NO_ROWS", on_no_rows)]
    for name, told in dicts:
        ports = f"expected({name})" if told else "PROMISED"
        text = text.replace(f"{name}_PORTS", ports)
    expected = "".join(_expected(name, told) for name, told in dicts if told)
    text = text.replace("EXPECTING_HERE", _EXPECTING if expected else "")
    return text.replace("EXPECTED_HERE\n", f"{_EXPECTED}{expected}" if expected else "")


def _expected(name: str, told: Mapping[str, str]) -> str:
    lines = "".join(
        f"    {_text(port)}: {_text(_fitting(said, port))},\n" for port, said in told.items()
    )
    return f"{name} = {{\n{lines}}}\n"


def _fitting(said: str, port: str) -> str:
    """Return what is said as far as a line has room for it."""
    room = _LINE - len(port) - len('    "": "",')
    said = said.replace('"', "'").replace("\\", "/")
    return said if len(said) <= room else f"{said[: room - 1]}…"


def _promised(port: str, frame: pl.DataFrame) -> str:
    columns = "".join(
        f"        ({_text(name)}, {_literal(dtype)}),\n" for name, dtype in frame.schema.items()
    )
    return f'    "{port}": [\n{columns}    ],\n'


def _text(name: str) -> str:
    """Return a text as ruff writes it: in double quotes, unless that takes more signs."""
    single = repr(name)
    if "\\" in single or '"' in name:
        return single
    return f'"{name}"'


def _literal(dtype: pl.DataType) -> str:
    """Return the expression that makes a type; of categories, the kind alone."""
    import polars as pl

    match dtype:
        case pl.Datetime():
            return f"pl.Datetime({_quoted(dtype.time_unit)}, {_quoted(dtype.time_zone)})"
        case pl.Duration():
            return f"pl.Duration({_quoted(dtype.time_unit)})"
        case pl.Decimal():
            return f"pl.Decimal({dtype.precision}, {dtype.scale})"
        case pl.List():
            return f"pl.List({_literal(dtype.inner)})"  # type: ignore[arg-type]
        case pl.Array():
            return f"pl.Array({_literal(dtype.inner)}, {dtype.size})"  # type: ignore[arg-type]
        case pl.Struct():
            fields = (f"{_text(f.name)}: {_literal(f.dtype)}" for f in dtype.fields)  # type: ignore[arg-type]
            return "pl.Struct({" + ", ".join(fields) + "})"
    return f"pl.{type(dtype).__name__}"


def _quoted(word: str | None) -> str:
    return "None" if word is None else f'"{word}"'


_EXPECTED = """\
# Mocks are made of contracts, which do not say all that rows are. When the product was exported,
# these ports failed as they are told to here: rows of your own in tests/mocks may mend that.
"""
_EXPECTING = '''\
def expected(told: Mapping[str, str]) -> list[object]:
    """Return the ports, of which those that are told of are expected to fail."""
    marks = {port: pytest.mark.xfail(reason=said) for port, said in told.items()}
    return [pytest.param(port, marks=marks.get(port, ())) for port in PROMISED]


'''
_TESTS = '''\
"""Runs the transform on mocks of its inputs, on inputs that break a promise, and on no rows."""

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path

import polars as pl
import pytest

import transform

# Made of the contracts of the inputs when the product was exported: no row of them is real.
FILES = sorted((Path(__file__).parent / "mocks").glob("*.parquet"))
MOCKS = {file.stem: pl.read_parquet(file) for file in FILES}
COLUMNS = [(name, column) for name, frame in MOCKS.items() for column in frame.columns]
FUNCTIONS: dict[str, Callable[..., pl.LazyFrame]] = {
FUNCTIONS_HERE}
PROMISED: dict[str, list[tuple[str, object]]] = {
PROMISED_HERE}
EXPECTED_HERE


def made(port: str, inputs: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Return what the transform makes of some inputs."""
    parameters = inspect.signature(FUNCTIONS[port]).parameters.values()
    names = [one.name for one in parameters if one.default is one.empty]
    return FUNCTIONS[port](**{name: inputs[name].lazy() for name in names}).collect()


EXPECTING_HEREdef made_or_failed(port: str, inputs: Mapping[str, pl.DataFrame]) -> list[str] | None:
    """Return the columns that the transform makes; None where it fails, which is right, too."""
    try:
        return made(port, inputs).columns
    except Exception:
        return None


@pytest.mark.parametrize("port", ON_MOCKS_PORTS)
def test_the_transform_keeps_the_columns_that_were_proved(port: str) -> None:
    assert list(made(port, MOCKS).schema.items()) == PROMISED[port]


@pytest.mark.parametrize("port", ON_NO_ROWS_PORTS)
def test_no_rows_are_no_error_and_keep_the_columns(port: str) -> None:
    nothing = {name: frame.clear() for name, frame in MOCKS.items()}
    assert list(made(port, nothing).schema.items()) == PROMISED[port]


@pytest.mark.parametrize("port", PROMISED)
@pytest.mark.parametrize(("name", "column"), COLUMNS)
def test_on_a_column_of_nulls_the_transform_fails_or_keeps_its_columns(
    port: str, name: str, column: str
) -> None:
    frame = MOCKS[name]
    nulls = frame.with_columns(pl.lit(None, frame.schema[column]).alias(column))
    names = [name for name, _ in PROMISED[port]]
    assert made_or_failed(port, {**MOCKS, name: nulls}) in (None, names)


@pytest.mark.parametrize("port", PROMISED)
@pytest.mark.parametrize("name", MOCKS)
def test_on_rows_that_come_twice_the_transform_fails_or_keeps_its_columns(
    port: str, name: str
) -> None:
    twice = pl.concat([MOCKS[name], MOCKS[name]])
    names = [name for name, _ in PROMISED[port]]
    assert made_or_failed(port, {**MOCKS, name: twice}) in (None, names)
'''
