"""The data product: Bitol ODPS v1.0, read through, never narrowed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from mesh_notebook.errors import UnknownPort, near
from mesh_notebook.model.address import Address
from mesh_notebook.model.document import custom, digest, parse_yaml, to_yaml
from mesh_notebook.model.standards import validate

__all__ = ["InputPort", "OutputPort", "Product", "major_of", "rank_of"]

ODPS_VERSION = "v1.0.0"
DEFAULT_TENANT = "local"
# ODPS's examples are its vocabulary; anything else would mean nothing to a consumer.
KINDS = ("snapshot", "log")
STATUSES = ("proposed", "draft", "active", "deprecated", "retired")


@dataclass(frozen=True)
class InputPort:
    """How the product receives one dataset.

    What ODPS lacks stands in the custom property `input`: a mapping with `kind`
    (`port`, `source` or `mock`) and, by kind, the `address` of an upstream port, the `uri` of a
    source and what else was asked of it (see `mesh.sources.Asked`; of a token, the name of its
    variable alone), or the `rows`, `seed` and `populations` of a mock. A port or a source of which
    not all live rows are read says its `mode` (`sample`, `mock`), `rows`, `seed`.
    """

    raw: dict[str, Any]

    @property
    def name(self) -> str:
        """The Python name of the transform's parameter."""
        return str(self.raw["name"])

    @property
    def contract_id(self) -> str:
        return str(self.raw["contractId"])

    @property
    def recipe(self) -> dict[str, Any]:
        return dict(custom(self.raw, "input") or {})


@dataclass(frozen=True)
class OutputPort:
    """One dataset that the product serves."""

    raw: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.raw["name"])

    @property
    def version(self) -> str:
        return str(self.raw["version"])

    @property
    def description(self) -> str:
        return str(self.raw.get("description") or "")

    @property
    def modes(self) -> tuple[str, ...]:
        return tuple(custom(self.raw, "outputModes") or ())

    @property
    def temporality(self) -> dict[str, Any]:
        """`kind` (`snapshot` or `log`) and the `eventTime` column, if there is one."""
        return dict(custom(self.raw, "temporality") or {"kind": "snapshot"})


@dataclass(frozen=True)
class Product:
    """A data product's specification."""

    raw: dict[str, Any] = field(repr=False)
    where: str = "the product"

    @classmethod
    def loads(cls, text: str, where: str = "the product") -> Product:
        """Read and validate an ODPS document; raises `SpecError` with the findings."""
        raw = parse_yaml(text, where)
        validate(raw, where)
        return cls(raw, where)

    def dumps(self) -> str:
        return to_yaml(self.raw)

    @property
    def digest(self) -> str:
        return digest(self.raw)

    @property
    def address(self) -> Address:
        return Address.parse(str(self.raw["id"]))

    @property
    def name(self) -> str:
        return str(self.raw.get("name") or self.address.product)

    @property
    def domain(self) -> str:
        return str(self.raw.get("domain") or self.address.domain)

    @property
    def version(self) -> str:
        return str(self.raw.get("version") or "0.1.0")

    @property
    def status(self) -> str:
        return str(self.raw["status"])

    @property
    def purpose(self) -> str:
        return str((self.raw.get("description") or {}).get("purpose") or "")

    @property
    def owner(self) -> str:
        return str((self.raw.get("team") or {}).get("name") or "")

    @property
    def tags(self) -> tuple[str, ...]:
        return tuple(self.raw.get("tags") or ())

    @property
    def policies(self) -> tuple[dict[str, Any], ...]:
        return tuple(custom(self.raw, "policies") or ())

    @property
    def inputs(self) -> tuple[InputPort, ...]:
        return tuple(InputPort(raw) for raw in self.raw.get("inputPorts") or ())

    @property
    def outputs(self) -> tuple[OutputPort, ...]:
        return tuple(OutputPort(raw) for raw in self.raw.get("outputPorts") or ())

    def output(self, name: str | None) -> OutputPort:
        """Return the port of that name; None means the only one there is."""
        by_name = {port.name: port for port in self.outputs}
        if name is None and len(by_name) == 1:
            return next(iter(by_name.values()))
        if name in by_name:
            return by_name[name]
        known = ", ".join(by_name) or "none"
        if name is None:
            raise UnknownPort(
                f"{self.name} has {len(by_name)} output ports: {known}.",
                next_step=f"name one: {self.name}/{next(iter(by_name), 'PORT')}",
                ports=list(by_name),
            )
        close = near(name, by_name)
        raise UnknownPort(
            f"{self.name} has no output port '{name}'.",
            next_step=f"did you mean {close[0]}?" if close else f"it has: {known}",
            ports=list(by_name),
            near=close,
        )


def major_of(version: str) -> str:
    """Return the part of a version that changes when consumers must change: `2` of `2.1.0`."""
    return re.split(r"[^A-Za-z0-9]", version)[0]


def rank_of(major: str) -> tuple[int, str]:
    """Return what sorts major versions: by number, and what is none before them."""
    return (int(major), "") if major.isdecimal() else (-1, major)
