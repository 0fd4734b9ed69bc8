"""Which input columns each output column is made of, in the shape of OpenLineage's facet."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = [
    "DIRECT",
    "FILE",
    "FORMAT",
    "INDIRECT",
    "Grouped",
    "InputField",
    "Lineage",
    "PortLineage",
]

FILE = "lineage.json"
FORMAT = "mesh-notebook lineage 1"
DIRECT, INDIRECT = "DIRECT", "INDIRECT"


@dataclass(frozen=True, order=True)
class InputField:
    """One column of an input, and how it goes in.

    Attributes
    ----------
    input : str
        The input's name in the product.
    field : str
    type : str
        `DIRECT` (a value is made of it), `INDIRECT` (it decides which rows there are, or in which
        order); empty where it may go in, and how is not known.
    subtype : str
        OpenLineage's word (IDENTITY, TRANSFORMATION, AGGREGATION, JOIN, …); empty: not known.
    """

    input: str
    field: str
    type: str = ""
    subtype: str = ""

    def as_dict(self, dataset: str) -> dict[str, Any]:
        how = {k: v for k, v in (("type", self.type), ("subtype", self.subtype)) if v}
        said = {"namespace": self.input, "name": dataset, "field": self.field}
        return {**said, "transformations": [how] if how else []}

    @classmethod
    def from_dict(cls, raw: dict[str, Any]) -> InputField:
        how = (raw.get("transformations") or [{}])[0]
        told = (str(how.get("type") or ""), str(how.get("subtype") or ""))
        return cls(str(raw["namespace"]), str(raw["field"]), *told)


@dataclass(frozen=True)
class Grouped:
    """Groups of the rows of one input, each of which counts once in one row of the output.

    Attributes
    ----------
    keyed : frozenset of str
        The input's columns that the keys are made of.
    """

    input: str
    keyed: frozenset[str]


@dataclass(frozen=True)
class PortLineage:
    """One output port: by column what it is made of, and what decides which rows there are.

    Attributes
    ----------
    matched : frozenset of (input, field)
        Of the columns that choose rows, those of which nothing counts but which values are equal:
        the keys of a join, or of a group. It is not written down.
    grouped : Grouped, optional
        That every row adds up a group of one input's rows, where that is known.
    """

    fields: dict[str, tuple[InputField, ...]] = field(default_factory=dict)
    dataset: tuple[InputField, ...] = ()
    matched: frozenset[tuple[str, str]] = frozenset()
    grouped: Grouped | None = None

    def values(self, column: str) -> frozenset[tuple[str, str]]:
        """Return the input fields that a column's values may be made of."""
        return frozenset((f.input, f.field) for f in self.fields[column] if f.type != INDIRECT)

    @property
    def choosing(self) -> frozenset[tuple[str, str]]:
        """The input fields that have a say in which rows there are, or in their order."""
        fields = (f for told in self.fields.values() for f in told if f.type != DIRECT)
        return frozenset((f.input, f.field) for f in (*self.dataset, *fields))


@dataclass(frozen=True)
class Lineage:
    """All output ports of a transform.

    Attributes
    ----------
    datasets : dict
        By input: the URN of the upstream port, or the URI of the source.
    reads : dict
        By input: the columns that the transform uses. It may say more than the truth, never less.
    """

    ports: dict[str, PortLineage]
    datasets: dict[str, str]
    reads: dict[str, tuple[str, ...]]

    @classmethod
    def of(
        cls,
        ports: dict[str, PortLineage],
        datasets: dict[str, str],
        more: dict[str, tuple[str, ...]] | None = None,
    ) -> Lineage:
        """Return the lineage of some ports; `more` is read besides, by the cut of an input."""
        used = {name: set((more or {}).get(name, ())) for name in datasets}
        for port in ports.values():
            for one in (*port.dataset, *(f for fs in port.fields.values() for f in fs)):
                used[one.input].add(one.field)
        return cls(ports, datasets, {name: tuple(sorted(fs)) for name, fs in used.items()})

    def as_dict(self) -> dict[str, Any]:
        def told(fields: tuple[InputField, ...]) -> list[dict[str, Any]]:
            return [one.as_dict(self.datasets[one.input]) for one in fields]

        outputs = {
            name: {
                "fields": {c: {"inputFields": told(fields)} for c, fields in port.fields.items()},
                "dataset": told(port.dataset),
            }
            for name, port in self.ports.items()
        }
        reads = {name: list(fields) for name, fields in self.reads.items()}
        return {"format": FORMAT, "outputs": outputs, "reads": reads}

    @classmethod
    def from_dict(cls, raw: dict[str, Any]) -> Lineage:
        """Read back what `as_dict` gave; raises `ValueError` where it is no lineage."""
        if raw.get("format") != FORMAT:
            raise ValueError(f"the format is {raw.get('format')!r}, not {FORMAT!r}")
        datasets: dict[str, str] = dict.fromkeys(raw["reads"], "")

        def read(fields: list[dict[str, Any]]) -> tuple[InputField, ...]:
            datasets.update({str(one["namespace"]): str(one["name"]) for one in fields})
            return tuple(InputField.from_dict(one) for one in fields)

        ports = {
            name: PortLineage(
                {c: read(one["inputFields"]) for c, one in port["fields"].items()},
                read(port["dataset"]),
            )
            for name, port in raw["outputs"].items()
        }
        reads = {name: tuple(fields) for name, fields in raw["reads"].items()}
        return cls(ports, datasets, reads)
