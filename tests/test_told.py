"""What a value holds is told: a change to it is seen, and a value made again is told alike."""

from __future__ import annotations

import array
import collections
import contextvars
import decimal
import itertools
import queue
import types
import weakref
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from mesh_notebook.export.record import Record
from mesh_notebook.export.state import same, told_of


def kept(lim: int) -> tuple[Callable[[], int], Callable[[int], None]]:
    def get() -> int:
        return lim

    def put(value: int) -> None:
        nonlocal lim
        lim = value

    return get, put


class Box:
    lim = 1


# As in a notebook, whose functions find their names in `__main__`.
kept = types.FunctionType(kept.__code__, {**globals(), "__name__": "__main__"})


Box.__module__ = "__main__"


class Slots:
    __slots__ = ("lim",)

    def __init__(self) -> None:
        self.lim = 1


Slots.__module__ = "__main__"


def _slider(value: int) -> Any:
    import ipywidgets

    return ipywidgets.IntSlider(value=value)


def _put(value: Any, key: Any) -> None:
    value[key] = 7


def _set(value: Any) -> None:
    value.lim = 7


BOX = Box()
KINDS: dict[str, tuple[Callable[[], Any], Callable[[Any], object]]] = {
    "a deque": (lambda: collections.deque([1, 2]), lambda v: v.append(3)),
    "an array": (lambda: array.array("i", [1, 2]), partial(_put, key=0)),
    "an array of NumPy": (lambda: np.array([1.5, 2]), partial(_put, key=0)),
    "an array of objects": (lambda: np.array([1, None], dtype=object), partial(_put, key=0)),
    "a series of Polars": (lambda: pl.Series([1, 2]), partial(_put, key=0)),
    "a frame of Polars": (lambda: pl.DataFrame({"a": [1]}), partial(_put, key=(0, "a"))),
    "a series of pandas": (lambda: pd.Series([1, 2]), partial(_put, key=0)),
    "an index": (
        lambda: pd.DataFrame({"a": [1]}),
        lambda v: v.set_index(pd.Index([5]), inplace=True),
    ),
    "a frame of pandas": (lambda: pd.DataFrame({"a": ["x"], "b": [1]}), lambda v: v.pop("a")),
    "a default dictionary": (lambda: collections.defaultdict(list), lambda v: v["new"]),
    "a counter": (lambda: collections.Counter("aab"), lambda v: v.update("b")),
    "a user's dictionary": (lambda: collections.UserDict(a=1), partial(_put, key="a")),
    "a queue": (lambda: _filled(queue.Queue()), lambda v: v.get()),
    "a count": (lambda: itertools.count(5), next),
    "an iterator": (lambda: iter([1, 2, 3]), next),
    "a generator": (lambda: (n for n in [1, 2, 3]), next),
    "a closure": (lambda: kept(1), lambda v: v[1](7)),
    "a bound method": (lambda: [1].append, lambda v: v(2)),
    "a decimal context": (lambda: decimal.Context(prec=3), lambda v: setattr(v, "prec", 2)),
    "a context variable": (
        lambda: contextvars.ContextVar("a", default=1),
        lambda v: v.set(7),
    ),
    "a made module": (lambda: _made_module(), _set),
    "an object": (Box, _set),
    "an object with slots": (Slots, _set),
    "a namespace": (lambda: types.SimpleNamespace(lim=1), _set),
    "a slider": (lambda: _slider(1), lambda v: setattr(v, "value", 7)),
    "a slider in a list": (lambda: [_slider(1)], lambda v: setattr(v[0], "value", 7)),
    "a long list": (lambda: list(range(5_000)), partial(_put, key=0)),
    "a long dictionary": (lambda: dict.fromkeys(range(5_000), 1), partial(_put, key=0)),
}


def _filled(one: queue.Queue[int]) -> queue.Queue[int]:
    one.put(1)
    return one


def _made_module() -> types.ModuleType:
    module = types.ModuleType("settings")
    module.lim = 1  # type: ignore[attr-defined]
    return module


@pytest.mark.parametrize("kind", KINDS)
def test_a_value_is_told_by_what_it_holds(kind: str) -> None:
    make, change = KINDS[kind]
    one, other = make(), make()
    before = told_of(one)
    assert same(before, told_of(other))
    assert same(before, told_of(one))  # to look leaves it as it is
    change(one)
    assert not same(before, told_of(one))


def test_a_reference_and_a_proxy_are_told_by_what_they_lead_to() -> None:
    held = {"lim": 1}
    proxy, reference = types.MappingProxyType(held), weakref.ref(BOX)
    before = told_of([proxy]), told_of(reference)
    held["lim"], BOX.lim = 7, 7
    assert not same(before[0], told_of([proxy]))
    assert not same(before[1], told_of(reference))


def test_noise_in_floats_and_another_order_of_rows_are_told_alike() -> None:
    frame = pl.DataFrame({"k": ["a", "b", "c"], "v": [0.1, 0.2, 1e9 / 3]})
    noisy = frame.reverse().with_columns(pl.col("v") * (1 + 1e-13))
    exchanged = frame.with_columns(v=pl.Series([0.2, 0.1, 1e9 / 3]))
    assert same(told_of(frame), told_of(noisy))
    assert not same(told_of(frame), told_of(exchanged))
    assert same(told_of(frame.to_pandas()), told_of(noisy.reverse().to_pandas()))


def test_keys_and_values_are_not_mixed_up() -> None:
    assert not same(told_of({1: 2}), told_of({2: 1}))
    assert not same(told_of([[1, 2], [3, 4]]), told_of([[1, 3], [2, 4]]))


def test_a_closure_of_the_module_may_hold_more_than_that_of_the_notebook() -> None:
    get, _ = kept(1)
    outer = 3

    def more() -> int:
        return outer

    here, there = told_of(get), told_of(get)
    there["parts"]["closure"]["cells"]["more"] = told_of(more())
    assert same(here, there)


@pytest.mark.parametrize("kind", ["a deque", "an array", "a closure", "an object", "a slider"])
def test_what_changes_between_two_cells_is_seen_when_the_next_begins(kind: str) -> None:
    make, change = KINDS[kind]
    names = {"it": make(), "other": make()}
    about = {"count": 1, "cell_id": None, "source": "", "code": ""}
    record = Record()
    for move in (False, True):
        if move:
            change(names["it"])
        record.open_cell(**about, namespace=names)  # type: ignore[arg-type]
        record.close_cell(**about, error_line=None, namespace=names)  # type: ignore[arg-type]
    assert [list(cell.moved) for cell in record.cells] == [[], ["it"]]
