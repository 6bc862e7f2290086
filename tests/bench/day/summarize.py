"""Profiles the columns of the reference day with Skewer and with DuckDB's SUMMARIZE, in turn, on the same files.

    python tests/bench/day/summarize.py target/release/skewer [--rounds 5] [--lake DIR] [--files 4000]

Prints times, peak memory and Skewer's ratio to DuckDB's better way to read the files. Skewer's time is that of the whole
process, DuckDB's that of the query alone, without starting Python. The level `summary` has the statistics of SUMMARIZE for
every column and the nested ones; the time of the level `full` is reported beside it. Needs duckdb.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from compare import measure  # noqa: E402

COLUMNS = """columns = {
    id: 'VARCHAR', title: 'VARCHAR', company: 'VARCHAR', description: 'VARCHAR',
    location: 'STRUCT(city VARCHAR, country VARCHAR, lat DOUBLE)', tags: 'VARCHAR[]', salary_min: 'BIGINT',
    posted_at: 'VARCHAR', remote: 'BOOLEAN'}"""
WAYS = {"duckdb, types inferred": "format = 'newline_delimited'", "duckdb, types given": f"format = 'newline_delimited', {COLUMNS}"}
SUMMARIZE = """
import sys, time, duckdb
duckdb.sql('SET threads = 2')
started = time.perf_counter()
rows = duckdb.sql(f"SUMMARIZE SELECT * FROM read_json('{sys.argv[1]}', {sys.argv[2]})").fetchall()
open(sys.argv[3], 'w').write(repr((time.perf_counter() - started, [(r[0], r[10]) for r in rows])))
"""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("--files", type=int, default=4000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--lake", type=pathlib.Path, help="a lake that generate.py made")
    args = parser.parse_args()
    folder = tempfile.TemporaryDirectory()
    lake = args.lake or pathlib.Path(folder.name) / "lake"
    if not (lake / "raw").exists():
        subprocess.run([sys.executable, HERE / "generate.py", lake, str(args.files)], check=True)
    files, told = lake / "raw" / "2020" / "01" / "01" / "*.jsonl", pathlib.Path(folder.name) / "told"
    n_rows = json.loads(subprocess.run([args.binary, "profile", lake / "raw", "--partition", "2020-01-01", "--level", "summary",
                                        "--json"], check=True, capture_output=True).stdout)["n_rows"]
    results = {}
    for _ in range(args.rounds):
        for level in ["summary", "full"]:
            command = [args.binary.resolve(), "profile", lake / "raw", "--partition", "2020-01-01", "--level", level, "--json"]
            results.setdefault(f"skewer, {level}", []).append(measure(command, lake))
        for name, way in WAYS.items():
            _, peak = measure([sys.executable, "-c", SUMMARIZE, files, way, told], lake)
            seconds, columns = eval(told.read_text())
            if {count for _, count in columns} != {n_rows}:
                sys.exit(f"DuckDB read other rows than Skewer's {n_rows}: {columns}")
            results.setdefault(name, []).append((seconds, peak))
    time_of = {name: statistics.median(seconds for seconds, _ in runs) for name, runs in results.items()}
    best = min(time_of[name] for name in WAYS)
    print(f"{n_rows} rows, median of {args.rounds}\n\n| profile | time | fastest | ratio | peak memory |\n|---|---|---|---|---|")
    for name, runs in results.items():
        fastest, peak = min(seconds for seconds, _ in runs), max(peak for _, peak in runs)
        print(f"| {name} | {time_of[name]:.2f} s | {fastest:.2f} s | {time_of[name] / best:.2f} | {peak / 2**20:.0f} MiB |")


if __name__ == "__main__":
    main()
