"""The one table of verbs: the magics, the command line and the help are all made from it.

A verb names a method of `Workspace`; an argument names a parameter of that method. A test holds
the table against the methods, so that the two cannot drift apart.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from mesh_notebook.errors import UsageError, near
from mesh_notebook.model.origin import Origin
from mesh_notebook.model.policy import MASKS

__all__ = ["VERBS", "Argument", "Help", "Verb", "find"]

Kind = Literal["text", "whole", "number", "flag", "list", "rest"]


@dataclass(frozen=True)
class Argument:
    """One argument of a verb.

    Attributes
    ----------
    name : str
        The method's parameter.
    flag : str
        `--name` as it is typed; empty for a positional argument.
    kind : str
        `text`, `whole` (a number without a fraction), `number`, `flag` (no value), `list`
        (comma-separated), or `rest` (all words that are left).
    """

    name: str
    help: str
    flag: str = ""
    kind: Kind = "text"
    default: Any = None
    required: bool = False
    choices: tuple[str, ...] = ()

    @property
    def usage(self) -> str:
        shown = "|".join(self.choices) or self.name.upper()
        if self.kind == "rest":
            shown += "…"
        if self.flag:
            shown = self.flag if self.kind == "flag" else f"{self.flag} {shown}"
        return shown if self.required else f"[{shown}]"


@dataclass(frozen=True)
class Verb:
    """One thing a person can do, at one step of the path.

    Attributes
    ----------
    cell : str
        The parameter that takes the body of a `%%mesh` cell; empty for a line magic.
    shell : bool
        Whether it makes sense as `mesh VERB …` in a shell, where no notebook's names exist.
    """

    name: str
    step: str
    summary: str
    example: str
    arguments: tuple[Argument, ...] = field(default=())
    cell: str = ""
    shell: bool = False

    @property
    def usage(self) -> str:
        return " ".join([self.name, *(a.usage for a in self.arguments)])


@dataclass(frozen=True)
class Help:
    """What `%mesh help` answers: every verb, or one."""

    verbs: tuple[Verb, ...]


def _one(name: str, help: str, **more: Any) -> Argument:
    return Argument(name, help, required=True, **more)


_PRODUCT = _one("product", "a product, product/port, domain/product, or URN")
_AS = Argument("name", "the Python name to bind", "--as")
_AS_OF = Argument("as_of", "as known at this processing time", "--as-of")
_WINDOW = (
    Argument("start", "event time from (included): 2026-10-04, 2026-10, yesterday, P7D", "--from"),
    Argument("end", "event time to (not included)", "--to"),
    _AS_OF,
)

_MODES = tuple(origin.value for origin in Origin)
_ROWS = "with sample or mock: how many rows"

VERBS: tuple[Verb, ...] = (
    Verb(
        "path",
        "any",
        "Show where you are on the path, and the next step (the same as %mesh alone).",
        "%mesh",
    ),
    Verb(
        "help",
        "any",
        "Say what the verbs do, or one verb in full.",
        "%mesh help connect",
        (Argument("verb", "a verb"),),
    ),
    Verb(
        "search",
        "connect",
        "Find products by words in their names, purposes, tags and columns.",
        "%mesh search listeners country",
        (Argument("words", "words that must all be found", kind="rest"),),
        shell=True,
    ),
    Verb(
        "browse",
        "connect",
        "Look through the mesh with the mouse: search, pick, read the card.",
        "%mesh browse",
        (Argument("words", "words to begin with", kind="rest"),),
    ),
    Verb(
        "describe",
        "connect",
        "Describe a product: ports, meaning, promises, shape, owner, access, lineage, versions.",
        "%mesh describe podcast-listeners --format jsonld --out listeners.jsonld",
        (
            _PRODUCT,
            Argument(
                "format",
                "default: by the ending of --out, else a card in a notebook, text in a shell",
                "--format",
                choices=("text", "html", "json", "jsonld", "markdown"),
            ),
            _AS_OF,
            Argument("out", "the file to write", "--out"),
            Argument("json", "the same as --format json", "--json", "flag", False),
        ),
        shell=True,
    ),
    Verb(
        "connect",
        "connect",
        "Bind an output port as an input: a lazy frame in Python, a view in SQL.",
        "%mesh connect podcast-plays --as plays",
        (
            _PRODUCT,
            Argument("port", "the port, if the product has several", "--port"),
            _AS,
            *_WINDOW,
            Argument(
                "mode",
                "its own rows, a sample of them, or rows made from its contract",
                "--mode",
                default="live",
                choices=_MODES,
            ),
            Argument("rows", f"{_ROWS} (default: 1000)", "--rows", "whole"),
            Argument("seed", "another seed gives other rows", "--seed", "whole", 0),
        ),
    ),
    Verb(
        "use",
        "connect",
        "Show another truth of an input under the same name; the code below does not change.",
        "%mesh use plays live",
        (
            _one("name", "an input"),
            _one("mode", "what to show", choices=_MODES),
            Argument("rows", f"{_ROWS} (default: as it is)", "--rows", "whole"),
            Argument(
                "seed", "another seed gives other rows (default: as it is)", "--seed", "whole"
            ),
        ),
    ),
    Verb(
        "source",
        "connect",
        "Bind files, a table, a sheet, a bucket, an address or an API as an input.",
        "%mesh source orders https://api.example.org/orders --records data.items --next links.next",
        (
            _one("name", "the Python name to bind"),
            _one(
                "uri",
                "a path, a glob, a folder; app.db#table, book.xlsx#Sheet; https://…, "
                "s3://bucket/plays/*.parquet, postgresql://user@host/db#schema.table",
            ),
            Argument("null", "text that stands for no value in a CSV or a sheet", "--null"),
            Argument(
                "format",
                "what it is, where its name does not say: csv, parquet, ndjson, json, excel, "
                "sqlite, ipc, api",
                "--format",
            ),
            Argument("records", "API: where the list of records is (data.items)", "--records"),
            Argument(
                "next",
                "API: where the next page's URL is (links.next), or PARAM=PATH of a cursor",
                "--next",
            ),
            Argument("page", "API: the query parameter that counts pages", "--page"),
            Argument("offset", "API: the query parameter that counts records", "--offset"),
            Argument("max_pages", "API: more pages are an error (1000)", "--max-pages", "whole"),
            Argument("token_env", "the environment variable that holds a token", "--token-env"),
            Argument("token_header", "the token's header, if not Authorization", "--token-header"),
        ),
    ),
    Verb(
        "mock",
        "mock",
        "Make synthetic data from a contract, or like a real frame, and bind it as an input.",
        "%mesh mock contracts/user-profiles.odcs.yaml --rows 1000 --seed 7 --as users",
        (
            _one("what", "a contract file (*.odcs.yaml), or with --like a frame"),
            Argument(
                "rows", "how many rows (default: 1000, or as many as the frame)", "--rows", "whole"
            ),
            Argument("seed", "the same seed gives the same rows", "--seed", "whole", 0),
            _AS,
            Argument(
                "like",
                "model the frame with SDV and sample from the model",
                "--like",
                "flag",
                False,
            ),
            Argument("key", "with --like: columns that must be unique", "--key", "list", ()),
            Argument("breaking", "break exactly this rule of the contract", "--break"),
        ),
    ),
    Verb(
        "sql",
        "explore",
        "Run SQL over inputs and frames; the result is a frame, and a table for the next query.",
        "%%mesh sql delays",
        (_one("name", "the Python name of the result"),),
        cell="query",
    ),
    Verb(
        "ask",
        "explore",
        "Ask a private port for a count, sum or mean: with noise, at the cost of your budget.",
        "%mesh ask podcast-listeners mean minutes --by country --epsilon 0.5",
        (
            _PRODUCT,
            _one("what", "what to ask for", choices=("count", "sum", "mean")),
            Argument("of", "the column to add up or average"),
            Argument("by", "the columns to group by", "--by", "list", ()),
            Argument(
                "epsilon",
                "what to spend; the less, the more noise (default: a tenth of the budget)",
                "--epsilon",
                "number",
            ),
            Argument("port", "the port, if the product has several", "--port"),
        ),
        shell=True,
    ),
    Verb(
        "profile",
        "explore",
        "Summarise a whole frame, column by column.",
        "%mesh profile plays",
        (_one("frame", "a frame"),),
    ),
    Verb(
        "product",
        "bootstrap",
        "Name the data product that this notebook makes; the outputs that follow are its own.",
        '%mesh product podcast-listeners --domain media --owner media-data --purpose "Who listens"',
        (
            _one("name", "the product's name"),
            Argument("domain", "the domain that owns it", "--domain"),
            Argument("owner", "the team that answers for it", "--owner"),
            Argument("purpose", "what it is for, in a sentence", "--purpose"),
            Argument("version", "its version (default: 1.0.0)", "--version"),
            Argument(
                "status", "default: active; draft when an input is mock or sample", "--status"
            ),
            Argument("tenant", "the organisation (default: local)", "--tenant"),
            Argument("tags", "words to find it by", "--tags", "list"),
        ),
    ),
    Verb(
        "output",
        "bootstrap",
        "Declare an output port; its contract is inferred from the frame and shown.",
        "%mesh output daily delays --key origin,day --event-time day",
        (
            _one("port", "the port's name"),
            _one("frame", "the frame that it serves"),
            Argument("key", "the columns that identify a row", "--key", "list", ()),
            Argument("event_time", "the column that says when it happened", "--event-time"),
            Argument(
                "kind",
                "snapshot: each publication is the whole picture; log: it adds and corrects",
                "--kind",
                default="snapshot",
                choices=("snapshot", "log"),
            ),
            Argument(
                "interval",
                "each publication is the picture of one month (hour … year)",
                "--interval",
            ),
        ),
    ),
    Verb(
        "contract",
        "bootstrap",
        "Show a port's contract; as a cell, override any of it in ODCS terms (YAML).",
        "%%mesh contract daily",
        (_one("port", "an output port"),),
        cell="overrides",
    ),
    Verb(
        "promise",
        "bootstrap",
        "Set SLOs of an output port, or rehearse them: measured, before they are promised.",
        "%mesh promise daily freshness=1d lag_p95=2h completeness=0.99! --rehearse",
        (
            _one("port", "an output port"),
            Argument(
                "promises",
                "freshness=1d interval=1d lag_p95=2h lag_p50=30min completeness=0.99 "
                "completeness.COLUMN=1 drift=0.2 retention=2y rows=1000; ! after a value: a gate",
                kind="rest",
            ),
            Argument(
                "gate", "promises that a publication must keep to become one", "--gate", "list", ()
            ),
            Argument("rehearse", "measure, and promise nothing", "--rehearse", "flag", False),
        ),
    ),
    Verb(
        "link",
        "bootstrap",
        "Say that a column means a column of another product.",
        "%mesh link listeners.user_id user-profiles/profiles.user_id",
        (
            _one("column", "PORT.COLUMN of yours"),
            _one("target", "PRODUCT/PORT.COLUMN that it means"),
        ),
    ),
    Verb(
        "protect",
        "bootstrap",
        "Set a rule of a port, or mask one of its columns; it holds from the next deployment on.",
        "%mesh protect listeners.email --with tokenise --except privacy-officer",
        (
            _one(
                "target", "PORT.COLUMN to mask a column, PORT for all else; alone, shows the policy"
            ),
            Argument(
                "mask",
                "what others see in place of the values",
                "--with",
                default="",
                choices=MASKS,
            ),
            Argument("exempt", "roles that see it as it is", "--except", "list", ()),
            Argument(
                "to",
                "generalise: the width of a band (10), or a unit (day, month)",
                "--to",
                default="",
            ),
            Argument("keep", "truncate: how many characters stay", "--keep", "whole", 0),
            Argument("groups", "generalise: NORTH=DE|DK,SOUTH=IT|ES", "--groups", "list", ()),
            Argument(
                "key", "a key that other products share, so that tokens join", "--key", default=""
            ),
            Argument("where", "which rows others see, in SQL", "--rows", default=""),
            Argument("roles", "who may read the port", "--roles", "list", ()),
            Argument("purposes", "for what it may be read", "--purposes", "list", ()),
            Argument(
                "stand_in", "who may not read it may have made-up rows", "--stand-in", "flag", False
            ),
            Argument(
                "erasable", "the column whose single values can be erased", "--erasable", default=""
            ),
            Argument(
                "private",
                "noisy aggregates only; the column that says whose a row is",
                "--private",
                default="",
            ),
            Argument("budget", "private: the epsilon of each principal", "--budget", default=0.0),
            Argument(
                "rows_each", "private: how many rows of each count", "--rows-each", "whole", 1
            ),
            Argument(
                "bounds", "private: what may be summed, minutes=0..1440", "--bounds", "list", ()
            ),
            Argument(
                "values", "private: what may be grouped by, country=DE|FR", "--values", "list", ()
            ),
            Argument("remove", "take the rule away", "--remove", "flag", False),
        ),
    ),
    Verb(
        "why",
        "connect",
        "Explain what a port's policy makes of you: what you see of it, and why.",
        "%mesh why podcast-listeners",
        (_PRODUCT, Argument("port", "the port, if the product has several", "--port")),
        shell=True,
    ),
    Verb(
        "erase",
        "maintain",
        "Erase one subject from every snapshot of a port, for ever, by destroying its key.",
        "%mesh erase podcast-listeners user-17",
        (
            _PRODUCT,
            _one("subject", "whom: the value of the column that was made erasable"),
            Argument("port", "the port, if the product has several", "--port"),
        ),
        shell=True,
    ),
    Verb(
        "check",
        "bootstrap",
        "Hold every output port, or one, to its contract, on the full data.",
        "%mesh check",
        (Argument("port", "an output port"),),
    ),
    Verb(
        "export",
        "bootstrap",
        "Write the product as a bundle, proved equal to what the notebook saw.",
        "%mesh export products/podcast-listeners",
        (Argument("folder", "default: products/<product> beside the notebook"),),
    ),
    Verb(
        "deploy",
        "deploy",
        "Run a bundle on its inputs, check it, and publish a snapshot, all or nothing.",
        "%mesh deploy products/podcast-listeners",
        (
            _one("folder", "an exported bundle"),
            Argument("interval", "the interval that the rows are of: 2026-10", "--interval"),
        ),
        shell=True,
    ),
    Verb(
        "read",
        "maintain",
        "Read an output port, through the port.",
        "%mesh read airport-delays --from 2013-07 --to 2013-08 --format csv --out july.csv",
        (
            _PRODUCT,
            Argument("port", "the port, if the product has several", "--port"),
            *_WINDOW,
            Argument(
                "format",
                "default: by the ending of --out, else table",
                "--format",
                choices=("table", "parquet", "csv", "ndjson", "json", "arrow", "events", "graph"),
            ),
            Argument("out", "the file to write", "--out"),
            Argument("since", "of events: after this cursor, or after this time", "--since"),
        ),
        shell=True,
    ),
    Verb(
        "status",
        "maintain",
        "Hold what each publication measured to what was promised, now and over time.",
        "%mesh status airport-delays",
        (_PRODUCT, Argument("last", "how many publications (default: 30)", "--last", "whole", 30)),
        shell=True,
    ),
    Verb(
        "history",
        "maintain",
        "List a product's snapshots, newest first.",
        "%mesh history airport-delays",
        (_PRODUCT,),
        shell=True,
    ),
    Verb(
        "retain",
        "maintain",
        "Let go of old snapshots, for good; refused while a product stands on one.",
        "%mesh retain airport-delays --keep 30 --dry-run",
        (
            _PRODUCT,
            Argument("keep", "how many of the last snapshots stay", "--keep", "whole"),
            Argument("older_than", "let go of what was replaced longer ago: 90d", "--older-than"),
            Argument("dry_run", "only say what would go", "--dry-run", "flag", False),
        ),
        shell=True,
    ),
    Verb(
        "grant",
        "maintain",
        "Grant somebody a role, or take it away; alone, list who has which role.",
        "%mesh grant ana privacy-officer",
        (
            Argument("who", "the principal's name"),
            Argument("role", "a role that policies name"),
            Argument("revoke", "take the role away", "--revoke", "flag", False),
        ),
        shell=True,
    ),
    Verb(
        "rule",
        "maintain",
        "Have a rule in Rego forbid reads and publications, mesh-wide; alone, list the rules.",
        "%mesh rule rules/no-bare-emails.rego",
        (
            Argument("file", "a module: package mesh, deny contains message if { … }"),
            Argument("name", "what to call it (default: as the file)", "--name"),
            Argument("remove", "the rule that holds no longer", "--remove"),
        ),
        shell=True,
    ),
    Verb(
        "decisions",
        "maintain",
        "Show who asked for a product's ports, what was decided, and by which rules.",
        "%mesh decisions airport-delays --last 50",
        (_PRODUCT, Argument("last", "how many decisions (default: 20)", "--last", "whole", 20)),
        shell=True,
    ),
)

_BY_NAME = {verb.name: verb for verb in VERBS}


def find(name: str) -> Verb:
    """Return the verb of that name, or raise `UsageError` with the ones that may be meant."""
    if name in _BY_NAME:
        return _BY_NAME[name]
    close = near(name, _BY_NAME)
    raise UsageError(
        f"'{name}' is not something mesh can do.",
        next_step=f"did you mean {', '.join(close)}?" if close else "%mesh help lists the verbs",
        near=close,
    )
