"""Front ends without a window, each with the habits of its own."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from jupyter_client.manager import start_new_kernel

KERNEL = "mesh"
_PATIENCE = 1800  # seconds a tutorial
_NBCLIENT = """
import sys, nbformat
from nbclient import NotebookClient
path = sys.argv[1]
notebook = nbformat.read(path, as_version=4)
NotebookClient(notebook, kernel_name="mesh", resources={"metadata": {"path": "."}}).execute()
"""


class Failed(Exception):
    """A tutorial that did not run through."""


def run(command: list[str], folder: Path) -> None:
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=_PATIENCE, check=False
    )
    if done.returncode:
        raise Failed(f"{' '.join(command[:3])}: {done.stderr[-2000:]}")


def demo(binaries: Path, notebooks: list[Path]) -> None:
    """`make demo`."""
    python, folder = str(binaries / "python"), notebooks[0].parent
    told = ["-m", "mesh_notebook.surfaces.demo", "notebooks/02-airport-delays.ipynb"]
    run([python, *told], folder.parent)


def by_nbclient(binaries: Path, notebooks: list[Path]) -> None:
    for path in notebooks:
        run([str(binaries / "python"), "-c", _NBCLIENT, path.name], path.parent)


def by_jupyter_execute(binaries: Path, notebooks: list[Path]) -> None:
    for path in notebooks:
        command = [str(binaries / "jupyter-execute"), f"--kernel_name={KERNEL}", path.name]
        run(command, path.parent)


def by_papermill(binaries: Path, notebooks: list[Path]) -> None:
    """With a parameter; where a notebook has no cell of parameters, its cell stands first."""
    papermill = str(Path(sys.executable).parent / "papermill")
    for path in notebooks:
        run([papermill, path.name, "-", "-k", KERNEL, "-p", "year", "2026"], path.parent)


# ---- VS Code -------------------------------------------------------------------------------------


def as_vs_code(binaries: Path, notebooks: list[Path]) -> None:
    """Tell the kernel the file by a name of its own, and each cell by its URI."""
    for path in notebooks:
        _mark(path)
        manager, client = start_new_kernel(kernel_name=KERNEL, cwd=str(path.parent))
        try:
            _asked(client, f"__vsc_ipynb_file__ = {str(path)!r}", silent=True)
            for number, cell in enumerate(_code(path)):
                told = base64.b64encode(f"W{number}sZmlsZQ==".encode()).decode()
                uri = f"vscode-notebook-cell:{path}#{told}"
                reply = _asked(client, cell, metadata={"cellId": uri})
                if reply["status"] != "ok":
                    said = f"{reply.get('ename')}: {reply.get('evalue')}"
                    raise Failed(f"{path.name}, cell {number + 1}: {said}")
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)


def _mark(path: Path) -> None:
    """Save the notebook as VS Code does: its cells say their language."""
    raw = json.loads(path.read_text())
    for cell in raw["cells"]:
        cell["metadata"] |= {"vscode": {"languageId": "python"}}
    path.write_text(json.dumps(raw, indent=1))


def _code(path: Path) -> list[str]:
    cells = json.loads(path.read_text())["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def _asked(client: Any, code: str, silent: bool = False, **more: Any) -> dict[str, Any]:
    content = {"code": code, "silent": silent, "store_history": not silent, "stop_on_error": True}
    content |= {"user_expressions": {}, "allow_stdin": False}
    message = client.session.msg("execute_request", content, **more)
    client.shell_channel.send(message)
    while True:
        reply = client.get_shell_msg(timeout=_PATIENCE)
        if reply["parent_header"].get("msg_id") == message["header"]["msg_id"]:
            return dict(reply["content"])
