"""What the verbs answer as JSON: one shape for each, whose keys stay.

A verb that only reads takes `--json`. On the command line standard output is then that JSON and
nothing else, and an error is JSON on standard error: `error` (its class), `message`, `next_step`;
the exit code says the same as without. In a notebook the answer is the mapping itself.

========== ========================================================================================
verb       keys
========== ========================================================================================
search     `words`, `roots`, `products`: `address`, `name`, `domain`, `purpose`, `owner`, `version`,
           `status`, `origin`, `snapshot`, `published`
describe   see `workspace.discovery.json`
read       `product`, `port`, `snapshot`, `published`, `version`, `status`, `origin`,
           `intervals`, `rows` (of all), `columns` (by name the type), `head` (the first rows);
           with `--out`: `path`, `what`, `rows`, `cursor`
history    `product`, `snapshots`, newest first: `snapshot`, `published`, `version`, `status`,
           `origin`, `rows` (by port), `inputs`, `principal`, `clock_behind_s`
status     `product`, `snapshots`, `hurt`, `majors`, `damaged`: `port`, `why` (of rows that cannot
           be served); `ports`: `port`, `promises`: `promise`,
           `promised`, `measured`, `value`, `limit`, `kept`, `gate`, `broken_since`, `points`; of
           the last snapshot also `verified`, when it was last found unchanged. Of a whole mesh:
           `roots`, `products` (each as above), `broken`: `product`, `port`, `promise`,
           `broken_since`; `unread`: `product`, `why`
lineage    `of`, `upstream`, `downstream` (`source`, `target`, `how`), `untold`
why        `product`, `port`, `snapshot`, `principal`, `purpose`, `roles`, `own`, `policies`,
           `says`, `forbidden`, `mock`
decisions  `product`, `decisions`: as they were logged
rejects    `product`, `refusals`: `version`, `time`, `broken`; `shown`, `rows`, `out`, `cleared`
plan       as `plan --format json` has them
verify     `product`, `engine`, `passed`, `findings`, `rows`, `files`, `inputs`, `other_versions`
diff       `product`, `folder`, `differs`, `sides`, `changes`, `laid_out`, `others`
grant      `root`, `grants`: `principal`, `role`, `by`, `at`; `done`
rule       `root`, `rules`, `caches`, `entries`, `done`
path       `steps`: `name`, `done`, `facts`; `next_step`, `origin`
contract   `port`, `rows`, `origin`, `set_by_hand`, `contract` (the ODCS document)
check      `passed`, `origins`, `uncarried`, `untold`, `ports`: `port`, `rows`, `passed`, `rules`:
           `rule`, `kind`, `column`, `checked`, `failed`, `passed`, `decided`, `example`, `note`;
           `promises`, `news`: `column`, `now`, `before`
profile    `rows`, `origin`, `columns`: `name`, `dtype`, `nulls`, `distinct`, `least`, `most`,
           `mean`, `std`, `quantiles`, `top`, `histogram`
========== ========================================================================================

Times are ISO 8601, UTC; what is not known is null; NaN and infinity are texts.
"""

from mesh_notebook.surfaces.as_json import control, exploration, operation  # noqa: F401
from mesh_notebook.surfaces.as_json.shapes import error_as_json, json_of

__all__ = ["error_as_json", "json_of"]
