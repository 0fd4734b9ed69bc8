"""Strings of a regular expression, by number: the i-th one, or one for each draw.

A pattern is unfolded into *shapes*: strings of fixed length whose every place takes one of
some tokens. Counting through the tokens gives distinct strings; hashing gives random ones.
Both are whole-column operations.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from typing import TYPE_CHECKING, Any

from mesh_notebook.mock.hints import refuse
from mesh_notebook.mock.noise import again, mixed, permuted
from mesh_notebook.mock.unfolding import Beyond, Shape, unfolded

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from mesh_notebook.mock.noise import Floats, Integers, Words

__all__ = ["Shape", "Shaped", "literal", "shaped_by"]

_MOST_KEYS = 1 << 31
_FREE_REPEATS = 8  # how far past its least number an open-ended repeat goes


def literal(text: str) -> Shape:
    """Return the shape of one fixed text."""
    return ((text,),) if text else ()


@dataclass(frozen=True)
class Shaped:
    """Strings of some shapes, the roomiest shape first."""

    shapes: tuple[Shape, ...]
    salt: int = 0

    @property
    def capacity(self) -> int:
        """How many distinct strings `nth` can make."""
        return sum(min(_room(shape), _MOST_KEYS) for shape in self.shapes)

    def nth(self, index: Integers) -> pl.Series:
        """Return the string of each number; different numbers, different strings."""
        import numpy as np

        ends = np.cumsum([min(_room(shape), _MOST_KEYS) for shape in self.shapes])
        which = np.searchsorted(ends, index, side="right")
        starts = np.concatenate([[0], ends[:-1]])
        return self._assembled(which, lambda s, rows: self._counted(s, index[rows] - starts[s]))

    def draw(self, draws: Floats) -> pl.Series:
        """Return a string for each draw in (0, 1)."""
        import numpy as np

        which = (again(draws, "shape") * len(self.shapes)).astype(np.int64)
        seeds = draws.view(np.uint64)
        return self._assembled(which, lambda s, rows: self._scattered(s, seeds[rows]))

    def _assembled(self, which: Integers, make: Any) -> pl.Series:
        import numpy as np
        import polars as pl

        if len(self.shapes) == 1:
            whole: pl.Series = make(0, slice(None))
            return whole
        order = np.argsort(which, kind="stable")
        used, first = np.unique(which[order], return_index=True)
        rows = np.split(order, first[1:]) if len(order) else []
        parts = [make(int(s), r) for s, r in zip(used, rows, strict=True)]
        back = np.argsort(order, kind="stable")
        return pl.concat(parts).gather(back) if parts else pl.Series([], dtype=pl.String)

    def _counted(self, which: int, index: Integers) -> pl.Series:
        import numpy as np

        shape = self.shapes[which]
        place, room = len(shape), 1
        while place and room < _MOST_KEYS:
            place -= 1
            room *= len(shape[place])
        left = permuted(index, min(room, _MOST_KEYS), self.salt)
        digits: list[Any] = []
        for tokens in reversed(shape[place:]):
            digits.append(left % len(tokens))
            left = left // len(tokens)
        front = _digits(shape[:place], index.astype(np.uint64), self.salt)
        return _text(shape, [*front, *reversed(digits)], len(index))

    def _scattered(self, which: int, seeds: Words) -> pl.Series:
        shape = self.shapes[which]
        return _text(shape, _digits(shape, seeds, self.salt), len(seeds))


def _room(shape: Shape) -> int:
    return prod(len(tokens) for tokens in shape)


def _digits(shape: Shape, seeds: Words, salt: int) -> list[Any]:
    """Choose a token for each place, by hash; one hash serves several places."""
    import numpy as np

    digits: list[Any] = []
    word, left = mixed(seeds, salt + 1), 1 << 48
    for place, tokens in enumerate(shape):
        base = len(tokens)
        if left < base:
            word, left = mixed(seeds, salt + 2 + place), 1 << 48
        digits.append((word % np.uint64(base)).astype(np.int64))
        word, left = word // np.uint64(base), left // base
    return digits


def _text(shape: Shape, digits: list[Any], rows: int) -> pl.Series:
    """Put the chosen tokens side by side."""
    import polars as pl

    parts: list[pl.Series] = []
    for start, end in pairwise(_cuts(shape)):
        run = shape[start:end]
        if all(len(token) == 1 for tokens in dict.fromkeys(run) for token in tokens):
            parts.append(_characters(run, digits[start:end], rows))
        else:
            parts.append(pl.Series(run[0], dtype=pl.String).gather(digits[start]))
    if not parts:
        return pl.repeat("", rows, dtype=pl.String, eager=True)
    named = [part.alias(str(i)) for i, part in enumerate(parts)]
    return pl.select(pl.concat_str(named)).to_series()


def _cuts(shape: Shape) -> list[int]:
    """Return where the runs of single characters begin and end."""
    single = {tokens: all(len(token) == 1 for token in tokens) for tokens in dict.fromkeys(shape)}
    plain = [single[tokens] for tokens in shape]
    inner = [i for i in range(1, len(shape)) if not (plain[i] and plain[i - 1])]
    return [0, *inner, len(shape)] if shape else [0]


def _characters(run: Shape, digits: list[Any], rows: int) -> pl.Series:
    import numpy as np
    import polars as pl

    codes: NDArray[np.uint32] = np.empty((rows, len(run)), dtype=np.uint32)
    ords: dict[int, NDArray[np.uint32]] = {}
    for place, (tokens, chosen) in enumerate(zip(run, digits, strict=True)):
        if (known := ords.get(id(tokens))) is None:  # a long repeat has the same ones throughout
            known = ords[id(tokens)] = np.array([*map(ord, tokens)], dtype=np.uint32)
        codes[:, place] = known[chosen]
    return pl.Series(codes.view(f"<U{len(run)}").ravel(), dtype=pl.String)


def shaped_by(pattern: str, column: str, least: int, most: int | None, salt: int) -> Shaped:
    """Return the strings of a regular expression whose length lies in [least, most].

    Raises
    ------
    ContractError
        The expression uses what cannot be turned around (look-around, back references),
        or nothing that it matches has such a length.
    """
    try:
        shapes = unfolded(pattern, max(_FREE_REPEATS, least))
    except (re.error, Beyond) as error:
        _no_pattern(column, pattern, str(error))
    fitting = [s for s in shapes if least <= _length(s) <= (most if most is not None else 10**9)]
    if not fitting:
        refuse(
            column,
            f"no text that its pattern {pattern} matches has an allowed length",
            "make pattern, minLength and maxLength agree",
        )
    found = Shaped(tuple(sorted(fitting, key=_room, reverse=True)), salt)
    _proved(found, pattern, column)
    return found


def _no_pattern(column: str, pattern: str, why: str) -> None:
    refuse(
        column,
        f"its pattern {pattern} cannot be turned around ({why})",
        "give it a mock hint: a simpler `pattern`, or `values`",
    )


def _proved(found: Shaped, pattern: str, column: str) -> None:
    from mesh_notebook.mock.noise import uniforms

    for text in found.draw(uniforms(0, 200, "proof")):
        if not re.search(pattern, text):
            _no_pattern(column, pattern, f"for example '{text}' came out")


def _length(shape: Shape) -> int:
    return sum(len(tokens[0]) for tokens in shape)
