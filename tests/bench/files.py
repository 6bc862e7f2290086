"""Runs one day of many tiny files, to see whether time and memory grow no faster than the number of files.

    python tests/bench/files.py target/release/skewer [--files 10000 100000 1000000] [--folder DIR]

For each number of files, each with two records: a plan, a run, a run with nothing new, and a run with one file in a
thousand new. Prints seconds, microseconds a file and peak resident memory, after checking the rows. Needs nothing but
Python and a disk with that many free inodes (4 KiB a file).
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

JOB = """\
apiVersion: skewer/v1
kind: Job
metadata: {name: files}
source:
  uri: raw/{day}/
  schema: {fields: [{name: id, type: int64, required: true}, {name: word, type: string}]}
sink: {uri: out/files/}
"""


def write_files(folder, first, last):
    for i in range(first, last):
        # A thousand files a folder, as lakes with an hour and a minute in their keys have.
        place = folder / f"{i // 1000:04}"
        if i % 1000 == 0 or not place.exists():
            place.mkdir(parents=True, exist_ok=True)
        (place / f"{i:08}.jsonl").write_text(f'{{"id": {2 * i}, "word": "a"}}\n{{"id": {2 * i + 1}, "word": "b"}}\n')


def measure(binary, lake, *arguments):
    """Seconds, peak resident bytes of the process and its children, and what it printed."""
    started = time.perf_counter()
    process = subprocess.Popen([binary, *arguments, "--json"], cwd=lake, stdout=subprocess.PIPE, text=True)
    output, _ = process.communicate()
    seconds = time.perf_counter() - started
    if process.returncode:
        sys.exit(f"{arguments}: exit {process.returncode}\n{output}")
    return seconds, json.loads(output)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("--files", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--folder", type=pathlib.Path, help="where the lakes are made; a temporary folder by default")
    args = parser.parse_args()
    binary = args.binary.resolve()
    print("| files | plan | run | nothing new | 0.1 % new | run, µs a file | peak memory of the run |")
    print("|---|---|---|---|---|---|---|")
    for n in args.files:
        lake = pathlib.Path(tempfile.mkdtemp(dir=args.folder))
        try:
            raw = lake / "raw" / "2020-01-01"
            write_files(raw, 0, n)
            (lake / "job.yaml").write_text(JOB)
            day = ["job.yaml", "--param", "day=2020-01-01"]
            planned, plan = measure(binary, lake, "plan", *day)
            ran, first = measure(binary, lake, "run", *day)
            idle, second = measure(binary, lake, "run", *day)
            write_files(raw, n, n + n // 1000)
            some, third = measure(binary, lake, "run", *day)
            reports = [report["partitions"][0] for report in (first, second, third)]
            rows = [(report["status"], report["rows_out"], sum(part["rows"] for part in report["parts"])) for report in reports]
            more = 2 * (n // 1000)
            expected = [("committed", 2 * n, 2 * n), ("already_committed", 0, 2 * n), ("committed", more, 2 * n + more)]
            if rows != expected or sum(task["n_files"] for task in plan["tasks"]) != n:
                sys.exit(f"{n} files: {rows}, expected {expected}")
            peak = first["peak_rss_bytes"] / 2**20
            print(f"| {n:,} | {planned:.2f} s | {ran:.2f} s | {idle:.2f} s | {some:.2f} s | {ran / n * 1e6:.0f} | {peak:.0f} MiB |", flush=True)
        finally:
            shutil.rmtree(lake)


if __name__ == "__main__":
    main()
