"""The verbs that declare a product, and write it as a bundle."""

from __future__ import annotations

from mesh_notebook.surfaces.verb import Argument, Verb, one

__all__ = ["DEVELOPMENT"]


DEVELOPMENT: tuple[Verb, ...] = (
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
            Argument(
                "strict",
                "demand what was seen, too: of these columns, or of all where none is named",
                "--strict",
                "some",
                False,
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
        reads=True,
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
        reads=True,
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
        reads=True,
    ),
)
