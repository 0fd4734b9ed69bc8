"""One port, several modes, one meaning: each file here is a way to hand a reading over.

A mode takes a `Reading`, in which it is settled which rows those are and who may see what of them,
and looks at nothing past it; events take one reading for each publication. Of a SQL view and a
Polars frame there is nothing to say here: the reading has the frame, and `mesh.scan.attach` makes
the view.
"""

from __future__ import annotations

__all__ = ["MODES"]

# What every output port offers, in the order in which people look for it.
MODES = ("sql", "polars", "arrow", "parquet", "csv", "ndjson", "events", "graph")
