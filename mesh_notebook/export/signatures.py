"""What is known of a module's own functions: what they are given, and what they give."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping

from mesh_notebook.export.inferring import ANY, Types, joined, named, of_record

__all__ = ["FUNCTION", "Signatures", "is_static", "own_nodes", "parameters_of", "stores"]

FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef
_ROUNDS = 3  # a function that calls one that calls one: deeper than that is told as Any
_NESTED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_Calls = Mapping[str, list[tuple[ast.Call, Types]] | None]


class Signatures:
    """The functions of a module, each with the class that it stands in."""

    def __init__(self, tree: ast.Module, recorded: Mapping[str, str]) -> None:
        imports = dict(_imports(tree))
        kinds = {name: of_record(kind, imports) for name, kind in recorded.items()}
        self.tree = tree
        self.recorded = {name: kind for name, kind in kinds.items() if kind != ANY}
        self.bound = _bound(tree)
        self.functions = list(_functions(tree))
        self.returns = {n.name: n.name for n in tree.body if isinstance(n, ast.ClassDef)}
        self.given: dict[ast.AST, dict[str, str]] = {}
        for _ in range(_ROUNDS):
            calls = self._calls()
            for function, owner in self.functions:
                self.given[function] = self._parameters(function, owner, calls)
            for function, owner in self.functions:
                where = f"{owner.name}." if owner else ""
                # What a decorator makes of it is not known.
                kind = ANY if function.decorator_list else self.result(function)
                self.returns[f"{where}{function.name}"] = kind

    def types(self, function: FUNCTION, more: Mapping[str, str]) -> Types:
        """Return what the names of a function mean: its parameters, and what is bound in it.

        As for a type checker, a name has the type of what it is bound to first.
        """
        types = Types({**more, **self.given.get(function, {})}, self.returns)
        first: dict[str, str] = dict(self.given.get(function, {}))
        for node in own_nodes(function):
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    kind = types.of(value)
                    told = first.setdefault(name, kind)
                    same = told != ANY and kind in (told, ANY)
                    types.names[name] = told if same else more.get(name, ANY)
                case ast.AnnAssign(target=ast.Name(id=name), annotation=said):
                    first[name] = types.names[name] = ast.unparse(said)
        return types

    def _calls(self) -> _Calls:
        """Return by function how it is called; None of one that is also handed on as a value."""
        found: dict[str, list[tuple[ast.Call, Types]] | None] = defaultdict(list)
        called: set[ast.expr] = set()
        for function, _ in self.functions:
            types = self.types(function, self.recorded)
            for node in own_nodes(function):
                if isinstance(node, ast.Call) and (known := found[_name(node.func)]) is not None:
                    called.add(node.func)
                    known.append((node, types))
        for node in ast.walk(self.tree):
            reads = isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load)
            if reads and node not in called:
                found[_name(node)] = None
        return found

    def _parameters(
        self, function: FUNCTION, owner: ast.ClassDef | None, calls: _Calls
    ) -> dict[str, str]:
        name = f".{function.name}" if owner else function.name
        name = owner.name if owner and function.name == "__init__" else name
        sites = calls.get(name) or []
        found = {}
        plain = parameters_of(function, owner)
        for at, one in enumerate([*plain, *function.args.kwonlyargs]):
            if one.annotation:
                found[one.arg] = ast.unparse(one.annotation)
                continue
            position = at if at < len(plain) else None
            given = (_argument(call, types, position, one.arg) for call, types in sites)
            kinds = [kind for kind in given if kind]
            kinds += [Types(self.recorded, {}).of(value) for value in _default(function, one)]
            sure = sites and kinds and not stores(function, one.arg)
            found[one.arg] = self._speakable(joined(kinds)) if sure else ANY
        return found

    def result(self, function: FUNCTION) -> str:
        """Return what a function gives, as an annotation says it."""
        if function.returns:
            return ast.unparse(function.returns)
        types, nodes = self.types(function, {}), list(own_nodes(function))
        values = [n.value for n in nodes if isinstance(n, ast.Return)]
        yields = [n for n in nodes if isinstance(n, ast.Yield | ast.YieldFrom)]
        if yields:
            plain = all(isinstance(n, ast.Yield) for n in yields) and not any(values)
            kind = self._speakable(joined(types.of(n.value) for n in yields))
            return f"Iterator[{kind}]" if plain and isinstance(function, ast.FunctionDef) else ANY
        if not any(values):
            return "None"
        falls = not isinstance(function.body[-1], ast.Return | ast.Raise)
        return ANY if falls else self._speakable(joined(map(types.of, values)))

    def _speakable(self, kind: str) -> str:
        """Return a type that means the same wherever it stands in the module."""
        names = {n.id for n in ast.walk(ast.parse(named(kind))) if isinstance(n, ast.Name)}
        return ANY if names & self.bound else named(kind)


# ---- how a module is read ----------------------------------------------------------------------


def own_nodes(function: ast.AST) -> Iterator[ast.AST]:
    """Yield what stands in a function, in the order of the text, without functions inside it."""
    for node in ast.iter_child_nodes(function):
        yield node
        if not isinstance(node, _NESTED):
            yield from own_nodes(node)


def stores(scope: ast.AST, name: str) -> int:
    """Return how often a name is bound in a scope, functions inside it counted."""
    found = 0
    for node in ast.walk(scope):
        if isinstance(node, ast.Name) and node.id == name:
            found += not isinstance(node.ctx, ast.Load)
        elif isinstance(node, _NESTED[:3]) and node is not scope:
            found += node.name == name
    return found


def parameters_of(function: FUNCTION, owner: ast.ClassDef | None) -> list[ast.arg]:
    """Return the parameters by position, without the `self` of a method."""
    plain = [*function.args.posonlyargs, *function.args.args]
    return plain[1:] if owner and not is_static(function) else plain


def is_static(function: FUNCTION) -> bool:
    return any(_name(d) == "staticmethod" for d in function.decorator_list)


def _functions(
    node: ast.AST, owner: ast.ClassDef | None = None
) -> Iterator[tuple[FUNCTION, ast.ClassDef | None]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, FUNCTION):
            yield child, owner
        inside = child if isinstance(child, ast.ClassDef) else None
        yield from _functions(child, inside if not isinstance(child, FUNCTION) else None)


def _imports(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and not node.level:
            for one in node.names:
                yield f"{node.module}.{one.name}", one.asname or one.name
        elif isinstance(node, ast.Import):
            for one in node.names:
                if module := _standard(one.name):
                    for kind in module:
                        yield f"{one.name}.{kind}", f"{one.asname or one.name}.{kind}"


def _standard(name: str) -> tuple[str, ...]:
    """Return the types that are often meant by a module's name alone."""
    return {"datetime": ("date", "datetime", "time", "timedelta"), "decimal": ("Decimal",)}.get(
        name, ()
    )


def _bound(tree: ast.Module) -> set[str]:
    """Return all names that are bound anywhere but by an import or as a class."""
    found = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and _binds(n)}
    found |= {n.arg for n in ast.walk(tree) if isinstance(n, ast.arg)}
    return found | {n.name for n in ast.walk(tree) if isinstance(n, FUNCTION)}


def _binds(node: ast.Name) -> bool:
    return not isinstance(node.ctx, ast.Load)


def _name(node: ast.AST) -> str:
    return f".{node.attr}" if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _argument(call: ast.Call, types: Types, position: int | None, name: str) -> str | None:
    """Return what a call gives for a parameter; None where it leaves it to the default."""
    if any(isinstance(one, ast.Starred) for one in call.args):
        return ANY
    if any(word.arg is None for word in call.keywords):
        return ANY
    for word in call.keywords:
        if word.arg == name:
            return types.of(word.value)
    if position is not None and position < len(call.args):
        return types.of(call.args[position])
    return None


def _default(function: FUNCTION, one: ast.arg) -> list[ast.expr]:
    arguments = function.args
    if one in arguments.kwonlyargs:
        default = arguments.kw_defaults[arguments.kwonlyargs.index(one)]
        return [default] if default else []
    plain = [*arguments.posonlyargs, *arguments.args]
    at = plain.index(one) - (len(plain) - len(arguments.defaults))
    return [arguments.defaults[at]] if at >= 0 else []
