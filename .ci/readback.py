"""Runs the sample job headless and reads its table back with DuckDB and pyarrow.

The report's books must balance for every day, and both readers must find exactly the rows that it counts, with the
partition column from the folder names and none of the runner's own columns.
"""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import duckdb
import pyarrow.dataset as ds
import pyarrow.parquet as pq

DAYS = 14
MISSING = "2020-01-06"


def run(binary, job, *more):
    command = [binary, "run", str(job), "--param", "day=2020-01-01..2020-01-14", "--json", *more]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"exit {done.returncode}\n{done.stderr}"
    return json.loads(done.stdout)


def check(binary, lake):
    report = run(binary, lake / "jobs" / "job_features.yaml")
    assert len(report["partitions"]) == DAYS, report["partitions"]
    n_rows = {}
    for day in report["partitions"]:
        name = day["partition"]
        if name == MISSING:
            assert day["status"] == "no_data", day
            continue
        made = day["rows_out"] + day["rows_filtered"] + day["rows_quarantined"]
        assert day["rows_in"] == made, f"{name}: {day}"
        assert day["rows_merged"] == day["rows_made"] == 0, f"{name}: {day}"
        assert sum(part["rows"] for part in day["parts"]) == day["rows_out"] > 0, f"{name}: {day}"
        for part in day["parts"]:
            footer = pq.ParquetFile(part["path"])
            assert footer.metadata.num_rows == part["rows"], part
            assert pathlib.Path(part["path"]).stat().st_size == part["bytes"], part
        n_rows[name] = day["rows_out"]
    table = pathlib.Path(report["partitions"][0]["parts"][0]["path"]).parents[1]

    found = duckdb.sql(
        f"select day_partition::varchar, count(*), count(distinct id) from read_parquet('{table}/**/*.parquet',"
        " hive_partitioning = true) group by 1"
    ).fetchall()
    assert {day: n for day, n, _ in found} == n_rows, (found, n_rows)

    dataset = ds.dataset(table, format="parquet", partitioning="hive")
    assert dataset.count_rows() == sum(n_rows.values())
    columns = [name for name in dataset.schema.names if name != "day_partition"]
    assert len(columns) == 11 and not any(name.startswith("__") for name in columns), columns
    for day in n_rows:
        success = table / f"day_partition={day}" / "_SUCCESS"
        assert success.stat().st_size == 0, success
    assert not list(table.rglob("*staging*")), "control data inside the table"

    again = run(binary, lake / "jobs" / "job_features.yaml")
    assert {day["status"] for day in again["partitions"]} == {"already_committed", "no_data"}, again
    assert ds.dataset(table, format="parquet", partitioning="hive").count_rows() == sum(n_rows.values())
    print(f"{sum(n_rows.values())} rows in {len(n_rows)} days read back by DuckDB and pyarrow")


def main():
    binary = str(pathlib.Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory() as folder:
        lake = pathlib.Path(folder) / "lake"
        source = pathlib.Path(__file__).resolve().parents[1] / "sample_data"
        shutil.copytree(source, lake, ignore=shutil.ignore_patterns("out"))
        check(binary, lake)


if __name__ == "__main__":
    main()
