"""Pipelines in Polars, as a person writes them in a notebook: one function each.

A parameter is an input of `tests/engines/inputs.py`; the body is the notebook's cell.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from engines.inputs import INPUTS
from engines.pipelines import grouping, joining, values, windows

__all__ = ["PIPELINES", "STAYS", "Pipeline"]

# What does not go to other engines, and the expression that its refusal names.
STAYS = {
    "upper": "pl.col('name').str.to_uppercase()",
    "berlin": "pl.col('at').dt.convert_time_zone('Europe/Berlin')",
}


@dataclass(frozen=True)
class Pipeline:
    """One function of these modules."""

    name: str
    function: Callable[..., pl.LazyFrame]

    @property
    def inputs(self) -> list[str]:
        return list(inspect.signature(self.function).parameters)

    @property
    def source(self) -> str:
        return inspect.getsource(self.function)

    @property
    def rows(self) -> pl.DataFrame:
        """What Polars gives."""
        return self.function(*(INPUTS[name]() for name in self.inputs)).collect()


def _pipelines() -> dict[str, Pipeline]:
    made: dict[str, Pipeline] = {}
    for module in (joining, grouping, windows, values):
        for name, function in vars(module).items():
            if inspect.isfunction(function):
                made[name] = Pipeline(name, function)
    return made


PIPELINES = _pipelines()
