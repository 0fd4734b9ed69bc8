"""Settings of the whole process: whatever runs after one is set may depend on it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterable, Iterator

from mesh_notebook.export.draws import Ask
from mesh_notebook.export.scopes import dotted
from mesh_notebook.export.words import words

__all__ = [
    *("LOCALE", "LOOKS", "OF_OPERATORS", "PROCESS"),
    *("held_for_a_while", "settings_read", "settings_written", "starts_a_patch"),
]

# The names under which such settings are written and read: the first by all that follows, how
# Polars writes frames by what makes texts. The locale is asked for by name alone.
PROCESS, LOOKS, LOCALE = "<process>", "<looks>", "<locale>"
Origin = Callable[[str], str]
# Libraries whose settings count where no name of theirs is read: `a / b` of two decimals.
OF_OPERATORS = frozenset({"decimal"})

_SETTERS = words(
    "codecs.register codecs.register_error locale.setlocale copyreg.pickle "
    "sys.set_int_max_str_digits sys.setrecursionlimit csv.field_size_limit"
)
_FILTERS = words("warnings.simplefilter warnings.filterwarnings")
_QUIET = words("'ignore' 'default' 'always' 'module' 'once'")  # these change what is told alone
_CONFIG = ("polars.Config", "polars.config.Config")
_LOOKING = ("tbl_", "fmt_", "ascii_tables", "trim_", "float_", "decimal_", "thousands_")
_OF_ALL = words("restore_defaults load load_from_file unset")
_PATCHING = ("unittest.mock.", "mock.mock.", "_pytest.monkeypatch.", "pytest.MonkeyPatch")
_STARTING = words("start stop stopall __enter__ __exit__ setattr setitem setenv delattr undo")
_VARIABLES = "POLARS_"  # of the environment, by which Polars is set too

# What makes a text of a value, or asks how one would be made.
_WRITING = words(
    "str repr ascii format print pformat pprint saferepr to_string to_html as_str glimpse "
    "__str__ __repr__ __format__ _repr_html_ to_markdown format_map dumps methodcaller attrgetter "
    "array2string writerow writerows redirect_stdout substitute state save"
)
_TELLING_LOCALES = words(
    "strftime strptime strxfrm strcoll localeconv setlocale getlocale nl_langinfo currency "
    "format_string atof atoi delocalize day_name month_name asctime ctime formatmonth formatyear"
)
_NO_FRAME = words(
    "builtins.int builtins.float builtins.bool builtins.str builtins.bytes builtins.NoneType "
    "datetime.date datetime.datetime datetime.time datetime.timedelta decimal.Decimal "
    "pathlib.PosixPath pandas._libs.tslibs.timestamps.Timestamp"
)


def settings_written(
    node: ast.AST | None, asks: Iterable[Ask], origin_of: Origin
) -> frozenset[str]:
    """Return the settings of the whole process that a statement may leave otherwise.

    Parameters
    ----------
    asks : iterable of Ask
        What it calls, the functions that it runs included.
    origin_of : callable
        Returns the full name of what a path stands for, such as `warnings.simplefilter`.
    """
    inside = held_for_a_while(node)
    found = {
        written
        for ask in asks
        if ask.given is not None and ask.path not in inside
        for written in _written(ask, ask.path if ask.absolute else origin_of(ask.path))
    }
    texts = (n.value for n in ast.walk(node or ast.Pass()) if isinstance(n, ast.Constant))
    if any(isinstance(text, str) and text.startswith(_VARIABLES) for text in texts):
        found.add(LOOKS)
    return frozenset(found)


def settings_read(asks: Iterable[Ask], type_of: Callable[[str], str | None]) -> frozenset[str]:
    """Return the settings, besides those that all read, that code may ask for."""
    return frozenset(read for ask in asks for read in _read(ask, type_of))


def starts_a_patch(asks: Iterable[Ask], origin_of: Origin) -> Iterator[str]:
    """Yield what starts or ends a replacement of a library's functions, as written."""
    for ask in asks:
        if ask.given is not None and _patches(ask.path if ask.absolute else origin_of(ask.path)):
            yield ask.path


def _written(ask: Ask, origin: str) -> Iterator[str]:
    given = ask.given or ()
    quiet = any(place in (0, "action") and text in _QUIET for place, text in given)
    filters = origin in _FILTERS and not quiet
    if filters or origin in _SETTERS or _registers(origin) or _patches(origin):
        yield PROCESS
    elif origin.startswith(_CONFIG):
        yield from _configured(origin, [str(place) for place, _ in given])


def _configured(origin: str, given: Collection[str]) -> Iterator[str]:
    """Yield what a call of Polars' settings leaves otherwise."""
    called = origin.replace("()", "").rpartition(".")[2]
    names = given if called == "Config" else [called.removeprefix("set_")]
    if any(name.startswith(_LOOKING) or name in _OF_ALL for name in names):
        yield LOOKS


def _registers(origin: str) -> bool:
    """Return whether it adds a name to all frames, as `pl.api.register_expr_namespace` does."""
    library, name = origin.partition(".")[0], origin.rpartition(".")[2]
    if library == "tqdm":
        return name == "pandas"  # `progress_apply`
    return library in ("pandas", "polars") and name.startswith("register_")


def _patches(origin: str) -> bool:
    return origin.startswith(_PATCHING) and origin.rpartition(".")[2] in _STARTING


def held_for_a_while(node: ast.AST | None) -> set[str]:
    """Return the calls whose settings end with a block: `with pl.Config(tbl_rows=3):`."""
    items = (n.context_expr for n in ast.walk(node or ast.Pass()) if isinstance(n, ast.withitem))
    return {str(dotted(item.func)) for item in items if isinstance(item, ast.Call)}


def _read(ask: Ask, type_of: Callable[[str], str | None]) -> Iterator[str]:
    path = ask.path.replace("()", "").replace("[]", "")
    last = path.rpartition(".")[2]
    if last in _WRITING and not _is_plain(ask, type_of):
        yield LOOKS
    if last in _TELLING_LOCALES or path.startswith("locale."):
        yield LOCALE


def _is_plain(ask: Ask, type_of: Callable[[str], str | None]) -> bool:
    """Return whether what is made a text is a number, a text or a time."""
    given = [text for _, text in ask.given or ()]
    return bool(given) and all(
        type_of(text) in _NO_FRAME if text.isidentifier() else text != "…" for text in given
    )
