"""The product that the notebook is making: what was declared so far, and the contracts of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from mesh_notebook.errors import SpecError, UnknownPort, UsageError, near
from mesh_notebook.model.address import Address, checked_name
from mesh_notebook.model.contract import Contract
from mesh_notebook.model.origin import Origin
from mesh_notebook.model.product import ODPS_VERSION, STATUSES
from mesh_notebook.model.time import duration

if TYPE_CHECKING:
    import polars as pl

__all__ = ["PortDraft", "ProductDraft", "parse_promises", "words_of"]

_VERSION = re.compile(r"\d+\.\d+\.\d+")
# What people say, and the ODCS property, with the unit in which it is written.
_PROMISES = {
    "freshness": "freshness",
    "interval": "frequency",
    "lag": "latency",
    "retention": "retention",
    "completeness": "completeness",
}

# Where the public checkers look for rows: `mesh read PRODUCT --out data/<port>/<port>.parquet`.
_SERVER = {
    "server": "parquet",
    "type": "local",
    "path": "./data/{model}/*.parquet",
    "format": "parquet",
}


@dataclass
class PortDraft:
    """One declared output port.

    What was set by hand (`overrides`, `promises`, `links`) is kept apart from what was inferred,
    so that declaring the output again infers anew and keeps the developer's word.
    """

    port: str
    frame_name: str
    frame: pl.LazyFrame
    value: Any  # what the name was bound to when it was declared: a Polars or pandas frame
    key: tuple[str, ...]
    event_time: str | None
    overrides: dict[str, Any] = field(default_factory=dict)
    promises: dict[str, dict[str, Any]] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    inferred: Contract | None = None
    origin: Origin = Origin.LIVE  # the worst that the frame touched when it was declared

    def contract(self, product: ProductDraft, status: str) -> Contract:
        """Return the contract as it stands: inferred, then overridden, promised and linked."""
        from mesh_notebook.explore.infer import infer
        from mesh_notebook.explore.overrides import merge

        if self.inferred is None:
            self.inferred = infer(
                self.frame,
                name=self.port,
                contract_id="urn:draft",
                version="1.0.0",
                domain="",
                key=self.key,
                event_time=self.event_time,
                status=status,
            )
        contract = product.stamped(self.inferred, self.port, status)
        if self.overrides:
            contract = merge(contract, self.overrides)
        raw = contract.edited()
        _add_promises(raw, self.promises)
        _add_links(raw, self.links)
        return Contract(raw, f"the contract of '{self.port}'").checked()

    def stands(self, product: ProductDraft, **changed: Any) -> PortDraft:
        """Return this draft with something changed, if the contract that follows can hold."""
        candidate = replace(self, **changed)
        contract = candidate.contract(product, "draft")
        _check_patterns(contract)
        if (contract.key, contract.event_time) != (self.key, self.event_time):
            candidate._check_identity(contract)
        return candidate

    def _check_identity(self, contract: Contract) -> None:
        """Hold a key or an event time that was overridden to what `output` demands of one."""
        from mesh_notebook.explore import refusals

        schema = dict(self.frame.collect_schema())
        refusals.check_key(contract.key, schema)
        refusals.check_event_time(contract.event_time, schema, self.frame)
        refusals.check_key_values(self.frame, contract.key, contract.event_time, schema)


@dataclass
class ProductDraft:
    """The product's own fields, and its output ports in the order of their declaration."""

    name: str | None = None
    domain: str = "default"
    owner: str = ""
    purpose: str = ""
    version: str = "1.0.0"
    status: str | None = None
    tenant: str = "local"
    tags: tuple[str, ...] = ()
    ports: dict[str, PortDraft] = field(default_factory=dict)

    @property
    def address(self) -> Address:
        return Address(self.tenant, self.domain, self.name or "unnamed")

    def port(self, name: str) -> PortDraft:
        if name in self.ports:
            return self.ports[name]
        close = near(name, self.ports)
        declare = f"%mesh output {name} FRAME declares it"
        raise UnknownPort(
            f"no output port '{name}' is declared.",
            next_step=f"did you mean {close[0]}?" if close else declare,
            near=close,
        )

    def stamped(self, contract: Contract, port: str, status: str) -> Contract:
        """Return the contract with this product's identity."""
        raw = contract.edited()
        major = self.version.split(".")[0]
        raw.update(
            id=f"{self.address.with_port(port)}:{major}",
            version=self.version,
            status=status,
            domain=self.domain,
            tenant=self.tenant,
            dataProduct=self.name or "unnamed",
            servers=[dict(_SERVER)],
        )
        if self.owner:
            raw["team"] = {"name": self.owner}
        return Contract(raw, contract.where)

    def fields(self, status: str) -> dict[str, Any]:
        """Return the ODPS fields that do not depend on ports."""
        raw: dict[str, Any] = {
            "apiVersion": ODPS_VERSION,
            "kind": "DataProduct",
            "id": str(self.address),
            "name": self.name,
            "version": self.version,
            "status": status,
            "domain": self.domain,
            "tenant": self.tenant,
        }
        if self.purpose:
            raw["description"] = {"purpose": self.purpose}
        if self.tags:
            raw["tags"] = list(self.tags)
        if self.owner:
            raw["team"] = {"name": self.owner}
        return raw

    def named(self, name: str) -> ProductDraft:
        return replace(self, name=checked_name(name, "product name"))

    def changed(self, name: str, given: dict[str, Any]) -> ProductDraft:
        """Return the draft under a name, with the given fields; raises `UsageError`."""
        draft = replace(self, **given, ports=dict(self.ports)).named(name)
        draft.address  # noqa: B018  refuses a domain or tenant that no path can hold
        if not (isinstance(draft.version, str) and _VERSION.fullmatch(draft.version)):
            raise UsageError(
                f"'{draft.version}' is not a version.", next_step="write 1.2.0: major.minor.patch"
            )
        if draft.status not in (None, *STATUSES):
            raise UsageError(
                f"'{draft.status}' is not a status.", next_step=f"one of {', '.join(STATUSES)}"
            )
        return draft


def words_of(value: Sequence[str] | str) -> tuple[str, ...]:
    """Return words however they were given: `origin,day`, `"a b"`, or a sequence of them."""
    if isinstance(value, str):
        value = value.replace(",", " ").split()
    return tuple(value)


def _check_patterns(contract: Contract) -> None:
    for column in contract.columns:
        try:
            re.compile(str(column.options.get("pattern", "")))
        except re.error as error:
            raise SpecError(
                f"the pattern of '{column.name}' is no regular expression: {error}.",
                next_step="mend it, for example: '^[A-Z]{3}$'",
                column=column.name,
            ) from None


def parse_promises(words: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """Read `freshness=1d completeness=0.99` into ODCS `slaProperties`, by property."""
    promises = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or name not in _PROMISES:
            raise UsageError(
                f"'{word}' is not a promise.",
                next_step=f"write NAME=VALUE with NAME one of {', '.join(_PROMISES)}",
            )
        promises[_PROMISES[name]] = _share(value) if name == "completeness" else _span(value)
    return promises


def _share(value: str) -> dict[str, Any]:
    try:
        share = float(value.removesuffix("%")) / (100 if value.endswith("%") else 1)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise UsageError(
            f"completeness={value} is not a share.", next_step="write 0.99 or 99%", value=value
        )
    return {"value": share}


def _span(value: str) -> dict[str, Any]:
    seconds = duration(value)
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds % size == 0:
            return {"value": int(seconds // size), "unit": unit}
    return {"value": seconds, "unit": "s"}


def _add_promises(raw: dict[str, Any], promises: dict[str, dict[str, Any]]) -> None:
    kept = [s for s in raw.get("slaProperties") or [] if s["property"] not in promises]
    made = [{"id": name, "property": name, **body} for name, body in promises.items()]
    if kept or made:
        raw["slaProperties"] = kept + made


def _add_links(raw: dict[str, Any], links: dict[str, str]) -> None:
    for prop in raw["schema"][0]["properties"]:
        if target := links.get(prop["name"]):
            others = prop.get("authoritativeDefinitions") or []
            kept = [d for d in others if d.get("type") != "ontology"]
            prop["authoritativeDefinitions"] = [*kept, {"type": "ontology", "url": target}]
