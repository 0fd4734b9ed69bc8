"""Columns that likely hold personal data, told by their names and by how their values look."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

__all__ = ["looks_personal", "personal_by_name", "samples"]

_WORDS = {
    *("email", "mail", "phone", "mobile", "telephone", "msisdn", "fax", "birth", "birthdate"),
    *("birthday", "dob", "ssn", "iban", "passport", "surname", "firstname", "lastname"),
    *("fullname", "username", "login", "address", "street", "ip", "ipv4", "ipv6", "gps"),
}
_PHRASES = (
    *("first name", "last name", "full name", "given name", "family name", "middle name"),
    *("maiden name", "user name", "person name", "customer name", "patient name", "contact name"),
    *("date of birth", "credit card", "card number", "social security", "tax id", "national id"),
    *("driver license", "licence plate", "license plate", "device id", "mac address"),
)
_CONTENT = (
    r"[\w.+-]+@[\w-]+\.[\w.-]+",  # an e-mail address, anywhere in a text
    r"^(?:\+|00)\d[\d ().-]{7,18}$|^\(\d{2,4}\) ?\d[\d -]{4,}$|^\d{3}-\d{3}-\d{4}$",  # a phone
    r"^(?:\d{1,3}\.){3}\d{1,3}$",  # IPv4
    r"^(?:[0-9a-fA-F]{0,4}:){4,7}[0-9a-fA-F]{0,4}$",  # IPv6
    r"^[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?$",  # IBAN
    r"^(?:\d{4}[ -]){3}\d{4}$",  # a card number as it is printed
)
_SHARE = 0.2  # of the values: below it, a look-alike is chance
_SAMPLE = 10_000  # distinct values of a column


def personal_by_name(name: str) -> bool:
    """Whether a column's name says that it is about a person (`user_email`, `dateOfBirth`)."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+", " ", name).lower().split()
    text = " ".join(spaced)
    return bool(_WORDS & set(spaced)) or any(phrase in text for phrase in _PHRASES)


def samples(name: str) -> pl.Expr:
    """Return an expression of the shares of a column's distinct texts that look personal."""
    import polars as pl

    values = pl.col(name).cast(pl.String).drop_nulls().unique().head(_SAMPLE)
    shares = [values.str.contains(p).mean().alias(str(n)) for n, p in enumerate(_CONTENT)]
    return pl.struct(shares)


def looks_personal(shares: Mapping[str, float | None]) -> bool:
    """Whether what `samples` measured is more than chance."""
    return any(share is not None and share >= _SHARE for share in shares.values())
