"""The reference day with pandas and pyarrow, as notebooks are often ported: `with_pandas.py LAKE OUT`.

A pool of processes turns each file into its own Parquet file; one pyarrow job then merges them into large files.
"""

import multiprocessing
import pathlib
import shutil
import sys

import pandas as pd
import pyarrow.dataset as ds

COLUMNS = "id title company country tokens n_tokens n_tags salary_min salary_bucket posted_at remote".split()


def one_file(job):
    source, target = job
    df = pd.read_json(source, lines=True, dtype={"id": str, "salary_min": "Int64"}, convert_dates=False)
    df["country"] = df["location"].map(lambda place: place["country"])
    df = df[df["country"] != "ZA"].copy()
    df["title"] = df["title"].str.strip().str.lower()
    df["tokens"] = df["description"].str.lower().str.split(" ")
    df["n_tokens"] = df["tokens"].map(len)
    df["n_tags"] = df["tags"].map(len)
    borders = [float("-inf"), 30_000, 60_000, 100_000, float("inf")]
    df["salary_bucket"] = pd.cut(df["salary_min"].astype("Float64"), borders, right=False, labels=False).astype("Int32")
    df["posted_at"] = pd.to_datetime(df["posted_at"], utc=True).dt.as_unit("us")
    df[COLUMNS].to_parquet(target, compression="snappy", index=False)


def main():
    lake, out = (pathlib.Path(arg) for arg in sys.argv[1:3])
    small = out / "_small"
    small.mkdir(parents=True)
    sources = sorted((lake / "raw/2020/01/01").glob("*.jsonl"))
    with multiprocessing.Pool(2) as pool:
        pool.map(one_file, [(source, small / f"{source.stem}.parquet") for source in sources], chunksize=16)
    ds.write_dataset(
        ds.dataset(small, format="parquet"),
        out,
        format="parquet",
        file_options=ds.ParquetFileFormat().make_write_options(compression="snappy"),
        max_rows_per_file=1_048_576,
        max_rows_per_group=1_048_576,
        basename_template="part-{i}.parquet",
        existing_data_behavior="overwrite_or_ignore",
    )
    shutil.rmtree(small)


if __name__ == "__main__":
    main()
