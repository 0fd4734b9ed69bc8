"""The one table of verbs: the magics, the command line and the help are all made from it.

A verb names a method of `Workspace`; an argument names a parameter of that method. A test holds
the table against the methods, so that the two cannot drift apart.
"""

from __future__ import annotations

from dataclasses import dataclass

from mesh_notebook.errors import UsageError, near
from mesh_notebook.model.origin import Origin
from mesh_notebook.surfaces.control_verbs import CONTROL
from mesh_notebook.surfaces.verb import AS, AS_OF, PRODUCT, WINDOW, Argument, Verb, one

__all__ = ["VERBS", "Argument", "Help", "Verb", "find"]


@dataclass(frozen=True)
class Help:
    """What `%mesh help` answers: every verb, or one."""

    verbs: tuple[Verb, ...]


_MODES = tuple(origin.value for origin in Origin)
_ROWS = "with sample or mock: how many rows"

_ENGINE = (
    Argument(
        "engine",
        "where it is computed",
        "--engine",
        default="polars",
        choices=("polars", "duckdb", "spark"),
    ),
    Argument(
        "master",
        "of Spark: spark://host:port (default: MESH_SPARK_MASTER, else this machine)",
        "--master",
    ),
)
_DEPLOYMENT = (
    Argument("interval", "the interval that the rows are of: 2026-10", "--interval"),
    Argument(
        "backfill",
        "publish each interval from one time to another (not included): 2026-01 2026-07",
        "--backfill",
        "pair",
    ),
    *_ENGINE,
    Argument(
        "renamed", "what a column that is gone is called now: old=new", "--renamed", "list", ()
    ),
)

_PATH: tuple[Verb, ...] = (
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
            PRODUCT,
            Argument(
                "format",
                "default: by the ending of --out, else a card in a notebook, text in a shell",
                "--format",
                choices=("text", "html", "json", "jsonld", "markdown"),
            ),
            AS_OF,
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
            PRODUCT,
            Argument("port", "the port, if the product has several", "--port"),
            AS,
            *WINDOW,
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
            one("name", "an input"),
            one("mode", "what to show", choices=_MODES),
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
            one("name", "the Python name to bind"),
            one(
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
            one("what", "a contract file (*.odcs.yaml), or with --like a frame"),
            Argument(
                "rows", "how many rows (default: 1000, or as many as the frame)", "--rows", "whole"
            ),
            Argument("seed", "the same seed gives the same rows", "--seed", "whole", 0),
            AS,
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
        (one("name", "the Python name of the result"),),
        cell="query",
    ),
    Verb(
        "profile",
        "explore",
        "Summarise a whole frame, column by column.",
        "%mesh profile plays",
        (one("frame", "a frame"),),
    ),
    Verb(
        "product",
        "bootstrap",
        "Name the data product that this notebook makes; the outputs that follow are its own.",
        '%mesh product podcast-listeners --domain media --owner media-data --purpose "Who listens"',
        (
            one("name", "the product's name"),
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
            one("port", "the port's name"),
            one("frame", "the frame that it serves"),
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
        "drop",
        "bootstrap",
        "Take back the declaration of an output port; nothing that was published changes.",
        "%mesh drop daily",
        (one("port", "an output port of this notebook"),),
    ),
    Verb(
        "contract",
        "bootstrap",
        "Show a port's contract; as a cell, override any of it in ODCS terms (YAML).",
        "%%mesh contract daily",
        (one("port", "an output port"),),
        cell="overrides",
    ),
    Verb(
        "promise",
        "bootstrap",
        "Set SLOs of an output port, or rehearse them: measured, before they are promised.",
        "%mesh promise daily freshness=1d lag_p95=2h completeness=0.99! --rehearse",
        (
            one("port", "an output port"),
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
            one("column", "PORT.COLUMN of yours"),
            one("target", "PRODUCT/PORT.COLUMN that it means"),
        ),
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
        (
            Argument("folder", "default: products/<product> beside the notebook"),
            Argument(
                "engines",
                "prove it there, too (default: duckdb); spark is only translated unless named",
                "--engines",
                "list",
                (),
            ),
        ),
    ),
    Verb(
        "load",
        "bootstrap",
        "Open an exported product as the cells of a notebook again.",
        "%mesh load products/podcast-listeners",
        (
            one("folder", "an exported bundle"),
            Argument("out", "the notebook to write (default: PRODUCT.ipynb)", "--out"),
            Argument("force", "write it in place of one that is there", "--force", "flag", False),
        ),
        shell=True,
    ),
    Verb(
        "diff",
        "bootstrap",
        "Say which side changed since an export, notebook or module, statement by statement.",
        "%mesh diff products/podcast-listeners podcast-listeners.ipynb",
        (
            one("folder", "an exported bundle"),
            Argument("notebook", "the notebook's file (default: this notebook's own)"),
        ),
        shell=True,
    ),
    Verb(
        "verify",
        "deploy",
        "Hold a bundle to its receipt, and prove it again on the rows that it was proved on.",
        "%mesh verify products/podcast-listeners --engine duckdb",
        (one("folder", "an exported bundle"), *_ENGINE),
        shell=True,
    ),
    Verb(
        "run",
        "deploy",
        "Run a bundle on its inputs, on an engine of your choice; look at it, publish nothing.",
        "%mesh run products/podcast-listeners --engine spark --rows 5",
        (
            one("folder", "an exported bundle"),
            *_ENGINE,
            Argument(
                "format",
                "default: by the ending of --out, else parquet",
                "--format",
                choices=("parquet", "csv", "ndjson", "arrow"),
            ),
            Argument("out", "the file to write; of several ports, a folder", "--out"),
            Argument("rows", "how many rows of each port to show", "--rows", "whole", 10),
        ),
        shell=True,
    ),
    Verb(
        "plan",
        "deploy",
        "Say what deploying a bundle would change, and for whom; nothing is run or written.",
        "%mesh plan products/podcast-listeners",
        (
            one("folder", "an exported bundle"),
            *_DEPLOYMENT,
            Argument("format", "default: text", "--format", choices=("json",)),
        ),
        shell=True,
    ),
    Verb(
        "deploy",
        "deploy",
        "Run a bundle on its inputs, check it, and publish a snapshot, all or nothing.",
        "%mesh deploy products/podcast-listeners",
        (
            one("folder", "an exported bundle"),
            Argument("plan", "the id of a plan: do exactly that, or nothing", "--plan", default=""),
            *_DEPLOYMENT,
        ),
        shell=True,
    ),
    Verb(
        "rejects",
        "deploy",
        "Show the rows for which a deployment was refused; they lie on this machine alone.",
        "%mesh rejects podcast-listeners --out rejected.parquet",
        (
            one("product", "a product, or the folder of its bundle"),
            Argument("port", "only those of this port", "--port"),
            Argument("rule", "only those that break this rule", "--rule"),
            Argument("out", "the file to write: .parquet, .csv, .ndjson, .arrow", "--out"),
            Argument("clear", "remove what is kept of the product", "--clear", "flag", False),
        ),
        shell=True,
    ),
    Verb(
        "read",
        "maintain",
        "Read an output port, through the port.",
        "%mesh read airport-delays --from 2013-07 --to 2013-08 --format csv --out july.csv",
        (
            PRODUCT,
            Argument("port", "the port, if the product has several", "--port"),
            *WINDOW,
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
        (PRODUCT, Argument("last", "how many publications (default: 30)", "--last", "whole", 30)),
        shell=True,
    ),
    Verb(
        "history",
        "maintain",
        "List a product's snapshots, newest first.",
        "%mesh history airport-delays",
        (PRODUCT,),
        shell=True,
    ),
    Verb(
        "lineage",
        "maintain",
        "Trace a product, a port or a column: what it comes from, and what is made of it.",
        "%mesh lineage airport-delays/daily.delay",
        (
            one("what", "PRODUCT[/PORT][.COLUMN], or a bundle's folder"),
            Argument(
                "format", "default: a picture", "--format", choices=("text", "json", "openlineage")
            ),
        ),
        shell=True,
    ),
    Verb(
        "retain",
        "maintain",
        "Let go of old snapshots, for good; refused while a product stands on one.",
        "%mesh retain airport-delays --keep 30 --dry-run",
        (
            PRODUCT,
            Argument("keep", "how many of the last snapshots stay", "--keep", "whole"),
            Argument("older_than", "let go of what was replaced longer ago: 90d", "--older-than"),
            Argument("dry_run", "only say what would go", "--dry-run", "flag", False),
        ),
        shell=True,
    ),
)
_STEPS = list(dict.fromkeys(verb.step for verb in _PATH))

VERBS = tuple(sorted((*_PATH, *CONTROL), key=lambda verb: _STEPS.index(verb.step)))

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
