"""Noise that hides any one subject: OpenDP's discrete Laplace mechanism, over whole numbers.

Whole numbers, since the gaps between floats tell what noise was added to (Mironov 2012).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from mesh_notebook.errors import MissingExtra

__all__ = ["Total", "check_installed", "half_width", "noisy"]


@dataclass(frozen=True)
class Total:
    """A figure of each group as it truly is; nothing of it is shown before there is noise on it.

    Attributes
    ----------
    values : list of int
        One for each group.
    sensitivity : int
        By how much all of them together differ, at most, where all rows of one subject are taken
        away or added (the L1 distance).
    """

    values: list[int]
    sensitivity: int


def check_installed() -> None:
    """Raise `MissingExtra` where OpenDP is not installed."""
    _opendp()


def noisy(total: Total, epsilon: float) -> tuple[list[int], float]:
    """Return each group's figure with noise on it, and the scale of the noise.

    Parameters
    ----------
    epsilon : float
        What all the figures together may tell of one subject (pure differential privacy).
    """
    dp = _opendp()
    space = dp.vector_domain(dp.atom_domain(T="i64")), dp.l1_distance(T="i64")

    def laplace(scale: float) -> Any:
        return dp.m.make_laplace(*space, scale=scale)

    # OpenDP says what a scale costs, rounded upwards; the least that costs no more is searched.
    scale = dp.binary_search_param(laplace, d_in=total.sensitivity, d_out=epsilon)
    return laplace(scale)(total.values), float(scale)


def half_width(scale: float, confidence: float) -> int:
    """Return how far from the truth a figure is, at most, with this confidence.

    The least whole t of which P(|noise| > t) = 2 p^(t+1) / (1 + p) is at most 1 - confidence,
    where p = exp(-1 / scale): the tail of the discrete Laplace distribution.
    """
    p = math.exp(-1 / scale)
    return max(math.ceil(scale * math.log(2 / ((1 - confidence) * (1 + p)))) - 1, 0)


def _opendp() -> Any:
    try:
        import opendp.prelude as dp
    except ModuleNotFoundError:
        raise MissingExtra("privacy", "an answer with noise on it") from None
    # OpenDP's word for what is proved but not yet reviewed by its committee; Laplace is of it.
    dp.enable_features("contrib")
    return dp
