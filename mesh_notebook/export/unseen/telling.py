"""Where what code tells goes, by `print` or a log: somewhere of the notebook's own, or nowhere.

What is told goes to a screen, and no output depends on it; unless a name of the notebook's stands
at the end of it: `logging.StreamHandler(buf)`, `sys.stdout = buf`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator

from mesh_notebook.export import known
from mesh_notebook.export.draws import Ask
from mesh_notebook.export.process_settings import Origin, held_for_a_while
from mesh_notebook.export.scopes import dotted
from mesh_notebook.export.touches import Touch
from mesh_notebook.export.words import words

__all__ = ["TOLD", "connected", "redirects", "tells"]

TOLD = "<told>"  # the name under which the record keeps what sets where it goes

_ADDING = words(
    "addHandler addFilter setStream setTarget basicConfig setLoggerClass setLogRecordFactory "
    "seterrcall"
)
_SETTING = _ADDING | words(
    "removeHandler removeFilter setLevel disable setFormatter captureWarnings"
)
_STORED = words("handlers stream filters propagate disabled formatter showwarning")
# Handlers that hand on to the machine, and keep nothing that a notebook could read.
_OUT = words(
    "StreamHandler FileHandler NullHandler RotatingFileHandler TimedRotatingFileHandler "
    "RichHandler SysLogHandler SMTPHandler HTTPHandler SocketHandler DatagramHandler "
    "WatchedFileHandler"
)
_STREAMS = ("sys.stdout", "sys.stderr", "sys.displayhook")
_ENTERED = ("contextlib.redirect_std", "warnings.catch_warnings")
_LOGGING = words("debug info warning error critical exception log fatal warn handle emit")
_PRINTING = words(
    "print pprint pp display help show print_exc print_stack print_tb info write writelines dis "
    "print_help print_usage warn warn_explicit"
)


TypeOf = Callable[[str], str | None]


def redirects(
    asks: Iterable[Ask], touches: Iterable[Touch], origin_of: Origin, type_of: TypeOf
) -> bool:
    """Return whether code sets where, or whether, something told is handed on."""
    return any(_is_setting(ask, origin_of) for ask in asks) or any(
        _is_stored(touch, origin_of)
        or (touch.how == "store" and (type_of(touch.name) or "").startswith("logging."))
        for touch in touches
    )


def _is_stored(touch: Touch, origin_of: Origin) -> bool:
    return touch.how == "store" and origin_of(touch.name) == "sys"


def connected(
    node: ast.AST | None,
    asks: Iterable[Ask],
    touches: Iterable[Touch],
    names: Iterable[str],
    origin_of: Origin,
    type_of: TypeOf,
    kind_of: Callable[[str], str],
) -> set[str]:
    """Return the names of a statement that may get what is told from then on.

    Parameters
    ----------
    asks, touches
        Of the functions that it runs, too.
    names : iterable of str
        Those whose values it has in hand.
    """
    inside = held_for_a_while(node)
    asks = [ask for ask in asks if ask.given is not None and ask.path not in inside]
    hands = any(_hands_over(ask, origin_of) for ask in asks) or any(_stored(node, origin_of))
    hands = hands or any(_is_stored(touch, origin_of) for touch in touches)
    return {name for name in names if hands and _may_keep(type_of(name) or "", kind_of(name))}


def tells(asks: Iterable[Ask]) -> bool:
    """Return whether code may print or log something."""
    return any(_tells(ask) for ask in asks)


def _tells(ask: Ask) -> bool:
    parts = ask.path.replace("()", "").replace("[]", "").split(".")
    return (
        parts[-1] in _LOGGING
        or parts[-1] in _PRINTING
        or not {"stdout", "stderr"}.isdisjoint(parts)
    )


def _is_setting(ask: Ask, origin_of: Origin) -> bool:
    return ask.given is not None and (
        ask.path.rpartition(".")[2] in _SETTING or _hands_over(ask, origin_of)
    )


def _hands_over(ask: Ask, origin_of: Origin) -> bool:
    path = ask.path if ask.absolute else origin_of(ask.path)
    last = ask.path.rpartition(".")[2]
    by_name = last == "setattr" and any(
        text in ("'stdout'", "'stderr'") for _, text in ask.given or ()
    )
    makes = path.startswith("logging.") and last.endswith("Handler")
    return last in _ADDING or by_name or makes or path.startswith(_ENTERED)


def _stored(node: ast.AST | None, origin_of: Origin) -> Iterator[str]:
    """Yield what a statement stores where somebody tells something to."""
    for part in ast.walk(node or ast.Pass()):
        if isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store):
            path = origin_of(str(dotted(part)))
            if path.startswith(_STREAMS) or part.attr in _STORED:
                yield path


def _may_keep(kind: str, known_as: str) -> bool:
    """Return whether a value may keep what it is told, for somebody to read."""
    if kind.startswith("logging."):
        name = kind.rpartition(".")[2]
        return "Handler" in name and name not in _OUT
    return known_as not in (known.FROZEN, known.MODULE, known.POLARS, known.PANDAS, known.NUMPY)
