"""Values that a call puts into one another: `put(into, key, rows)` may keep rows in `into`."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence

from mesh_notebook.export.effects import Body, resolved
from mesh_notebook.export.flows import Flow
from mesh_notebook.export.touches import Touch

__all__ = ["kept_by", "put_together"]

_STORING = (
    *("operator.", "heapq.", "bisect.", "builtins.setattr", "builtins.list.", "builtins.dict."),
    *("builtins.set.", "builtins.object.", "builtins.type."),
)


def kept_by(
    flows: Sequence[Flow], local: set[str], params: Sequence[str]
) -> Iterator[tuple[str, str]]:
    """Yield the parameters whose values a function puts into one another: into which, and what."""
    for flow in flows:
        into = {t.name for t in resolved([Touch(flow.target, "held")], flows, local)}
        what = {t.name for t in resolved([flow.source], flows, local)}
        yield from ((i, w) for i in into & set(params) for w in what & set(params) if i != w)


def put_together(
    touches: Sequence[Touch],
    function_of: Callable[[str], Body | None],
    origin_of: Callable[[str], str],
) -> Iterator[tuple[str, str]]:
    """Yield pairs of names whose values a call may have made parts of one another."""
    by_callee: dict[str, list[Touch]] = {}
    for touch in touches:
        if touch.how == "argument" and touch.what:
            by_callee.setdefault(touch.what, []).append(touch)
    for callee, given in by_callee.items():
        body = function_of(callee)
        if body is not None and body.keeps:
            yield from _by_parameters(body, given)
        elif origin_of(callee).startswith(_STORING):
            yield from itertools.combinations(sorted({touch.name for touch in given}), 2)


def _by_parameters(body: Body, given: Sequence[Touch]) -> Iterator[tuple[str, str]]:
    for into, what in body.keeps:
        for one in given:
            for other in given:
                if _is_for(one, into, body) and _is_for(other, what, body):
                    yield one.name, other.name


def _is_for(touch: Touch, parameter: str, body: Body) -> bool:
    if isinstance(touch.place, int) and touch.place < len(body.params):
        return body.params[touch.place] == parameter
    return touch.place == parameter or touch.place is None
