"""The bundle's files, as bytes; and a folder that changes whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import re
import shutil
import sys
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesh_notebook.errors import ExportRefused
from mesh_notebook.export import project, templates
from mesh_notebook.export.comparing import ABSOLUTE, REL, REL_32
from mesh_notebook.export.drafts import OutputDraft
from mesh_notebook.export.formatting import formatted, laid_out
from mesh_notebook.export.module import Module
from mesh_notebook.export.packages import data_of, imported
from mesh_notebook.export.said import sealed_statements
from mesh_notebook.export.testing import tests
from mesh_notebook.mesh.identity import meaning_of
from mesh_notebook.mesh.on_mocks import Unfit
from mesh_notebook.mesh.seals import RECEIPT, fingerprint, sealed
from mesh_notebook.model.address import python_name
from mesh_notebook.model.product import Product
from mesh_notebook.model.receipt import Receipt

if TYPE_CHECKING:
    import polars as pl

__all__ = ["files_of", "receipt_of", "refuse_foreign", "restore", "write_whole"]

FORMAT = "mesh-notebook bundle 1"
MODULE = "transform.py"
_ABANDONED = 600  # seconds: the files of a bundle are written in less than one
_THROUGH_PANDAS = re.compile(r"\b(?:to|from)_pandas\(")
_CACHES = frozenset({"__pycache__", ".pytest_cache", ".ruff_cache", ".mypy_cache"})


def files_of(
    module: Module,
    documents: Mapping[str, str],
    outputs: Mapping[str, OutputDraft],
    notebook: str,
    portable: Mapping[str, bytes],
    frames: Mapping[str, pl.DataFrame],
    unfit: Mapping[str, Unfit],
    tried: Sequence[str] = (),
) -> dict[str, bytes]:
    """Return by path every file of the bundle but its mocks, its lineage and its receipt."""
    plan, texts = module.plan, dict(documents)
    spec = Product.loads(texts["product.odps.yaml"])
    needs = _dependencies(module.text)
    contracts = [name for name in texts if name.startswith("contracts/")]
    more = _at_least(["narwhals"]) if portable else []
    texts |= {
        MODULE: module.text,
        "tests/test_transform.py": laid_out(tests(frames, unfit)),
        "policies/README.md": templates.policies(spec, tried),
        "pyproject.toml": project.pyproject(spec, needs, module.text, more),
        "README.md": templates.readme(spec, plan, outputs, needs, contracts, data_of(module.text)),
        project.WORKFLOW: project.workflow(contracts),
        "notebook.ipynb": notebook,
    }
    files = {name: text.encode() for name, text in texts.items()} | dict(portable)
    for draft in plan.inputs.values():
        files |= draft.files
    return files


def receipt_of(
    module: Module,
    files: Mapping[str, bytes],
    frames: Mapping[str, pl.DataFrame],
    ported: Mapping[str, Any],
    outputs: Mapping[str, OutputDraft],
    notebook: Mapping[str, Any],
) -> bytes:
    """Return what proves the bundle: the hash of each file, the inputs, the rows, the versions.

    Parameters
    ----------
    frames
        By port: the rows that were proved.
    ported
        How it goes to other engines (see `portable.Portable.told`).
    notebook
        `asItRan`: whether the bundle's notebook was written from what ran, and `beside`: what ran
        besides (see `notebook.beside`).
    """
    plan = module.plan
    pins = tuple(replace(d.pin, name=name) for name, d in plan.inputs.items())
    receipt = {
        "format": FORMAT,
        "origin": Receipt.origin_of(pins),
        "inputs": [asdict(pin) for pin in pins],
        "proved": {
            "rows": {port: frame.height for port, frame in frames.items()},
            "seals": {port: fingerprint(frame) for port, frame in frames.items()},
            "floats": {"relative": REL, "relative32": REL_32, "absolute": ABSOLUTE},
        },
        **ported,
        "declared": {port: dict(draft.declared) for port, draft in outputs.items()},
        "statements": sealed_statements(module, {python_name(p): p for p in outputs}),
        # By function: the ports' functions that begin with it.
        "beginnings": {one.name: list(one.ports) for one in module.beginnings},
        "notebook": dict(notebook),
        "meaning": meaning_of(module.text.encode()),
        "engine": _versions(("polars", "duckdb", "mesh-notebook")),
        "files": {name: hashlib.sha256(files[name]).hexdigest() for name in sorted(files)},
    }
    return (json.dumps(sealed(receipt), indent=2, ensure_ascii=False) + "\n").encode()


def _versions(names: Iterable[str]) -> dict[str, str]:
    from importlib.metadata import version

    return {"python": platform.python_version(), **{name: version(name) for name in names}}


def _dependencies(text: str) -> list[str]:
    """Return the distributions that a module imports, each at least as new as it is here."""
    from importlib.metadata import packages_distributions

    roots = sorted(set(imported(text)) - set(sys.stdlib_module_names) - {"polars", "duckdb"})
    if _THROUGH_PANDAS.search(text):  # perhaps without an import of its own
        roots = sorted({*roots, "pandas", "pyarrow"})
    names = ["duckdb", "polars"]
    if roots:
        by_module = packages_distributions()
        names += sorted({by_module[root][0] for root in roots if root in by_module})
    data = {one.partition("==")[0]: one for one in data_of(text).values()}
    return [data.get(name) or least for name, least in zip(names, _at_least(names), strict=True)]


def _at_least(names: Iterable[str]) -> list[str]:
    from importlib.metadata import version

    return [f"{name}>={version(name)}" for name in names]


# ---- the folder --------------------------------------------------------------------------------


def refuse_foreign(folder: Path, module: str | None = None) -> None:
    """Raise `ExportRefused` where writing would destroy what no export made.

    Parameters
    ----------
    module : str, optional
        The module to be written: an edited one that says the same, as a notebook that was loaded
        from it does, is not destroyed. Without it, an edited module is not judged yet.
    """
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise _taken(folder, f"{folder.name} is not a folder.")
    if not folder.exists() or not any(folder.iterdir()):
        return
    receipt = _receipt(folder)
    if receipt is None:
        raise _taken(folder, f"{folder.name} holds files that no export wrote.")
    for name, digest in receipt["files"].items():
        path = folder / name
        edited = path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() != digest
        if edited and not (name == MODULE and (module is None or _says(path, module))):
            raise _taken(folder, f"{folder.name}/{name} was edited since it was exported.")


def _says(path: Path, module: str) -> bool:
    """Return whether an edited module is the one to be written, but for its layout."""
    try:
        return formatted(path.read_text("utf-8")) == module
    except (ExportRefused, UnicodeDecodeError):
        return False


def _receipt(folder: Path) -> dict[str, Any] | None:
    try:
        raw = json.loads((folder / RECEIPT).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    ours = isinstance(raw, dict) and raw.get("format") == FORMAT
    return raw if ours and isinstance(raw.get("files"), dict) else None


def _taken(folder: Path, problem: str) -> ExportRefused:
    return ExportRefused(
        f"{problem} An export would replace it.",
        next_step="export into another folder, or move that one away; %mesh diff says what was "
        "edited, and %mesh load opens an edited module as a notebook",
        cell=None,
        name=folder.name,
    )


def write_whole(folder: Path, files: Mapping[str, bytes]) -> None:
    """Replace a folder's bundle by these files: aside first, then by renaming.

    What else lies in the folder (a person's notes, a version control's folder) stays.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    new = folder.with_name(f".{folder.name}.{uuid.uuid4().hex[:8]}")
    try:
        for name, content in files.items():
            path = new / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        refuse_foreign(folder, files[MODULE].decode())
        if folder.exists():
            _put_in_place_of(folder, new)
        else:
            new.rename(folder)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def restore(folder: Path) -> None:
    """Bring back what an export that was killed between its two renames had put away.

    What one that was killed earlier had begun to write goes.
    """
    for old in sorted(folder.parent.glob(f".{folder.name}.*.old")):
        if folder.exists():
            _carry_over(old, folder)
        else:
            old.rename(folder)
    for new in folder.parent.glob(f".{folder.name}.{'[0-9a-f]' * 8}"):
        with contextlib.suppress(OSError):  # another export of it has just ended
            if time.time() - new.stat().st_mtime > _ABANDONED:
                shutil.rmtree(new)


def _put_in_place_of(folder: Path, new: Path) -> None:
    old = new.with_name(f"{new.name}.old")
    folder.rename(old)
    try:
        new.rename(folder)
    except OSError:
        old.rename(folder)
        raise
    _carry_over(old, folder)


def _carry_over(old: Path, folder: Path) -> None:
    """Move what no export wrote into the bundle that stands now."""
    known = set((_receipt(old) or {"files": {}})["files"]) | {RECEIPT}
    for path in list(_others(old, known)):
        target = folder / path.relative_to(old)
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(path, target)
    shutil.rmtree(old)


def _others(folder: Path, known: set[str]) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        is_file = path.is_symlink() or not path.is_dir()
        if is_file and not _CACHES & set(inside.parts) and inside.as_posix() not in known:
            yield path
