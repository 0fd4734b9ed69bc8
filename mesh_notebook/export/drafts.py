"""What an export is given: the declared outputs, and the inputs that the notebook bound."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mesh_notebook.errors import UsageError
from mesh_notebook.mesh.inputs import EventWindow, ReplayInput
from mesh_notebook.model.address import Address
from mesh_notebook.model.contract import Contract
from mesh_notebook.model.decision import Decision
from mesh_notebook.model.document import digest
from mesh_notebook.model.policy import PortPolicy
from mesh_notebook.model.receipt import InputPin

if TYPE_CHECKING:
    import polars as pl

    from mesh_notebook.mesh.scan import Scan

__all__ = ["InputDraft", "OutputDraft"]


@dataclass(frozen=True)
class OutputDraft:
    """One output port as the notebook declared it.

    Attributes
    ----------
    frame
        The Polars or pandas frame at the moment of the declaration.
    contract : Contract
        As it stands now.
    description : str
        What the port serves, in a sentence; default: the contract's purpose.
    temporality : dict
        What ODPS lacks: `kind` (`snapshot` or `log`) and, of pictures of intervals, `interval`.
    policy : dict
        The port's policy, as the product's `policies` hold it; empty where there is none.
    declared : dict
        What was said by hand, plain enough for JSON: a contract does not tell it from what was
        inferred, and a notebook that is loaded says it again.
    untelling : Contract, optional
        The contract less what inference told of the rows' values, for a port of which no figure is
        told; where the port has roles.
    strictly : str
        The line of the notebook that demands what was seen of the rows, too.
    """

    port: str
    frame: Any
    contract: Contract
    description: str = ""
    count: int | None = None
    temporality: Mapping[str, str] = field(default_factory=dict)
    policy: Mapping[str, Any] = field(default_factory=dict)
    declared: Mapping[str, Any] = field(default_factory=dict)
    untelling: Contract | None = None
    strictly: str = ""

    @property
    def carries(self) -> PortPolicy:
        """The port's policy."""
        return PortPolicy.from_dict({"port": self.port, **self.policy})


@dataclass(frozen=True)
class InputDraft:
    """One input of the notebook, and how a later run opens it again.

    Attributes
    ----------
    name : str
        What the notebook calls it.
    recipe : dict
        The custom property `input` of its `inputPorts` entry (see `model.product.InputPort`).
    data : Scan or LazyFrame
        The very rows that the notebook saw.
    pin : InputPin
        What names these rows.
    files : dict
        Further files of the bundle that the recipe speaks of, by relative path.
    decision : Decision, optional
        Of an upstream port: what its policy made of who opened it.
    """

    name: str
    recipe: Mapping[str, Any]
    contract: Contract
    data: Scan | pl.LazyFrame
    pin: InputPin
    window: EventWindow | None = None
    files: Mapping[str, bytes] = field(default_factory=dict)
    decision: Decision | None = None

    @property
    def identity(self) -> str:
        """Equal for two names of the same rows."""
        window = self.window and self.window.as_dict()
        pin = (self.pin.kind, self.pin.where, self.pin.version)
        # A mock is made of its contract, which no version names.
        made_of = self.contract.raw if self.pin.kind == "mock" else None
        return digest([*pin, window, dict(self.recipe), made_of])

    @property
    def mode(self) -> str:
        """Which truth of it the notebook asked for: live, sample or mock."""
        return str(self.recipe.get("mode") or ("mock" if self.pin.kind == "mock" else "live"))

    @property
    def upstream(self) -> str:
        """What it is a truth of: the same for the mock of a port and for its live rows."""
        said = self.recipe.get("address") or self.recipe.get("uri") or self.contract.id
        return _without_major(str(said))

    @property
    def replayed(self) -> ReplayInput:
        # Of a source, its own rows were asked for a key; nothing holds the next ones to it.
        source = self.recipe.get("kind") == "source"
        key = () if source else tuple(self.contract.key)
        held = None if source else self.contract
        return ReplayInput(self.data, self.window, ordered=source, key=key, contract=held)


def _without_major(urn: str) -> str:
    try:
        return str(Address.parse(urn))
    except UsageError:  # a path, or another kind of id
        return urn
