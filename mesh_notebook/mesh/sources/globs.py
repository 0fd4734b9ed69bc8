"""Globs over keys, which have folders by name alone."""

from __future__ import annotations

import re

__all__ = ["key_pattern"]


def key_pattern(key: str) -> re.Pattern[str]:
    """Return what keys match a glob: `*` and `?` within a folder, `**` through folders."""
    parts = re.split(r"(\*\*/|\*\*|\*|\?|\[[^\]]+\])", key)
    wild = {"**/": r"(?:.*/)?", "**": r".*", "*": r"[^/]*", "?": r"[^/]"}
    texts = [
        wild.get(part) or (f"[{_class(part)}]" if at % 2 else re.escape(part))
        for at, part in enumerate(parts)
    ]
    return re.compile("".join(texts), re.DOTALL)


def _class(part: str) -> str:
    inner = part[1:-1].replace("\\", r"\\")
    return f"^{inner[1:]}" if inner.startswith("!") else inner
