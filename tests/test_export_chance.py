"""Draws at random: refused where nobody can draw them again, with the seed to give."""

from __future__ import annotations

import random
from collections.abc import Iterator

import numpy as np
import pytest
from test_export_clocks import kept_after, refused_after


@pytest.fixture(autouse=True)
def generators() -> Iterator[None]:
    """Put back the state of the generators that cells share with the tests."""
    before, of_numpy = random.getstate(), np.random.get_state()
    yield
    random.setstate(before)
    np.random.set_state(of_numpy)


DRAWN = {
    "in a list": "import random\nn = [random.random][0]() > 2",
    "in a dictionary": "import random\nd = {'r': random.random}\nn = int(d['r']() > 2)",
    "as a default": "import random\ndef f(r=random.random): return r()\nn = int(f() > 2)",
    "as an attribute of a class": (
        "import random\nclass C:\n    r = staticmethod(random.random)\nn = int(C.r() > 2)"
    ),
    "by partial": (
        "import random\nfrom functools import partial\nr = partial(random.randint, 1, 3)\nn = r()"
    ),
    "mapped": "import random\nn = list(map(random.randrange, [3]))[0]",
    "as a key": "import random\nn = sorted([1, 2], key=lambda _: random.random())[0]",
    "as a local name": (
        "import random\ndef f():\n    r = random.random\n    return int(r() > 2)\nn = f()"
    ),
    "as a default factory": (
        "import uuid\nfrom collections import defaultdict\n"
        "d = defaultdict(uuid.uuid4)\nn = len(str(d[1]))"
    ),
    "of a module that is handed on": (
        "import random\ndef f(r): return int(r.random() > 2)\nn = f(random)"
    ),
    "by its name": "import random\nn = int(getattr(random, 'random')() > 2)",
    "of an imported module": (
        "import importlib\nn = int(importlib.import_module('random').random() > 2)"
    ),
    "of secrets": "import secrets\nn = secrets.randbelow(3)",
    "of the system": "import os\nn = os.urandom(1)[0]",
    "of the system's generator": "import random\nn = random.SystemRandom().randint(1, 3)",
    "of a generator of one's own": "import random\nn = random.Random().randint(1, 3)",
    "of a generator with None": (
        "import numpy as np\ns = None\nn = int(np.random.default_rng(s).integers(3))"
    ),
    "of a bit generator": (
        "import numpy as np\nn = int(np.random.Generator(np.random.Philox()).integers(3))"
    ),
    "by NumPy's old functions": "from numpy import random as r\nn = int(r.randint(3))",
    "of a distribution": "from scipy import stats\nn = int(stats.norm.rvs() > 9)",
    "of a frozen distribution": (
        "from scipy import stats\nd = stats.norm(0, 1)\nn = int(d.rvs(1)[0] > 9)"
    ),
    "of a density": (
        "from scipy import stats\nk = stats.gaussian_kde([1.0, 2.0, 4.0])\nn = len(k.resample(2))"
    ),
    "of a parameter": (
        "import pandas as pd\ndef f(d): return d.sample(1)\nn = len(f(pd.DataFrame({'a': [1]})))"
    ),
    "of groups": (
        "import pandas as pd\nn = len(pd.DataFrame({'a': [1]}).groupby('a')"
        ".apply(lambda g: g.sample(1)))"
    ),
    "by an unbound method": (
        "import pandas as pd\nn = len(pd.DataFrame({'a': [1]}).pipe(pd.DataFrame.sample))"
    ),
    "with a state of None": (
        "import pandas as pd\nn = len(pd.DataFrame({'a': [1]}).sample(1, random_state=None))"
    ),
    "after half a seed": (
        "import random\nif random is None:\n    random.seed(0)\nn = random.randint(1, 3)"
    ),
    "of made-up people": "from faker import Faker\nfake = Faker()\nn = len(fake.name())",
    "of made-up people at once": "from faker import Faker\nn = len(Faker().name())",
    "of made-up people in a function": (
        "from faker import Faker\ndef f():\n    fake = Faker()\n    return fake.name()\n"
        "n = len(f())"
    ),
    "what ends first": (
        "from concurrent.futures import ThreadPoolExecutor, as_completed\n"
        "with ThreadPoolExecutor() as e:\n"
        "    n = [f.result() for f in as_completed([e.submit(int, 1), e.submit(int, 2)])][0]"
    ),
}


@pytest.mark.parametrize("name", DRAWN)
def test_a_draw_under_any_name_is_refused(name: str) -> None:
    error = refused_after(DRAWN[name])
    assert error.cell == 2
    assert "chance" in str(error) or "at random without a seed" in str(error)


SEEDED = {
    "before": ("import random\nrandom.seed(1)", "n = random.randint(1, 3)"),
    "before a draw by another name": (
        "import random\nrandom.seed(1)",
        "d = {'r': random.random}",
        "n = 1 + int(d['r']() > 2)",
    ),
    "behind partial": (
        "import random\nfrom functools import partial\nrandom.seed(1)",
        "draw = partial(random.randint, 1, 3)",
        "n = draw()",
    ),
    "after draws that do not matter": (
        "import random\nrandom.random()",
        "random.seed(1)",
        "n = random.randint(1, 3)",
    ),
    "by a name": (
        "import numpy as np\nseed = 3\nseeded = np.random.seed(seed)",
        "n = 1 + int(np.random.randint(2))",
    ),
    "by a function": (
        "import random\nimport numpy as np\ndef seed_all(s):\n    random.seed(s)\n"
        "    np.random.seed(s)",
        "seed_all(4)",
        "n = 1 + random.randint(1, 2) + int(np.random.randint(2))",
    ),
    "in the function that draws": (
        "import random\ndef f():\n    random.seed(3)\n    return random.randint(1, 3)\nn = f()",
    ),
    "in a function that imports for itself": (
        "def f():\n    import random\n    random.seed(3)\n    return random.randint(1, 3)\nn = f()",
    ),
    "in a loop": (
        "import random\nrows = []\nfor i in range(3):\n    random.seed(i)\n"
        "    rows.append(random.randint(1, 3))\nn = rows[0]",
    ),
    "with a generator of one's own": (
        "import random\nrng = random.Random(3)\ndef pick(r, xs): return r.sample(xs, 1)[0]",
        "n = pick(rng, [1, 2, 3])",
    ),
    "with a generator of NumPy's": (
        "import numpy as np\nrng = np.random.default_rng(3)\n"
        "def f(rng: np.random.Generator): return 1 + int(rng.integers(2))",
        "n = f(rng)",
    ),
    "with generators for several seeds": (
        "import numpy as np\nn = [1 + int(r.integers(2)) for r in map(np.random.default_rng, [1])]"
        "[0]",
    ),
    "with a state": (
        "import pandas as pd\ndef f(d): return d.sample(1, random_state=3)\n"
        "n = len(f(pd.DataFrame({'a': [1]})))",
    ),
    "with NumPy's state for pandas": (
        "import numpy as np\nimport pandas as pd\nnp.random.seed(3)",
        "def f(d): return d.sample(1)\nn = len(f(pd.DataFrame({'a': [1]})))",
    ),
    "with Faker's": (
        "from faker import Faker\nfake = Faker()\nFaker.seed(4)",
        "n = len(fake.name())",
    ),
    "with an instance's of Faker": (
        "from faker import Faker\nfake = Faker()\nfake.seed_instance(4)",
        "n = len(fake.name())",
    ),
    "of a method of one's own": (
        "class Deck:\n    def sample(self, n): return 2\n    def shuffle(self): return self",
        "deck = Deck()\ndef f(d): return d.shuffle().sample(1)",
        "n = f(deck)",
    ),
    "of a type that is only asked for": (
        "import random\nimport numpy as np\nx = 3\n"
        "n = 1 + isinstance(x, (random.Random, np.random.Generator))",
    ),
    "a key that is made of a text": (
        "import uuid\nn = len(str(uuid.uuid5(uuid.NAMESPACE_DNS, 'a')))",
    ),
}


@pytest.mark.parametrize("name", SEEDED)
def test_what_can_be_drawn_again_is_kept(name: str) -> None:
    assert kept_after(*SEEDED[name])


def test_the_seed_and_the_draws_before_belong_to_a_draw_under_another_name() -> None:
    kept = kept_after(*SEEDED["before a draw by another name"])
    assert "random.seed(1)" in kept
    again = kept_after(*SEEDED["behind partial"][:-1], "draw()", "n = draw()")
    assert {"random.seed(1)", "draw()"} <= set(again)
    assert "random.random()" not in kept_after(*SEEDED["after draws that do not matter"])


ROWS = "X = [[0.0], [1.0], [3.0], [9.0]]\ny = [0, 0, 1, 1]\n"
LEARNT = {
    "clusters": "from sklearn.cluster import KMeans\nn = KMeans(2).fit(X).n_clusters",
    "a forest": (
        "from sklearn.ensemble import RandomForestClassifier as F\nn = len(F(3).fit(X, y).classes_)"
    ),
    "a tree": (
        "from sklearn import tree\nn = len(tree.DecisionTreeClassifier().fit(X, y).classes_)"
    ),
    "a split": (
        "from sklearn.model_selection import train_test_split\nn = len(train_test_split(X, y))"
    ),
    "folds": (
        "from sklearn.model_selection import KFold\n"
        "n = KFold(n_splits=2, shuffle=True).get_n_splits()"
    ),
    "a solver that draws": (
        "from sklearn.linear_model import LogisticRegression\n"
        "n = len(LogisticRegression(solver='saga', max_iter=9).fit(X, y).classes_)"
    ),
    "rows again": "from sklearn.utils import resample\nn = len(resample(X))",
    "made-up rows": "from sklearn.datasets import make_blobs\nn = len(make_blobs(3))",
    "a class in a list": (
        "from sklearn.cluster import KMeans\nn = [c(2) for c in [KMeans]][0].n_clusters"
    ),
    "a class by partial": (
        "from functools import partial\nfrom sklearn.cluster import KMeans\n"
        "n = partial(KMeans, 2)().n_clusters"
    ),
    "a class that inherits": (
        "from sklearn.cluster import KMeans\nclass M(KMeans): pass\nn = M(2).n_clusters"
    ),
    "in a function": (
        "from sklearn.cluster import KMeans\ndef f(k): return KMeans(k).fit(X)\nn = f(2).n_clusters"
    ),
    "with parameters": (
        "from sklearn.cluster import KMeans\nwhich = {'n_clusters': 2}\n"
        "n = KMeans(**which).n_clusters"
    ),
    "an optimum": (
        "from scipy.optimize import differential_evolution as de\n"
        "n = len(de(lambda v: v[0] ** 2, [(-1, 1)], maxiter=2).x)"
    ),
}
AGAIN = {
    "clusters": "from sklearn.cluster import KMeans\nn = KMeans(2, random_state=0).n_clusters",
    "a split": (
        "from sklearn.model_selection import train_test_split\n"
        "n = len(train_test_split(X, y, random_state=0))"
    ),
    "a split in order": (
        "from sklearn.model_selection import train_test_split\n"
        "n = len(train_test_split(X, y, shuffle=False))"
    ),
    "folds": "from sklearn.model_selection import KFold\nn = KFold(n_splits=2).get_n_splits()",
    "a solver that draws nothing": (
        "from sklearn.linear_model import LogisticRegression\n"
        "n = len(LogisticRegression().fit(X, y).classes_)"
    ),
    "a solver with a seed": (
        "from sklearn.linear_model import LogisticRegression\n"
        "n = len(LogisticRegression(solver='saga', random_state=1).fit(X, y).classes_)"
    ),
    "a class by partial": (
        "from functools import partial\nfrom sklearn.cluster import KMeans\n"
        "n = partial(KMeans, 2, random_state=0)().n_clusters"
    ),
    "a class that inherits": (
        "from sklearn.cluster import KMeans\nclass M(KMeans): pass\n"
        "n = M(2, random_state=0).n_clusters"
    ),
    "a class of several": (
        "from sklearn.cluster import KMeans\nkinds = {'k': KMeans}",
        "n = kinds['k'](n_clusters=2, random_state=0).n_clusters",
    ),
    "with parameters": (
        "from sklearn.cluster import KMeans\nwhich = {'n_clusters': 2, 'random_state': 0}\n"
        "n = KMeans(**which).n_clusters"
    ),
    "what never draws": (
        "from sklearn.linear_model import LinearRegression\n"
        "n = len(LinearRegression().fit(X, y).coef_)"
    ),
    "a vector machine": ("from sklearn.svm import SVC\nn = len(SVC().fit(X, y).classes_)"),
}


@pytest.mark.parametrize("name", LEARNT)
def test_an_estimator_or_a_splitter_without_a_state_is_refused(name: str) -> None:
    error = refused_after(ROWS + LEARNT[name])
    assert "at random without a seed" in str(error)
    assert "random_state=0" in str(error)


@pytest.mark.parametrize("name", AGAIN)
def test_an_estimator_that_draws_nothing_or_has_a_state_is_kept(name: str) -> None:
    first, *more = [AGAIN[name]] if isinstance(AGAIN[name], str) else AGAIN[name]
    assert kept_after(ROWS + first, *more)


def test_numpys_seed_is_kept_for_the_estimators_that_draw_from_it() -> None:
    kept = kept_after(
        "import numpy as np\nfrom sklearn.cluster import KMeans\n" + ROWS,
        "np.random.seed(3)",
        "k = KMeans(2)",
        "np.random.rand()",
        "n = int(k.fit(X).labels_[0]) + 1",
    )
    assert {"np.random.seed(3)", "np.random.rand()"} <= set(kept)


DRAWING_COLUMNS = ["pl.col('delay').shuffle()", "pl.col('delay').rank('random')"]


@pytest.mark.parametrize("column", DRAWING_COLUMNS)
def test_a_column_that_is_drawn_asks_for_a_seed(column: str) -> None:
    error = refused_after(last=f"out = flights.with_columns(c={column})")
    assert "seed=0" in str(error)
    kept_after(last=f"out = flights.with_columns(c={column[:-1]}{_comma(column)}seed=0))")
    kept_after(last="out = flights.with_columns(c=pl.col('delay').rank('dense'))")


def _comma(column: str) -> str:
    return "" if column.endswith("()") else ", "


def test_the_fix_names_what_to_give() -> None:
    said = {
        "import random\nn = random.randint(1, 3)": "random.seed(0)",
        "import numpy as np\nn = int(np.random.rand() > 2)": "np.random.seed(0)",
        "from faker import Faker\nn = len(Faker().name())": "Faker.seed(0)",
        "import uuid\nn = len(str(uuid.uuid4()))": "uuid.uuid5",
        "import secrets\nn = secrets.randbelow(2)": "random.Random(0)",
    }
    for cell, fix in said.items():
        assert fix in str(refused_after(cell).next_step)


def test_the_draw_of_a_function_is_named_where_it_runs() -> None:
    error = refused_after("import random\ndef f(): return random.randint(1, 3)", "n = f()")
    assert "`random.randint`" in str(error)
