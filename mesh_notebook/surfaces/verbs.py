"""The one table of verbs: the magics, the command line and the help are all made from it.

A verb names a method of `Workspace`; an argument names a parameter of that method. A test holds
the table against the methods, so that the two cannot drift apart.
"""

from __future__ import annotations

from dataclasses import dataclass

from mesh_notebook.errors import UsageError, near
from mesh_notebook.surfaces.control_verbs import CONTROL
from mesh_notebook.surfaces.development_verbs import DEVELOPMENT
from mesh_notebook.surfaces.exploration_verbs import EXPLORATION
from mesh_notebook.surfaces.operation_verbs import OPERATION
from mesh_notebook.surfaces.verb import Argument, Verb

__all__ = ["VERBS", "Argument", "Help", "Verb", "find"]


@dataclass(frozen=True)
class Help:
    """What `%mesh help` answers: every verb, or one."""

    verbs: tuple[Verb, ...]


_ANY: tuple[Verb, ...] = (
    Verb(
        "path",
        "any",
        "Show where you are on the path, and the next step (the same as %mesh alone).",
        "%mesh",
        reads=True,
    ),
    Verb(
        "help",
        "any",
        "Say what the verbs do, or one verb in full.",
        "%mesh help connect",
        (Argument("verb", "a verb"),),
    ),
)
_PATH = (*_ANY, *EXPLORATION, *DEVELOPMENT, *OPERATION)
_STEPS = list(dict.fromkeys(verb.step for verb in _PATH))

VERBS = tuple(sorted((*_PATH, *CONTROL), key=lambda verb: _STEPS.index(verb.step)))

_BY_NAME = {verb.name: verb for verb in VERBS}


def find(name: str) -> Verb:
    """Return the verb of that name, or raise `UsageError` with the ones that may be meant."""
    if name in _BY_NAME:
        return _BY_NAME[name]
    close = near(name, _BY_NAME)
    raise UsageError(
        f"'{name}' is not something mesh can do.",
        next_step=f"did you mean {', '.join(close)}?" if close else "%mesh help lists the verbs",
        near=close,
    )
