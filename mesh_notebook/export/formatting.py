"""Python in the one layout that ruff gives it."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

from mesh_notebook.errors import ExportRefused

__all__ = ["formatted"]


def formatted(text: str) -> str:
    """Return Python as ruff formats it, imports sorted and unused ones removed.

    Raises
    ------
    ExportRefused
        The text is no valid Python: a construct that a function cannot hold.
    """
    try:
        compile(text, "transform.py", "exec")
    except SyntaxError as error:
        line = text.splitlines()[(error.lineno or 1) - 1].strip()
        raise ExportRefused(
            f"`{line}` cannot stand inside a function: {error.msg}.",
            next_step="write that statement in another way",
            cell=None,
            name="",
        ) from None
    options = ["--isolated", "--line-length=100", "--target-version=py311"]
    fixed = _ruff(["check", *options, "--fix-only", "--select=I,F401", "--no-cache", "-"], text)
    return _ruff(["format", *options, "--no-cache", "-"], fixed)


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
