"""The verbs of the control port: who may see what, who asked, and what is forbidden or erased."""

from __future__ import annotations

from mesh_notebook.model.policy import MASKS
from mesh_notebook.surfaces.verb import PRINCIPAL, PRODUCT, PURPOSE, Argument, Verb, one

__all__ = ["CONTROL"]

CONTROL: tuple[Verb, ...] = (
    Verb(
        "ask",
        "explore",
        "Ask a private port for a count, sum or mean: with noise, at the cost of your budget.",
        "%mesh ask podcast-listeners mean minutes --by country --epsilon 0.5",
        (
            PRODUCT,
            one("what", "what to ask for", choices=("count", "sum", "mean")),
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
        "protect",
        "bootstrap",
        "Set a rule of a port, or mask one of its columns; it holds from the next deployment on.",
        "%mesh protect listeners.email --with tokenise --except privacy-officer",
        (
            one(
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
            Argument(
                "aggregates",
                "from how many rows on an aggregate is open to all",
                "--aggregates",
                "whole",
                0,
            ),
            Argument(
                "declassify", "show on purpose what an input hides", "--declassify", "flag", False
            ),
            Argument("because", "why it is declassified", "--because", default=""),
            Argument(
                "erasers",
                "roles that may erase (default: those that see the column)",
                "--erasers",
                "list",
                (),
            ),
            Argument("remove", "take the rule away", "--remove", "flag", False),
        ),
    ),
    Verb(
        "why",
        "connect",
        "Explain what a port's policy makes of who asks: what they see of it, and why.",
        "%mesh why podcast-listeners --principal ana --purpose research",
        (
            PRODUCT,
            Argument("port", "the port, if the product has several", "--port"),
            PRINCIPAL,
            PURPOSE,
        ),
        shell=True,
        reads=True,
    ),
    Verb(
        "erase",
        "maintain",
        "Erase one subject from every snapshot of a port, for ever, by destroying its key.",
        "%mesh erase podcast-listeners user-17",
        (
            one("product", "a product, or product/port; with --everywhere it may be left out"),
            Argument("subject", "whom: the value of the column that was made erasable"),
            Argument("port", "the port, if the product has several", "--port"),
            Argument(
                "everywhere",
                "from every product of the mesh that holds it; exit code 1 where one keeps it",
                "--everywhere",
                "flag",
                False,
            ),
        ),
        shell=True,
    ),
    Verb(
        "key",
        "maintain",
        "Make a key that products share: tokens under it join, and each can be forgotten.",
        "%mesh key new people",
        (
            one("action", "what to do", choices=("new",)),
            one("name", "what `%mesh protect … --key` calls it"),
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
        reads=True,
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
        reads=True,
    ),
    Verb(
        "decisions",
        "maintain",
        "Show who asked for a product's ports, what was decided, and by which rules.",
        "%mesh decisions airport-delays --last 50",
        (PRODUCT, Argument("last", "how many decisions (default: 20)", "--last", "whole", 20)),
        shell=True,
        reads=True,
    ),
)
