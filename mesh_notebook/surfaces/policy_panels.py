"""Policies as panels: what is set, what it makes of who asks, and what is gone."""

from __future__ import annotations

from mesh_notebook.surfaces.panel import Badge, Panel, Table
from mesh_notebook.surfaces.panels import panel_of
from mesh_notebook.workspace.erasing import Erased, ErasedEverywhere
from mesh_notebook.workspace.protecting import NewKey, Protected, Why

__all__: list[str] = []


@panel_of.register
def _(protected: Protected) -> Panel:
    said = protected.policy.said()
    return Panel(
        f"policy of {protected.port}",
        (Badge("set" if said else "none", "good" if said else "plain"),),
        tables=[Table(("the port",), [(line,) for line in said])] if said else [],
        sentence="" if said else "Everybody who can reach the port reads all of it.",
        next_step="%mesh export, and %mesh deploy: from then on it holds for every read, of every "
        "snapshot",
    )


@panel_of.register
def _(why: Why) -> Panel:
    decision = why.decision
    verdict = Badge("may read", "good") if decision.allowed else Badge("may not read", "bad")
    return Panel(
        f"{why.product}/{why.port} for {decision.principal.name}",
        (verdict,),
        tables=[
            Table((title,), [(line,) for line in lines])
            for title, lines in (
                (f"for {'you' if why.own else decision.principal.name}", decision.said()),
                ("the policy says that it", decision.policy.said()),
            )
            if lines
        ],
        next_step=_instead(why) if why.own else "",
    )


def _instead(why: Why) -> str:
    """Return what who asks may do where they may not read."""
    if why.decision.asks_instead:
        return f"%mesh ask {why.product}/{why.port} count"
    if why.decision.allowed:
        return ""
    made = "shape, as a stand-in" if why.mock == "shape" else "published contract alone"
    return f"%mesh connect {why.product}/{why.port} --mode mock gives rows made up of its {made}"


@panel_of.register
def _(erased: Erased) -> Panel:
    notes = [
        "everybody else's values can be read as before",
        "what is published from now on leaves its rows out",
        "a backup of the subjects' keys would bring it back: destroy those, too",
    ]
    for key in erased.shared:
        notes.append(_of_shared(key, remade=key in erased.remade))
    if erased.also:
        notes.insert(0, f"their key sealed {', '.join(erased.also)}, too: the same is true of it")
    return Panel(
        f"erased from {erased.product}/{erased.port}",
        (Badge("for ever", "warn"),),
        sentence=f"What was sealed of that {erased.column} cannot be read by anybody any more, in "
        f"any of {erased.snapshots} snapshots.",
        notes=notes,
    )


def _of_shared(key: str, remade: bool) -> str:
    said = (
        f"its token under the shared key {key} is forgotten: what other products publish of it "
        "from now on bears another, and what they published before still joins with it until it is "
        "erased there too (--everywhere)"
    )
    weak = "; yet who holds that key and knows the value can make the old token again, since the "
    return said + (f"{weak}key was not made by %mesh key new" if remade else "")


@panel_of.register
def _(erased: ErasedEverywhere) -> Panel:
    rows = [
        (
            "/".join(filter(None, (one.product, one.port))),
            one.column,
            Badge("erased", "good") if one.erased else Badge("kept", "bad"),
            one.said,
        )
        for one in erased.outcomes
    ]
    kept = sum(not one.erased for one in erased.outcomes)
    return Panel(
        f"erased {erased.subject}",
        (Badge(f"kept in {kept}", "bad") if kept else Badge("for ever", "warn"),),
        tables=(Table(("where", "column", "", ""), rows),),
        notes=("a backup of the subjects' keys would bring it back: destroy those, too",),
        next_step="see to those that keep it, and erase again" if kept else "",
    )


@panel_of.register
def _(made: NewKey) -> Panel:
    return Panel(
        f"key {made.name}",
        (Badge("made", "good"),),
        facts=(("key", str(made.path)), ("its register", str(made.register))),
        notes=(
            "only you can read them (mode 600); keep both, and a copy of the key",
            "who publishes under this key needs both files, and works on this one register",
            "a copy of the register brings back whom it is made to forget: destroy it, too",
        ),
        next_step=f"%mesh protect PORT.COLUMN --with tokenise --key {made.name}",
    )
