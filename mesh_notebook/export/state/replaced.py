"""What stands in libraries under the names that code uses: their own, or something put there.

A name that a library gives another function as a notebook runs, as progress bars do, tells nothing.
"""

from __future__ import annotations

import abc
import sys
import types
import warnings
from typing import Any

from mesh_notebook.export.state.glimpse import is_scalar
from mesh_notebook.export.state.parts import is_own, registered
from mesh_notebook.export.state.telling import told_of

__all__ = ["LIBRARY", "found_in"]

LIBRARY = "library "  # before the full name of what a library holds
_OWN = ("__main__", "transform")
_MOCK = "unittest.mock"
_ADAPTING = frozenset(("sys", "tqdm", "rich", "IPython", "matplotlib", "mesh_notebook"))
_OF_THE_SHELL = frozenset(("open", "input", "print", "display", "exit", "quit", "get_ipython"))
_CALLED = (
    *(types.FunctionType, types.BuiltinFunctionType, types.MethodType, types.MethodWrapperType),
    *(types.MethodDescriptorType, types.WrapperDescriptorType, type),
)


def found_in(path: str) -> Any:
    """Return what is told of `library.name`; None where it is nothing that could be replaced.

    Parameters
    ----------
    path : str
        The full name, as `math.floor`; what it holds deeper than is there is left out.
    """
    root, *names = path.split(".")
    if root in _ADAPTING or not names or (root == "builtins" and names[0] in _OF_THE_SHELL):
        return None
    value: Any = sys.modules.get(root)
    for name in names:
        inner = _inside(value, name)
        if inner is None:
            return None
        value = inner
        if not isinstance(value, types.ModuleType):
            return _told(value, name)
    return None


def _inside(value: Any, name: str) -> Any:
    if isinstance(value, types.ModuleType):
        loaded = sys.modules.get(f"{value.__name__}.{name}")
        if loaded is not None and name not in vars(value):
            return loaded
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return getattr(value, name, None)
        except ImportError:  # a part of a library that is not installed
            return None


def _told(value: Any, name: str) -> Any:
    if type(value).__module__ == _MOCK:
        return {"is": type(value).__name__}
    if is_scalar(value):
        return told_of(value)
    if not isinstance(value, _CALLED):
        return None
    if isinstance(value, types.MethodType) and type(value.__self__).__module__ == _MOCK:
        return {"is": type(value.__self__).__name__}
    real = getattr(value, "__name__", name)
    own = is_own(value) if isinstance(value, type) else value.__module__ in _OWN
    told = "the notebook's own" if own else real if real != name else "its own"
    return {"is": told, "registered": registered(value) if isinstance(value, abc.ABCMeta) else []}
