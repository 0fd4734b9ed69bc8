"""The verbs that find a product, connect to it, mock one, and explore rows."""

from __future__ import annotations

from mesh_notebook.model.origin import Origin
from mesh_notebook.surfaces.verb import AS, AS_OF, PRODUCT, PURPOSE, WINDOW, Argument, Verb, one

__all__ = ["EXPLORATION"]

_MODES = tuple(origin.value for origin in Origin)
_ROWS = "with sample or mock: how many rows"

EXPLORATION: tuple[Verb, ...] = (
    Verb(
        "search",
        "connect",
        "Find products by words in their names, purposes, tags and columns.",
        "%mesh search listeners country",
        (Argument("words", "words that must all be found", kind="rest"),),
        shell=True,
        reads=True,
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
            PURPOSE,
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
            Argument("product", "whose port takes a mock's place", "--product"),
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
            Argument("null", "what stands for no value in a CSV or a sheet: NA,-999", "--null"),
            Argument(
                "format",
                "what it is, where its name does not say: csv, parquet, ndjson, json, excel, "
                "sqlite, ipc, api",
                "--format",
            ),
            Argument("separator", "CSV: between fields: ';', tab, space (runs)", "--separator"),
            Argument("decimal", "CSV: before a fraction: ','", "--decimal"),
            Argument("encoding", "CSV: latin1, cp1252, utf-16, … (UTF-8)", "--encoding"),
            Argument("skip", "CSV: lines above the header", "--skip", "whole"),
            Argument("columns", "CSV: names, if no line has them: a,b", "--columns", "list", ()),
            Argument(
                "by_name", "files of different columns: join by name", "--by-name", "flag", False
            ),
            Argument("query", "PostgreSQL: a SELECT, perhaps with :from and :to", "--query"),
            Argument("event_time", "the column by which it can be cut", "--event-time"),
            Argument("start", "event time from (included): 2026-10", "--from"),
            Argument("end", "event time to (not included)", "--to"),
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
            Argument("table", "the table, if the contract describes several", "--table"),
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
        reads=True,
    ),
)
