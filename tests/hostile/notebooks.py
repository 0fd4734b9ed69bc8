"""Hostile notebooks, drawn by a seed: each leans on something that its cells may not show."""

from __future__ import annotations

import random
from dataclasses import dataclass

from kinds import CHANCES, CHECKS, FILES, ORDERS, WRAPS
from states import BY_HAND, HOLDERS, PATHS

__all__ = ["HAND", "SIDE", "Notebook", "drawn"]

# Marks what somebody does between two cells, which no cell shows.
HAND = "# by hand\n"
# What lies beside the notebook where it is written, and not where its module runs.
SIDE = {
    "lim.txt": "50",
    "s.ini": "[a]\nlim=50\n",
    "s.xml": "<a>50</a>",
    "s.json": '{"lim": 50}',
    "s.toml": "lim = 50\n",
    "s.py": "lim = 50\n",
    "s.sh": "#!/bin/sh\n",
}
# How the number reaches the port. The rows at hand are few, and none is late by more than 100.
_USES = (
    "out = flights.filter(pl.col('delay') < ({v}))",
    "out = flights.with_columns(c=pl.when(pl.col('delay') > 100).then({v}).otherwise(0))",
    "out = flights.with_columns(c=pl.col('delay').map_elements("
    "lambda delay: ({v}) if delay > 100 else 0, return_dtype=pl.Int64))",
    "def late(delay):\n    return ({v}) if delay > 100 else 0\n"
    "out = flights.with_columns(c=pl.col('delay').map_elements(late, return_dtype=pl.Int64))",
    "rows = flights.drop('day').collect().to_pandas()\n"
    "out = rows[rows['delay'].fillna(0) < ({v})].reset_index(drop=True)",
    "most = {v}\n# %%\nout = flights.filter(pl.col('delay').is_null() | (pl.col('delay') < most))",
    "rows = flights.collect()\nout = rows.filter(rows['delay'] < ({v}))",
)


@dataclass(frozen=True)
class Notebook:
    """Cells in the order in which they run; one that begins with `HAND` is no cell.

    Attributes
    ----------
    kind : str
        What is hostile about it.
    side : bool
        Whether files lie beside it.
    many : bool
        Whether only many rows tell.
    port : bool
        Whether `flights` is an output port, whose rows have no order.
    fails : bool
        Whether a cell fails on the rows at hand.
    """

    kind: str
    cells: tuple[str, ...]
    side: bool = False
    many: bool = False
    port: bool = False
    fails: bool = False

    def __str__(self) -> str:
        return f"# {self.kind}\n" + "\n".join(f"# %%\n{cell}" for cell in self.cells)


def drawn(seed: int) -> Notebook:
    """Return a notebook, the same for the same seed."""
    chance = random.Random(seed)
    kinds = {"state": 5, "chance": 3, "file": 2, "order": 3, "failed": 1}
    kind = chance.choices([*kinds], [*kinds.values()])[0]
    drawing = {"state": _state, "chance": _chance, "file": _file, "order": _order}
    return (drawing | {"failed": _failed})[kind](chance)


def _cells(*texts: str) -> tuple[str, ...]:
    return tuple(cell.strip("\n") for text in texts for cell in text.split("# %%\n") if cell)


def _use(chance: random.Random, value: str) -> str:
    return chance.choice(_USES).replace("{v}", value)


def _state(chance: random.Random) -> Notebook:
    name, (make, read, change) = chance.choice(sorted(HOLDERS.items()))
    path = chance.choice([BY_HAND, BY_HAND, *PATHS])
    plain = "\n".join(line for line in change.splitlines() if not line.startswith("global"))
    body = "def change():\n" + "\n".join(f"    {line}" for line in change.splitlines())
    moved = HAND + plain if path == BY_HAND else PATHS[path]
    use = _use(chance, read)
    steps = [make, *([] if path == BY_HAND else [body]), moved, use]
    if chance.random() < 0.25:  # the change comes late: the port is made already, but maybe lazy
        steps[-2:] = [use, moved]
    if chance.random() < 0.3:
        steps.insert(-1, "print(flights.collect().height)")
    return Notebook(f"state: {name}, {path}", _cells(*steps))


def _chance(chance: random.Random) -> Notebook:
    name, (imports, expression) = chance.choice(sorted(CHANCES.items()))
    wrap = chance.choice(sorted(WRAPS))
    made = WRAPS[wrap].format(e=expression, v="drawn")
    return Notebook(f"chance: {name}, {wrap}", _cells(imports, made, _use(chance, "drawn")))


def _file(chance: random.Random) -> Notebook:
    name, read = chance.choice(sorted(FILES.items()))
    if chance.random() < 0.4:
        inside = "\n".join(f"    {line}" for line in read.splitlines())
        read = f"def limit():\n{inside}\n    return v\nv = limit()"
    return Notebook(f"file: {name}", _cells(read, _use(chance, "v")), side=True)


def _failed(chance: random.Random) -> Notebook:
    """Return one of which a cell stops at its rows, before it changes something."""
    name, (make, read, change) = chance.choice(sorted(HOLDERS.items()))
    check = chance.choice(sorted(CHECKS))
    plain = "\n".join(line for line in change.splitlines() if not line.startswith("global"))
    begun = "\n" if chance.random() < 0.5 else "\n# %%\n"
    steps = f"{make}{begun}{CHECKS[check]}\n{plain}", _use(chance, read)
    return Notebook(f"failed: {check}, {name}", _cells(*steps), fails=True)


def _order(chance: random.Random) -> Notebook:
    name, step = chance.choice(sorted(ORDERS.items()))
    return Notebook(f"order: {name}", (step,), many=True, port=chance.random() < 0.5)
