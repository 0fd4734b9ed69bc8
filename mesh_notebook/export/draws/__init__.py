"""Hidden random generators: which code draws from which of them, and who set it before."""

from mesh_notebook.export.draws.asks import Ask, asks_of
from mesh_notebook.export.draws.drawn import Drawn, Draws
from mesh_notebook.export.draws.generators import CONSTRUCTORS, is_seed, source_of
from mesh_notebook.export.draws.signatures import is_seeded, is_unset, may_draw

__all__ = [
    "CONSTRUCTORS",
    "Ask",
    "Drawn",
    "Draws",
    "asks_of",
    "is_seed",
    "is_seeded",
    "is_unset",
    "may_draw",
    "source_of",
]
