"""What the text of a rule may say: its mistakes are found before anybody relies on it.

The interpreter is lenient where a rule must not be. A misspelled name is *undefined* to it, so that
the rule forbids nothing, for ever and without a word; and it has functions that read the
environment, the clock or chance, or that print. All of these are refused from the text, and so are
rules that somebody put in a mesh without asking us. It is a reader of tokens and no compiler: a
name that is misspelled as another one of the same rule is not found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mesh_notebook.errors import SpecError, near

__all__ = ["refuse_text"]

# A carriage return ends a comment, as it does to the interpreter: nothing can be hidden behind one.
_TOKEN = re.compile(
    r"""(?P<space>[ \t\r]+|\#[^\n\r]*)|(?P<line>\n)
    |(?P<string>"(?:\\.|[^"\\\n])*"|`[^`]*`)|(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<number>\d[0-9.eE]*)|(?P<sign>:=|==|!=|<=|>=|[-+*/%&|<>=.,;:(){}\[\]])""",
    re.VERBOSE,
)
_KEYWORDS = frozenset(
    (
        *("as", "contains", "default", "else", "every", "false", "if", "import", "in", "not"),
        *("package", "set", "some", "true", "with"),
    )
)
_REFUSED = {
    "data": "a rule has no data beside its input",
    "http": "a rule has no network",
    "io": "a rule is given no tokens, and their check asks the clock",
    "net": "a rule has no network",
    "now_ns": "a rule has no clock of its own; input.now is the time",
    "null": "no fact is null: what is not there is left out, so write `not column.mask`",
    "opa": "a rule may not read the environment",
    "print": "a rule says what it has to say in its message",
    "rand": "a rule decides the same for the same facts, so chance has no part in it",
    "trace": "a rule says what it has to say in its message",
    "uuid": "a rule decides the same for the same facts, so chance has no part in it",
}
_OPEN, _CLOSED = frozenset("([{"), frozenset(")]}")
# The interpreter compares strings as they are spelled, escapes and all.
_PLAIN = re.compile(r'(?:[^\\]|\\["\\nt])*')


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    line: int


def refuse_text(name: str, text: str, facts: Mapping[str, Any]) -> None:
    """Raise `SpecError`, with the line and the fix, where a module is no rule that can be trusted.

    Parameters
    ----------
    name : str
        What the rule is called.
    facts : mapping
        An example of the document that the rule is asked about: no other fact may be named.
    """
    tokens = list(_tokens(name, text))
    told = [token for token in tokens if token.kind != "line"]
    _refuse_package(name, told)
    _refuse_functions(name, told)
    _refuse_unknown_facts(name, told, facts)
    rules = list(_rules(tokens))
    names = {_name_of(rule) for rule in rules}
    for rule in rules:
        _refuse_unset(name, rule, names)


def _tokens(name: str, text: str) -> Iterator[_Token]:
    at, line = 0, 1
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            # Among them is the `$` of template strings, in which any function could be called.
            sign = text[at]
            raise _refused(name, line, f"`{sign}` stands for nothing", "take it out")
        kind, part = str(found.lastgroup), found[0]
        if kind == "string" and part[0] == '"' and not _PLAIN.fullmatch(part):
            raise _refused(name, line, f"{part} is compared as spelled", "write the sign itself")
        if kind != "space":
            yield _Token(kind, part, line)
        line += part.count("\n")
        at = found.end()


def _refuse_package(name: str, told: list[_Token]) -> None:
    words = [token.text for token in told[:3]]
    if words[:2] != ["package", "mesh"] or (len(words) > 2 and told[2].text == "."):
        step = "begin the file with `package mesh`: no other package is asked"
        raise _refused(name, told[0].line if told else 1, "it is not in the package mesh", step)


def _refuse_functions(name: str, told: list[_Token]) -> None:
    for place, token in enumerate(told):
        if token.text == "import" and _following(told, place) not in ("rego.v1", "future.keywords"):
            raise _refused(name, token.line, "it imports", "a rule needs no import but rego.v1")
        # A function has a second name in brackets: time["now_ns"].
        indexed = place + 1 < len(told) and told[place + 1].text == "["
        if token.text == "time" and not _is_field(told, place) and indexed:
            raise _refused(name, token.line, "time[…] is called", _REFUSED["now_ns"])
        field = _is_field(told, place) and token.text != "now_ns"
        if token.kind == "name" and token.text in _REFUSED and not field:
            raise _refused(name, token.line, f"`{token.text}` is used", _REFUSED[token.text])


def _following(told: list[_Token], place: int) -> str:
    return "".join(token.text for token in told[place + 1 : place + 4])


def _is_field(told: list[_Token], place: int) -> bool:
    return place > 0 and told[place - 1].text == "."


def _refuse_unknown_facts(name: str, told: list[_Token], facts: Mapping[str, Any]) -> None:
    made = {token.text[1:-1] for token in told if token.kind == "string"}
    known = set(_keys(facts))
    for place, token in enumerate(told):
        if token.kind != "name" or _is_field(told, place):
            continue
        fields = _fields(told, place)
        called = _next_text(told, place + 2 * len(fields)) == "("
        if token.text == "input":
            if _next_text(told, place) == "[":
                raise _refused(name, token.line, "`input[` hides what is asked", "write input.port")
            _refuse_unknown_path(name, fields, facts)
        elif not called and token.text not in ("rego", "future"):
            for field in fields:
                if field.text not in known | made:
                    raise _unknown(name, field, field.text, known)


def _fields(told: list[_Token], place: int) -> list[_Token]:
    """Return the names that follow a name, each after a dot."""
    fields = []
    while _next_text(told, place) == "." and place + 2 < len(told):
        place += 2
        fields.append(told[place])
    return fields


def _next_text(told: list[_Token], place: int) -> str:
    return told[place + 1].text if place + 1 < len(told) else ""


def _refuse_unknown_path(name: str, fields: list[_Token], facts: Mapping[str, Any]) -> None:
    here: Any = facts
    for field in fields:
        if not isinstance(here, Mapping):
            raise _refused(name, field.line, f"`.{field.text}` is asked of a list or a text", "")
        if field.text not in here:
            raise _unknown(name, field, field.text, here)
        here = here[field.text]


def _unknown(name: str, token: _Token, word: str, known: Any) -> SpecError:
    close = near(word, known)
    meant = f"did you mean {close[0]}? " if close else ""
    listed = f"{meant}There are: {', '.join(sorted(known))}"
    return _refused(name, token.line, f"there is no fact `{word}`", listed)


def _keys(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield from value
        for one in value.values():
            yield from _keys(one)
    elif isinstance(value, list):
        for one in value:
            yield from _keys(one)


def _rules(tokens: list[_Token]) -> Iterator[list[_Token]]:
    """Cut a module into its rules: one begins with the line on which no bracket is open.

    What goes on on a line of its own (`else`, or a body without braces) is of the rule before.
    """
    rule: list[_Token] = []
    depth, fresh = 0, True
    for token in tokens:
        if fresh and depth == 0 and token.kind == "name" and not _goes_on(rule, token):
            if rule:
                yield rule
            rule = []
        depth += (token.text in _OPEN) - (token.text in _CLOSED)
        fresh = token.kind == "line"
        rule.append(token)
    if rule:
        yield rule


def _goes_on(rule: list[_Token], token: _Token) -> bool:
    told = [one.text for one in rule if one.kind != "line"]
    return token.text == "else" or bool(told and told[-1] in ("if", ":=", "=", "==", "in", "not"))


def _name_of(rule: list[_Token]) -> str:
    return next((one.text for one in rule if one.kind == "name" and one.text != "default"), "")


def _refuse_unset(name: str, rule: list[_Token], names: set[str]) -> None:
    """Raise `SpecError` where a name of a rule is given no value anywhere in it."""
    if rule[0].text in ("package", "import"):
        return
    told = [token for token in rule if token.kind != "line"]
    used = [
        token
        for place, token in enumerate(told)
        if token.kind == "name"
        and not _is_field(told, place)
        and token.text not in _KEYWORDS | names | {"input", "_"}
        and _next_text(told, place + 2 * len(_fields(told, place))) != "("
    ]
    times = [token.text for token in used]
    given = _given(rule) | {one for one in _unified(told) if times.count(one) > 1}
    for token in used:
        if token.text not in given:
            close = near(token.text, given | names)
            step = f"did you mean {close[0]}?" if close else f"say what it is: {token.text} := …"
            raise _refused(name, token.line, f"`{token.text}` is given no value", step)


def _given(rule: list[_Token]) -> set[str]:
    """Return the names to which a rule gives a value: `x :=`, `some x in`, `f(x)`, `[x]`."""
    given: set[str] = set()
    for place, token in enumerate(rule):
        if token.text == ":=":
            given |= set(_before(rule, place))
        if token.text in ("some", "every"):
            given |= set(_until(rule, place, "in"))
        if _is_index(rule, place):
            given.add(token.text)
    if len(rule) > 1 and rule[1].text == "(":
        given |= set(_until(rule, 1, ")"))
    return given


def _is_index(rule: list[_Token], place: int) -> bool:
    """Whether a name stands for every index of what is before it; not that of `deny[m]` itself."""
    if place < 3 or rule[place - 1].text != "[" or _next_text(rule, place) != "]":
        return False
    before = rule[place - 2]
    return before.text in ("]", ")") or (before.kind == "name" and before.text not in _KEYWORDS)


def _before(rule: list[_Token], place: int) -> Iterator[str]:
    """Give the names left of a sign, back to where its statement begins."""
    depth = 0
    for token in reversed(rule[:place]):
        depth += (token.text in _CLOSED) - (token.text in _OPEN)
        if depth < 0 or (depth == 0 and (token.kind == "line" or token.text in (";", "|", "if"))):
            return
        if token.kind == "name":
            yield token.text


def _until(rule: list[_Token], place: int, end: str) -> Iterator[str]:
    for token in rule[place + 1 :]:
        if token.text in (end, ";") or token.kind == "line":
            return
        if token.kind == "name":
            yield token.text


def _unified(told: list[_Token]) -> Iterator[str]:
    """Give the names beside a `=`, which gives one a value where the other has it."""
    for place, token in enumerate(told):
        if token.text == "=":
            yield from (one.text for one in (*told[max(place - 1, 0) : place + 2],))


def _refused(name: str, line: int, what: str, step: str) -> SpecError:
    return SpecError(
        f"the rule '{name}', line {line}: {what}.",
        next_step=step,
        rule=name,
        line=line,
    )
