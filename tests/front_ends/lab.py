"""JupyterLab in a real browser: open a notebook, Run All Cells, save it."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

from headless import Failed
from playwright.sync_api import sync_playwright

_PATIENCE = 1800  # seconds a tutorial
_NAMES = ("chromium", "chromium-browser", "google-chrome")


def in_lab(binaries: Path, notebooks: list[Path]) -> None:
    """Run All Cells of each notebook, in a kernel that is started for it."""
    with _server(binaries, notebooks[0].parent) as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_chromium(), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        try:
            for path in notebooks:
                _run_all(page, server, path)
        finally:
            browser.close()


def _chromium() -> str:
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    if not found:
        raise Failed("there is no Chromium: install one (apt-get install chromium), or name it")
    return found


class _Server:
    def __init__(self, port: int, token: str) -> None:
        self.url, self.token = f"http://127.0.0.1:{port}", token

    def ask(self, path: str, method: str = "GET") -> Any:
        headers = {"Authorization": f"token {self.token}"}
        with urlopen(Request(f"{self.url}{path}", method=method, headers=headers)) as answer:
            return json.loads(answer.read() or b"null")


@contextmanager
def _server(binaries: Path, folder: Path) -> Iterator[_Server]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        server = _Server(probe.getsockname()[1], secrets.token_hex(16))
    command = [str(binaries / "jupyter-lab"), "--no-browser", "--allow-root", "--ip=127.0.0.1"]
    command += [f"--port={server.url.rpartition(':')[2]}", f"--notebook-dir={folder}"]
    command += [f"--IdentityProvider.token={server.token}", "--LabApp.expose_app_in_browser=True"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, **quiet) as process:
        try:
            _await(lambda: _answers(server), 120, "JupyterLab does not answer")
            yield server
        finally:
            process.terminate()


def _answers(server: _Server) -> bool:
    try:
        return bool(server.ask("/api/status"))
    except (URLError, ConnectionError):
        return False


def _await(is_so: Any, seconds: float, else_said: str) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > end:
            raise Failed(else_said)
        time.sleep(0.5)


# ---- a notebook ----------------------------------------------------------------------------------


def _run_all(page: Any, server: _Server, path: Path) -> None:
    for session in server.ask("/api/sessions"):
        server.ask(f"/api/sessions/{session['id']}", "DELETE")
    page.goto(f"{server.url}/lab/tree/{path.name}?reset&token={server.token}")
    page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=240_000)
    _await(lambda: _kernel(server) == "idle", 240, f"{path.name}: no kernel")
    for command in ("notebook:run-all-cells", "docmanager:save"):
        _do(page, command)
    _refuse_failed(path)


def _do(page: Any, command: str) -> None:
    """Do what an entry of a menu does, until it is done: off-screen cells do not show whether."""
    wait = (
        f"new Promise((_, no) => setTimeout(() => no(new Error('too slow')), {_PATIENCE * 1000}))"
    )
    page.evaluate(
        f"Promise.race([window.jupyterapp.commands.execute('{command}'), {wait}]).then(() => null)"
    )


def _kernel(server: _Server) -> str:
    states = [session["kernel"]["execution_state"] for session in server.ask("/api/sessions")]
    return states[0] if states else ""


def _refuse_failed(path: Path) -> None:
    """Raise `Failed` unless each cell of a saved notebook ran through."""
    cells = [c for c in json.loads(path.read_text())["cells"] if c["cell_type"] == "code"]
    for number, cell in enumerate(cells, start=1):
        wrong = [one for one in cell["outputs"] if one["output_type"] == "error"]
        if wrong:
            raise Failed(f"{path.name}, cell {number}: {wrong[0]['ename']}: {wrong[0]['evalue']}")
        if cell["source"] and cell["execution_count"] is None:
            raise Failed(f"{path.name}, cell {number} did not run")
