"""A verb with its arguments, as a cell says it: a magic; or a method, where no magic can."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["FLAGS", "Call"]

# The flags that are not called as the method's parameter is.
FLAGS = {
    ("connect", "name"): "--as",
    ("connect", "start"): "--from",
    ("connect", "end"): "--to",
    ("source", "start"): "--from",
    ("source", "end"): "--to",
    ("mock", "name"): "--as",
    ("mock", "breaking"): "--break",
    ("protect", "mask"): "--with",
    ("protect", "exempt"): "--except",
    ("protect", "where"): "--rows",
}
# IPython puts the values of names in place of these, in the line of a magic.
_EXPANDED = set("{}$\n")


@dataclass(frozen=True)
class Call:
    """One call of a verb.

    Attributes
    ----------
    words : tuple of str
        Its positional arguments.
    given : mapping
        By parameter; what is empty, or None, is not said.
    body : str
        Of a cell magic.
    """

    verb: str
    words: tuple[str, ...] = ()
    given: Mapping[str, Any] = field(default_factory=dict)
    body: str = ""

    @property
    def text(self) -> str:
        """The call as a cell says it."""
        line = f"%mesh {' '.join([self.verb, *self._said()])}"
        if _EXPANDED & set(line) or self._has_commas() or self._looks_like_flags():
            return self._as_method()
        return f"%{line}\n{self.body.rstrip()}" if self.body else line

    def _said(self) -> list[str]:
        said = [_quoted(word) for word in self.words]
        for name, value in self._set().items():
            said.append(FLAGS.get((self.verb, name), f"--{name.replace('_', '-')}"))
            if value is not True:
                listed = isinstance(value, tuple)
                said.append(_quoted(",".join(value) if listed else str(value)))
        return said

    def _set(self) -> dict[str, Any]:
        return {name: value for name, value in self.given.items() if value}

    def _has_commas(self) -> bool:
        """Return whether a word of a list would end where the word does not."""
        lists = (value for value in self._set().values() if isinstance(value, tuple))
        return any("," in word or word != word.strip() for words in lists for word in words)

    def _looks_like_flags(self) -> bool:
        said = [value for value in self._set().values() if isinstance(value, str)]
        return any(word.startswith("-") for word in (*self.words, *said))

    def _as_method(self) -> str:
        words = [repr(word) for word in self.words]
        if self.verb == "promise":
            words = [repr(self.words[0]), repr(list(self.words[1:]))]
        words += [f"{name}={value!r}" for name, value in self._set().items()]
        if self.body:
            words.append(repr(self.body))
        return f"mesh.{self.verb}({', '.join(words)})"


def _quoted(word: str) -> str:
    """Return a word as a magic takes one; a `?` at the end of a line asks IPython for help."""
    if word and not set("\"'\\?") & set(word) and not any(map(str.isspace, word)):
        return word
    return shlex.quote(word) if set('"\\') & set(word) else f'"{word}"'
