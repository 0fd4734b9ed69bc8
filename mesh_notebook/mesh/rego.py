"""The rules of a mesh, in Rego: they can forbid a read or a publication, and never widen one.

```rego
package mesh

deny contains message if {
    some column in input.columns
    column.personal
    not column.mask
    message := sprintf("%s is personal and has no mask", [column.name])
}
```

Each rule is asked alone, so that none can undo another. Whatever it answers that is no set of
texts, and whatever keeps it from answering, forbids.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING, Any

from mesh_notebook.errors import SpecError
from mesh_notebook.mesh.regotext import refuse_text
from mesh_notebook.model.policy import PortPolicy, Principal
from mesh_notebook.model.time import Window

if TYPE_CHECKING:
    from regopy import Interpreter

    from mesh_notebook.mesh.rulebook import StandingRules
    from mesh_notebook.model.contract import Contract
    from mesh_notebook.model.origin import Origin
    from mesh_notebook.model.product import Product

__all__ = ["EXAMPLE", "facts_of", "forbidden", "refuse_bad_rule"]

_QUERY = "data.mesh.deny"
_PLACE = re.compile(r"\(error \d+:mesh\|(\d+)\|")
_WHY = re.compile(r"\(errormsg \d+:([^)]*)\)")

# What every rule is held to before it is pushed; a rule can name no fact that is not in here.
EXAMPLE: dict[str, Any] = {
    "principal": {"name": "ana", "roles": ["analyst"], "purpose": "research"},
    "product": {
        "address": "urn:dmesh:local:media:podcast-listeners",
        "domain": "media",
        "name": "podcast-listeners",
        "version": "1.0.0",
        "status": "active",
        "owner": "media-data",
        "tags": ["podcasts"],
    },
    "port": "listeners",
    "action": "read",
    "window": {
        "from": "2026-10-01T00:00:00+00:00",
        "to": "2026-11-01T00:00:00+00:00",
        "as_of": "2026-11-02T00:00:00+00:00",
    },
    "origin": "live",
    "columns": [
        {
            "name": "email",
            "type": "VARCHAR",
            "personal": True,
            "mask": "tokenise",
            "declassified": False,
        },
        {
            "name": "country",
            "type": "VARCHAR",
            "personal": False,
            "mask": None,
            "declassified": True,
        },
    ],
    # What an input hides, and the port shows on purpose; without a column: rows, or readers.
    "declassified": [
        {
            "column": "country",
            "of": ["urn:dmesh:local:people:users:users#country"],
            "because": "counsel agreed",
            "by": "ana",
        },
    ],
    "now": "2026-11-02T12:00:00+00:00",
}


def facts_of(
    principal: Principal,
    product: Product,
    contract: Contract,
    *,
    port: str,
    action: str,
    origin: Origin,
    now: datetime,
    window: Window | None = None,
) -> dict[str, Any]:
    """Return what a rule is asked about: who does what with which port, and what is in it.

    Parameters
    ----------
    action : str
        `read` or `publish`.
    now : datetime
        The clock's reading, UTC.
    """
    policy, asked = PortPolicy.of(product, port), window or Window()
    limits = {"from": asked.start, "to": asked.end, "as_of": asked.as_of}
    return {
        "principal": {
            "name": principal.name,
            "roles": sorted(principal.roles),
            "purpose": principal.purpose,
        },
        "product": {
            "address": str(product.address),
            "domain": product.domain,
            "name": product.name,
            "version": product.version,
            "status": product.status,
            "owner": product.owner,
            "tags": list(product.tags),
        },
        "port": port,
        "action": action,
        # With an offset: the interpreter does not know `Z`.
        "window": {name: limit.isoformat() if limit else None for name, limit in limits.items()},
        "origin": str(origin),
        "columns": [
            {
                "name": column.name,
                "type": column.physical_type or column.logical_type,
                "personal": column.personal,
                "mask": mask.kind if (mask := policy.mask(column.name)) else None,
                "declassified": any(d.column == column.name for d in policy.declassified),
            }
            for column in contract.columns
        ],
        "declassified": [one.as_dict() for one in policy.declassified],
        "now": now.isoformat(),
    }


def forbidden(rules: StandingRules, facts: Mapping[str, Any]) -> tuple[str, ...]:
    """Return why the rules of a mesh forbid what is asked; empty where none does.

    Parameters
    ----------
    rules : StandingRules
        What `standing_rules` found.
    facts : mapping
        What `facts_of` returns.
    """
    if rules.unknown:
        return (f"the rules of the mesh cannot be read: {rules.unknown}",)
    if not rules.texts:
        return ()
    document = _document(facts)
    told = (_asked(name, text, document) for name, text in sorted(rules.texts))
    return tuple(dict.fromkeys(message for messages in told for message in messages))


def refuse_bad_rule(name: str, text: str) -> None:
    """Raise `SpecError`, with the line and the fix, where a module is no rule of a mesh."""
    rule = _rule(name, text)
    try:
        rule.messages(_document(EXAMPLE))
    except _NoAnswerError as error:
        raise SpecError(
            f"the rule '{name}' gives no set of messages when it is tried: {error}.",
            next_step="`deny contains message if { … }` must give texts alone, or none, whatever "
            "is asked, and every function in it an answer",
            rule=name,
        ) from None


def _asked(name: str, text: str, document: str) -> tuple[str, ...]:
    try:
        return _rule(name, text).messages(document)
    except SpecError as error:
        return (f"{error.message.rstrip('.')}; a rule that is no rule forbids all",)
    except _NoAnswerError:
        # What went wrong may quote the facts, so it is not told.
        return (f"the rule '{name}' cannot be evaluated, and forbids until it can",)


def _document(facts: Mapping[str, Any]) -> str:
    # As text, and not as a value: the interpreter would take a quotation mark in a value for its
    # end, and the rest for further facts.
    return json.dumps(_present(facts), ensure_ascii=False, default=str)


def _present(value: Any) -> Any:
    """Return facts without those that are null, which `not` would take for being there."""
    if isinstance(value, Mapping):
        return {name: _present(one) for name, one in value.items() if one is not None}
    return [_present(one) for one in value] if isinstance(value, (list, tuple)) else value


class _NoAnswerError(Exception):
    """A rule gave something else than a set of texts; says what, as the interpreter does."""


@dataclass(frozen=True)
class _Rule:
    """A rule that can be asked, by one thread at a time."""

    interpreter: Interpreter
    turn: Lock

    def messages(self, document: str) -> tuple[str, ...]:
        from regopy import RegoError

        with self.turn:
            try:
                self.interpreter.set_input_term(document)
                output = self.interpreter.query(_QUERY)
            except RegoError as error:
                raise _NoAnswerError(_why(str(error))) from None
            except ValueError as error:  # what it says in place of JSON is what is wrong
                raise _NoAnswerError(_why(str(getattr(error, "doc", error)))) from None
        results = output.results
        if str(output) == "undefined":
            raise _NoAnswerError("it has no `deny`")
        if len(results) != 1 or len(results[0].expressions) != 1:
            raise _NoAnswerError(_why(str(output)))
        return _messages(results[0].expressions[0])


def _messages(said: Any) -> tuple[str, ...]:
    # `deny[message] { … }`, which is older, comes as a mapping from messages to true.
    listed = isinstance(said, (list, dict))
    if not listed or not all(isinstance(one, str) for one in said):
        raise _NoAnswerError("`deny` is something else")
    return tuple(sorted(said))


@lru_cache(maxsize=256)
def _rule(name: str, text: str) -> _Rule:
    """Return a rule ready to be asked: made once for each text, as that takes milliseconds."""
    from regopy import Interpreter, LogLevel, RegoError

    interpreter = Interpreter()
    interpreter.log_level = LogLevel.NONE  # or it prints what it does not understand
    # Else 1/0, or text that is no number, would be as good as no reason to forbid.
    interpreter.strict_built_in_errors = True
    try:
        interpreter.add_module("mesh", text)
    except RegoError as error:
        raise _syntax(name, text, str(error)) from None
    refuse_text(name, text, EXAMPLE)
    return _Rule(interpreter, Lock())


def _syntax(name: str, text: str, told: str) -> SpecError:
    found = _PLACE.search(told)
    before = text.encode()[: int(found[1])] if found else b""
    line = before.count(b"\n") + 1
    return SpecError(
        f"the rule '{name}', line {line}: {_why(told).lower()}.",
        next_step="correct it in the file, and push it again",
        rule=name,
        line=line,
    )


def _why(told: str) -> str:
    found = _WHY.search(told)
    return found[1] if found else "it cannot be evaluated"
