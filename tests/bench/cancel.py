#!/usr/bin/env python3
"""How soon each command ends after Ctrl-C, and what it says of what it had computed by then.

    cancel.py make FOLDER [--keys 10000000] [--files 60000] [--gigabytes 1]     writes about 1.7 GB of data
    cancel.py time FOLDER BINARY [--rounds 6] [--only WORD] [--term] [--nice N]

`time` runs each command once to its end, then again and again with SIGINT (or SIGTERM) at random moments, half of the time
with --json. It prints milliseconds from the signal to the exit, and how the rounds ended:

    partial   code 130, something was printed and says that it is partial
    nothing   code 130, nothing was printed: the signal came before there was anything to tell
    done      code 0: the signal came too late, or before the process listened for it
    WRONG     anything else: another code, a figure without a label, output that is cut off

A negative --nice (as root) keeps what else runs on the machine from being measured.
"""

import argparse
import json
import os
import pathlib
import random
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
DAYS = 365
FILES_OF_KEYS = 8
# A process that is killed by the signal had not got so far as to listen for it.
MIN_SECONDS = 0.03
LIMIT_SECONDS = 120


def make(folder, n_keys, n_files, gigabytes):
    keys, listing = folder / "keys", folder / "listing"
    keys.mkdir(parents=True, exist_ok=True)
    each = n_keys // FILES_OF_KEYS
    for number in range(FILES_OF_KEYS):
        with open(keys / f"part-{number}.jsonl", "w", buffering=1 << 22) as out:
            for i in range(number * each, (number + 1) * each):
                key = (i * 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
                out.write('{"k":"u%016x","n":%d,"v":%d}\n' % (key, i, i % 1000))
    for day in range(DAYS):
        date = time.strftime("%Y-%m-%d", time.gmtime(1577836800 + 86400 * day))
        below = listing / f"day={date}"
        below.mkdir(parents=True, exist_ok=True)
        for number in range(n_files // DAYS):
            (below / f"{number:05}.jsonl").write_text('{"id":%d,"day":%d}\n' % (number, day) * (1 + number % 3))
    subprocess.run(
        [sys.executable, HERE / "eventlog.py", "make", folder / "spark-log", "--gigabytes", str(gigabytes)],
        check=True,
    )


def silent_server():
    """A server that takes connections and never answers."""
    listener = socket.create_server(("127.0.0.1", 0))
    held = []

    def accept():
        while True:
            held.append(listener.accept())

    threading.Thread(target=accept, daemon=True).start()
    return listener.getsockname()[1]


def commands(folder, day):
    keys, listing, log = (str(folder / name) for name in ("keys", "listing", "spark-log"))
    remote = ["--endpoint", f"http://127.0.0.1:{silent_server()}", "--path-style", "--no-sign-request"]
    all_of = {
        "skew --by, 10 M keys": ["skew", keys, "--by", "k"],
        "skew --by, 3 keys ranked": ["skew", keys, "--by", "k", "--by", "n", "--by", "v"],
        "skew --by, few keys": ["skew", keys, "--by", "v", "--keys-only"],
        "profile, 10 M values": ["profile", keys],
        "profile --against": ["profile", listing, "--partition", "2020-01-01..2020-06-30",
                              "--against", "2020-07-01..2020-12-30"],
        "schema": ["schema", listing],
        "schema --map": ["schema", listing, "--map"],
        "schema --map --all": ["schema", keys, "--map", "--all"],
        "ls": ["ls", listing],
        "skew": ["skew", listing],
        "skew --rows": ["skew", listing, "--rows"],
        "eventlog": ["eventlog", log],
        "eventlog, zstd": ["eventlog", log + ".zstd"],
        "eventlog --against": ["eventlog", log, "--against", log + ".zstd"],
        "ls, silent server": ["ls", "s3://bucket/prefix/", *remote],
        "skew --by, silent server": ["skew", "s3://bucket/prefix/", "--by", "k", *remote],
        "eventlog, silent server": ["eventlog", "s3://bucket/prefix/log", *remote],
    }
    if day:
        all_of["profile, day of job ads"] = ["profile", str(day)]
        all_of["skew --by, day of job ads"] = ["skew", str(day), "--by", "company"]
    return all_of


def start(binary, arguments, out, nice):
    def lift():
        os.nice(nice)

    return subprocess.Popen(
        [binary, *arguments], stdout=out, stderr=subprocess.PIPE, preexec_fn=lift if nice else None
    )


def cancelled(binary, arguments, after, which, nice):
    """Milliseconds from the signal to the exit, the code and what was printed."""
    with tempfile.TemporaryFile() as out:
        process = start(binary, arguments, out, nice)
        time.sleep(after)
        sent = time.perf_counter()
        process.send_signal(which)
        process.wait()
        took = (time.perf_counter() - sent) * 1000
        said = process.stderr.read().decode()
        out.seek(0)
        return took, process.returncode, out.read().decode(), said


def is_labelled(text, is_json):
    if not is_json:
        return "partial" in text
    answer = json.loads(text)
    if answer.get("left_out"):
        return True
    accuracy = [answer.get("accuracy"), answer.get("rows", {}).get("accuracy")]
    return {"kind": "partial"} in [{"kind": of.get("kind")} for of in accuracy if isinstance(of, dict)]


def outcome(code, text, is_json, expected):
    if code == 0 or code == -expected[0]:
        return "done"
    if code != expected[1]:
        return "WRONG"
    if not text:
        return "nothing"
    try:
        return "partial" if is_labelled(text, is_json) else "WRONG"
    except ValueError:
        return "WRONG"


def whole(binary, arguments, nice):
    """Seconds that a command takes to its end; one that never ends is cut."""
    began = time.perf_counter()
    with tempfile.TemporaryFile() as out:
        process = start(binary, arguments, out, nice)
        try:
            process.wait(3 if "s3://bucket/prefix" in " ".join(arguments) else LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    return time.perf_counter() - began


def time_all(folder, binary, rounds, only, which, nice, day):
    expected = {signal.SIGINT: (signal.SIGINT, 130), signal.SIGTERM: (signal.SIGTERM, 143)}[which]
    random.seed(7)
    print(f"{'command':28}{'whole s':>8}{'p50 ms':>8}{'max ms':>8}  how the rounds ended")
    for name, arguments in commands(folder, day).items():
        if only and only not in name:
            continue
        seconds = whole(binary, arguments, nice)
        took, ends = [], {}
        for turn in range(rounds):
            is_json = turn % 2 == 1
            after = random.uniform(min(MIN_SECONDS, seconds / 2), seconds * 0.97)
            asked = [*arguments, "--json"] if is_json else arguments
            millis, code, text, said = cancelled(binary, asked, after, which, nice)
            end = outcome(code, text, is_json, expected)
            ends[end] = ends.get(end, 0) + 1
            if end != "done":
                took.append(millis)
            if end == "WRONG" or (took and millis == max(took) and millis > 100):
                print(f"    {end}, {millis:.0f} ms: after {after:.2f} s, code {code}, "
                      f"{len(text)} B, {text[:70]!r} {said[-90:]!r}")
        p50, worst = (statistics.median(took), max(took)) if took else (float("nan"), float("nan"))
        told = ", ".join(f"{n} {end}" for end, n in sorted(ends.items()))
        print(f"{name:28}{seconds:8.2f}{p50:8.0f}{worst:8.0f}  {told}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    maker = verbs.add_parser("make")
    maker.add_argument("folder", type=pathlib.Path)
    maker.add_argument("--keys", type=int, default=10_000_000)
    maker.add_argument("--files", type=int, default=60_000)
    maker.add_argument("--gigabytes", type=float, default=1)
    timer = verbs.add_parser("time")
    timer.add_argument("folder", type=pathlib.Path)
    timer.add_argument("binary")
    timer.add_argument("--rounds", type=int, default=6)
    timer.add_argument("--only", default="")
    timer.add_argument("--term", action="store_true", help="SIGTERM instead of SIGINT")
    timer.add_argument("--nice", type=int, default=0)
    timer.add_argument("--day", type=pathlib.Path, help="the reference day of tests/bench/day, raw")
    args = parser.parse_args()
    if args.verb == "make":
        make(args.folder, args.keys, args.files, args.gigabytes)
    else:
        which = signal.SIGTERM if args.term else signal.SIGINT
        time_all(args.folder, args.binary, args.rounds, args.only, which, args.nice, args.day)


if __name__ == "__main__":
    main()
