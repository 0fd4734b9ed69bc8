"""ODCS in the versions that others write (v2.2 to v3.2), brought to v3.1, which we write."""

from mesh_notebook.model.odcs.versions import (
    ODCS_VERSION,
    VERSIONS,
    as_v3_1,
    in_our_words,
    version_of,
)

__all__ = ["ODCS_VERSION", "VERSIONS", "as_v3_1", "in_our_words", "version_of"]
