"""TPC-H: its 22 queries, with the specification's validation parameters, and small data for them.

The queries are those of the TPC-H specification (revision 3), section 2.4, in DuckDB's dialect;
Q15's view is a CTE.
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["QUERIES"]

QUERIES = {
    path.stem: path.read_text("utf-8") for path in sorted(Path(__file__).parent.glob("*.sql"))
}
