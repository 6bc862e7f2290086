"""The reference day with Spark on every core of this machine: `with_spark.py LAKE OUT`."""

import pathlib
import sys

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

lake, out = (pathlib.Path(arg) for arg in sys.argv[1:3])
spark = (
    SparkSession.builder.master("local[*]")
    .config("spark.driver.host", "127.0.0.1")
    .config("spark.driver.memory", "2g")
    .config("spark.ui.enabled", "false")
    .config("spark.sql.session.timeZone", "UTC")
    .config("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS")
    .getOrCreate()
)
schema = """id string, title string, company string, description string,
    location struct<city: string, country: string, lat: double>, tags array<string>, salary_min bigint,
    posted_at string, remote boolean"""
salary = F.col("salary_min")
rows = (
    spark.read.schema(schema)
    .json(str(lake / "raw/2020/01/01"))
    .filter(F.col("location.country") != "ZA")
    .withColumn("title", F.lower(F.trim("title")))
    .withColumn("country", F.col("location.country"))
    .withColumn("tokens", F.split(F.lower("description"), " "))
    .withColumn("n_tokens", F.size("tokens"))
    .withColumn("n_tags", F.size("tags"))
    .withColumn(
        "salary_bucket",
        F.when(salary < 30000, 0)
        .when(salary < 60000, 1)
        .when(salary < 100000, 2)
        .when(salary.isNull(), None)
        .otherwise(3),
    )
    .withColumn("posted_at", F.to_timestamp("posted_at", "yyyy-MM-dd'T'HH:mm:ssX"))
)
columns = "id title company country tokens n_tokens n_tags salary_min salary_bucket posted_at remote".split()
rows.select(columns).write.parquet(str(out), compression="snappy")
spark.stop()
