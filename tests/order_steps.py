"""Steps that depend on the order of rows, each as it is refused and as it is written instead.

`src` is a source, whose file has an order, and `port` an input port, whose rows have none.
Both have the columns `id`, a key, and `k`, `d` and `x`, in which rows tie. `dim` has one row for
each `k`.
"""

from __future__ import annotations

__all__ = ["ALLOWED", "MORE_ALLOWED", "MORE_REFUSED", "PANDAS", "POLARS", "SQL"]

# By what is refused: what is allowed instead.
POLARS = {
    "src.join(dim, on='k').head(3)": "src.join(dim, on='k', maintain_order='left').head(3)",
    "src.join(dim, on='k', how='left').limit(3)": (
        "src.join(dim, on='k', how='left', maintain_order='left').limit(3)"
    ),
    "src.join(dim, on='k', how='semi').tail(3)": (
        "src.join(dim, on='k', how='semi', maintain_order='left').tail(3)"
    ),
    "src.join(dim, on='k').slice(1, 2)": "src.join(dim, on='k').sort('id').slice(1, 2)",
    "src.join(dim, on='k').gather_every(2)": "src.join(dim, on='k').sort('id').gather_every(2)",
    "src.join(dim, on='k').with_row_index()": "src.join(dim, on='k').sort('id').with_row_index()",
    "src.join(dim, on='k').shift(1)": "src.join(dim, on='k').sort('id').shift(1)",
    "src.join(dim, on='k').fill_null(strategy='forward')": (
        "src.join(dim, on='k').sort('id').fill_null(strategy='forward')"
    ),
    "src.join(dim, on='k').with_columns(c=pl.col('x').cum_sum())": (
        "src.join(dim, on='k', maintain_order='left').with_columns(c=pl.col('x').cum_sum())"
    ),
    "src.join(dim, on='k').with_columns(c=pl.col('x').diff().over('k', order_by='d'))": (
        "src.join(dim, on='k').with_columns(c=pl.col('x').diff().over('k', order_by=['d', 'id']))"
    ),
    "src.join(dim, on='k').group_by('k').agg(pl.col('x').first())": (
        "src.join(dim, on='k').group_by('k').agg(pl.col('x').sort_by('id').first())"
    ),
    "src.join(dim, on='k').group_by('k').agg('x')": (
        "src.join(dim, on='k').group_by('k').agg(pl.col('x').sort())"
    ),
    "src.join(dim, on='k').group_by('k').head(1)": (
        "src.join(dim, on='k').sort('id').group_by('k').head(1)"
    ),
    "src.join(dim, on='k').collect().sample(2, seed=1)": (
        "src.join(dim, on='k').sort('id').collect().sample(2, seed=1)"
    ),
    "src.group_by('k').agg(pl.len()).head(1)": (
        "src.group_by('k', maintain_order=True).agg(pl.len()).head(1)"
    ),
    "src.group_by('k').agg(n=pl.len()).sort('n').head(1)": (
        "src.group_by('k').agg(n=pl.len()).sort('n', 'k').head(1)"
    ),
    "src.unique('k')": "src.unique('k', keep='first', maintain_order=True)",
    "src.unique().with_row_index()": "src.unique(maintain_order=True).with_row_index()",
    "src.sort('d').head(3)": "src.sort('d', maintain_order=True).head(3)",
    "src.sort('d', descending=True).first()": "src.sort('d', 'id', descending=True).first()",
    "src.sort('d').unique('k', keep='first')": "src.sort('d', 'id').unique('k', keep='first')",
    "src.top_k(3, by='d')": "src.top_k(3, by=['d', 'id'])",
    "src.bottom_k(3, by='d').select('id')": "src.sort('d', 'id').head(3).select('id')",
    "src.group_by('k').agg(pl.col('id').sort_by('d').last())": (
        "src.group_by('k').agg(pl.col('id').sort_by('d', maintain_order=True).last())"
    ),
    "src.group_by('k').agg(pl.col('id').max_by('d'))": (
        "src.group_by('k').agg(pl.col('id').max_by(pl.col('id')))"
    ),
    "src.group_by('k').agg(pl.col('d').mode().first())": (
        "src.group_by('k').agg(pl.col('d').mode().sort().first())"
    ),
    "src.group_by('k').agg(pl.col('d').unique())": (
        "src.group_by('k').agg(pl.col('d').unique(maintain_order=True))"
    ),
    "src.group_by('k').agg(pl.col('id').top_k_by('d', 1))": (
        "src.group_by('k').agg(pl.col('id').top_k(1))"
    ),
    "src.collect().filter(pl.col('k').is_in(src.top_k(1, by='d').collect()['k'].to_list()))": (
        "src.collect().filter(pl.col('k').is_in(src.top_k(1, by='id').collect()['k'].to_list()))"
    ),
    "src.pipe(lambda f: f.join(dim, on='k')).pipe(lambda f: f.head(2))": (
        "src.pipe(lambda f: f.join(dim, on='k')).pipe(lambda f: f.sort('id').head(2))"
    ),
    "pl.concat([src, src.unique()]).head(9)": "pl.concat([src, src]).head(9)",
    "src.join(dim, on='k').collect()[0:2]": "src.join(dim, on='k').sort('id').collect()[0:2]",
    "src.filter(x=src.join(dim, on='k').collect()['x'][0])": (
        "src.filter(x=src.join(dim, on='k').sort('id').collect()['x'][0])"
    ),
    "src.filter(x=src.join(dim, on='k').collect().item(0, 'x'))": (
        "src.filter(x=src.join(dim, on='k').collect()['x'].max())"
    ),
    "port.head(3)": "port.sort('id').head(3)",
    "port.with_columns(r=pl.int_range(pl.len()))": (
        "port.sort('id').with_columns(r=pl.int_range(pl.len()))"
    ),
    "port.with_columns(r=pl.col('x').rank('ordinal'))": (
        "port.with_columns(r=pl.col('x').rank('dense'))"
    ),
    "port.filter(pl.col('k').is_first_distinct())": (
        "port.sort('id').filter(pl.col('k').is_first_distinct())"
    ),
    "port.sort('d').with_columns(pl.col('x').shift().over('k'))": (
        "port.sort('d', 'id').with_columns(pl.col('x').shift().over('k'))"
    ),
    "port.with_columns(pl.col('x').interpolate())": (
        "port.sort('id').with_columns(pl.col('x').interpolate())"
    ),
    "port.with_columns(pl.col('x').rolling_mean(2))": (
        "port.sort('id').with_columns(pl.col('x').rolling_mean(2))"
    ),
    "port.group_by('k').agg(pl.col('x').get(pl.col('d').arg_max()))": (
        "port.group_by('k').agg(pl.col('x').get(pl.col('id').arg_max()))"
    ),
    "port.select(pl.col('x').cast(pl.String).str.join(','))": (
        "port.select(pl.col('x').cast(pl.String).sort().str.join(','))"
    ),
    "port.collect().pivot('k', index='d', values='x', aggregate_function='sum')": (
        "port.collect().pivot("
        "'k', index='d', values='x', aggregate_function='sum', sort_columns=True)"
    ),
    "port.sql('SELECT * FROM self LIMIT 2')": "port.sql('SELECT * FROM self ORDER BY id LIMIT 2')",
}

# What a source's file orders, and what no order changes.
ALLOWED = (
    "src.head(3)",
    "src.filter(pl.col('x') > 1).with_row_index()",
    "src.with_columns(c=pl.col('x').cum_sum().over('k'))",
    "src.group_by('k').agg(pl.col('x').first(), pl.col('d'))",
    "src.unique('k', keep='last')",
    "src.unique(['k', 'd'], maintain_order=True)",
    "src.sort('d')",
    "src.join(dim, on='k').group_by('k').agg(pl.col('x').sum(), c=pl.corr('x', 'd'))",
    "src.join(dim, on='k').group_by('k').agg(pl.col('x').null_count(), pl.col('d').n_unique())",
    "port.group_by('k').agg(pl.col('x').max()).sort('k').head(1)",
    "port.sort('d').tail(0)",
    "port.filter(pl.col('x') == pl.col('x').max())",
    "port.unique()",
    "port.top_k(2, by=['d', 'id'])",
    "port.sort(pl.all()).head(2)",
    "port.with_columns(pl.col('x').fill_null(0), s=pl.col('x').sum().over('k'))",
    "port.join(dim, on='k').unique('id')",
)

SQL = {
    "SELECT * FROM port LIMIT 3": "SELECT * FROM port ORDER BY id LIMIT 3",
    "SELECT * FROM src ORDER BY d LIMIT 3": "SELECT * FROM src ORDER BY d, id LIMIT 3",
    "SELECT k, count(*) AS n FROM src GROUP BY k ORDER BY n DESC LIMIT 1": (
        "SELECT k, count(*) AS n FROM src GROUP BY k ORDER BY n DESC, k LIMIT 1"
    ),
    "SELECT k, first(x) AS x FROM port GROUP BY k": (
        "SELECT k, first(x ORDER BY id) AS x FROM port GROUP BY k"
    ),
    "SELECT k, last(x ORDER BY d) AS x FROM port GROUP BY k": (
        "SELECT k, last(x ORDER BY d, id) AS x FROM port GROUP BY k"
    ),
    "SELECT k, any_value(x) AS x FROM port GROUP BY k": (
        "SELECT k, min(x) AS x FROM port GROUP BY k"
    ),
    "SELECT k, arg_max(x, d) AS x FROM port GROUP BY k": (
        "SELECT k, arg_max(x, id) AS x FROM port GROUP BY k"
    ),
    "SELECT string_agg(k, ',') AS x FROM port": (
        "SELECT string_agg(k, ',' ORDER BY k) AS x FROM port"
    ),
    "SELECT k, list(x) AS x FROM port GROUP BY k": (
        "SELECT k, list(x ORDER BY id) AS x FROM port GROUP BY k"
    ),
    "SELECT *, row_number() OVER () AS r FROM src": (
        "SELECT *, row_number() OVER (ORDER BY id) AS r FROM src"
    ),
    "SELECT *, row_number() OVER (PARTITION BY k ORDER BY x) AS r FROM src": (
        "SELECT *, rank() OVER (PARTITION BY k ORDER BY x) AS r FROM src"
    ),
    "SELECT *, lag(x) OVER (ORDER BY d) AS r FROM port": (
        "SELECT *, lag(x) OVER (ORDER BY d, id) AS r FROM port"
    ),
    "SELECT *, sum(x) OVER (ORDER BY d ROWS 1 PRECEDING) AS r FROM port": (
        "SELECT *, sum(x) OVER (ORDER BY d) AS r FROM port"
    ),
    "SELECT DISTINCT ON (k) * FROM port": "SELECT DISTINCT ON (k) * FROM port ORDER BY k, id",
    "SELECT * FROM port USING SAMPLE reservoir(2 ROWS) REPEATABLE (1)": (
        "SELECT * FROM port WHERE id % 2 = 0"
    ),
    "WITH m AS (SELECT k, d, sum(x) AS x FROM src GROUP BY ALL) "
    "SELECT * FROM m QUALIFY row_number() OVER (PARTITION BY k ORDER BY x) = 1": (
        "WITH m AS (SELECT k, d, sum(x) AS x FROM src GROUP BY ALL) "
        "SELECT * FROM m QUALIFY row_number() OVER (PARTITION BY k ORDER BY x, d) = 1"
    ),
}

# `table` is what pandas makes of the port.
PANDAS = {
    "table.head(2)": "table.sort_values('id').head(2)",
    "table.loc[[table['x'].idxmax()]]": "table.loc[[table.sort_values('id')['x'].idxmax()]]",
    "table.sort_values('d').tail(2)": "table.sort_values(['d', 'id']).tail(2)",
    "table.iloc[:2]": "table.sort_values('id').iloc[:2]",
    "table.assign(c=table['x'].cumsum())": (
        "table.sort_values('id').pipe(lambda t: t.assign(c=t['x'].cumsum()))"
    ),
    "table.assign(c=table.groupby('k')['x'].shift())": (
        "table.sort_values('id').pipe(lambda t: t.assign(c=t.groupby('k')['x'].shift()))"
    ),
    "table.set_index('d').sort_index().head(2)": "table.set_index('id').sort_index().head(2)",
    "table[table['x'] > 0].reset_index()": "table.describe().reset_index()",
    "table.drop_duplicates('k')": "table.sort_values('id').drop_duplicates('k')",
    "table.groupby('k', as_index=False).first()": "table.groupby('k', as_index=False).max()",
    "table.groupby('k').agg(x=('x', 'last')).reset_index()": (
        "table.groupby('k').agg(x=('x', 'max')).reset_index()"
    ),
    "table.nlargest(2, 'd')": "table.nlargest(2, ['d', 'id'])",
    "table[table['x'] == table['x'].iloc[0]]": "table[table['x'] == table['x'].max()]",
    "table.reset_index()": "table.reset_index(drop=True)",
    "table.sample(2, random_state=1)": "table.sort_values('id').sample(2, random_state=1)",
    "table.assign(r=(table.x - table.d).diff())": "table.assign(r=(table.x - table.d).abs())",
}

# Steps that were found while trying to get past the analysis, and some beside them.
MORE_REFUSED = (
    "src.unique('k').sort('x','k').select('k').head(1)",
    "src.unique('k').sort('x','k').select('k')",
    "src.unique('k').select('k','x')",
    "src.unique('k').with_columns(k=pl.col('x')).select('k')",
    "src.unique('k').filter(pl.col('x')>1).select('k')",
    "src.unique('k').sort('x','k').head(1).select('k')",
    "src.unique('k').rename({'k':'d','d':'k'}).select('k')",
    "src.unique('k').join(dim,on='k').select('n')",
    "src.unique(['k','x']).unique('x').select('x','k')",
    "src.unique('x').unique('k').select('k')",
    "port.unique('k',keep='first',maintain_order=True).select('k').head(1)",
    "pl.LazyFrame({'k': sorted(src.collect().unique('k')['x'])})",
    "pl.concat([src.unique('k'),src.head(1)]).select('k')",
    "src.with_columns(id=pl.col('k')).join(dim,on='k').sort('id').head(1)",
    "src.join(dim,on='k').lazy().limit(2)",
    "src.join(dim,on='k').collect().lazy().first()",
    "src.join(dim,on='k').collect().slice(0,2)",
    "src.join(dim,on='k').collect().to_dicts()[0:1] and src.top_k(1,by='x')",
    "src.join(dim,on='k').select(pl.first('x'))",
    "src.join(dim,on='k').select(pl.col('x').head(1))",
    "src.join(dim,on='k').select(pl.all().first())",
    "src.join(dim,on='k').with_columns(pl.col('x').cum_count())",
    "src.join(dim,on='k').with_columns(pl.col('x').pct_change())",
    "src.join(dim,on='k').filter(pl.int_range(pl.len())<2)",
    "src.join(dim,on='k').with_columns(pl.col('x').backward_fill())",
    "src.join(dim,on='k').with_columns(pl.col('x').ewm_mean(com=1))",
    "src.join(dim,on='k').group_by('k').agg(pl.col('x').implode())",
    "src.join(dim,on='k').group_by('k').agg(pl.col('x').filter(pl.col('d')>1).first())",
    "src.join(dim,on='k').group_by('k').agg(pl.all())",
    "src.join(dim,on='k').group_by('k').first()",
    "src.join(dim,on='k').group_by('k').last()",
    "src.join(dim,on='k').group_by('k').tail(1)",
    "src.join(dim,on='k').collect().group_by('k').agg(pl.first('x'))",
    "src.join(dim,on='k').group_by('k').agg(pl.struct('x','d').first())",
    "src.join(dim,on='k').group_by('k').agg((pl.col('x')-pl.col('x').shift()).sum())",
    "src.join(dim,on='k').with_columns(pl.col('x').first().over('k'))",
    "src.join(dim,on='k').unique('k',keep='last',maintain_order=True)",
    "src.join_where(dim,pl.col('k')==pl.col('k_right')).head(1)",
    "src.join(dim,how='cross').head(1)",
    "src.join(dim,on='k',how='full').head(1)",
    "src.sort('x').limit(1)",
    "src.sort(pl.col('x')).head(1)",
    "src.sort('x','d',descending=[True,False]).head(1)",
    "src.sort(pl.col('id')%2).head(1)",
    "src.collect().sort('x').row(0) and src.sort('x').head(1)",
    "src.filter(pl.col('id')==src.sort('x').collect().row(0)[0])",
    "src.filter(pl.col('id')==src.sort('x').collect()['id'].first())",
    "src.filter(pl.col('id')==src.sort('x').select('id').first().collect().item())",
    "src.filter(pl.col('id').is_in(src.sort('x').collect().head(2)['id'].implode()))",
    "src.collect().top_k(1,by='x')",
    "src.select(pl.col('id').top_k_by('x',2))",
    "src.select(pl.col('id').bottom_k_by('x',2))",
    "src.select(pl.col('id').sort_by('x').first())",
    "src.group_by('k').agg(pl.col('id').min_by('x'))",
    "src.group_by('k').agg(pl.col('x').value_counts().first())",
    "src.select(pl.col('x').unique().first())",
    "src.select(pl.col('x').mode().get(0))",
    "src.group_by('k').agg(pl.col('x').unique().implode().first())",
    "src.unique('k').select('id')",
    "src.collect().unique('x')",
    "port.limit(1)",
    "port.collect().head(1)",
    "port.collect()[0]",
    "port.collect().sample(1,seed=0)",
    "port.select('x').head(1)",
    "port.with_row_index().filter(pl.col('index')<1)",
    "port.sort('k').group_by('k',maintain_order=True).first()",
    "port.group_by('k').agg(pl.col('x'))",
    "port.select(pl.col('id').reverse(),'x')",
    "port.select(pl.col('id').sort(),'x')",
    "pl.concat([port.select('id'),port.select(pl.col('x').alias('y'))],how='horizontal')",
    "port.collect().transpose()",
    "port.merge_sorted(port,key='id').head(1)",
    "pl.concat([port,port]).head(1)",
    "port.collect().rows()[0] and port.head(1)",
    "port.collect().partition_by('k')[0].head(1)",
    "pl.collect_all([port.head(1)])[0]",
    "port.sort('x').join_asof(src.sort('x').select('x',y='d'),on='x').head(1)",
    "src.sort('d').join_asof(port.sort('d').select('d',y='x'),on='d')",
    "port.drop('id').unique('k',keep='first')",
    "port.rename({'id':'z'}).sort('x').head(1)",
    "port.with_columns(id=pl.lit(1)).sort('id').head(1)",
    "port.cast({'id':pl.Boolean}).sort('id').head(1)",
)

MORE_ALLOWED = (
    "src.unique('k').sort('k').select('k').head(1)",
    "src.unique('k').select('k')",
    "port.unique('k').select(pl.col('k')).sort('k').head(1)",
    "src.unique(['k','d']).drop('x').collect().select('d').sort('d')",
    "src.unique('k').with_columns(n=pl.col('x')+1).select('k')",
    "pl.LazyFrame({'k': sorted(src.collect().unique('k')['k'])})",
    "pl.LazyFrame({'k': sorted(src.unique('k').collect().get_column('k').to_list())})",
    "src.unique(['k','d']).collect()[['k','d']].sort('k','d')",
    "src.with_columns(pl.col('x').map_elements(lambda v: v+1,return_dtype=pl.Int64)).head(1)",
    "src.join(dim,on='k').select(pl.col('x').sum())",
    "src.join(dim,on='k').select(pl.len()).head(1)",
    "src.join(dim,on='k').sort('id').head(1)",
    "src.join(dim,on='k').sort('k','id').group_by('k',maintain_order=True).head(1)",
    "src.join(dim,on='k').sort('id').group_by('k').agg(pl.col('x').first(),pl.col('d'))",
    "src.join(dim,on='k').collect().to_dicts() and src",
    "src.join(dim,on='k').group_by('k').agg(pl.col('x').max().alias('m')).sort('m','k').head(1)",
    "src.group_by('k').agg(pl.col('id').sort()).head(0)",
    "src.sort('id').with_columns(pl.col('x').shift())",
    "src.sort('id','x').head(1)",
    "src.sort('id').select('x').head(1)",
    "src.sort('id').collect().head(1)",
    "src.sort('id').collect().row(0) and src",
    "src.sort('x').collect().height and src",
    "src.group_by('k').len().sort('len','k').head(1)",
    "src.group_by(pl.col('k').alias('g')).agg(pl.len()).sort('g').head(1)",
    "src.group_by(g=pl.col('k')).agg(pl.len()).sort('g').head(1)",
    "src.unique('k',keep='first')",
    "src.select('k').unique().sort('k').head(1)",
    "src.select(pl.col('k').unique().sort()).head(1)",
    "src.with_row_index().sort('x').sort('index').head(1)",
    "src.with_columns(pl.col('x').rank('ordinal'))",
    "src.unpivot(['x','d'],index='id').sort('id','variable').head(1)",
    "src.collect().pivot('k',index='d',values='x',aggregate_function='sum').sort('d')",
    "port.sort('id').head(1)",
    "port.sort('id').collect()[0]",
    "port.sort('x','id').head(1)",
    "port.rename({'id':'z'}).sort('z').head(1)",
    "port.filter(pl.col('x')>0).sort('id').head(1)",
    "port.with_columns(y=pl.col('x')*2).sort('y','id').head(1)",
    "port.select('id','x').sort('id').with_columns(pl.col('x').cum_sum())",
    "port.join(dim,on='k').sort('id').head(1)",
    "port.join(dim,on='k',how='left').sort('id').head(1)",
    "port.top_k(1,by='id')",
    "port.unique('id')",
    "port.select(pl.col('x').sort())",
    "port.select(pl.col('x').unique().len())",
    "port.with_columns(pl.col('x').sum().over('k'),pl.len().over('k').alias('n'))",
    "port.with_columns(pl.col('x').rank('dense'))",
    "port.sort('id').group_by('k').agg(pl.col('x'))",
    "port.group_by('k').agg(pl.col('x').sort_by('id').first())",
    "port.group_by('k').agg(pl.col('x').sort_by('d','id').last())",
    "port.group_by('k').agg(pl.col('x').sort())",
    "port.collect().rows(named=True) and port",
    "port.collect().describe()",
)
