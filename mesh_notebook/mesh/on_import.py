"""Act on a module as soon as it is imported, so that nobody waits for a module that is not used."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

__all__ = ["when_imported"]

Act = Callable[[ModuleType], None]


def when_imported(name: str, act: Act) -> None:
    """Do something with a module: now if it is imported already, else right after it is.

    Parameters
    ----------
    name : str
        Its whole name.
    act : callable
        Given the module. What is asked for first is done first.
    """
    if name in sys.modules:
        act(sys.modules[name])
        return
    if _FINDER not in sys.meta_path:
        sys.meta_path.insert(0, _FINDER)
    _FINDER.acts.setdefault(name, []).append(act)


class _Finder(MetaPathFinder):
    def __init__(self) -> None:
        self.acts: dict[str, list[Act]] = {}

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path, target) if name in self.acts else None
        if spec is None or spec.loader is None:
            return None
        real = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            real(module)
            for act in self.acts[name]:
                act(module)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


_FINDER = _Finder()
