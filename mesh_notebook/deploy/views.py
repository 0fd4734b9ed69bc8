"""Who deploys must see its inputs as they were seen when the product was proved.

Masks and row filters depend on who asks. The recipe of an input says which were in force for the
proof; under others the same code makes other rows, of tokens for values perhaps, and nothing in the
rows would tell.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mesh_notebook.errors import DeployRefused, SpecError
from mesh_notebook.mesh.bundle import Bundle
from mesh_notebook.mesh.consumers import lineage_in
from mesh_notebook.mesh.inputs import OpenedInput
from mesh_notebook.mesh.seals import changed_files, sealed_receipt
from mesh_notebook.model.decision import Decision
from mesh_notebook.model.lineage import FILE, Lineage
from mesh_notebook.model.origin import Origin
from mesh_notebook.model.policy_words import either
from mesh_notebook.model.product import InputPort
from mesh_notebook.model.view import View, how

__all__ = ["refuse_other_view", "sealed_lineage"]


@dataclass(frozen=True)
class _Difference:
    """One rule that is in force and was not, or was and is not.

    `takes` are the roles of which one would lift it, `drops` those that lift it and did not for the
    proof. With neither, the policy is another one, for everybody.
    """

    said: str
    takes: tuple[str, ...] = ()
    drops: tuple[str, ...] = ()

    @property
    def for_everybody(self) -> bool:
        return not (self.takes or self.drops)


def refuse_other_view(port: InputPort, given: OpenedInput, bundle: Bundle) -> None:
    """Raise `DeployRefused` where an input shows something else than its product was proved on.

    A mask of a column that the transform does not use makes no difference. Of a bundle that says
    nothing of what was seen, as those of earlier versions, nothing is known.
    """
    if given.decision is None or "view" not in port.recipe:
        return
    proved, seen = View.from_dict(port.recipe["view"]), View.of(given.decision)
    if (proved.masks, proved.rows) == (seen.masks, seen.rows):
        return
    found = list(_differences(proved, given.decision, _used(port, bundle)))
    if not found:
        return
    name, asks = f"the input '{port.name}' ({given.pin.where})", given.decision.principal.name
    changed = [one.said for one in found if one.for_everybody]
    if changed:
        raise DeployRefused(
            f"{name} is not as it was proved: its policy has changed since, for everybody: "
            f"{'; '.join(changed)}.",
            next_step="prove it again: run the cell that connects it and those that follow, then "
            "%mesh export",
            input=port.name,
            changed=tuple(changed),
        )
    takes = tuple(dict.fromkeys(either(one.takes) for one in found if one.takes))
    drops = tuple(dict.fromkeys(role for one in found for role in one.drops))
    raise DeployRefused(
        f"{asks} sees {name} otherwise than who proved it{_as(proved)}: "
        f"{'; '.join(one.said for one in found)}.",
        next_step=_step(asks, found, drops),
        input=port.name,
        roles=takes,
        drops=drops,
    )


def _differences(
    proved: View, decision: Decision, used: Collection[str] | None
) -> Iterator[_Difference]:
    """Yield what differs; `used` are the columns that count, None means all of them."""
    seen, policy = View.of(decision), decision.policy
    for column in sorted({*proved.masks, *seen.masks}):
        was, now = proved.masks.get(column), seen.masks.get(column)
        if was == now or (used is not None and column not in used):
            continue
        mask = policy.mask(column)
        lifts = mask.exempt if mask else ()
        if was is None:
            yield _Difference(f"{column} is masked ({_kind(now)}), and was not", takes=lifts)
        elif now is None and mask and how(mask) == was:
            drops = tuple(sorted(decision.principal.roles.intersection(lifts)))
            yield _Difference(f"{column} is not masked, and was ({_kind(was)})", drops=drops)
        else:
            now_said = f"masked by {_kind(now)}" if now else "not masked"
            yield _Difference(f"{column} was masked by {_kind(was)}, and is {now_said}")
    exempt = {rule.where: rule.exempt for rule in policy.rows}
    for where in sorted({*seen.rows} - {*proved.rows}):
        said = f"it shows only rows where {where}, and showed all"
        yield _Difference(said, takes=exempt[where])
    for where in sorted({*proved.rows} - {*seen.rows}):
        drops = tuple(sorted(decision.principal.roles.intersection(exempt.get(where, ()))))
        yield _Difference(f"it shows all rows, and showed only those where {where}", drops=drops)


def _used(port: InputPort, bundle: Bundle) -> Collection[str] | None:
    """Return the columns that the transform uses of an input; None where any may be.

    A sample is chosen by the key as it is seen.
    """
    if port.recipe.get("mode") == Origin.SAMPLE:
        return None
    lineage = sealed_lineage(bundle)
    return lineage.reads.get(port.name) if lineage else None


def sealed_lineage(bundle: Bundle) -> Lineage | None:
    """Return the lineage of a bundle, where it was sealed with the transform that is there.

    Lineage that was not may be of another one.
    """
    try:
        files: Mapping[str, Any] = sealed_receipt(bundle.folder)["files"]
    except SpecError:
        return None
    wanted = {name: files[name] for name in (FILE, "transform.py") if name in files}
    gone = any(not said.endswith("added") for said in changed_files(bundle.folder, wanted))
    return lineage_in(bundle.folder) if len(wanted) == 2 and not gone else None


def _kind(mask: Mapping[str, Any] | None) -> str:
    return str(mask["mask"]) if mask else ""


def _as(proved: View) -> str:
    return f" as {', '.join(proved.roles)}" if proved.roles else " without a role"


def _step(asks: str, found: list[_Difference], drops: tuple[str, ...]) -> str:
    steps = []
    choices = dict.fromkeys(one.takes for one in found if one.takes)
    if choices:
        needed = " and ".join(f"the role {either(roles)}" for roles in choices)
        grants = " and ".join(f"%mesh grant {asks} {roles[0]}" for roles in choices)
        steps.append(
            f"it takes {needed}: {grants}, or deploy as who has it, --principal NAME (where "
            "MESH_ROLES is set, it must name it)"
        )
    if drops:
        steps.append(
            f"leave the role {' and '.join(drops)} aside: MESH_ROLES names those to use (empty: "
            "none), or deploy as who does not have it, --principal NAME"
        )
    return "; and ".join(steps)
