"""Python in the one layout that ruff gives it."""

from __future__ import annotations

import ast
import json
import subprocess
from collections.abc import Sequence

from mesh_notebook.errors import ExportRefused

__all__ = ["broken_rules", "formatted", "laid_out"]


_OPTIONS = ("--isolated", "--line-length=100", "--target-version=py311", "--no-cache")


def formatted(text: str) -> str:
    """Return Python as ruff formats it, imports sorted and unused ones removed.

    Imports that stand in a `try` or a function are left as they are where that would change more
    than their layout.

    Raises
    ------
    ExportRefused
        The text is no valid Python: a construct that a function cannot hold.
    """
    try:
        compile(text, "transform.py", "exec")
    except SyntaxError as error:
        line = text.split("\n")[(error.lineno or 1) - 1].strip()
        raise ExportRefused(
            f"`{line}` cannot stand inside a function: {error.msg}.",
            next_step="write that statement in another way",
            cell=None,
            name="",
        ) from None
    for rules in ("I,F401", "F401", ""):
        made = laid_out(text, rules)
        if _meaning(made) == _meaning(text):
            return made
    raise ExportRefused(
        "formatting the module would change what it means.",
        next_step="look for unusual characters in the comments of the cells",
        cell=None,
        name="",
    )


def laid_out(text: str, rules: str = "") -> str:
    """Return Python in ruff's layout, with what breaks these rules mended where that is safe."""
    if rules:
        text = _ruff(["check", *_OPTIONS, "--fix-only", f"--select={rules}", "-"], text)
    return _ruff(["format", *_OPTIONS, "-"], text)


def broken_rules(text: str, rules: Sequence[str]) -> list[str]:
    """Return which of some rules of ruff a module breaks, by their codes, sorted."""
    select, quiet = f"--select={','.join(rules)}", ["--exit-zero", "--output-format=json"]
    found = json.loads(_ruff(["check", *_OPTIONS, select, *quiet, "-"], text))
    return sorted({one["code"] for one in found if one["code"]})


def _meaning(text: str) -> list[str]:
    """Return what a module says but for its imports and docstrings, which ruff may lay out anew."""
    nodes = [n for n in ast.parse(text).body if not isinstance(n, ast.Import | ast.ImportFrom)]
    return [ast.dump(_without_docstrings(node)) for node in nodes]


def _without_docstrings(node: ast.stmt) -> ast.stmt:
    for part in ast.walk(node):
        body = getattr(part, "body", None)
        if isinstance(body, list) and body and _is_text(body[0]):
            body[0] = ast.Pass()
    return ast.Pass() if _is_text(node) else node


def _is_text(node: ast.AST) -> bool:
    plain = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return plain and isinstance(node.value.value, str)  # type: ignore[attr-defined]


def _ruff(arguments: Sequence[str], text: str) -> str:
    from ruff import find_ruff_bin  # type: ignore[import-untyped]

    command = [str(find_ruff_bin()), *arguments, "--stdin-filename=transform.py"]
    done = subprocess.run(command, input=text.encode(), capture_output=True, check=False)
    if done.returncode != 0:
        raise ExportRefused(
            f"ruff cannot format the module: {done.stderr.decode().strip()}",
            next_step="pip install --force-reinstall ruff",
            cell=None,
            name="",
        )
    return done.stdout.decode()
