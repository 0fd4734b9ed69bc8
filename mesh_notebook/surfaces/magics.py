"""`%mesh` and `%%mesh`: parse, delegate, return; and the display of what comes back."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

from IPython.core.magic_arguments import MagicArgumentParser

from mesh_notebook.errors import Stopped, UsageError
from mesh_notebook.export.record import calling_line
from mesh_notebook.surfaces.cells import unseen_lines, with_body
from mesh_notebook.surfaces.display import Formatters
from mesh_notebook.surfaces.progress import Progress
from mesh_notebook.surfaces.typed import arranged, refuse_mistyped
from mesh_notebook.surfaces.verbs import VERBS, Argument, Help, Verb, find
from mesh_notebook.workspace import Workspace

if TYPE_CHECKING:
    from IPython.core.interactiveshell import ExecutionResult, InteractiveShell

__all__ = ["load", "unload"]

_ABSENT = object()
_SLOT = "_mesh_notebook"  # where a shell keeps what is loaded, so that unloading finds it


class _Parser(MagicArgumentParser):
    """A parser whose errors are ours: short, with the next step."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"%mesh {self.prog}: {message}.", next_step=f"%mesh help {self.prog}")


def load(shell: InteractiveShell) -> None:
    """Add the magics, the object `mesh`, and the display of results to a shell."""
    if hasattr(shell, _SLOT):
        return
    loaded = Loaded(shell, Workspace.of_notebook(shell.user_ns))
    setattr(shell, _SLOT, loaded)
    loaded.enter()


def unload(shell: InteractiveShell) -> None:
    """Remove what `load` added, and restore what it covered."""
    loaded: Loaded | None = getattr(shell, _SLOT, None)
    if loaded is not None:
        loaded.leave()
        delattr(shell, _SLOT)


@dataclass
class Loaded:
    """One loaded extension in one shell."""

    shell: InteractiveShell
    workspace: Workspace
    covered: Any = _ABSENT
    formatters: Formatters = field(init=False)
    progress: Progress = field(init=False)
    unseen: frozenset[int] = frozenset()  # of the running cell (see `unseen_lines`)

    def enter(self) -> None:
        names = self.shell.user_ns
        self.covered = names.get("mesh", _ABSENT)
        names["mesh"] = self.workspace
        magics = self.shell.magics_manager
        magics.register_function(self.line, "line", "mesh")
        magics.register_function(self.cell, "cell", "mesh")
        assert self.shell.display_formatter is not None  # every shell has one once it has begun
        self.formatters = Formatters(self.shell.display_formatter, self.workspace)
        self.formatters.enter()
        self.progress = self.workspace.progress = Progress(self.shell)
        self.workspace.record.preload(names.get("In", []))
        self.shell.input_transformers_cleanup.append(with_body)
        # Of the cell that loads us, which began before we could see it.
        self.look_ahead((names.get("In") or [""])[-1])
        self.shell.events.register("pre_run_cell", self.before_cell)
        self.shell.events.register("post_run_cell", self.after_cell)

    def leave(self) -> None:
        self.shell.events.unregister("pre_run_cell", self.before_cell)
        self.shell.events.unregister("post_run_cell", self.after_cell)
        self.shell.input_transformers_cleanup.remove(with_body)
        self.formatters.leave()
        for kind in ("line", "cell"):
            self.shell.magics_manager.magics[kind].pop("mesh", None)
        names = self.shell.user_ns
        if names.get("mesh") is self.workspace:
            del names["mesh"]
            if self.covered is not _ABSENT:
                names["mesh"] = self.covered
        self.workspace.close()

    def line(self, line: str) -> Any:
        """Walk the path of a data product: `%mesh help` lists the verbs."""
        answer = self.run(line, None)
        if answer is not None and self.unseen.intersection(calling_line(self.shell.user_ns)[:1]):
            from IPython import display

            show: Any = display.display  # which is untyped
            show(answer)
        return answer

    def cell(self, line: str, cell: str) -> Any:
        """Give a verb a body: `%%mesh sql NAME`, `%%mesh contract PORT`."""
        return self.run(line, cell)

    def run(self, line: str, body: str | None) -> Any:
        verb, given = parse(line, body)
        if verb.name == "help":
            return Help((find(given["verb"]),) if given["verb"] else VERBS)
        if verb.name == "browse":
            from mesh_notebook.surfaces.widgets import browser

            return browser(self.workspace, " ".join(given["words"]))
        as_json = given.pop("as_json", False)
        method: Callable[..., Any] = getattr(self.workspace, verb.name)
        try:
            answer = method(**given)
            return _as_json(answer) if as_json else answer
        except KeyboardInterrupt as stopped:  # one line, and not all that was going on
            raise stopped if isinstance(stopped, Stopped) else Stopped() from None
        finally:
            self.progress.done()

    def before_cell(self, info: Any) -> None:
        text = self.text_of(info)
        self.look_ahead(text["code"])
        self.workspace.record.open_cell(
            count=self.shell.execution_count, **text, namespace=self.shell.user_ns
        )

    def look_ahead(self, code: str) -> None:
        """Find the lines of a cell whose answers are ours to show."""
        self.unseen = unseen_lines(code, str(self.shell.ast_node_interactivity))

    def after_cell(self, result: ExecutionResult) -> None:
        self.progress.done()  # a verb called as a method leaves its line to us
        info = result.info
        if info is None:
            return
        self.workspace.record.close_cell(
            count=result.execution_count,
            **self.text_of(info),
            error_line=_error_line(self.shell, result, info),
            namespace=self.shell.user_ns,
            error=result.error_in_exec,
        )

    def text_of(self, info: Any) -> dict[str, Any]:
        """Return a cell's text as written, and as Python: magics turned into calls."""
        shell: Any = self.shell
        code = getattr(info, "transformed_cell", None) or shell.transform_cell(info.raw_cell)
        return {"cell_id": info.cell_id, "source": info.raw_cell, "code": code}


def _as_json(answer: Any) -> dict[str, Any]:
    """Return an answer as the mapping that `--json` asks for."""
    from mesh_notebook.surfaces.as_json import json_of

    return json_of(answer)


def parse(line: str, body: str | None) -> tuple[Verb, dict[str, Any]]:
    """Return the verb of a line, and its method's arguments."""
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise UsageError(f"%mesh {line}: {error}.", next_step="close the quotation marks") from None
    asked = [word for word in words if word not in ("-h", "--help")]
    if len(asked) < len(words):
        return find("help"), {"verb": asked[0] if asked else None}
    if not asked or asked[0] == "--":
        _refuse_nameless(words, body)
    verb = find(words[0]) if words else find("path")
    if body is not None and not verb.cell:
        raise UsageError(
            f"'{verb.name}' takes no cell body.", next_step=f"write %mesh {verb.usage} on one line"
        )
    if verb.name == "sql" and not (body or "").strip():
        raise UsageError("the query is missing.", next_step="%%mesh sql NAME, then the query below")
    if body is not None and not body.strip():
        raise UsageError(
            f"the cell of %%mesh {verb.name} is empty.",
            next_step=f"write the {verb.cell} below it; %mesh {line.strip()} shows what holds now",
        )
    given = {name: _value(verb, name, value) for name, value in _parsed(verb, words[1:]).items()}
    if body is not None:
        given[verb.cell] = body
    return verb, given


def _refuse_nameless(words: list[str], body: str | None) -> None:
    """Refuse a line that names no verb, but for `%mesh` alone."""
    if words:
        said, step = "no verb stands before '--'.", "%mesh VERB …; %mesh help lists the verbs"
    elif body is not None:
        said, step = "%%mesh names no verb.", "%%mesh sql NAME, then a query; %mesh shows the path"
    else:
        return
    raise UsageError(said, next_step=step)


def _parsed(verb: Verb, words: list[str]) -> dict[str, Any]:
    words = words if "--" in words else arranged(verb, words)
    refuse_mistyped(verb, words)
    parser = _parser(verb)
    if "--" in words:  # which ends the options, so that nothing is mixed
        return vars(parser.parse_args(words))
    # As in a shell, what is no option may stand behind one.
    return vars(parser.parse_intermixed_args(words))


def _parser(verb: Verb) -> _Parser:
    make: Any = _Parser  # IPython's is untyped, and adds no argument of its own
    parser: _Parser = make(prog=verb.name, add_help=False)
    parser.allow_abbrev = False  # what a longer name would mean later, it must not mean now
    for argument in verb.typed:
        parser.add_argument(*_names(argument), **_options(argument))
    return parser


def _names(argument: Argument) -> tuple[str, ...]:
    return (argument.flag,) if argument.flag else (argument.name,)


def _options(argument: Argument) -> dict[str, Any]:
    options: dict[str, Any] = {"help": argument.help, "default": argument.default}
    if argument.flag:
        options["dest"] = argument.name
        options["required"] = argument.required
    elif argument.kind == "rest":
        options["nargs"] = "+" if argument.required else "*"
    elif not argument.required:
        options["nargs"] = "?"
    if argument.kind == "some":
        options |= {"nargs": "?", "const": True}
    if argument.kind == "pair":
        options["nargs"] = 2
    if argument.kind == "flag":
        options["action"] = "store_true"
    if argument.kind in ("whole", "number"):
        options["type"] = int if argument.kind == "whole" else float
    if argument.choices:
        options["choices"] = argument.choices
    return options


def _value(verb: Verb, name: str, value: Any) -> Any:
    kind = next(a.kind for a in verb.typed if a.name == name)
    if kind in ("list", "some") and isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    if kind == "pair" and value:
        return tuple(value)
    if kind == "rest":
        return tuple(value or ())
    return value


def _error_line(shell: InteractiveShell, result: ExecutionResult, info: Any) -> int | None:
    """Return the line of the cell's top-level statement that raised; 0 where nothing ran at all."""
    if result.error_before_exec is not None:
        return 0
    error = result.error_in_exec
    if error is None:
        return None
    trace = error.__traceback__
    while trace is not None:
        frame = trace.tb_frame
        if frame.f_globals is shell.user_ns and frame.f_code.co_name == "<module>":
            return int(trace.tb_lineno)
        trace = trace.tb_next
    return 1
