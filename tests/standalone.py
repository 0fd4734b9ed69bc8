"""Run exported transforms where nothing but Polars and DuckDB is installed.

`standalone(bundle, root, python)` opens the bundle's inputs as a deployment would, hands them over
as Parquet files to a Python that has no Mesh Notebook, and compares what its `transform.py` makes
there with what the port serves.
"""

from __future__ import annotations

import getpass
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
from polars.testing import assert_frame_equal

from mesh_notebook.mesh.catalogue import Catalogue
from mesh_notebook.mesh.scan import Scan
from mesh_notebook.model.address import python_name
from mesh_notebook.model.product import Product
from mesh_notebook.workspace.inputs import Opener

CODE = """
import importlib.util, inspect, sys
import polars as pl
assert importlib.util.find_spec("mesh_notebook") is None
import transform
function = getattr(transform, sys.argv[1])
parameters = inspect.signature(function).parameters.values()
names = [one.name for one in parameters if one.default is one.empty]
inputs = {name: pl.scan_parquet(f"{name}.parquet") for name in names}
function(**inputs).collect().write_parquet("made.parquet")
"""


def standalone(bundle: Path, root: Path, python: Path, work: Path) -> str:
    """Return what differs, or nothing."""
    product = Product.loads((bundle / "product.odps.yaml").read_text("utf-8"))
    catalogue = Catalogue([root])
    opener = Opener(catalogue, getpass.getuser(), datetime.now(UTC), bundle)
    for port in product.inputs:
        data = opener(port, bundle).data
        frame = data.lazy() if isinstance(data, Scan | pl.DataFrame) else data
        frame.collect().write_parquet(work / f"{port.name}.parquet")
    (work / "transform.py").write_bytes((bundle / "transform.py").read_bytes())
    published, _ = catalogue.resolve(str(product.address))
    receipt = published.latest()
    for port in product.outputs:
        command = [python, "-c", CODE, python_name(port.name)]
        done = subprocess.run(command, cwd=work, capture_output=True, text=True)
        if done.returncode:
            return done.stderr.strip()[-400:]
        served = pl.read_parquet(published.files(receipt, port.name))
        key = list(published.contract(receipt, port.name).key)
        try:
            made = pl.read_parquet(work / "made.parquet")
            assert_frame_equal(made.sort(key), served.sort(key), rel_tol=1e-9)
        except AssertionError as error:
            return str(error)
    return ""
