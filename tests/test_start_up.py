"""Start-up is light: what is heavy is imported where it is used."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("polars", "duckdb", "pandas", "sdv", "pyspark", "pyarrow", "deltalake", "faker", "numpy")


def heavy_after(code: str) -> list[str]:
    script = f"{code}\nimport sys\nprint([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return eval(done.stdout.splitlines()[-1])


def test_importing_the_package_imports_no_frame_library():
    assert heavy_after("import mesh_notebook") == []


def test_importing_the_package_does_not_import_ipython():
    script = "import mesh_notebook, sys; print('IPython' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"


def test_loading_the_extension_imports_no_frame_library():
    code = (
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance()\n"
        "shell.run_line_magic('load_ext', 'mesh_notebook')"
    )
    assert heavy_after(code) == []


def test_opening_a_mesh_imports_no_frame_library(tmp_path):
    assert (
        heavy_after(f"import mesh_notebook; mesh_notebook.open({str(tmp_path)!r}).search()") == []
    )
