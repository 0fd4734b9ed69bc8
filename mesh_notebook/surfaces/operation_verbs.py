"""The verbs that take a bundle, or what was deployed of it."""

from __future__ import annotations

from mesh_notebook.surfaces.verb import PRINCIPAL, PRODUCT, PURPOSE, WINDOW, Argument, Verb, one

__all__ = ["OPERATION"]

_RUNS_CODE = (
    "It runs the bundle's own code as you, which may do whatever you may: look at transform.py "
    "before you run somebody else's. `mesh plan` and `mesh describe` run nothing of it."
)
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
    PRINCIPAL,
    PURPOSE,
    Argument(
        "allow_fewer",
        "publish less than a tenth of the rows that were usual",
        "--allow-fewer",
        "flag",
        False,
    ),
    Argument("allow_empty", "publish even no rows at all", "--allow-empty", "flag", False),
)

OPERATION: tuple[Verb, ...] = (
    Verb(
        "verify",
        "deploy",
        "Hold a bundle to its receipt, and prove it again on the rows that it was proved on.",
        "%mesh verify products/podcast-listeners --engine duckdb",
        (one("folder", "an exported bundle"), *_ENGINE, PRINCIPAL, PURPOSE),
        shell=True,
        caution=_RUNS_CODE,
        reads=True,
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
            PRINCIPAL,
            PURPOSE,
        ),
        shell=True,
        caution=_RUNS_CODE,
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
        reads=True,
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
        caution=_RUNS_CODE,
    ),
    Verb(
        "rejects",
        "deploy",
        "Show who deployed the rows that it was refused for; the account guards them.",
        "%mesh rejects podcast-listeners --out rejected.parquet",
        (
            one("product", "a product, or the folder of its bundle"),
            Argument("port", "only those of this port", "--port"),
            Argument("rule", "only those that break this rule", "--rule"),
            Argument("out", "the file to write: .parquet, .csv, .ndjson, .arrow", "--out"),
            Argument("clear", "remove what is kept of the product", "--clear", "flag", False),
        ),
        shell=True,
        reads=True,
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
            PRINCIPAL,
            PURPOSE,
        ),
        shell=True,
        reads=True,
    ),
    Verb(
        "status",
        "maintain",
        "Hold what each publication measured to what was promised, now and over time.",
        "%mesh status airport-delays",
        (
            Argument("product", "a product, product/port, domain/product, or URN (default: all)"),
            Argument("last", "how many publications (default: 30)", "--last", "whole", 30),
            Argument(
                "check",
                "for programs: exit code 1 where a promise is broken",
                "--check",
                "flag",
                False,
            ),
        ),
        shell=True,
        reads=True,
    ),
    Verb(
        "history",
        "maintain",
        "List a product's snapshots, newest first.",
        "%mesh history airport-delays",
        (PRODUCT,),
        shell=True,
        reads=True,
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
        reads=True,
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
