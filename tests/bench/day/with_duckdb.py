"""The reference day with DuckDB: `with_duckdb.py LAKE OUT`."""

import pathlib
import sys

import duckdb

lake, out = (pathlib.Path(arg) for arg in sys.argv[1:3])
out.mkdir(parents=True)
duckdb.sql("SET threads = 2")
duckdb.sql(f"""
COPY (
    SELECT id, lower(trim(title)) AS title, company, location.country AS country,
           string_split(lower(description), ' ') AS tokens,
           len(string_split(lower(description), ' ')) AS n_tokens, len(tags) AS n_tags, salary_min,
           CASE WHEN salary_min < 30000 THEN 0 WHEN salary_min < 60000 THEN 1 WHEN salary_min < 100000 THEN 2
                WHEN salary_min IS NULL THEN NULL ELSE 3 END AS salary_bucket,
           posted_at::TIMESTAMP AS posted_at, remote
    FROM read_json('{lake}/raw/2020/01/01/*.jsonl', format = 'newline_delimited', columns = {{
        id: 'VARCHAR', title: 'VARCHAR', company: 'VARCHAR', description: 'VARCHAR',
        location: 'STRUCT(city VARCHAR, country VARCHAR, lat DOUBLE)', tags: 'VARCHAR[]', salary_min: 'BIGINT',
        posted_at: 'VARCHAR', remote: 'BOOLEAN'}})
    WHERE location.country <> 'ZA'
) TO '{out}/part.parquet' (FORMAT parquet, COMPRESSION snappy)
""")
