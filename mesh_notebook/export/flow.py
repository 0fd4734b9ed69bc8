"""Which executed statements each name owes its value to, followed through the whole record.

One pass in execution order. For each name it is known which statements made its value what it is
(the last binding, and every change since), which other names may share the value, and which code
the value may run later. Where the text and the recorded types leave a doubt, more is kept.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Sequence

from mesh_notebook.export import known
from mesh_notebook.export.aliases import Aliases
from mesh_notebook.export.draws import Drawn, Draws
from mesh_notebook.export.effects import Body, Effects
from mesh_notebook.export.flows import Flow
from mesh_notebook.export.given import put_together
from mesh_notebook.export.graph import Graph
from mesh_notebook.export.meaning import BUILTINS, Meanings
from mesh_notebook.export.own_sql import is_relation, queries_in, quiet
from mesh_notebook.export.process_settings import (
    OF_OPERATORS,
    PROCESS,
    settings_read,
    settings_written,
)
from mesh_notebook.export.sharing import shares
from mesh_notebook.export.statements import Statement
from mesh_notebook.export.touches import Touch
from mesh_notebook.export.unseen import TOLD, Running, owe_rows

__all__ = ["Pass", "graph_of"]

_LAZY = ("polars.", "duckdb.")  # frames and relations


def graph_of(statements: Sequence[Statement]) -> Graph:
    """Follow every name through the statements."""
    return Pass().follow(statements)


class Pass:
    """The one pass: what is known of every name between two statements."""

    def __init__(self) -> None:
        self.graph = Graph()
        self.names = Meanings()
        self.aliases = Aliases()
        self.writers: dict[str, tuple[int, ...]] = {}
        self.bound_by_calls: set[str] = set()
        self.draws = Draws()

    def follow(self, statements: Sequence[Statement]) -> Graph:
        """Go on through the statements of whole cells; return the graph of all until now."""
        self.names.expect(statements)
        for statement in statements:
            before = self.graph.statements[-1] if self.graph.statements else None
            if before is not None and before.cell.index != statement.cell.index:
                self._link_the_same(before)
                self.bound_by_calls = set()
            statement.index = len(self.graph.statements)
            self.graph.statements.append(statement)
            self._step(statement)
        self.graph.final = self.writers
        self.graph.deferred = self._deferred()
        self.graph.kinds = {}
        return self.graph

    def _deferred(self) -> set[str]:
        """Return the names that code changes which runs when a lazy frame is collected."""
        names = self.names
        lazy = [n for n in self.writers if self._is_lazy(n)]
        bodies = names.reached(names.code_of(*lazy))
        touches = [t for b in bodies for touch in _free_touches(b) for t in names.meant(touch)]
        called = {
            n for b in bodies for n in b.reads if any(map(names.keeps_state, names.code_of(n)))
        }
        read = {n for b in bodies for n in b.reads if names.acts_when_read(n)}
        changed = {t.name for t in touches if names.changes(t)} | called | read
        return self.aliases.reached(changed | {n for b in bodies for n in b.binds})

    def copy(self) -> Pass:
        """Return a pass that goes on from here on its own."""
        other = Pass()
        graph = self.graph
        other.graph = Graph(
            statements=list(graph.statements),
            needs=list(graph.needs),
            missing=list(graph.missing),
            builtins=list(graph.builtins),
            unseeded=list(graph.unseeded),
            writes=list(graph.writes),
            collected=list(graph.collected),
            settings=list(graph.settings),
        )
        other.names, other.aliases = self.names.copy(), self.aliases.copy()
        other.writers = dict(self.writers)
        other.bound_by_calls, other.draws = set(self.bound_by_calls), self.draws.copy()
        return other

    def _step(self, statement: Statement) -> None:
        if statement.kind == "unrun" and not self._stopped_by_rows(statement):
            statement.effects = Effects()
        effects, names = statement.effects, self.names
        if statement.kind == "opaque":
            for name in [n for n in effects.binds if self._explained(n, statement)]:
                del effects.binds[name]
        self._read_queries(statement)
        bodies = self._runs(statement)
        changed = self._changed(statement, bodies)
        self.graph.collected.append(changed - self._changed_at_once(statement, changed))
        drawn = self.draws.of(effects.asks, bodies, effects.binds, names)
        by_calls = {name for body in bodies for name in body.binds}
        self.bound_by_calls |= by_calls
        self._remember(statement, bodies, drawn)
        code, links = self._code_made(statement), self._links(effects.flows)
        together = list(put_together(effects.touches, names.function, names.origin_of))
        self._write(statement, changed | drawn.touched, by_calls)
        # Who sets a generator before drawing owes nothing to the draws before.
        self.writers |= dict.fromkeys(drawn.reset, (statement.index,))
        self._keep_code(statement, code, changed)
        self._relink(statement, links)
        self._link_relations(statement)
        for name in sorted(self._running(statement, bodies).ends()):
            self.aliases.link(TOLD, name)
        for one, other in together:
            if known.FROZEN not in (names.kind_of(one), names.kind_of(other)):
                self.aliases.link(one, other)

    def _stopped_by_rows(self, statement: Statement) -> bool:
        """Return whether what stopped the cell of a statement owes anything to an input."""
        done = self.graph.statements[: statement.index]
        stopped = [s.index for s in done if s.half and s.cell.index == statement.cell.index]
        return owe_rows(self.graph, stopped)

    def _running(self, statement: Statement, bodies: list[Body]) -> Running:
        return Running(statement, bodies, self.names, self.graph, self.writers)

    def _changed(self, statement: Statement, bodies: list[Body]) -> set[str]:
        """Return the names that a statement may change, by itself or by the code that it runs."""
        effects, names = statement.effects, self.names
        running = self._running(statement, bodies)
        touches = [same for touch in running.touches for same in names.meant(touch)]
        same = quiet(statement.node, statement.queries)
        changed = {t.name for t in touches if t.name not in same and names.changes(t)}
        changed |= {q.receiver for q in statement.queries if not (q.only_reads or q.inside)}
        changed |= self._changed_by_calls(statement) if bodies else set()
        given = {name for called in effects.reads for name in names.returned(called)}
        changed |= {name for name in effects.reads | given if names.acts_when_read(name)}
        changed |= {TOLD} if running.tells and self.aliases.of(TOLD) else set()
        changed = self.aliases.reached(changed)
        changed |= running.written(changed) | ({TOLD} if running.redirects else set())
        changed |= settings_written(statement.node, running.asks, names.made_by)
        libraries = running.libraries(changed)
        changed |= {PROCESS} if libraries & OF_OPERATORS else set()
        return changed | running.marks(libraries)

    def _changed_at_once(self, statement: Statement, changed: set[str]) -> set[str]:
        """Return what a statement may change without collecting a lazy frame."""
        lazy = {n for n in statement.effects.reads if self._is_lazy(n)}
        if not changed or not self.names.code_of(*lazy):
            return changed
        return self._changed(statement, self._runs(statement, lazy))

    def _is_lazy(self, name: str) -> bool:
        return (self.names.type_of(name) or "").startswith(_LAZY)

    # ---- SQL of the notebook's own ------------------------------------------------------------

    def _read_queries(self, statement: Statement) -> None:
        """Take the tables of a statement's own SQL for names that it reads."""
        if statement.kind != "code":
            return

        def type_of(name: str) -> str | None:
            own = name in statement.effects.binds
            return statement.cell.types.get(name) if own else self.names.type_of(name)

        given = type_of, self.names.origin_of, self._spelled
        statement.queries = queries_in(statement.node, *given)
        for query in statement.queries:
            tables = {n for n in query.tables if n in self.writers or n not in BUILTINS}
            if not query.inside:
                statement.effects.reads |= tables
                statement.effects.values |= tables

    def _spelled(self, name: str) -> ast.expr | None:
        """Return the expression that a name stands for, where nothing was done to it since."""
        binder = self.names.binder.get(name)
        alone = binder is not None and self.writers.get(name) == (binder.index,)
        match binder.node if binder is not None and alone else None:
            case ast.Assign(targets=[ast.Name()], value=value):
                return value
        return None

    def _link_relations(self, statement: Statement) -> None:
        """Link relations to the frames of their SQL, at which they look when they are asked."""
        made = [n for n in statement.effects.binds if is_relation(self.names.type_of(n))]
        tables = {t for q in statement.queries for t in q.tables if t in self.writers}
        for name in made:
            for table in sorted(tables - {name}):
                if self.names.kind_of(table) != known.FROZEN:
                    self.aliases.link(name, table)

    def _explained(self, name: str, statement: Statement) -> bool:
        """Return whether the cell's own statements account for what became of a name."""
        if statement.effects.binds[name]:  # it means something else
            return name in self.bound_by_calls
        writers = [self.graph.statements[w] for w in self.writers.get(name, ())]
        return any(s.cell.index == statement.cell.index for s in writers)

    def _runs(self, statement: Statement, without: Collection[str] = ()) -> list[Body]:
        """Return the code that may run in a statement: its own, and what its names bring along."""
        effects, node = statement.effects, statement.node
        if isinstance(node, ast.Assign | ast.Expr) and isinstance(node.value, ast.Name):
            return []  # naming or showing a value runs nothing of it
        own = effects.bodies if effects.runs_bodies else []
        brought = sorted(effects.reads.difference(without))
        bodies = self.names.reached([*own, *self.names.code_of(*brought)])
        told = self.names.code_of(*sorted(self.aliases.of(TOLD)))
        if told and self._running(statement, bodies).tells:
            return self.names.reached([*bodies, *told])
        return bodies

    def _changed_by_calls(self, statement: Statement) -> set[str]:
        """Return the names of functions that a call may leave in another state."""
        names = self.names
        return {
            name
            for name in statement.effects.reads
            if any(names.keeps_state(body) for body in names.code_of(name))
        }

    def _remember(self, statement: Statement, bodies: list[Body], drawn: Drawn) -> None:
        graph, effects = self.graph, statement.effects
        later = {name for body in bodies for name in body.reads} - effects.reads
        needs, missing, found = {}, {}, set()
        for name in sorted(effects.reads | later):
            if name in self.writers:
                needs[name] = self.writers[name]
            elif name in BUILTINS:
                found.add(name)
            elif name not in later or name not in effects.binds:
                missing[name] = name not in later
        settings = self._settings_read(statement, bodies)
        sources = (*drawn.before, PROCESS, *settings)
        needs |= {s: self.writers[s] for s in sources if s in self.writers}
        # `getcontext().prec = 4` is a setting of the library, for whatever else is imported of it.
        libraries = {f"<{self.names.library_of(n)}>" for n in effects.reads | later}
        needs |= {state: self.writers[state] for state in libraries if state in self.writers}
        graph.needs.append(needs)
        graph.missing.append(missing)
        graph.builtins.append(found)
        graph.unseeded.append(drawn.unseeded)
        graph.settings.append(settings)

    def _settings_read(self, statement: Statement, bodies: list[Body]) -> frozenset[str]:
        """Return the settings of the process that a statement may ask for."""
        effects = statement.effects

        def type_of(name: str) -> str | None:  # of what is local to a function nothing is known
            return self.names.type_of(name) if name in effects.reads else None

        inside = [ask for body in bodies for ask in body.asks]
        read = settings_read(effects.asks, type_of) | settings_read(inside, lambda _: None)
        running = self._running(statement, bodies)
        read |= {TOLD} if running.tells and self.aliases.of(TOLD) else set()
        return read | running.reached()

    # ---- writing ------------------------------------------------------------------------------

    def _write(self, statement: Statement, changed: set[str], by_calls: set[str]) -> None:
        binds = statement.effects.binds
        strong = {n for n, certain in binds.items() if certain and not self._again(statement, n)}
        there = {n for n in changed if n in self.writers or n.startswith("<")}
        for name in sorted((there | by_calls | set(binds)) - strong):
            self.writers[name] = (*self.writers.get(name, ()), statement.index)
        self.writers |= dict.fromkeys(strong, (statement.index,))
        self.graph.writes.append(frozenset(there | by_calls | set(binds)))
        self.names.binder |= dict.fromkeys([*binds, *by_calls], statement)
        for name in statement.effects.deletes - set(binds):
            for known_of in (self.writers, self.names.binder, self.names.code):
                known_of.pop(name, None)

    def _again(self, statement: Statement, name: str) -> bool:
        """Return whether an import binds the module that is there, with all that was done to it."""
        binder = self.names.binder.get(name)
        same = binder is not None and binder.origin == statement.origin
        return same and statement.kind == "import"

    # ---- sharing ------------------------------------------------------------------------------

    def _links(self, flows: Sequence[Flow]) -> list[tuple[Flow, str, str, set[str]]]:
        """Return the flows with what is known of their sources before the statement."""
        found = []
        for flow in [meant for one in flows for meant in self._meant(one)]:
            use = self.names.chosen(flow.source)
            flow, origin = Flow(flow.target, use), self.names.taken_by(use)
            found.append((flow, self.names.kind_of(use.name), origin, self.aliases.of(use.name)))
        return found

    def _meant(self, flow: Flow) -> Iterator[Flow]:
        """Yield a flow; of what a call gives, also those of the names that it may return."""
        yield flow
        if flow.source.how == "call":
            for name in sorted(self.names.returned(flow.source.name)):
                yield Flow(flow.target, Touch(name, "held"))

    def _relink(
        self, statement: Statement, links: Sequence[tuple[Flow, str, str, set[str]]]
    ) -> None:
        strong = {name for name, certain in statement.effects.binds.items() if certain}
        for name in strong:
            self.aliases.unlink(name)
        for flow, kind, origin, before in links:
            if shares(flow.source, kind, self.names.kind_of(flow.target), origin):
                name = flow.source.name
                for other in before if name in strong else {name}:
                    self.aliases.link(flow.target, other)

    def _link_the_same(self, statement: Statement) -> None:
        """Link the names that stood for one and the same object when the cell was over."""
        first: dict[int, str] = {}
        for name, identity in statement.cell.ids.items():
            if known.kind_of(statement.cell.types.get(name)) != known.FROZEN:
                self.aliases.link(name, first.setdefault(identity, name))

    # ---- code ---------------------------------------------------------------------------------

    def _code_made(self, statement: Statement) -> dict[str, tuple[Body, ...]]:
        """Return the code that a statement's values may hold: all of it, and the lazy part."""
        effects, names = statement.effects, self.names
        held = names.code_of(*sorted(effects.values))
        called = names.code_of(*sorted(effects.reads - effects.values))
        later = [body for body in called if names.returns_code(body)]
        own = effects.bodies
        return {"all": _once(*own, *held, *called), "lazy": _once(*own, *held, *later)}

    def _keep_code(
        self, statement: Statement, made: dict[str, tuple[Body, ...]], changed: set[str]
    ) -> None:
        code, binds = self.names.code, statement.effects.binds
        for name, certain in binds.items():
            before = () if certain else code.get(name, ())
            code[name] = _once(*before, *self._held_by(name, statement, made))
        for name in sorted(changed - set(binds)):
            if more := self._held_by(name, statement, made):
                code[name] = _once(*code.get(name, ()), *more)

    def _held_by(
        self, name: str, statement: Statement, made: dict[str, tuple[Body, ...]]
    ) -> tuple[Body, ...]:
        kind = self.names.type_of(name)
        if statement.kind == "import" or not known.may_hold_code(kind):
            return ()
        return made["lazy" if (kind or "").startswith("polars.") else "all"]


def _once(*bodies: Body) -> tuple[Body, ...]:
    return tuple({id(body): body for body in bodies}.values())


def _free_touches(body: Body) -> Iterator[Touch]:
    return (touch for touch in body.touches if touch.name not in body.params)
