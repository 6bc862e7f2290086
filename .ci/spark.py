"""Runs the exported sample job on a real Spark cluster: `spark.py SKEWER`.

A standalone master and two workers on loopback run the 14 days, once with a task that fails for a moment, once with a
worker killed in the middle while its tasks run on, as on a machine that is cut off. The table must hold exactly the rows
of a local run each time, and the reports must have the same books. A failure that no repetition mends is not repeated
and publishes nothing. Needs Java 17 or later, pyspark, pandas, pyarrow and duckdb.
"""

import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import duckdb
import pyspark

SPARK = pathlib.Path(pyspark.__file__).parent
DAYS = "day=2020-01-01..2020-01-14"
N_TASKS = "20"
BOOKS = "rows_in rows_out rows_filtered rows_quarantined rows_merged rows_made n_files n_files_failed".split()
ENV = {
    **os.environ,
    "SPARK_LOCAL_IP": "127.0.0.1",
    "SPARK_HOME": str(SPARK),
    "PYSPARK_PYTHON": sys.executable,
    # Short lives: what they would gain by optimizing is less than what it costs.
    "JAVA_TOOL_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
}

# Stands in for the binary on driver and executors: leaves a trace of every task, and gives the test time to interfere.
# The ignored signals let a task run on when its executor is gone, which Spark would else end on the same machine.
WRAPPER = """#!/bin/sh
[ "$1" = task ] || exec {skewer} "$@"
trap '' HUP TERM
index=$(printf '%s\\n' "$@" | sed -n '/^--index$/{{n;p;}}')
echo "$index" >> {trace}/started
sleep {seconds}
{fault}
{skewer} "$@"
code=$?
echo "$index" >> {trace}/ended
exit $code
"""
FAILS_ONCE = '[ "$index" != 0 ] || mkdir {trace}/once 2>/dev/null && [ "$index" = 0 ] && {{ echo "busy" >&2; exit 75; }}'
HAS_NO_RIGHTS = '[ "$index" != 1 ] || {{ echo "no credentials for the lake" >&2; exit 78; }}'


def wait_for(what, check, seconds=60):
    until = time.monotonic() + seconds
    while not (found := check()):
        if time.monotonic() > until:
            raise TimeoutError(f"{what} took more than {seconds} s")
        time.sleep(0.05)
    return found


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Cluster:
    """A master and two workers of two cores; each in a process group of its own."""

    def __init__(self, folder, stack):
        self.folder, self.stack = folder, stack
        port = free_port()
        self.url = f"spark://127.0.0.1:{port}"
        self.start("master.Master", "--port", str(port))
        self.log = folder / "master.Master.log"
        wait_for("the master", lambda: self.url in self.log.read_text())
        self.workers = [self.start_worker() for _ in range(2)]
        wait_for("the workers", lambda: self.log.read_text().count("Registering worker") == 2)

    def start(self, role, *args):
        command = [SPARK / "bin" / "spark-class", f"org.apache.spark.deploy.{role}", "--host", "127.0.0.1"]
        log = (self.folder / f"{role}.log").open("ab")
        process = subprocess.Popen(
            [*command, "--webui-port", "0", *args],
            env={**ENV, "SPARK_LOCAL_DIRS": str(self.folder / "scratch")},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        self.stack.callback(stop, process)
        return process

    def start_worker(self):
        work = tempfile.mkdtemp(dir=self.folder)
        return self.start("worker.Worker", "--cores", "2", "--memory", "1g", "--work-dir", work, self.url)


def stop(process):
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


class Trial:
    """A fresh lake with the exported job, and a wrapper around the binary that keeps a trace."""

    def __init__(self, folder, skewer, seconds="0.1"):
        self.folder, self.skewer, self.seconds = folder, skewer, seconds
        self.lake = folder / "lake"
        source = pathlib.Path(__file__).resolve().parents[1] / "sample_data"
        shutil.copytree(source, self.lake, ignore=shutil.ignore_patterns("out"))
        self.table = self.lake / "out" / "job_features"
        self.export = folder / "export"
        job = self.lake / "jobs" / "job_features.yaml"
        subprocess.run([skewer, "export", job, "--target", "spark", "-o", self.export], check=True, stdout=subprocess.DEVNULL)
        self.set_fault("")

    def set_fault(self, fault):
        self.trace = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        self.wrapper = self.trace / "skewer"
        fault = fault.format(trace=self.trace)
        text = WRAPPER.format(skewer=self.skewer, trace=self.trace, seconds=self.seconds, fault=fault)
        self.wrapper.write_text(text)
        self.wrapper.chmod(0o755)

    def lines(self, name):
        path = self.trace / name
        return path.read_text().split() if path.exists() else []

    def command(self, start, cluster):
        conf = {
            "spark.driver.host": "127.0.0.1",
            "spark.executor.memory": "512m",
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
            "spark.sql.warehouse.dir": self.folder / "warehouse",
        }
        settings = [word for key, value in conf.items() for word in ("--conf", f"{key}={value}")]
        # spark-submit takes Spark's settings before the file, plain Python hands them to it.
        launcher = [self.export / "launch.py"]
        where = ["--master", cluster.url, *settings]
        args = ["--param", DAYS, "--tasks", N_TASKS, "--skewer", self.wrapper]
        if start == "spark-submit":
            return [SPARK / "bin" / "spark-submit", *where, *launcher, *args]
        return [sys.executable, *launcher, *where, *args]

    def launch(self, start, cluster, meanwhile=lambda: None):
        """Exit code, the last line printed, and all that was said: spark-submit sends a driver's stderr to stdout."""
        out, err = self.trace / "stdout", self.trace / "stderr"
        with out.open("wb") as stdout, err.open("wb") as stderr:
            command = self.command(start, cluster)
            process = subprocess.Popen(command, env=ENV, stdout=stdout, stderr=stderr, start_new_session=True)
            try:
                meanwhile()
                process.wait(timeout=120)
            except Exception:
                sys.stderr.write(err.read_text()[-8000:])
                raise
            finally:
                stop(process)
        printed = out.read_text()
        return process.returncode, printed.strip().rpartition("\n")[2], f"{err.read_text()}\n{printed}"

    def succeed(self, start, cluster, meanwhile=lambda: None):
        code, last, said = self.launch(start, cluster, meanwhile)
        assert code == 0, f"exit {code}\n{said[-8000:]}"
        plan_id, n_tasks = re.search(r"^plan (\S+): (\d+) tasks,", said, re.MULTILINE).groups()
        return json.loads(last), plan_id, int(n_tasks)


def books(report):
    """Each day's counts, after a look at whether they balance."""
    counts = {}
    for day in report["partitions"]:
        n = {name: day[name] for name in BOOKS}
        accounted = n["rows_out"] + n["rows_filtered"] + n["rows_quarantined"] + n["rows_merged"] - n["rows_made"]
        assert n["rows_in"] == accounted, day
        assert n["rows_out"] == sum(part["rows"] for part in day["parts"]), day
        counts[day["partition"]] = n
    assert len(counts) == 14, counts.keys()
    return counts


def same_rows(table, expected):
    """Holds `table` to every row and column of `expected`, each as often as there; how many rows that are."""
    read = "read_parquet('{}/**/*.parquet', hive_partitioning = true)"
    here, there = read.format(table), read.format(expected)
    columns = [duckdb.sql(f"DESCRIBE SELECT * FROM {place}").fetchall() for place in (here, there)]
    assert columns[0] == columns[1], columns
    for more, fewer in ((here, there), (there, here)):
        extra = duckdb.sql(f"SELECT * FROM {more} EXCEPT ALL SELECT * FROM {fewer}").fetchall()
        assert not extra, f"{len(extra)} rows of {more} are not in {fewer}: {extra[:3]}"
    return duckdb.sql(f"SELECT count(*) FROM {here}").fetchall()[0][0]


def descendants(root):
    """Processes below `root` with their command lines, from /proc."""
    parents, commands = {}, {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                parents[int(entry.name)] = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
                commands[int(entry.name)] = (entry / "cmdline").read_text(errors="replace")
    family = {root}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    return {pid: commands[pid] for pid in family if pid in commands}


def kill_busy_worker(trial, cluster):
    """Kills a worker and its executor while a task of theirs runs; the task itself is left running."""

    def victim():
        if len(trial.lines("ended")) < 2:
            return None
        for worker in cluster.workers:
            family = descendants(worker.pid)
            if any(str(trial.wrapper) in command for command in family.values()):
                return worker, [pid for pid, command in family.items() if "CoarseGrainedExecutorBackend" in command]
        return None

    worker, executors = wait_for("a task to run", victim)
    assert executors, "the worker has no executor"
    os.kill(worker.pid, signal.SIGKILL)
    for pid in executors:
        os.kill(pid, signal.SIGKILL)
    worker.wait()
    return len(trial.lines("ended"))


def check(skewer, folder, cluster):
    def trial(name, **more):
        (folder / name).mkdir()
        return Trial(folder / name, skewer, **more)

    local = trial("local")
    command = [skewer, "run", local.lake / "jobs" / "job_features.yaml", "--param", DAYS, "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    expected = books(json.loads(done.stdout))

    on_cluster = trial("cluster")
    on_cluster.set_fault(FAILS_ONCE)
    report, _, n_tasks = on_cluster.succeed("spark-submit", cluster)
    assert books(report) == expected, (report, expected)
    n_rows = same_rows(on_cluster.table, local.table)
    starts = on_cluster.lines("started")
    assert len(starts) == n_tasks + 1 and starts.count("0") == 2, (n_tasks, starts)
    print(f"{n_rows} rows in {n_tasks} tasks as in a local run, one task repeated after exit 75")

    killed = trial("killed", seconds="1")
    killed.set_fault(HAS_NO_RIGHTS)
    code, _, said = killed.launch("python", cluster)
    assert code == 78 and "no credentials for the lake" in said, f"exit {code}\n{said[-8000:]}"
    assert killed.lines("started").count("1") == 1, "a final failure was repeated"
    assert not list(killed.table.rglob("*.parquet")), "rows were published"
    print("a task without credentials ends the job with 78, is not repeated, and publishes nothing")

    killed.set_fault("")
    n_ended = []
    report, plan_id, n_tasks = killed.succeed("python", cluster, lambda: n_ended.append(kill_busy_worker(killed, cluster)))
    starts = killed.lines("started")
    assert n_ended[0] < n_tasks and set(map(int, starts)) == set(range(n_tasks)), (n_ended, n_tasks, starts)
    assert len(starts) > n_tasks, "no task was lost: the worker was killed too late"
    wait_for("the cut-off tasks to end", lambda: len(killed.lines("ended")) == len(starts))
    assert books(report) == expected, (report, expected)
    assert same_rows(killed.table, local.table) == n_rows
    print(f"the same rows with a worker killed after {n_ended[0]} of {n_tasks} tasks: {len(starts) - n_tasks} ran twice")

    # What a machine does that comes back after the commit, and a local run by the spec that was exported.
    job = killed.export / "job.yaml"
    for late in (["task", job, "--plan", plan_id, "--index", "0"], ["commit", job, "--plan", plan_id]):
        subprocess.run([skewer, *late], check=True, stdout=subprocess.DEVNULL)
        assert same_rows(killed.table, local.table) == n_rows, late
    command[2] = killed.lake / "jobs" / "job_features.yaml"
    again = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    assert not any(day["status"] == "committed" for day in again["partitions"]), again
    assert same_rows(killed.table, local.table) == n_rows
    print("a task and a commit that come late change no row, and a local run finds nothing new")


def main():
    skewer = pathlib.Path(sys.argv[1]).resolve()
    if not shutil.which("java"):
        sys.exit("no java on PATH: install default-jre-headless")
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = pathlib.Path(name)
        (folder / "spark").mkdir()
        check(skewer, folder, Cluster(folder / "spark", stack))


if __name__ == "__main__":
    main()
