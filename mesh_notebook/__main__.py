"""`python -m mesh_notebook`: the command line, also where no script `mesh` is on the path."""

from __future__ import annotations

from mesh_notebook.surfaces.cli import main

if __name__ == "__main__":
    main()
