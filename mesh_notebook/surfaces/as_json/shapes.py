"""From an answer to values that JSON can say; each kind of answer registers its shape."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from functools import singledispatch
from pathlib import Path
from typing import Any

from mesh_notebook.errors import MeshError, UsageError
from mesh_notebook.mesh.verdicts import SloVerdict
from mesh_notebook.model.receipt import Receipt
from mesh_notebook.model.time import iso
from mesh_notebook.workspace.discovery.json import plain

__all__ = ["error_as_json", "json_of", "parts", "promise", "shape_of"]


@singledispatch
def shape_of(answer: object) -> Any:
    """Return the keys and values of an answer (see the package for the shape of each verb)."""
    if isinstance(answer, str | bytes):
        raise UsageError(
            "--json is how the answer is shown, and so is --format.",
            next_step="leave one of them out; `read --format json` has every row as JSON",
        )
    raise TypeError(f"no shape in JSON is known for a {type(answer).__name__}")


@shape_of.register
def _(answer: dict) -> Any:  # type: ignore[type-arg]  # what is JSON already
    return answer


def json_of(answer: object) -> dict[str, Any]:
    """Return an answer as values that JSON can say."""
    made: dict[str, Any] = plain(parts(shape_of(answer)))
    return made


def error_as_json(error: MeshError) -> dict[str, str]:
    """Return an error as JSON: what it is, what it says, and what to do."""
    kind = type(error).__name__
    return {"error": kind, "message": error.message, "next_step": error.next_step}


def parts(value: Any) -> Any:
    """Return a value with its dataclasses as mappings and its sets as sorted lists."""
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: parts(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, dict):
        return {str(key): parts(one) for key, one in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(map(str, value))
    if isinstance(value, list | tuple):
        return [parts(one) for one in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return iso(value) if value.tzinfo else value.isoformat()
    return value.as_posix() if isinstance(value, Path) else value


def promise(verdict: SloVerdict) -> dict[str, Any]:
    """Return how a promise fares."""
    return {
        "promise": verdict.name,
        "promised": verdict.promised,
        "measured": verdict.measured or None,
        "value": verdict.value,
        "limit": verdict.limit,
        "kept": verdict.kept,
        "gate": verdict.slo.gate,
    }


def publication(receipt: Receipt) -> dict[str, Any]:
    """Return what every answer says of a publication."""
    return {
        "snapshot": receipt.snapshot,
        "published": receipt.processing_time,
        "version": receipt.version,
        "status": receipt.status,
        "origin": receipt.origin,
    }
