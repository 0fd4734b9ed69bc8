"""The notebooks of `tests/corpus`, one file each, as `tests/corpus/README.md` says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["CORPUS", "FLIGHTS", "OTHERS", "WEATHER", "Cell", "CorpusNotebook"]

FOLDER = Path(__file__).parent / "corpus"
FLIGHTS = """day,origin,delay
2026-01-01,EWR,1
2026-01-01,JFK,5
2026-01-02,EWR,7
2026-01-02,JFK,12
2026-01-03,LGA,
"""
# What the proof never sees: another airport, a delay of hours, rows in another order.
OTHERS = """day,origin,delay
2026-02-02,SFO,3
2026-02-01,JFK,250
2026-02-01,EWR,
2026-02-01,SFO,61
2026-02-03,EWR,4
2026-02-04,BOS,9
2026-02-04,LGA,2
"""
WEATHER = "origin,wind\nEWR,10.5\nJFK,12.0\nSFO,3.25\n"


@dataclass(frozen=True)
class Cell:
    """One cell; `fails` where it is meant to raise, `by_hand` where no cell shows what it does."""

    text: str
    fails: bool = False
    by_hand: bool = False


@dataclass(frozen=True)
class CorpusNotebook:
    """One notebook.

    Attributes
    ----------
    about : str
        What is hard about it.
    refused : str
        A fragment of the refusal that is expected; empty where an equal export is.
    spare : tuple of str
        Beginnings of statements that the slice keeps though these rows do not ask for them.
    cells : tuple of Cell
        In the order in which they ran, so perhaps more than once.
    """

    name: str
    about: str
    refused: str
    spare: tuple[str, ...]
    cells: tuple[Cell, ...]

    @classmethod
    def of(cls, path: Path) -> CorpusNotebook:
        head, *parts = path.read_text("utf-8").split("# %%")
        about, *told = [line.removeprefix("# ") for line in head.strip().splitlines()]
        facts = [tuple(line.split(": ", 1)) for line in told]
        said = {key: value for key, value in facts if key != "spare"}
        assert set(said) <= {"expects", "order"}, path
        verdict, _, reason = said["expects"].partition(": ")
        assert (verdict, bool(reason)) in {("equal", False), ("refused", True)}, path
        cells = [cls._cell(part) for part in parts]
        order = [int(n) - 1 for n in said.get("order", "").split()] or range(len(cells))
        spare = tuple(value for key, value in facts if key == "spare")
        return cls(path.stem, about, reason, spare, tuple(cells[n] for n in order))

    @staticmethod
    def _cell(part: str) -> Cell:
        title, _, text = part.partition("\n")
        assert title.strip() in ("", "fails", "deleted", "by hand"), title
        return Cell(text.strip("\n"), "fails" in title, "by hand" in title)


CORPUS = [CorpusNotebook.of(path) for path in sorted(FOLDER.glob("*.ipy"))]
