#!/usr/bin/env python3
"""How fast a large Spark event log is read: makes one of a given size, then times a reader of it.

    eventlog.py make LOG [--gigabytes 1] [--kilobytes-a-task 2.7]      writes LOG and LOG.zstd
    eventlog.py time LOG -- skewer eventlog --json {}                  runs the command, {} is the log, and prints seconds

The log repeats the task ends of the real log in tests/it/eventlog, with other numbers, in stages of 20,000 tasks on 100
executors; accumulables are cut so that a line has the wanted length (2.7 KB was measured in a log of Spark 4.2).
"""

import argparse
import json
import pathlib
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
FOLDER = HERE.parent / "it/eventlog/eventlog_v2_app-20261120215001-0000"
TASKS_PER_STAGE = 20_000
EXECUTORS = 100
CORES = 4


def fixture():
    for part in sorted(FOLDER.glob("events_*")):
        text = subprocess.run(["zstd", "-dc", part], check=True, capture_output=True).stdout
        yield from map(json.loads, text.decode().splitlines())


def compact(event):
    return json.dumps(event, separators=(",", ":"))


def template(event, n_bytes):
    """The line of a task end, without accumulables beyond the wanted length, cut where numbers go in."""
    infos = event["Task Info"]["Accumulables"]
    while infos and len(compact(event)) > n_bytes:
        infos.pop()
    event["Stage ID"] = 987001
    event["Task Info"].update(
        {"Task ID": 987002, "Index": 987003, "Partition ID": 987003, "Launch Time": 987004, "Finish Time": 987005}
    )
    event["Task Info"]["Executor ID"] = "987006"
    event["Task Info"]["Host"] = "host-987006"
    event["Task Metrics"]["Executor Run Time"] = 987007
    return compact(event)


def make(path, gigabytes, kilobytes):
    events = list(fixture())
    ends = [event for event in events if event["Event"] == "SparkListenerTaskEnd"]
    lines = [template(event, int(kilobytes * 1000)) for event in ends]
    start = next(event for event in events if event["Event"] == "SparkListenerApplicationStart")["Timestamp"]
    stage = next(event for event in events if event["Event"] == "SparkListenerStageCompleted")
    executor = next(event for event in events if event["Event"] == "SparkListenerExecutorAdded")
    n_bytes, n_tasks, at = 0, 0, start
    with open(path, "w", encoding="utf-8") as out:
        for event in events:
            if not any(word in event["Event"] for word in ("Task", "Stage", "Executor", "ApplicationEnd")):
                out.write(compact(event) + "\n")
        for number in range(EXECUTORS):
            executor.update({"Executor ID": str(number), "Timestamp": start})
            executor["Executor Info"].update({"Host": f"host-{number}", "Total Cores": CORES})
            out.write(compact(executor) + "\n")
        number = 0
        while n_bytes < gigabytes * 1e9:
            first = at
            for index in range(TASKS_PER_STAGE):
                wave = index // (EXECUTORS * CORES)
                run = 900 + (index * 7919) % 200 + (60_000 if index == 4321 else 0)
                launch = first + wave * 1200
                line = lines[index % len(lines)]
                for old, new in (
                    ("987001", number),
                    ("987002", n_tasks),
                    ("987003", index),
                    ("987004", launch),
                    ("987005", launch + run + 20),
                    ("987006", index % EXECUTORS),
                    ("987007", run),
                ):
                    line = line.replace(old, str(new))
                out.write(line + "\n")
                n_bytes += len(line) + 1
                n_tasks += 1
                at = max(at, launch + run + 20)
            stage["Stage Info"].update({"Stage ID": number, "Number of Tasks": TASKS_PER_STAGE})
            stage["Stage Info"].update({"Submission Time": first, "Completion Time": at})
            out.write(compact(stage) + "\n")
            number += 1
        out.write(compact({"Event": "SparkListenerApplicationEnd", "Timestamp": at}) + "\n")
    subprocess.run(["zstd", "-q", "-1", "-f", str(path), "-o", f"{path}.zstd"], check=True)
    sizes = ", ".join(f"{name}: {pathlib.Path(name).stat().st_size:,} bytes" for name in (path, f"{path}.zstd"))
    print(f"{n_tasks:,} tasks in {number} stages; {sizes}")


def measure(path, command, n_times):
    for log in (path, f"{path}.zstd"):
        seconds = []
        for _ in range(n_times):
            start = time.monotonic()
            subprocess.run([log if word == "{}" else word for word in command], check=True, stdout=subprocess.DEVNULL)
            seconds.append(time.monotonic() - start)
        print(f"{log}: best {min(seconds):.2f} s of {n_times}, all {[round(s, 2) for s in seconds]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["make", "time"])
    parser.add_argument("log")
    parser.add_argument("--gigabytes", type=float, default=1.0)
    parser.add_argument("--kilobytes-a-task", type=float, default=2.7)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("command", nargs="*")
    options = parser.parse_args()
    if options.action == "make":
        make(options.log, options.gigabytes, options.kilobytes_a_task)
    elif options.command:
        measure(options.log, options.command, options.times)
    else:
        sys.exit("give the command to time after --")


if __name__ == "__main__":
    main()
