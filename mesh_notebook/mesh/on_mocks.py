"""How functions of a transform fare on mocks of their inputs, and on no rows: as its tests ask."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Unfit", "keep_mocks", "try_on_mocks", "unfit_in"]

Call = Callable[[str, Mapping[str, Any]], Any]
_FOLDER, _FOUND = "mocks", "on-mocks.json"
_LATE = "it does not end in time"
_LONGEST = 120


@dataclass(frozen=True)
class Unfit:
    """Why a function does not keep the columns that were proved; empty where it does.

    Attributes
    ----------
    on_mocks, on_no_rows : str
        In one line, of mocks of the inputs and of inputs without rows.
    """

    on_mocks: str = ""
    on_no_rows: str = ""


def keep_mocks(mocks: Mapping[str, bytes], folder: Path) -> list[str]:
    """Write Parquet files of mocks, by input, where the clean process finds them."""
    (folder / _FOLDER).mkdir()
    for name, held in mocks.items():
        (folder / _FOLDER / f"{name}.parquet").write_bytes(held)
    return list(mocks)


def unfit_in(folder: Path) -> dict[str, Unfit]:
    """Return by function what `try_on_mocks` found in a folder, where there is something."""
    path = folder / _FOUND
    if not path.exists():
        return {}
    found = {name: Unfit(**told) for name, told in json.loads(path.read_text("utf-8")).items()}
    return {name: one for name, one in found.items() if one != Unfit()}


def try_on_mocks(call: Call, proved: Mapping[str, pl.Schema], names: Sequence[str]) -> None:
    """Call functions on mocks and on no rows, and note how they fare, each as it is known.

    Parameters
    ----------
    call : callable
        Calls a function by its name, with the inputs by theirs.
    proved : mapping
        By function: the columns that it made of the inputs themselves.
    names : sequence of str
        The inputs of which there are mocks.
    """
    import polars as pl

    rows = {name: pl.read_parquet(f"{_FOLDER}/{name}.parquet") for name in names}
    nothing = {name: frame.clear() for name, frame in rows.items()}
    found = {name: Unfit(_LATE, _LATE) for name in proved}
    for name, schema in proved.items():
        said = [_unlike(call, name, schema, given) for given in (rows, nothing)]
        found[name] = Unfit(*said)
        told = json.dumps({name: asdict(one) for name, one in found.items()})
        Path(_FOUND).write_text(told, "utf-8")


def _unlike(call: Call, name: str, proved: pl.Schema, given: Mapping[str, pl.DataFrame]) -> str:
    try:
        made = call(name, {name: frame.lazy() for name, frame in given.items()})
        schema = made.lazy().collect().schema
    # The user's own code runs here: whatever it raises is what its test would show.
    except (Exception, SystemExit) as error:  # noqa: BLE001
        return _short(f"{type(error).__name__}: {error}")
    return _short("; ".join(_differing(schema, proved)))


def _differing(made: pl.Schema, proved: pl.Schema) -> Iterator[str]:
    import polars as pl

    if list(made) != list(proved):
        yield f"makes the columns {', '.join(made)}"
        return
    for name, dtype in proved.items():
        grouped = isinstance(dtype, pl.Enum | pl.Categorical) and type(made[name]) is type(dtype)
        if made[name] != dtype and not grouped:
            yield f"makes {name} {made[name]}, not {dtype}"


def _short(text: str) -> str:
    line = "".join(sign for sign in " ".join(text.split()) if sign.isprintable())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
