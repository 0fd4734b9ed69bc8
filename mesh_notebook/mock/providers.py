"""Realistic values from Faker: a pool of distinct ones, from which whole columns are drawn."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from mesh_notebook.errors import near
from mesh_notebook.mock.hints import refuse
from mesh_notebook.mock.noise import number_of

__all__ = ["FORMATS", "guesses", "pattern_of_moments", "pool"]

POOL = 1_000
# Strings of a named format come from a pattern: any number of them, all different.
# Addresses are in the ranges kept for documentation (RFC 2606, 5737, 3849).
_DAY = "202[0-6]-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])"
_CLOCK = "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
FORMATS = {
    "email": None,
    "uuid": "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
    "uri": r"https://(www|shop|docs|news)\.example\.(com|org|net)/[a-z]{3,7}/[0-9a-z]{8}",
    "hostname": r"[a-z]{4,8}-[0-9]{3}\.example\.(com|org|net)",
    "ipv4": r"(192\.0\.2|198\.51\.100|203\.0\.113)\.([1-9]|[1-9][0-9]|1[0-9][0-9]|2[0-4][0-9])",
    "ipv6": "2001:db8(:[1-9a-f][0-9a-f]{3}){6}",
    "password": "[A-Za-z0-9]{14}",
    "byte": "[A-Za-z0-9]{24}",
    "binary": "[01]{16}",
    # As JSON Schema names them: RFC 3339, ISO 8601 and RFC 3986.
    "date-time": f"{_DAY}T{_CLOCK}Z",
    "date": _DAY,
    "time": f"{_CLOCK}Z",
    "duration": "P[1-9]DT([1-9]|1[0-9]|2[0-3])H([1-9]|[1-5][0-9])M",
    "json": r'\{"[a-z]{4}": [1-9][0-9]{0,2}\}',
    "json-pointer": "/[a-z]{3,6}/[a-z]{3,6}",
    "uri-reference": "/[a-z]{3,7}/[0-9a-z]{8}",
}
FORMATS |= {
    "url": FORMATS["uri"],
    "iri": FORMATS["uri"],
    "iri-reference": FORMATS["uri-reference"],
    "idn-email": None,
    "idn-hostname": FORMATS["hostname"],
}
# What Java, and so ODCS, calls the parts of a moment; a long name stands before a short one.
_MOMENTS = {
    "yyyy": "202[0-6]",
    "yy": "2[0-6]",
    "MM": "(0[1-9]|1[0-2])",
    "dd": "(0[1-9]|1[0-9]|2[0-8])",
    "HH": "([01][0-9]|2[0-3])",
    "mm": "[0-5][0-9]",
    "ss": "[0-5][0-9]",
    "SSSSSS": "[0-9]{6}",
    "SSS": "[0-9]{3}",
    "XXX": "Z",
    "'T'": "T",
    "'Z'": "Z",
}
_PART_OF_MOMENT = re.compile("|".join([*_MOMENTS, r"[-:/. T]"]))
# What a name or a meaning makes one think of, the closer reading first.
_BY_NAME = (
    (r"first_?name|given_?name", ("first_name",)),
    (r"last_?name|family_?name|surname", ("last_name",)),
    (r"user_?name|login|handle", ("user_name",)),
    (r"company|employer|organi[sz]ation|supplier|vendor|manufacturer", ("company",)),
    (r"^(full_?|customer_?|person_?|author_?|artist_?|host_?)?name$|artist|author", ("name",)),
    (r"country_?code|iso_?country", ("country_code",)),
    (r"country|nation(ality)?", ("country_code", "country")),
    (r"city|town", ("city",)),
    (r"state|province|region", ("state", "state_abbr")),
    (r"street|address", ("street_address",)),
    (r"zip|post(al)?_?code", ("postcode",)),
    (r"phone|mobile|msisdn", ("numerify_phone",)),
    (r"currency", ("currency_code", "currency_name")),
    (r"language|locale", ("language_code", "language_name")),
    (r"time_?zone", ("timezone",)),
    (r"job|occupation|profession", ("job",)),
    (r"colou?r", ("color_name",)),
    (r"user_?agent|browser", ("user_agent",)),
    (r"mime", ("mime_type",)),
    (r"file(_?name)?$", ("file_name",)),
    (r"iban", ("iban",)),
    (r"isbn", ("isbn13",)),
    (r"airport", ("bothify_airport",)),
    (r"title|headline|subject|campaign|show|episode|podcast|track|song", ("catch_phrase",)),
    (r"description|comment|note|text|message|review|summary", ("sentence",)),
    (r"category|genre|topic|type|kind|status|tag|label|group|segment", ("word",)),
)
_EXTRA: dict[str, tuple[str, dict[str, Any]]] = {
    "numerify_phone": ("numerify", {"text": "+1-202-555-01##"}),
    "bothify_airport": ("lexify", {"text": "???", "letters": "ABCDEFGHIJKLMNOPRSTUVWYZ"}),
}


def pattern_of_moments(written: str) -> str:
    """Return the regular expression of `yyyy-MM-dd HH:mm`; empty where it is no such format."""
    parts = _PART_OF_MOMENT.findall(written)
    if "".join(parts) != written or not any(part in _MOMENTS for part in parts):
        return ""
    return "".join(_MOMENTS.get(part) or re.escape(part) for part in parts)


def guesses(name: str, meaning: str) -> Iterator[str]:
    """Return the Faker methods that a column's name, then its meaning, makes likely."""
    for text in (name.lower(), meaning.lower()):
        for pattern, methods in _BY_NAME:
            if re.search(pattern if text == name.lower() else rf"\b(?:{pattern})\b", text):
                yield from methods
    yield "word"


@lru_cache(maxsize=256)
def pool(method: str, locale: str, column: str, most: int = POOL) -> tuple[Any, ...]:
    """Return up to `most` distinct values of a Faker method, always the same ones.

    Raises
    ------
    ContractError
        Faker has no such method or locale, or the method gives no plain values.
    """
    call = _method(method, locale, column)
    found: dict[Any, None] = {}
    for _ in range(most * 2):
        value = call()
        if not isinstance(value, (str, int, float, bool)) and not hasattr(value, "isoformat"):
            refuse(column, f"Faker's '{method}' gives no plain values", "choose another method")
        found[value] = None
        if len(found) == most:
            break
    return tuple(found)


def _method(method: str, locale: str, column: str) -> Callable[[], Any]:
    from faker import Faker
    from faker.config import AVAILABLE_LOCALES

    if locale not in AVAILABLE_LOCALES:
        close = near(locale, AVAILABLE_LOCALES)
        refuse(
            column,
            f"Faker has no locale '{locale}'",
            f"did you mean {', '.join(close)}?" if close else "write en_US, de_DE, …",
        )
    faker = Faker(locale)
    faker.seed_instance(number_of(method, locale))
    named, arguments = _EXTRA.get(method, (method, {}))
    call = getattr(faker, named, None) if not named.startswith(("_", "seed", "add_")) else None
    if not callable(call):
        known = [n for n in dir(faker) if not n.startswith("_")]
        close = near(method, known)
        refuse(
            column,
            f"Faker has no method '{method}'",
            f"did you mean {', '.join(close)}?" if close else "see faker.readthedocs.io",
        )
    return lambda: call(**arguments)
