"""Runs the reference day with Skewer and with what a team would otherwise use, in turn, on the same files.

    python tests/bench/day/compare.py target/release/skewer [--files 4000] [--rounds 2] [--lake DIR] [--without spark]

Prints time, peak memory of the process tree and output size of each, and Skewer's ratio to it, after checking that all
outputs hold the same rows. Needs duckdb, polars, pandas and pyarrow, and for Spark pyspark and Java 17 or later.
"""

import argparse
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
OTHERS = ["duckdb", "polars", "pandas", "spark"]


def tree_rss(root):
    """Resident bytes of a process and its descendants, from /proc."""
    parents, resident = {}, {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            parents[int(entry.name)] = int(fields[1])
            resident[int(entry.name)] = int(fields[21]) * 4096
    family = {root}
    grown = True
    while grown:
        more = {pid for pid, parent in parents.items() if parent in family} - family
        family |= more
        grown = bool(more)
    return sum(resident.get(pid, 0) for pid in family)


def measure(command, cwd):
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    peak, done = [0], threading.Event()

    def watch():
        while not done.wait(0.05):
            peak[0] = max(peak[0], tree_rss(process.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    _, errors = process.communicate()
    seconds = time.perf_counter() - started
    done.set()
    watcher.join()
    if process.returncode:
        sys.exit(f"{command}: exit {process.returncode}\n{errors}")
    return seconds, peak[0]


def fingerprint(folder):
    """Figures that two outputs share only when they hold the same rows."""
    import duckdb

    return duckdb.sql(f"""
        SELECT count(*), sum(n_tokens)::BIGINT, sum(n_tags)::BIGINT, sum(salary_min)::BIGINT, sum(salary_bucket)::BIGINT,
               sum(epoch(posted_at::TIMESTAMP))::BIGINT, count_if(remote),
               bit_xor(hash(id || '|' || title || '|' || company || '|' || country || '|' || list_aggregate(
                   tokens::VARCHAR[], 'string_agg', ' ')))
        FROM read_parquet('{folder}/**/*.parquet')""").fetchall()[0]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("--files", type=int, default=4000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--lake", type=pathlib.Path, help="a lake that generate.py made")
    parser.add_argument("--without", action="append", default=[], choices=OTHERS, help="leaves this one out")
    args = parser.parse_args()
    folder = tempfile.TemporaryDirectory()
    lake = args.lake or pathlib.Path(folder.name) / "lake"
    if not (lake / "raw").exists():
        subprocess.run([sys.executable, HERE / "generate.py", lake, str(args.files)], check=True)
    out = lake / "out"
    shutil.copy(HERE / "job.yaml", lake / "job.yaml")
    commands = {"skewer": [args.binary.resolve(), "run", lake / "job.yaml", "--param", "day=2020-01-01"]}
    for name in (name for name in OTHERS if name not in args.without):
        commands[name] = [sys.executable, HERE / f"with_{name}.py", lake, out / name]
    results = {name: [] for name in commands}
    for _ in range(args.rounds):
        shutil.rmtree(out, ignore_errors=True)
        for name, command in commands.items():
            results[name].append(measure(command, lake))
    prints = {name: fingerprint(out / name) for name in commands}
    if len(set(prints.values())) != 1:
        sys.exit("the outputs differ:\n" + "\n".join(f"{name}: {figures}" for name, figures in prints.items()))
    sizes = {name: sum(f.stat().st_size for f in (out / name).rglob("*.parquet")) for name in commands}
    time_of = {name: statistics.median(seconds for seconds, _ in runs) for name, runs in results.items()}
    print("| engine | time | Skewer's ratio | peak memory | output |\n|---|---|---|---|---|")
    for name in commands:
        peak = max(peak for _, peak in results[name])
        ratio = time_of["skewer"] / time_of[name]
        print(f"| {name} | {time_of[name]:.1f} s | {ratio:.2f} | {peak / 2**20:.0f} MiB | {sizes[name] / 1e6:.0f} MB |")


if __name__ == "__main__":
    main()
