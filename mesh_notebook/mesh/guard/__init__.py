"""In a clean process: what a transform may reach is its inputs, and what Python itself needs.

The proof runs on the machine on which the notebook ran, where a file that no input declares lies
just as well. So the process refuses what would not lie elsewhere: files and folders outside Python
and the inputs, other programs, and the network. What the transform's own code asked for is written
down, also where the code swallows the error and goes on with a default.
"""

from mesh_notebook.mesh.guard.attempts import Attempt, Attempts, NotAnInput
from mesh_notebook.mesh.guard.guarding import guard
from mesh_notebook.mesh.guard.modules import beside, lies_beside
from mesh_notebook.mesh.guard.moments import CLOCK, parses_unseen, words_in

__all__ = [
    "CLOCK",
    "Attempt",
    "Attempts",
    "NotAnInput",
    "beside",
    "guard",
    "lies_beside",
    "parses_unseen",
    "words_in",
]
