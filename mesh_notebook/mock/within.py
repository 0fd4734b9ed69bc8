"""A contract narrowed to a window, so that what is mocked from it happened inside."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from mesh_notebook.errors import UsageError
from mesh_notebook.model.contract import Contract
from mesh_notebook.model.document import set_custom
from mesh_notebook.model.time import Window, as_instant, iso

__all__ = ["within"]


def within(contract: Contract, window: Window) -> Contract:
    """Return the contract with its event time kept to `[start, end)`, and never missing.

    Limits of its own stay where they are narrower; a hint that says otherwise gives way.

    Raises
    ------
    UsageError
        The contract names no event time.
    """
    if not window.bounded:
        return contract
    name = contract.event_time
    if name is None:
        raise UsageError(
            f"'{contract.name}' has no event time, so no window can be mocked of it.",
            next_step="leave out --from and --to",
        )
    contract.column(name)  # raises where there is no such column
    raw = contract.edited()
    (column,) = (p for p in raw["schema"][0]["properties"] if p["name"] == name)
    options = column.setdefault("logicalTypeOptions", {})
    _narrow(options, "minimum", window.start, max)
    _narrow(options, "exclusiveMaximum", window.end, min)
    column["required"] = True
    hints = contract.column(name).hints
    if "between" in hints:
        set_custom(column, "mock", {k: v for k, v in hints.items() if k != "between"})
    return Contract(raw, contract.where)


def _narrow(
    options: dict[str, Any],
    limit: str,
    edge: datetime | None,
    narrower: Callable[[datetime, datetime], datetime],
) -> None:
    if edge is not None:
        before = options.get(limit)
        options[limit] = iso(edge if before is None else narrower(edge, _instant(before, edge)))


def _instant(limit: Any, now: datetime) -> datetime:
    """Return a limit as an instant; ODCS: one without an offset is UTC."""
    try:
        moment = datetime.fromisoformat(str(limit))
    except ValueError:
        return as_instant(str(limit), now)  # a month, or no time at all, which it says
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
