"""The order of a set is another one in each process: what takes it is refused."""

from __future__ import annotations

import pytest
from test_export_clocks import kept_after, refused_after

S = "s = {'a', 'bb'}\n"

TAKEN = {
    "pop": S + "n = len(s.pop())",
    "next": S + "n = len(next(iter(s)))",
    "the first of a list": S + "n = len(list(s)[0])",
    "the first of a tuple": S + "n = len(tuple(s)[-1])",
    "a list under a name": S + "xs = list(s)\nn = len(xs[0])",
    "a list in another cell": S + "xs = [*s]",
    "join": S + "n = ord(','.join(s)[0]) % 3",
    "enumerate": S + "d = {x: i for i, x in enumerate(s)}\nn = d['a'] + 1",
    "zip": S + "n = dict(zip(s, [1, 2]))['a']",
    "a loop that keeps the last": S + "for x in s:\n    n = len(x)",
    "a loop that fills a list": S + "r = []\nfor x in s:\n    r.append(x)\nn = len(r[0])",
    "a loop that fills a dictionary": (
        S + "d = {}\nfor x in s:\n    d[x] = 1\nn = len(next(iter(d)))"
    ),
    "a loop that builds a text": S + "t = ''\nfor x in s:\n    t += x\nn = ord(t[0]) % 3",
    "a loop that returns": (
        "def f(s: set[str]):\n    for x in s:\n        return len(x)\n" + S + "n = f(s)"
    ),
    "a loop that stops": S + "for x in s:\n    n = len(x)\n    break",
    "unpacked": S + "x, y = s\nn = len(x)",
    "spread": S + "def f(x, y): return len(x)\nn = f(*s)",
    "made by a call": "n = len(list(set(['a', 'bb']))[0])",
    "of a comprehension": "n = len([x for x in {y for y in ['a', 'bb']}][0])",
    "of a union": S + "n = len(list(s | {'c'})[0])",
    "of a union by a method": S + "n = len(list(s.union({'ccc'}))[0])",
    "of two dictionaries' keys": "n = len(list({'a': 1, 'bb': 2}.keys() & {'a', 'bb'})[0])",
    "of a function": "def f(): return {'a', 'bb'}\nn = len(list(f())[0])",
    "in a function": "def f(xs):\n    u = set(xs)\n    return len(list(u)[0])\nn = f(['a', 'bb'])",
    "in a function that is given it": "def f(xs):\n    return len(list(xs)[0])\n" + S + "n = f(s)",
    "of a frozen one": "s = frozenset(['a', 'bb'])\nn = len(list(s)[0])",
    "of a dictionary of sets": "d = {'k': {'a', 'bb'}}\nn = len(list(d['k'])[0])",
    "of a default dictionary": (
        "from collections import defaultdict\nd = defaultdict(set)\nd['k'] |= {'a', 'bb'}\n"
        "n = len(list(d['k'])[0])"
    ),
    "of the sets of a dictionary": (
        "d = {'k': {'a', 'bb'}}\nr = [list(v)[0] for v in d.values()]\nn = len(r[0])"
    ),
    "of an attribute": (
        "class C:\n    def __init__(self):\n        self.seen = set()\n"
        "    def first(self):\n        return list(self.seen)[0]\n"
        "c = C()\nc.seen.add('a')\nn = len(c.first())"
    ),
    "with a key that ties": "s = {'a', 'b'}\nn = ord(sorted(s, key=len)[0]) % 3",
    "the least by a key": "s = {'a', 'b'}\nn = ord(min(s, key=len)) % 3",
    "as a text": S + "n = ord(str(s)[2]) % 3",
    "in a text": S + "n = ord(f'{s}'[2]) % 3",
    "as columns of a frame": S + "n = len(pl.DataFrame({'x': list(s)})['x'][0])",
    "as a series": S + "n = len(pl.Series(list(s))[0])",
    "through a generator": S + "n = len(next(x for x in s if x))",
    "through map": S + "n = list(map(len, s))[0]",
    "a list that it is added to": S + "xs = [1]\nxs += s\nn = len(xs[1])",
    "the most common": (
        "from collections import Counter\nn = len(Counter({'a', 'b'}).most_common(1)[0][0])"
    ),
    "of sets that are made on the way": (
        "g = {}\ng.setdefault('k', set()).add('a')\nn = len(list(g['k'])[0])"
    ),
    "keys in its order": S + "n = len(list(dict.fromkeys(s))[0])",
}


@pytest.mark.parametrize("name", TAKEN)
def test_what_takes_the_order_of_a_set_is_refused(name: str) -> None:
    last = "out = flights.head(len(xs[0]))" if name == "a list in another cell" else None
    error = refused_after(TAKEN[name], **({"last": last} if last else {}))
    assert "order of a set" in str(error)
    assert "sorted(" in str(error)


def test_a_lambda_that_hands_on_the_order_is_refused() -> None:
    last = (
        "out = flights.with_columns(c=pl.col('origin').map_elements("
        "lambda o: list(set(o)), return_dtype=pl.List(pl.String)))"
    )
    assert "order of a set" in str(refused_after(last=last))


KEPT = {
    "sorted": S + "n = len(sorted(s)[0])",
    "sorted by a list": S + "xs = list(s)\nxs.sort()\nn = len(xs[0])",
    "sorted by more than ties": S + "n = len(sorted(s, key=lambda x: (len(x), x))[0])",
    "the least": S + "n = len(min(s)) + len(max(s)) - 1",
    "how many": S + "n = len(s) + len(list(s)) - 2",
    "whether it is there": S + "n = 1 + ('a' in s) + ('a' in list(s)) - 1",
    "a sum": S + "n = sum(len(x) for x in s)",
    "any": S + "n = 1 + any(x == 'a' for x in s)",
    "another set": S + "t = {x.upper() for x in s} | {'C'}\nn = len(t)",
    "a dictionary that is asked": S + "d = {x: len(x) for x in s}\nn = d['a']",
    "a dictionary that is filled": S + "d = {}\nfor x in s:\n    d[x] = 2\nn = d['a']",
    "a loop that counts": S + "n = 0\nfor x in s:\n    n += len(x)",
    "a loop that looks": S + "n = 2\nfor x in s:\n    if x == 'c':\n        n = 3\n        break",
    "a loop that fills a sorted list": (
        S + "r = []\nfor x in s:\n    y = x.upper()\n    r.append(y)\nn = len(sorted(r)[0])"
    ),
    "numbers": "s = {3, 1, 2}\nn = list(s)[0]",
    "numbers of a comprehension": "s = {i * 2 for i in range(1, 3)}\nn = list(s)[0] - 1",
    "numbers of texts": "s = {len(x) for x in ['a', 'bb']}\nn = list(s)[0]",
    "numbers of a range": "s = set(range(1, 4))\nn = s.pop()",
    "only told": S + "print(s, f'{s}')\nif not s:\n    raise ValueError(f'no {s}')\nn = 2",
    "a name of one's own": "def set(xs): return sorted(xs)\nn = len(list(set(['a', 'bb']))[0])",
    "a function that sorts": "def f(xs):\n    return len(sorted(xs)[0])\n" + S + "n = f(s)",
    "a list that it is added to in order": S + "xs = [1]\nxs += sorted(s)\nn = len(xs[1])",
    "a count that is asked": ("from collections import Counter\nn = Counter({'a', 'b'})['a'] + 1"),
    "an item of a dictionary": "d = {'k': {'a', 'bb'}}\nn = len(d['k'])",
    "one of a class": (
        "class C:\n    def __init__(self, names): self.names = names\n" + S + "n = len(C(s).names)"
    ),
    "sorted straight away": S + "n = len(pl.Series(list(s)).sort()[0])",
}


@pytest.mark.parametrize("name", KEPT)
def test_what_is_the_same_in_any_order_is_kept(name: str) -> None:
    assert kept_after(KEPT[name])


@pytest.mark.parametrize(
    "frame",
    [
        "flights.filter(pl.col('origin').is_in(s))",
        "flights.filter(pl.col('origin').is_in(list(s)))",
        "flights.unique(subset=list(s & {'day'}) or None, maintain_order=True)",
        "flights.drop(s - {'a', 'bb'})",
        "flights.filter(pl.col('origin').map_elements(lambda o: o in s, return_dtype=pl.Boolean))",
        "flights.with_columns(c=pl.col('origin').replace({x: 'x' for x in s}))",
        "flights.select(sorted(s | {'day'}, key=str)[-1])",
    ],
)
def test_a_frame_that_asks_a_set_is_kept(frame: str) -> None:
    assert kept_after(S, last=f"out = {frame}")
