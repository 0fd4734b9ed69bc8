"""Runs the notebooks of `tests/exported`, each in a shell of its own, and leaves their bundles.

python tests/exporting_ten.py FOLDER      FOLDER gets `products/`, and the data they are made of
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl

HERE = Path(__file__).resolve().parent


def main(folder: Path) -> int:
    """Run every notebook; return how many failed."""
    prepare(folder)
    notebooks = sorted((HERE / "exported").glob("*.ipy"))
    return sum(not ran(notebook, folder) for notebook in notebooks)


def prepare(folder: Path) -> None:
    """Write what the notebooks read."""
    (folder / "data").mkdir(parents=True)
    shutil.copytree(HERE.parent / "synthetic", folder / "synthetic")
    days = [date(2026, 1, 1) + timedelta(days=n // 3) for n in range(90)]
    pl.DataFrame(
        {
            "day": days,
            "article": [f"A{n % 7}" for n in range(90)],
            "price": [round(1.25 * (n % 11) + 0.5, 2) for n in range(90)],
            "pieces": [n % 5 for n in range(90)],
        }
    ).write_csv(folder / "data" / "orders.csv")
    pl.DataFrame(
        {
            "invoice": list(range(1, 61)),
            "customer": [f"C{n % 9}" for n in range(60)],
            "due": [date(2025, 9, 1) + timedelta(days=3 * n) for n in range(60)],
            "paid_on": [None if n % 3 else date(2026, 1, 5) for n in range(60)],
            "amount": [round(9.99 * (n % 13), 2) for n in range(60)],
        }
    ).write_csv(folder / "data" / "payments.csv")
    pl.DataFrame(
        {
            "sensor": [f"S{n % 4}" for n in range(200)],
            "kind": [("temp", "load")[n % 2] for n in range(200)],
            "at": [datetime(2026, 1, 1) + timedelta(minutes=7 * n) for n in range(200)],
            "value": [(n * 37 % 101) / (1 if n % 2 == 0 else 90) for n in range(200)],
        }
    ).write_csv(folder / "data" / "readings.csv")


def ran(notebook: Path, folder: Path) -> bool:
    """Run the cells of a notebook one after another; stop at the first that fails."""
    code = (
        "import sys\n"
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance()\n"
        "for cell in open(sys.argv[1]).read().split('# %%\\n')[1:]:\n"
        "    done = shell.run_cell(cell, store_history=True)\n"
        "    if not done.success:\n"
        "        sys.exit(1)\n"
    )
    environment = {k: v for k, v in os.environ.items() if k != "MESH_ROOTS"}
    done = subprocess.run(
        [sys.executable, "-c", code, notebook],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    said = (done.stdout + done.stderr).strip()[-600:]
    print(f"{'✗' if done.returncode else '✓'} {notebook.name} {said if done.returncode else ''}")
    return done.returncode == 0


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1])))
