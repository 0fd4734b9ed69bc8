"""Whom to ask, who may read, what there is to read: as ODPS and ODCS documents say it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from mesh_notebook.model.contract import Contract
from mesh_notebook.model.product import Product
from mesh_notebook.workspace.discovery.described import Channel, Document, Member, People, Role

__all__ = ["people_of"]

T = TypeVar("T")


def people_of(product: Product, contracts: Mapping[str, Contract]) -> People:
    """Gather what a product and the contracts of its ports say; what is said twice counts once."""
    papers = [product.raw, *(contract.raw for contract in contracts.values())]
    return People(
        _once(member for paper in papers for member in _members(paper)),
        _once(channel for paper in papers for channel in _channels(paper)),
        _once(role for port, of in contracts.items() for role in _roles(port, of.raw)),
        _once(document for paper in _documented(product, contracts) for document in paper),
    )


def _once(found: Iterator[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(found))


def _members(raw: Mapping[str, Any]) -> Iterator[Member]:
    team = raw.get("team")
    members = team.get("members") if isinstance(team, dict) else team  # a list before ODCS 3.1
    for member in members or []:
        if not member.get("dateOut"):
            yield Member(_said(member, "name") or _said(member, "username"), _said(member, "role"))


def _channels(raw: Mapping[str, Any]) -> Iterator[Channel]:
    for item in raw.get("support") or []:
        url = _said(item, "url") or _said(item, "invitationUrl")
        yield Channel(_said(item, "channel"), url, _said(item, "tool"), _said(item, "description"))


def _roles(port: str, raw: Mapping[str, Any]) -> Iterator[Role]:
    for item in raw.get("roles") or []:
        asked = [_said(item, f"{level}LevelApprovers") for level in ("first", "second")]
        yield Role(
            port,
            _said(item, "role"),
            _said(item, "access"),
            _said(item, "description"),
            ", then ".join(name for name in asked if name),
        )


def _documented(
    product: Product, contracts: Mapping[str, Contract]
) -> Iterator[Iterator[Document]]:
    yield _documents(product.raw)
    for port in product.outputs:
        if port.name in contracts:
            contract = contracts[port.name]
            yield from map(_documents, (port.raw, contract.raw, contract.table))


def _documents(raw: Mapping[str, Any]) -> Iterator[Document]:
    for item in raw.get("authoritativeDefinitions") or []:
        yield Document(_said(item, "type"), _said(item, "url"), _said(item, "description"))
    for port in raw.get("managementPorts") or []:
        if url := _said(port, "url"):
            yield Document(f"{_said(port, 'content')} port", url, _said(port, "description"))


def _said(raw: Mapping[str, Any], name: str) -> str:
    return str(raw.get(name) or "")
