"""Randomness that is a function: of a seed and a name, or of an identity and a number.

Nothing here has state, so one column's values never depend on how many another one drew.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]
    Words = NDArray[np.uint64]

__all__ = ["again", "cdf", "mixed", "number_of", "permuted", "ppf", "uniforms", "unit"]

_TABLE = 1 << 14


def number_of(*parts: object, bits: int = 64) -> int:
    """Return the number, of that many bits, that always stands for these parts."""
    text = json.dumps([str(part) for part in parts])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[: bits // 8], "big")


def uniforms(seed: int, rows: int, *names: object) -> Floats:
    """Draw `rows` numbers in (0, 1) from the stream that seed and names stand for (PCG64).

    A longer draw starts with the numbers of a shorter one.
    """
    import numpy as np

    generator = np.random.Generator(np.random.PCG64(number_of(seed, *names, bits=128)))
    drawn: Floats = generator.random(rows)
    return np.maximum(drawn, 2.0**-54)


def mixed(numbers: NDArray[Any], salt: int) -> Words:
    """Scatter integers over 64 bits, one to one (the finaliser of SplitMix64)."""
    import numpy as np

    with np.errstate(over="ignore"):
        word = numbers.astype(np.uint64) + np.uint64(salt) * np.uint64(0x9E3779B97F4A7C15)
        word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        scattered: Words = word ^ (word >> np.uint64(31))
    return scattered


def unit(numbers: NDArray[Any], salt: int) -> Floats:
    """Return for each integer its own number in (0, 1)."""
    import numpy as np

    high: Words = mixed(numbers, salt) >> np.uint64(11)
    values: Floats = (high.astype(np.float64) + 0.5) * 2.0**-53
    return np.minimum(values, 1 - 2.0**-53)


def again(draws: Floats, use: str) -> Floats:
    """Return a second, unrelated number in (0, 1) for each draw."""
    import numpy as np

    return unit(draws.view(np.uint64), number_of(use))


def permuted(index: NDArray[Any], size: int, salt: int) -> Integers:
    """Send 0…size-1 onto themselves in another order; `size` is at most 2**31."""
    import math

    import numpy as np

    stride = max(1, round(size * 0.6180339887498949))
    while math.gcd(stride, size) != 1:
        stride += 1
    moved: Integers = (index.astype(np.int64) * stride + salt % size) % size
    return moved


@cache
def _normal_table() -> tuple[Floats, Floats]:
    from statistics import NormalDist

    import numpy as np

    z = np.linspace(-8.3, 8.3, _TABLE)
    normal = NormalDist()
    return z, np.array([normal.cdf(value) for value in z])


def ppf(draws: Floats) -> Floats:
    """Return the standard normal quantile (from a table; exact to about 1e-6)."""
    import numpy as np

    z, p = _normal_table()
    return np.interp(draws, p, z)


def cdf(z: Floats) -> Floats:
    """Return the standard normal distribution function, inside (0, 1)."""
    import numpy as np

    grid, p = _normal_table()
    return np.clip(np.interp(z, grid, p), 2.0**-54, 1 - 2.0**-53)
