"""What a value holds: under keys, in a row, or under names of its own.

Nothing here runs code of the notebook, or uses up what it looks at.
"""

from __future__ import annotations

import abc
import contextvars
import importlib
import inspect
import io
import queue
import types
import weakref
from collections import ChainMap, UserDict, UserList, deque
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property, partial
from typing import Any

from mesh_notebook.export.state.library import held_by

__all__ = ["Cells", "is_own", "items_of", "mapping_of", "parts_of", "registered"]

_OWN_MODULES = ("__main__", "transform")
_GROUPS = (list, tuple, set, frozenset, deque)
_WEAK = (weakref.WeakValueDictionary, weakref.WeakKeyDictionary)
_DESCRIBING = (
    *(types.FunctionType, property, staticmethod, classmethod, cached_property),
    *(types.MemberDescriptorType, types.GetSetDescriptorType),
)
_REDUCED = ("enumerate", "zip", "map", "filter", "reversed", "cycle", "islice", "chain")
_UNTOLD = ("_abc_impl", "__wrapped__", "__orig_class__")


class Cells(dict[str, Any]):
    """What a function closes over.

    In the module it closes over more than in the notebook: names of the notebook are local there.
    """


def is_own(value: object) -> bool:
    """Return whether a value is a class, or an instance of a class, of the notebook's own."""
    kind = value if isinstance(value, type) else type(value)
    return kind.__module__ in _OWN_MODULES or kind is types.SimpleNamespace


def mapping_of(value: object) -> Mapping[Any, Any] | None:
    """Return what a value holds under keys, where it is a mapping."""
    if isinstance(value, dict):
        # Not what a class of the user's makes of it, which may run code that changes it.
        return dict(dict.items(value)) if is_own(value) else value
    if isinstance(value, types.MappingProxyType):
        return value
    if isinstance(value, UserDict):
        return value.data
    if isinstance(value, _WEAK):
        return dict(value.items())
    return None


def items_of(value: object) -> Iterable[Any] | None:
    """Return what a value holds in a row, where looking at it leaves it as it is."""
    if isinstance(value, _GROUPS):
        base: Any = next(kind for kind in _GROUPS if isinstance(value, kind))
        return list(base.__iter__(value)) if is_own(value) else value
    if isinstance(value, UserList | ChainMap):
        return value.data if isinstance(value, UserList) else value.maps
    if isinstance(value, queue.Queue):
        return list(value.queue)
    kind = type(value)
    if kind.__module__ == "array" or (kind.__module__, kind.__name__) == ("numpy", "ndarray"):
        return value.tolist()  # type: ignore[attr-defined, no-any-return]
    if kind.__module__ == "builtins" and kind.__name__.endswith("_iterator"):
        return _left_in(value)
    return None


def _left_in(iterator: Any) -> list[Any] | None:
    """Return what an iterator of a list, a dictionary or the like would give from now on."""
    try:
        _, given, *_ = iterator.__reduce__()
    except (TypeError, AttributeError, ValueError, RuntimeError):
        return None
    return [given, iterator.__length_hint__()]


def parts_of(value: Any) -> dict[str, Any]:
    """Return what a value holds under names."""
    return {name: part for name, part in _parts(value) if name not in _UNTOLD}


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    match value:
        case type():
            yield from _of_class(value)
        case types.FunctionType():
            yield from _of_function(value)
        case types.MethodType() | types.BuiltinMethodType():
            yield from (("name", value.__name__), ("of", _bound_to(value)))
        case types.GeneratorType():
            yield from (("over", value.gi_frame is None), ("locals", _locals(value)))
        case partial():
            yield from (("func", value.func), ("args", value.args), ("keywords", value.keywords))
        case io.StringIO() | io.BytesIO():
            yield "text", "" if value.closed else value.getvalue()
        case bytearray() | memoryview():
            yield "bytes", bytes(value)
        case contextvars.ContextVar():
            yield "value", value.get(None)
        case weakref.ReferenceType():
            yield "of", value()
        case types.ModuleType() if value.__spec__ is None:  # one that the notebook made
            yield from ((n, v) for n, v in vars(value).items() if not n.startswith("__"))
        case _:
            yield from _of_object(value)


def _bound_to(method: Any) -> Any:
    return None if isinstance(method.__self__, types.ModuleType) else method.__self__


def _locals(generator: types.GeneratorType[Any, Any, Any]) -> dict[str, Any]:
    # What it reads of the code around it is a local name in the module, a global in the notebook.
    names = set(generator.gi_code.co_varnames)
    return {n: v for n, v in inspect.getgeneratorlocals(generator).items() if n in names}


def _of_class(kind: type) -> Iterator[tuple[str, Any]]:
    if is_own(kind):
        plain = ((n, v) for n, v in vars(kind).items() if not isinstance(v, _DESCRIBING))
        yield from ((n, v) for n, v in plain if not n.startswith(("__", "_abc_", "_member")))
        if isinstance(kind, abc.ABCMeta) and (others := registered(kind)):
            yield "registered", others
    else:
        yield "name", kind.__name__


def registered(kind: type) -> list[str]:
    """Return the notebook's own classes that were registered with an abstract one."""
    try:
        dump = importlib.import_module("_abc")._get_dump(kind)[0]
    except (ImportError, AttributeError, TypeError):  # another Python keeps them elsewhere
        return []
    alive = (one() for one in dump)
    return sorted({one.__qualname__ for one in alive if one is not None and is_own(one)})


def _of_function(function: types.FunctionType) -> Iterator[tuple[str, Any]]:
    if function.__globals__.get("__name__") == "functools" and hasattr(function, "registry"):
        yield "registry", dict(function.registry)
    if function.__globals__.get("__name__") not in _OWN_MODULES:
        yield "name", function.__name__
        return  # of a library: what it keeps there, such as a cache, is its own affair
    yield "attributes", {n: v for n, v in vars(function).items() if n != "__wrapped__"}
    yield "defaults", function.__defaults__
    yield "keyword defaults", function.__kwdefaults__
    yield "closure", Cells(_cells(function))


def _cells(function: types.FunctionType) -> Iterator[tuple[str, Any]]:
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=False):
        try:
            yield name, cell.cell_contents
        except ValueError:  # not bound yet
            continue


def _of_object(value: Any) -> Iterator[tuple[str, Any]]:
    kind = type(value)
    if kind.__name__ == "defaultdict":
        yield "default", value.default_factory
    elif kind.__module__ in ("builtins", "itertools") and kind.__name__ in _REDUCED:
        yield "left", _reduced(value)
    elif kind.__module__ == "functools" and hasattr(value, "cache_info"):
        yield "calls", getattr(value, "__wrapped__", None)
    elif is_own(value):
        yield from getattr(value, "__dict__", {}).items()
        yield from _slots(value)
    else:
        yield from held_by(value)


def _reduced(iterator: Any) -> Any:
    try:
        return iterator.__reduce__()[1:]
    except (TypeError, ValueError, AttributeError):
        return None


def _slots(value: Any) -> Iterator[tuple[str, Any]]:
    for kind in type(value).__mro__:
        slots = kind.__dict__.get("__slots__", ()) if kind.__module__ in _OWN_MODULES else ()
        for name in (slots,) if isinstance(slots, str) else slots:
            if name not in ("__dict__", "__weakref__") and hasattr(value, name):
                yield name, getattr(value, name)
