"""In a clean process: the notebook's own statements, run again on other rows.

A statement that did nothing on the rows at hand is left out of the module, and may do something on
others. So the module is held to all that the notebook ran, on rows of the same contracts.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

__all__ = ["LeftOut", "Step", "compared", "left_out_in"]

_FILE = "left-out.json"
_SUSPECTS = 40  # statements that are tried one by one
Frames = dict[str, "pl.DataFrame"]
Act = Callable[[str, Mapping[str, Any]], "pl.DataFrame | None"]


@dataclass(frozen=True)
class Step:
    """One statement of the notebook.

    Attributes
    ----------
    kind : str
        `code`; `input`: it binds an input, whose parameter `text` names; or `port`: it declares a
        port, whose frame `text` gives and whose function `function` names.
    needs, binds : tuple of str
        The names that must be there for it to run, and those that it binds.
    kept : tuple of int
        Of a port: the statements that its function has.
    """

    index: int
    kind: str
    text: str
    needs: tuple[str, ...] = ()
    binds: tuple[str, ...] = ()
    function: str = ""
    kept: tuple[int, ...] = ()

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Step:
        """Read what `dataclasses.asdict` gave, also after a trip through JSON."""
        lists = {name: tuple(told[name]) for name in ("needs", "binds", "kept")}
        return cls(**{**told, **lists})


@dataclass(frozen=True)
class LeftOut:
    """Rows on which the notebook's statements make another frame than the module.

    Attributes
    ----------
    said : str
        How the two differ.
    index : int or None
        The statement without which the notebook makes what the module makes, if one alone does.
    """

    said: str
    index: int | None


def left_out_in(folder: Path) -> dict[str, LeftOut]:
    """Return by function what `compared` found in a process that worked in a folder."""
    path = folder / _FILE
    if not path.exists():
        return {}
    told: dict[str, dict[str, Any]] = json.loads(path.read_text("utf-8"))
    return {name: LeftOut(**one) for name, one in told.items()}


def compared(steps: Sequence[Step], act: Act, times: Sequence[Mapping[str, pl.DataFrame]]) -> None:
    """Write down the functions that make other rows than the notebook's statements.

    Parameters
    ----------
    act
        Makes a function's frame of inputs, in a module that is loaded anew; None where it fails.
    times
        By input: the rows of each time.
    """
    ports = [step for step in steps if step.kind == "port"]
    found: dict[str, dict[str, Any]] = {}
    # The module first: what a notebook sets for its whole process would stand for it, too.
    made = [_made(ports, act, rows) for rows in times]
    for rows, frames in zip(times, made, strict=True):
        left = [port for port in ports if port.function in frames.keys() - found.keys()]
        again = _ran(steps, rows) if left else {}
        for port in left:
            frame = frames[port.function]
            said = _parted(frame, again.get(port.function))
            if said and _is_steady(steps, rows, port, again):
                index = _culprit(steps, port, rows, frame)
                found[port.function] = {"said": said, "index": index}
                Path(_FILE).write_text(json.dumps(found), "utf-8")


def _made(
    ports: Sequence[Step], act: Act, rows: Mapping[str, pl.DataFrame]
) -> dict[str, pl.DataFrame | None]:
    """Return by function the frame that it makes, where it makes the same one twice; or fails."""
    found: dict[str, pl.DataFrame | None] = {}
    for name in (port.function for port in ports):
        one, other = act(name, _given(rows)), act(name, _given(rows))
        if (one is None) is (other is None) and not _parted(one, other):
            found[name] = one
    return found


def _parted(one: pl.DataFrame | None, other: pl.DataFrame | None) -> str | None:
    if one is None:
        return None if other is None else "the notebook fails, the clean process does not"
    return _difference(one, other)


def _is_steady(
    steps: Sequence[Step], rows: Mapping[str, pl.DataFrame], port: Step, again: Frames
) -> bool:
    """Return whether the notebook's statements make the same once more: else it is chance."""
    once_more = _ran(steps, rows).get(port.function)
    return once_more is not None and _difference(again[port.function], once_more) is None


def _given(rows: Mapping[str, pl.DataFrame]) -> dict[str, pl.LazyFrame]:
    return {name: frame.lazy() for name, frame in rows.items()}


def _culprit(
    steps: Sequence[Step], port: Step, rows: Mapping[str, pl.DataFrame], made: pl.DataFrame | None
) -> int | None:
    """Return the statement that is left out, and without which nothing differs."""
    left_out = [s.index for s in steps if s.kind == "code" and s.index not in port.kept]
    before = [index for index in left_out if index < port.index]
    for index in before[::-1][:_SUSPECTS]:
        without = _ran([s for s in steps if s.index != index], rows).get(port.function)
        if made is not None and without is not None and _difference(made, without) is None:
            return index
    return None


def _difference(one: pl.DataFrame, other: pl.DataFrame | None) -> str | None:
    """Return how two frames differ; nothing where the other one was not made."""
    from mesh_notebook.mesh.rows import difference

    return None if other is None else difference(one, other)


def _ran(steps: Sequence[Step], rows: Mapping[str, pl.DataFrame]) -> Frames:
    """Run the statements as a notebook would; return by function the frames of the ports.

    A statement that fails, or that needs what one that failed would have bound, does nothing; and
    a port has no frame where a statement of its function failed, as that would.
    """
    found: Frames = {}
    given, lost, failed = _given(rows), set[str](), set[int]()
    with _as_main() as names:
        for step in steps:
            stopped = lost & set(step.needs) or failed & set(step.kept)
            if stopped or not _run(step, names, given, found):
                failed.add(step.index)
                lost |= set(step.binds)
            else:
                lost -= set(step.binds)
    return found


def _run(
    step: Step, names: dict[str, Any], given: Mapping[str, pl.LazyFrame], found: Frames
) -> bool:
    with contextlib.suppress(Exception, SystemExit):
        if step.kind == "input":
            names.update(dict.fromkeys(step.binds, given[step.text]))
        elif step.kind == "port":
            found[step.function] = eval(step.text, names).lazy().collect()
        else:
            exec(compile(step.text, "<notebook>", "exec"), names)
        return True
    return False


@contextlib.contextmanager
def _as_main() -> Iterator[dict[str, Any]]:
    """Give the names of a module that stands as `__main__`, as those of a notebook do."""
    import asyncio

    import polars as pl

    ours, main = sys.modules["__main__"], ModuleType("__main__")
    sys.modules["__main__"] = main
    vars(main).update(pl=pl, asyncio=asyncio, display=lambda *shown, **options: None)
    try:
        with _silent():
            yield vars(main)
    finally:
        sys.modules["__main__"] = ours


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Keep what cells print out of the log; and put back the streams that they may replace."""
    import io

    before = sys.stdout, sys.stderr
    sys.stdout = sys.stderr = io.StringIO()
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
