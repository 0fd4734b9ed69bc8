"""How a policy is written and said: lists of names, and sentences of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["either", "except_for", "names", "refuse_unknown"]


def names(raw: Any) -> tuple[str, ...]:
    """Read a list of names; raises `ValueError` of one name that stands for a list."""
    if isinstance(raw, str):
        raise ValueError(f"'{raw}' must be a list")
    return tuple(str(name) for name in raw or ())


def except_for(roles: tuple[str, ...]) -> str:
    """Say whom a rule leaves aside, as the end of a sentence."""
    return f", except to {either(roles)}" if roles else ""


def either(names: tuple[str, ...]) -> str:
    """Say names as a choice: `ana, bo or cy`."""
    *most, last = names
    return f"{', '.join(most)} or {last}" if most else last


def refuse_unknown(raw: Mapping[str, Any], *known: str) -> None:
    """Raise `ValueError` of a word that is none of those that are known."""
    # What is not understood may be a rule; to leave it out would widen the policy.
    if unknown := sorted(set(raw) - set(known)):
        raise ValueError(f"'{unknown[0]}' is not known; known are {', '.join(known)}")
