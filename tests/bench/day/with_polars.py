"""The reference day with polars: `with_polars.py LAKE OUT`."""

import os
import pathlib
import sys

os.environ["POLARS_MAX_THREADS"] = "2"
import polars as pl  # noqa: E402

lake, out = (pathlib.Path(arg) for arg in sys.argv[1:3])
out.mkdir(parents=True)
schema = {
    "id": pl.String,
    "title": pl.String,
    "company": pl.String,
    "description": pl.String,
    "location": pl.Struct({"city": pl.String, "country": pl.String, "lat": pl.Float64}),
    "tags": pl.List(pl.String),
    "salary_min": pl.Int64,
    "posted_at": pl.String,
    "remote": pl.Boolean,
}
salary = pl.col("salary_min")
rows = pl.scan_ndjson(lake / "raw/2020/01/01/*.jsonl", schema=schema).filter(
    pl.col("location").struct.field("country") != "ZA"
)
rows = rows.with_columns(
    pl.col("title").str.strip_chars().str.to_lowercase(),
    pl.col("location").struct.field("country").alias("country"),
    pl.col("description").str.to_lowercase().str.split(" ").alias("tokens"),
    pl.col("tags").list.len().alias("n_tags"),
    pl.when(salary < 30000).then(0).when(salary < 60000).then(1).when(salary < 100000).then(2)
    .when(salary.is_null()).then(None).otherwise(3).cast(pl.Int32).alias("salary_bucket"),
    pl.col("posted_at").str.to_datetime("%Y-%m-%dT%H:%M:%SZ"),
).with_columns(pl.col("tokens").list.len().alias("n_tokens"))
columns = "id title company country tokens n_tokens n_tags salary_min salary_bucket posted_at remote".split()
rows.select(columns).sink_parquet(out / "part.parquet", compression="snappy")
