"""What is known of the order of a frame's rows, and what a step asks of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from mesh_notebook.mesh.ordering.witness import Witness

__all__ = ["KEEPING", "Doubt", "Fault", "Keys", "Need", "Order", "decides"]

Keys = frozenset[frozenset[str]]
NO_KEYS: Keys = frozenset()
# Steps after which it is still known which columns a fault leaves no doubt of.
KEEPING = frozenset(
    ["unique", "lazy", "collect", "clone", "rechunk", "sort", "select", "with_columns", "drop"]
)


def decides(known: Iterable[str], columns: Collection[str], keys: Keys) -> bool:
    """Return whether rows that are equal in the known columns are one row, or wholly equal.

    Parameters
    ----------
    columns
        All columns of the frame; empty where they are not known.
    keys
        Sets of columns of which no two rows have the same values.
    """
    given = set(known)
    return any(key <= given for key in keys) or (bool(columns) and given >= set(columns))


@dataclass(frozen=True)
class Doubt:
    """Why the rows of a frame lie in no order that is theirs, and what would give them one."""

    cause: str
    fix: str


@dataclass(frozen=True)
class Fault:
    """A step whose answer the rows do not determine.

    Attributes
    ----------
    line : int
        Where the module says it.
    said : str
        What depends on the order, and why there is none.
    fix : str
        What to write instead.
    sure : tuple of str
        Columns whose values it leaves no doubt of, taken alone: those by which one of several rows
        was kept. The next steps forget them but for those that change no value (see `KEEPING`).
    """

    line: int
    said: str
    fix: str
    sure: tuple[str, ...] = ()


@dataclass(frozen=True)
class Need:
    """What one step asks of the order of the rows.

    Attributes
    ----------
    what : str
        The step, as a person calls it.
    partition : frozenset of str
        The columns within which it looks at rows.
    by : frozenset of str, optional
        The columns by which the step orders the rows itself; None where it takes them as they lie.
    stable : bool
        Whether rows that tie in `by` keep the order in which they lie.
    fix : str
        Overrides the advice that the frame's own doubt gives.
    """

    what: str
    partition: frozenset[str] = frozenset()
    by: frozenset[str] | None = None
    stable: bool = True
    fix: str = ""


@dataclass(frozen=True)
class Order:
    """The order of one frame's rows, as the steps that made it left it.

    Attributes
    ----------
    doubt : Doubt, optional
        None where the inputs determine the order.
    by : frozenset of str
        The columns by which the rows are sorted, if they are; rows that tie in them lie anyhow.
    keys : frozenset of frozenset of str
        Sets of columns of which no two rows have the same values.
    fault : Fault, optional
        The first step on the way whose answer was left to chance.
    witness : Witness, optional
        Of the rows of a source: what they show of keys that nothing declares.
    """

    doubt: Doubt | None = None
    by: frozenset[str] = frozenset()
    keys: Keys = NO_KEYS
    fault: Fault | None = None
    witness: Witness | None = None

    @property
    def a_key(self) -> str:
        """The rows' key, as a person is told of it."""
        keys = [", ".join(sorted(key)) for key in sorted(self.keys, key=sorted)]
        return f"the rows' key (here {keys[0]})" if keys else "the rows' key"

    def lost(self, cause: str, fix: str) -> Order:
        """Return the order after a step that keeps none."""
        return replace(self, doubt=Doubt(cause, fix), by=frozenset())

    def sure_of(self, columns: Collection[str]) -> Order:
        """Return the order with a fault that leaves no doubt of some columns, taken alone."""
        if self.fault is None:
            return self
        return replace(self, fault=replace(self.fault, sure=tuple(sorted(columns))))

    def taking(self, columns: Collection[str]) -> Order:
        """Return the order of these columns alone: the fault may be of the others."""
        if self.fault is None or not columns or not set(self.fault.sure).issuperset(columns):
            return self
        return replace(self, fault=None)

    def of_columns(self, kept: Callable[[str], bool]) -> Order:
        """Return what is still known where some columns are gone, or hold other values."""
        keys = frozenset(key for key in self.keys if all(map(kept, key)))
        witness = self.witness and self.witness.of_columns(kept)
        if self.fault is not None and self.fault.sure:
            return self.sure_of([*filter(kept, self.fault.sure)])._known_of(kept, keys, witness)
        return self._known_of(kept, keys, witness)

    def _known_of(self, kept: Callable[[str], bool], keys: Keys, witness: Witness | None) -> Order:
        return replace(self, keys=keys, by=frozenset(filter(kept, self.by)), witness=witness)

    def renamed(self, names: Mapping[str, str]) -> Order:
        """Return the same under the new names of columns."""
        keys = frozenset(frozenset(names.get(n, n) for n in key) for key in self.keys)
        by = frozenset(names.get(n, n) for n in self.by)
        return replace(self, keys=keys, by=by, witness=self.witness and self.witness.renamed(names))

    def without_keys(self) -> Order:
        """Return the order of rows of which nothing is known to identify one."""
        return replace(self, keys=NO_KEYS, witness=None)

    def identifies(self, given: Collection[str], columns: Callable[[], Collection[str]]) -> bool:
        """Return whether rows that are equal in the given columns are one row, or wholly equal."""
        if decides(given, (), self.keys):
            return True
        if not given:
            return False
        return decides(given, columns(), NO_KEYS) or bool(
            self.witness and self.witness.identify(given)
        )

    def determines(self, partition: Iterable[str], columns: Callable[[], Collection[str]]) -> bool:
        """Return whether no two rows of a partition could as well lie the other way round."""
        if self.doubt is None:
            return True
        return self.identifies({*self.by, *partition}, columns)

    def meets(self, need: Need, columns: Callable[[], Collection[str]]) -> bool:
        """Return whether the rows determine the answer of a step."""
        if need.by is not None:
            if self.identifies(need.by | need.partition, columns):
                return True
            if not need.stable:
                return False
        return self.determines(need.partition, columns)

    def faulty(self, need: Need, line: int) -> Order:
        """Return the order of what a step made though the rows do not determine its answer."""
        if self.fault is not None:
            return self
        return replace(self, fault=Fault(line, *self._about(need)))

    def _about(self, need: Need) -> tuple[str, str]:
        tied = f"rows may tie in {_listed(need.by)}" if need.by else ""
        if need.by is not None and (not need.stable or self.doubt is None):
            return f"{need.what}, and {tied or 'nothing puts the rows in order'}", need.fix or _TIES
        doubt = self.doubt or Doubt("nothing puts the rows in order", _TIES)
        return f"{need.what}, and {doubt.cause}", need.fix or doubt.fix


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


_TIES = "add columns to the sort until no two rows tie, such as the key of the rows"
