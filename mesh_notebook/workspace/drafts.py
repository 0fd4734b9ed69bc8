"""The product that the notebook is making: what was declared so far, and the contracts of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from mesh_notebook.errors import SpecError, UnknownPort, UsageError, near
from mesh_notebook.model.address import Address, checked_name
from mesh_notebook.model.contract import Contract
from mesh_notebook.model.document import digest
from mesh_notebook.model.origin import Origin
from mesh_notebook.model.policy import PortPolicy
from mesh_notebook.model.product import ODPS_VERSION, STATUSES
from mesh_notebook.model.seen import demanded
from mesh_notebook.workspace.promises import Promises, add_promises

if TYPE_CHECKING:
    import polars as pl

__all__ = ["PortDraft", "ProductDraft", "words_of"]

_VERSION = re.compile(r"\d+\.\d+\.\d+")
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
    promises: Promises = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    inferred: Contract | None = None
    temporality: dict[str, str] = field(default_factory=dict)
    policy: PortPolicy | None = None
    references: dict[Any, list[dict[str, Any]]] = field(default_factory=dict)
    strict: tuple[str, ...] | bool = False  # of which columns what was seen is demanded
    origin: Origin = Origin.LIVE  # the worst that the frame touched when it was declared

    def contract(self, product: ProductDraft, status: str) -> Contract:
        """Return the contract as it stands: inferred, then overridden, promised and linked.

        What was seen is a demand where the port is strict; where its policy hides it, it is gone.
        """
        from mesh_notebook.explore.infer import infer, without_values
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
        told = without_values(self.inferred, self.hidden()) if self.policy else self.inferred
        contract = product.stamped(demanded(told, self.strict), self.port, status)
        if self.overrides:
            contract = merge(contract, self.overrides)
        raw = contract.edited()
        # A draft may be made of mocks, whose shape is nothing to hold real data to.
        add_promises(raw, self.promises, None if status == "draft" else self._reference)
        _add_links(raw, self.links)
        return Contract(raw, f"the contract of '{self.port}'").checked()

    def _reference(self, contract: Contract, limit: float, column: str) -> list[dict[str, Any]]:
        from mesh_notebook.mesh.reference import reference_rules

        hidden = self.hidden()
        asked = (digest(contract.table), limit, column, hidden)
        if asked not in self.references:
            self.references[asked] = reference_rules(self.frame, contract, limit, column, hidden)
        return self.references[asked]

    def hidden(self) -> frozenset[str]:
        """Return the columns of which the contract tells no value: all, where rows are hidden."""
        if self.policy is None:
            return frozenset()
        if self.policy.rows or self.policy.closed:
            return frozenset(self.frame.collect_schema())
        return frozenset(mask.column for mask in self.policy.masks)

    @property
    def strict_columns(self) -> tuple[str, ...]:
        """The columns of which what was seen is demanded, as far as the policy lets it be said."""
        if isinstance(self.strict, bool):
            return tuple(self.frame.collect_schema()) if self.strict else ()
        return self.strict

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


def _add_links(raw: dict[str, Any], links: dict[str, str]) -> None:
    for prop in raw["schema"][0]["properties"]:
        if target := links.get(prop["name"]):
            others = prop.get("authoritativeDefinitions") or []
            kept = [d for d in others if d.get("type") != "ontology"]
            prop["authoritativeDefinitions"] = [*kept, {"type": "ontology", "url": target}]
