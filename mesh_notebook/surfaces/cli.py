"""`mesh VERB …` in a shell: the verbs that need no notebook, made from the one table."""

from __future__ import annotations

import inspect
import json
import logging
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

import mesh_notebook
from mesh_notebook.errors import MeshError, Stopped, UsageError
from mesh_notebook.surfaces import registered  # noqa: F401
from mesh_notebook.surfaces.panel import as_text
from mesh_notebook.surfaces.panels import panel_of
from mesh_notebook.surfaces.typed import refuse_mistyped
from mesh_notebook.surfaces.verbs import VERBS, Argument, Verb, find

__all__ = ["app", "main"]

_TYPES: dict[str, Any] = {
    "flag": bool,
    "whole": int | None,
    "number": float | None,
    "rest": list[str] | None,
    "pair": tuple[str, str] | None,
}


_INTERRUPTED = 130  # as shells have it of what SIGINT ended


def main() -> None:
    """Run the command line; the one place where every error becomes one paragraph."""
    if os.environ.get("MESH_DEBUG"):
        logging.basicConfig(level=logging.DEBUG)
    try:
        app()
    except MeshError as error:
        raise SystemExit(_told(error, 1)) from None
    except BrokenPipeError:  # the reader went away, as `mesh read … | head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(0) from None


def _told(error: MeshError, code: int) -> int:
    if "--json" in sys.argv:
        from mesh_notebook.surfaces.as_json import error_as_json

        said = {name: _in_a_shell(text) for name, text in error_as_json(error).items()}
        typer.echo(json.dumps(said, ensure_ascii=False), err=True)
    else:
        typer.echo(_in_a_shell(f"{type(error).__name__}: {error}"), err=True)
    if os.environ.get("MESH_DEBUG"):
        raise error
    return code


class _Mesh(TyperGroup):
    """`mesh`, of which `--root` alone may be given more than once."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        _, _, order = self.make_parser(ctx).parse_args(args=list(args))
        with _usage():
            for one in order:
                if not one.multiple and order.count(one) > 1:
                    said = f"{one.opts[0]} is given twice."
                    raise UsageError(said, next_step="leave one of them out")
        return super().parse_args(ctx, args)


class _Typed(TyperCommand):
    """A verb, whose words are held to its table before they are parsed."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if "--help" not in args and self.name:
            with _usage():
                refuse_mistyped(find(self.name), args)
        return super().parse_args(ctx, args)


@contextmanager
def _usage() -> Iterator[None]:
    """Answer what cannot be parsed as every command line does: with exit code 2."""
    try:
        yield
    except UsageError as error:
        raise typer.Exit(_told(error, 2)) from None


app = typer.Typer(
    name="mesh",
    cls=_Mesh,
    help="The path of a data product: find, read, describe and deploy what a mesh holds.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def _roots(
    context: typer.Context,
    root: Annotated[
        list[Path] | None,
        typer.Option(
            help="A mesh root; may be given more than once. Default: MESH_ROOTS, else .mesh"
        ),
    ] = None,
    principal: Annotated[str | None, typer.Option(help="Who asks. Default: you")] = None,
) -> None:
    context.obj = (root, principal)


def _command(verb: Verb) -> Callable[..., None]:
    def run(context: typer.Context, **given: Any) -> None:
        root, principal = context.obj
        as_json = given.pop("as_json", False)
        mesh = mesh_notebook.open(root, principal)
        mesh.progress = _tell
        try:
            result = getattr(mesh, verb.name)(**{k: v for k, v in given.items() if v is not None})
        except KeyboardInterrupt as stopped:
            typer.echo(str(stopped if isinstance(stopped, Stopped) else Stopped()), err=True)
            raise typer.Exit(_INTERRUPTED) from None
        except MeshError as error:
            if verb.name != "diff":
                raise
            raise typer.Exit(_told(error, 2)) from None  # as `diff` itself: 1 is no error
        _show(_as_json(result) if as_json else result)
        # As `diff` itself says it; and a job must see that not all was done.
        if getattr(result, "differs", False) or getattr(result, "failed", False):
            raise typer.Exit(1)

    context = inspect.Parameter(
        "context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context
    )
    parameters = [context, *(_parameter(argument) for argument in verb.typed)]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {p.name: p.annotation for p in parameters}
    run.__doc__ = "\n\n".join(filter(None, (verb.summary, verb.caution)))
    return run


def _as_json(result: Any) -> dict[str, Any]:
    from mesh_notebook.surfaces.as_json import json_of

    return json_of(result)


def _parameter(argument: Argument) -> inspect.Parameter:
    kind = _TYPES.get(argument.kind, str if argument.required else str | None)
    if argument.flag:
        info: Any = typer.Option(argument.flag, help=argument.help)
    else:
        info = typer.Argument(help=argument.help)
    # A list is typed as one text with commas; the method knows what no list means.
    omitted = None if argument.kind == "list" else argument.default
    default = inspect.Parameter.empty if argument.required else omitted
    return inspect.Parameter(
        argument.name,
        inspect.Parameter.KEYWORD_ONLY,
        annotation=Annotated[kind, info],
        default=default,
    )


def _tell(step: str) -> None:
    if sys.stderr.isatty():
        typer.echo(f"  {step}", err=True)


def _in_a_shell(text: str) -> str:
    """Return a text with the verbs that a shell has as one types them there."""
    verbs = "|".join(verb.name for verb in VERBS if verb.shell)
    text = re.sub(rf"%mesh help ({verbs})\b", r"mesh \1 --help", text)
    return re.sub(rf"%mesh (?=(?:{verbs})\b)", "mesh ", text)


def _show(result: Any) -> None:
    if isinstance(result, bytes):
        sys.stdout.buffer.write(result)
    elif isinstance(result, str):
        typer.echo(result, nl=not result.endswith("\n"))
    elif isinstance(result, dict):
        typer.echo(json.dumps(result, indent=2, default=str, ensure_ascii=False))
    else:
        typer.echo(_in_a_shell(as_text(panel_of(result), color=sys.stdout.isatty())))


for _verb in VERBS:
    if _verb.shell:
        app.command(_verb.name, cls=_Typed)(_command(_verb))
