"""Code whose answer the order of rows decides where values are alike, which at hand they are not.

`port` is an input port, whose rows have no order, with the key `id`; `src` is a source of the same
rows, and `dim` one with a row for each `g`. Every value of `k`, `d` and `x` is there once.
"""

from __future__ import annotations

__all__ = ["DETERMINED", "LISTS", "TIED"]

ROWS = "rows = port.collect().to_dicts()\n"
TABLE = "table = port.collect().to_pandas()\n"
OF_DICT = "pl.DataFrame({'k': list(found), 'x': list(found.values())})"

# Of a port: what looks at rows by their place, without a step of a library that says so.
TIED = [
    "pl.DataFrame(port.collect().to_pandas().groupby('g').agg(v=('x', lambda s: s.iloc[0])))",
    TABLE + "pl.DataFrame(table.groupby('g')['x'].apply(lambda s: s.values[0]).to_frame())",
    TABLE + "pl.DataFrame(table.pivot_table(index='g', values='id', aggfunc=lambda s: list(s)[0]))",
    TABLE + "found = table.set_index('k')['x'].to_dict()\n" + OF_DICT,
    TABLE + "found = table.set_index('k')['x'].to_frame()\n"
    "pl.DataFrame(found[~found.index.duplicated()])",
    TABLE + "codes, _ = pd.factorize(table['k'])\npl.DataFrame({'id': table['id'], 'code': codes})",
    TABLE + "pl.DataFrame({'k': [table['k'].value_counts().index[0]]})",
    TABLE + "pl.DataFrame({'c': [functools.reduce(lambda a, b: a / 2 + b, table['x'])]})",
    ROWS + "found = {row['k']: row['x'] for row in rows}\n" + OF_DICT,
    "found = dict(zip(port.collect()['k'], port.collect()['x']))\n" + OF_DICT,
    ROWS + "found = {}\nfor row in rows: found.setdefault(row['k'], row['x'])\n" + OF_DICT,
    "found = port.collect().rows_by_key('k', unique=True)\n"
    "pl.DataFrame({'id': [row[0] for row in found.values()]})",
    "best = Counter(port.collect()['g']).most_common(1)\npl.DataFrame({'g': [best[0][0]]})",
    "pl.DataFrame({'k': [statistics.mode(port.collect()['k'])]})",
    ROWS + "best = max(rows, key=lambda row: row['x'])\npl.DataFrame({'id': [best['id']]})",
    ROWS + "best = sorted(rows, key=lambda row: row['d'])[0]\npl.DataFrame({'id': [best['id']]})",
    ROWS + "best = heapq.nlargest(2, rows, key=lambda row: row['d'])\n"
    "pl.DataFrame({'id': [one['id'] for one in best]})",
    "sums = defaultdict(int)\nfor row in port.collect().to_dicts(): sums[row['g']] += row['d']\n"
    "pl.DataFrame({'g': [max(sums, key=sums.get)]})",
    ROWS + "runs = itertools.groupby(rows, key=lambda row: row['k'])\n"
    "pl.DataFrame({'k': [k for k, _ in runs]})",
    "pl.DataFrame({'t': [''.join(port.collect()['g'])]})",
    "pl.DataFrame({'x': list(port.collect()['x'])[:2]})",
    "pl.DataFrame({'id': [next(port.collect().iter_rows(named=True))['id']]})",
    "places = np.argmax(port.collect()['x'].to_numpy())\n"
    "pl.DataFrame({'k': [port.collect()['k'].to_list()[int(places)]]})",
    ROWS + "rows.sort(key=lambda row: row['d'])\n"
    "pl.DataFrame({'c': [b['x'] - a['x'] for a, b in itertools.pairwise(rows)]})",
    "connection = duckdb.connect()\nconnection.register('given', port.collect())\n"
    "pl.DataFrame(connection.execute('SELECT k FROM given ORDER BY d LIMIT 1').fetchall())",
]

_KINDS = "src.select('g').unique().collect()"
_TAKEN = [
    f"{_KINDS}['g'].to_list()[0]",
    f"{_KINDS}['g'].to_list()[:2]",
    f"{_KINDS}['g'].to_numpy()[:2]",
    f"{_KINDS}['g'].to_arrow().to_pylist()[:2]",
    f"{_KINDS}['g'][:2].to_list()",
    f"{_KINDS}['g'].head(2).to_list()",
    f"{_KINDS}.get_column('g').to_list()[-1]",
    f"{_KINDS}.to_series().to_list()[:2]",
    f"[row[0] for row in {_KINDS}.rows()[:2]]",
    f"[row['g'] for row in {_KINDS}.to_dicts()[:2]]",
    f"{_KINDS}.to_dict(as_series=False)['g'][:2]",
    f"[row[0] for row in itertools.islice({_KINDS}.iter_rows(), 2)]",
    f"next(iter({_KINDS}['g']))",
    f"list(dict.fromkeys({_KINDS}['g']))[:2]",
    f"[name for name, _ in zip({_KINDS}['g'], range(2))]",
    "src.group_by('g').len().collect()['g'].to_list()[:2]",
    "src.group_by('g').len().collect().to_pandas()['g'].unique()[:2].tolist()",
    "src.join(dim, on='g').collect()['k'].to_list()[:2]",
    "[name for (name,), _ in src.collect().group_by('g')][:2]",
    "[row[0] for row in _sql('SELECT DISTINCT g FROM src', src=src).rows()[:2]]",
]
_CONNECTED = "connection = duckdb.connect()\nconnection.register('given', src.collect())\n"
_ANSWERED = [
    "connection.execute('SELECT g FROM given').fetchone()[0]",  # as a LIMIT without an ORDER BY
    "connection.execute('SELECT DISTINCT g FROM given').fetchone()[0]",
    "connection.execute('SELECT DISTINCT g FROM given').fetchall()[0][0]",
    "connection.execute('SELECT g, count(*) FROM given GROUP BY g').fetchall()[-1][0]",
    "connection.sql('SELECT g FROM given GROUP BY g').to_arrow_table()['g'].to_pylist()[0]",
    "connection.execute('SELECT DISTINCT g FROM given').df()['g'].tolist()[0]",
]
# Names that are taken by their place of rows without an order, and decide which rows are kept.
LISTS = [
    f"names = {taken}\nnames = [names] if isinstance(names, str) else list(names)\n"
    "src.filter(pl.col('g').is_in(names) | pl.col('k').is_in(names))"
    for taken in _TAKEN
]
LISTS += [
    f"{_CONNECTED}name = {answered}\nsrc.filter(pl.col('g') == name)" for answered in _ANSWERED
]

# What the rows determine, ties or not.
DETERMINED = [
    "pl.DataFrame(port.collect().to_pandas().groupby('g').agg(v=('x', lambda s: s.max())))",
    TABLE + "pl.DataFrame(table.groupby('g')['x'].agg(['mean', 'std', 'count']).reset_index())",
    TABLE + "pl.DataFrame(table.assign(share=table['x'] / table['x'].sum()))",
    TABLE + "pl.DataFrame(table.sort_values('id').groupby('g').first().reset_index())",
    TABLE + "pl.DataFrame(table['g'].value_counts().reset_index())",
    TABLE + "pl.DataFrame({'g': [table.groupby('g')['d'].sum().idxmax()]})",
    TABLE + "pl.DataFrame([{'g': g, 'top': rows['x'].max()} for g, rows in table.groupby('g')])",
    ROWS + "found = {row['id']: row['x'] for row in rows}\n"
    "pl.DataFrame({'k': list(found), 'x': list(found.values())})",
    "found = {row['k']: row['x'] for row in port.sort('id').collect().to_dicts()}\n" + OF_DICT,
    "counts = Counter(port.collect()['g'])\n"
    "pl.DataFrame({'g': [min(counts, key=lambda g: (-counts[g], g))]})",
    ROWS + "best = max(rows, key=lambda row: (row['x'], row['id']))\n"
    "pl.DataFrame({'id': [best['id']]})",
    "sums = defaultdict(float)\nfor row in port.collect().to_dicts(): sums[row['g']] += row['x']\n"
    "pl.DataFrame({'g': list(sums), 'x': list(sums.values())})",
    ROWS + "total = 0.0\nfor row in rows: total += row['x']\npl.DataFrame({'total': [total]})",
    "pl.DataFrame({'t': [','.join(sorted(set(port.collect()['g'])))]})",
    "port.join(dim, on='g').group_by('n').agg(pl.col('x').mean(), pl.col('k').n_unique())",
    "port.filter(pl.col('x') == pl.col('x').max().over('g'))",
    "found = {row['k']: row['x'] for row in src.collect().to_dicts()}\n" + OF_DICT,
    "pl.DataFrame({'id': [max(src.collect().to_dicts(), key=lambda row: row['x'])['id']]})",
    "found = {row['id']: row['n'] for row in src.join(dim, on='g').collect().to_dicts()}\n"
    "pl.DataFrame({'id': list(found), 'n': list(found.values())})",
    "names = sorted(src.select('g').unique().collect()['g'].to_list())\n"
    "src.filter(pl.col('g').is_in(names[:1]))",
    _CONNECTED + "name = connection.execute('SELECT max(g) FROM given').fetchone()[0]\n"
    "src.filter(pl.col('g') == name)",
    _CONNECTED + "pl.DataFrame(connection.sql('SELECT g, sum(x) AS x FROM given GROUP BY g').df())",
    _CONNECTED + "names = connection.sql('SELECT DISTINCT g FROM given ORDER BY g').fetchall()\n"
    "src.filter(pl.col('g') == names[0][0])",
    "pl.concat([rows.select(pl.col('g').min(), pl.col('x').sum()) for _, rows in "
    "src.collect().group_by('g')])",
]

# What the order decides of rows as none is at hand: x is at most 16.5, and k is no `z`.
BEHIND = [
    "names = port.filter(pl.col('x') > 200).collect()['id'].to_list()\n"
    "port.select('id', f=pl.lit(str(names)))",
    "df = port.collect().to_pandas()\nbig = df[df['x'] > 200]\n"
    "first = big['id'].iloc[0] if len(big) else 0\npl.DataFrame(df[['id']].assign(f=first))",
    "late = [r['id'] for r in port.collect().to_dicts() if (r['x'] or 0) > 200]\n"
    "pl.DataFrame({'id': late[:1]}, schema={'id': pl.Int64})",
    "hit = next((r['id'] for r in port.collect().to_dicts() if (r['x'] or 0) > 200), -1)\n"
    "pl.DataFrame({'id': [hit]})",
    "rows, total = [], 0\nfor r in port.collect().iter_rows(named=True):\n"
    "    total += r['d'] if r['x'] > 200 else 0\n"
    "    rows.append({'id': r['id'], 'total': total})\npl.DataFrame(rows)",
    "text = ','.join(r['k'] for r in port.collect().to_dicts() if r['x'] > 200)\n"
    "pl.DataFrame({'text': [text]})",
    "hit = next((r['id'] for r in port.collect().to_dicts() if r['k'] == 'z'), -1)\n"
    "pl.DataFrame({'id': [hit]})",
    "some = duckdb.sql(\"SELECT id FROM port WHERE x > 200 AND k <> 'z'\").fetchall()\n"
    "pl.DataFrame({'id': [row[0] for row in some][:1] or [0]})",
]
