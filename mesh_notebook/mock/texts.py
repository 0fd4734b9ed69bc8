"""Makers of text: by pattern, by Faker, by format, as identifiers, or by name and meaning."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mesh_notebook.mock import providers
from mesh_notebook.mock.hints import Hints, refuse, refuse_long
from mesh_notebook.mock.noise import number_of
from mesh_notebook.mock.rules import keeps
from mesh_notebook.mock.shapes import Shape, Shaped, literal, shaped_by
from mesh_notebook.mock.values import Choice, Maker, series, zipf_odds

if TYPE_CHECKING:
    from mesh_notebook.mock.limits import Limits

__all__ = ["Use", "text_maker"]

_HEX = tuple("0123456789abcdef")
_LETTERS = tuple("0123456789abcdefghijklmnopqrstuvwxyz")
_ID_LIKE = re.compile(r"(^|_)(id|key|uuid|guid|code|ref|token|hash|sku|number|no)$")


@dataclass(frozen=True)
class Use:
    """What a column is to the rows.

    Attributes
    ----------
    identity : str
        The URN of the column that this one means.
    keyed : bool
        It takes keys: of its own rows, or of the product it links to.
    distinct : bool
        No value may repeat.
    """

    identity: str
    keyed: bool
    distinct: bool

    @property
    def salt(self) -> int:
        return number_of(self.identity)


def text_maker(limits: Limits, hints: Hints, use: Use) -> Maker:
    refuse_long(limits.name, "text", limits.least_length, "its minLength")
    if pattern := hints.text("pattern"):
        made = shaped_by(pattern, limits.name, *_lengths(limits), use.salt)
        return _some(_checked(made, limits), hints)
    if method := hints.text("faker"):
        found = _fitting(limits, hints, method)
        if not found:
            refuse(
                limits.name,
                f"no value of Faker's '{method}' keeps its limits",
                "choose another method, or hint `pattern` or `values`",
            )
        return _pool(limits, hints, found, use)
    if limits.patterns:
        return _patterned(limits, hints, use)
    if limits.format:
        return _formatted(limits, hints, use, limits.format)
    if use.keyed or use.distinct or _ID_LIKE.search(limits.name.lower()):
        return _some(_identifier(limits, use), hints)
    return _guessed(limits, hints, use)


def _lengths(limits: Limits) -> tuple[int, int | None]:
    return limits.least_length, limits.most_length


def _some(made: Shaped, hints: Hints) -> Maker:
    """Cut a shape down to the hinted number of choices."""
    import numpy as np

    if not hints.choices or hints.text("from"):
        return made
    values = made.nth(np.arange(min(hints.choices, made.capacity)))
    return Choice(values, zipf_odds(len(values), hints.number("zipf") or 0))


def _checked(made: Shaped, limits: Limits) -> Shaped:
    from mesh_notebook.mock.noise import uniforms

    for text in made.draw(uniforms(0, 200, "checked")):
        if not keeps(limits, text):
            refuse(limits.name, f"its hint gives '{text}', which breaks its rules", "mend the hint")
    return made


def _patterned(limits: Limits, hints: Hints, use: Use) -> Maker:
    """Return realistic values that happen to fit the pattern, else strings made from it."""
    if not (use.keyed or use.distinct):
        for method in providers.guesses(limits.name, ""):
            found = _fitting(limits, hints, method) if method != "word" else []
            if len(found) >= 10:
                return _pool(limits, hints, found, use)
    made = shaped_by(limits.patterns[0], limits.name, *_lengths(limits), use.salt)
    return _some(_checked(made, limits), hints)


def _formatted(limits: Limits, hints: Hints, use: Use, named: str) -> Maker:
    if named not in providers.FORMATS and not providers.pattern_of_moments(named):
        refuse(
            limits.name,
            f"its format '{named}' is not known",
            f"known: {', '.join(providers.FORMATS)}; or hint `pattern` or `faker`",
        )
    pattern = providers.FORMATS.get(named, providers.pattern_of_moments(named))
    made = (
        _mail(limits, use.salt)
        if pattern is None
        else shaped_by(pattern, limits.name, *_lengths(limits), use.salt)
    )
    return _some(made, hints)


def _mail(limits: Limits, salt: int) -> Shaped:
    """Return addresses of people under the domains that are kept for examples (RFC 2606)."""
    first = _names("first_name", limits.name)
    last = _names("last_name", limits.name)
    digits: Shape = (tuple("0123456789"),) * 4
    domains = ("example.com", "example.org", "example.net")
    people: Shape = (first, (".",), last, *digits, ("@",), domains)
    longest = sum(max(map(len, tokens)) for tokens in people)
    least, most = _lengths(limits)
    if (most is None or longest <= most) and least <= 20:
        return Shaped((people,), salt)
    return shaped_by(r"[a-z0-9]{1,40}@[a-z]{1,8}\.test", limits.name, least, most, salt)


def _names(method: str, column: str) -> tuple[str, ...]:
    found = providers.pool(method, "en_US", column, 400)
    plain = (re.sub(r"[^a-z]", "", str(name).lower()) for name in found)
    return tuple(sorted({name for name in plain if 3 <= len(name) <= 9}))


def _identifier(limits: Limits, use: Use) -> Shaped:
    """Return `user-7f3a9c21` for a column that means `user_id`, within the allowed lengths."""
    stem = re.sub(r"_?(id|key)$", "", use.identity.rsplit("#", 1)[-1].lower()) or "id"
    least, most = _lengths(limits)
    if re.search(r"mail", stem) and most is None:
        return _mail(limits, use.salt)
    prefix = f"{stem.replace('_', '-')}-"
    room = most if most is not None else max(least, len(prefix) + 8)
    if room >= len(prefix) + 8:
        width = max(8, least - len(prefix))
        return Shaped(((*literal(prefix), *((_HEX,) * width)),), use.salt)
    return Shaped((((_LETTERS,) * max(least, min(room, 12))),), use.salt)


def _guessed(limits: Limits, hints: Hints, use: Use) -> Maker:
    least, most = _lengths(limits)
    if re.search(r"e_?mail", limits.name.lower()) and least <= 20 and (most is None or most >= 8):
        return _some(_mail(limits, use.salt), hints)
    if least <= 8 and (most is None or most >= 48):  # room for a whole address
        if re.search(r"\b(url|uri|link|website)$|_(url|uri)$", limits.name.lower()):
            return _formatted(limits, hints, use, "uri")
        if re.search(r"(^|_)ip(_address|v4)?$", limits.name.lower()):
            return _formatted(limits, hints, use, "ipv4")
    for method in providers.guesses(limits.name, limits.column.meaning):
        if len(found := _fitting(limits, hints, method)) >= 10:
            return _pool(limits, hints, found, use)
    width = max(least, min(most if most is not None else least + 8, least + 8))
    return Shaped((((_LETTERS[10:],) * width),), use.salt)


def _fitting(limits: Limits, hints: Hints, method: str) -> list[str]:
    """Return the values of a Faker method that keep the column's limits, as text."""
    locale = hints.text("locale") or "en_US"
    found = providers.pool(method, locale, limits.name)
    texts = dict.fromkeys(
        value.isoformat() if hasattr(value, "isoformat") else str(value) for value in found
    )
    return [text for text in texts if keeps(limits, text)]


def _pool(limits: Limits, hints: Hints, found: list[str], use: Use) -> Maker:
    """Return a choice of realistic values; numbered where no value may repeat."""
    if use.distinct and len(found) < providers.POOL:
        found = found[:]  # a short list (countries, currencies) stands as it is
    elif use.distinct:
        numbered = (tuple(found), (" ",), *((tuple("0123456789"),) * 6))
        longest = max(map(len, found)) + 7
        if limits.most_length is None or longest <= limits.most_length:
            return Shaped((numbered,), use.salt)
    values = found[: hints.choices] if hints.choices and not hints.text("from") else found
    odds = zipf_odds(len(values), hints.number("zipf") or 0)
    return Choice(series(values, limits.dtype), odds)
