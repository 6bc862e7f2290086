"""Runs a Skewer job on the executors of a Spark cluster: Spark places and repeats the tasks, `skewer` does the work.

    spark-submit launch.py --param day=2020-01-01..2020-01-14

The driver runs `skewer plan`, each Spark task one `skewer task`, and the driver `skewer commit`. No row passes through
Spark: a task reads raw objects and leaves its parts in the job's own storage, where no reader of the table sees them
before the commit. So a task may run twice, or run on after its executor was given up. README.md has the rest.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

# What another attempt of the same task cannot mend; every other failure is left to Spark to repeat.
FINAL = {2: "usage or spec", 10: "error budget exceeded", 78: "credentials or configuration"}
TRY_AGAIN = 75
RESULT = "task bigint, exit int, line string"


class Failed(Exception):
    """Ends the launcher with a message and an exit code of `skewer`."""

    def __init__(self, message, code):
        super().__init__(message)
        self.code = code


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    add = parser.add_argument
    add("--param", action="append", required=True, metavar="NAME=VALUE", help="such as day=A..B, as `skewer run` takes it")
    add("--tasks", type=int, metavar="N", help="tasks to cut the work into; left out, `skewer plan` decides by bytes")
    add("--replace", action="store_true", help="does days again that are committed already, and replaces their files")
    add("--job", default="job.yaml", metavar="PATH", help="the exported spec; left out, job.yaml beside this file")
    add(
        "--skewer",
        default=os.environ.get("SKEWER_BIN") or "skewer",
        metavar="PATH",
        help="the binary, on driver and executors alike: a path, or a name that is shipped by --files or on PATH",
    )
    add("--master", metavar="URL", help="the cluster, when this file is started by python and not by spark-submit")
    add("--conf", action="append", default=[], metavar="KEY=VALUE", help="a setting of Spark, as spark-submit takes it")
    args = parser.parse_args()
    if any("=" not in pair for pair in args.conf):
        parser.error("--conf takes KEY=VALUE")
    return args


def find(name, beside=None):
    """The file `name` on this machine: as a path, beside `beside`, as Spark shipped it, or on PATH; none if nowhere."""
    from pyspark import SparkFiles

    places = [pathlib.Path(name).absolute()]
    if beside is not None:
        places.append(beside.absolute().with_name(name))
    try:
        places.append(pathlib.Path(SparkFiles.get(name)))
    except Exception:  # A session without such a folder says so by exceptions that differ between versions of Spark.
        pass
    on_path = shutil.which(name)
    if on_path:
        places.append(pathlib.Path(on_path))
    return next((path for path in places if path.is_file()), None)


def find_binary(name):
    path = find(name)
    if path is None:
        host = os.uname().nodename
        raise Failed(f"no `{name}` on {host}: give --skewer PATH, or ship the binary as README.md says", 78)
    if not os.access(path, os.X_OK):
        path.chmod(0o755)  # Not every cluster keeps the mode of a shipped file.
    return str(path)


def last_line(text):
    return text.strip().rpartition("\n")[2]


def tail(text):
    return "\n".join(text.strip().splitlines()[-20:])


def task_of(skewer, spec, plan_id):
    """The function that runs on executors: indices in, one row of (task, exit code, last line) each out."""

    def run_one(index, folder):
        job = pathlib.Path(folder, "job.yaml")
        job.write_text(spec, encoding="utf-8")
        command = [find_binary(skewer), "task", str(job), "--plan", plan_id, "--index", str(index), "--json"]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", errors="replace")
        sys.stderr.write(done.stderr)
        if done.returncode == 0:
            return 0, last_line(done.stdout)
        if done.returncode in FINAL:
            return done.returncode, tail(done.stderr)
        raise RuntimeError(f"skewer task {index}: exit {done.returncode}\n{tail(done.stderr)}")

    def run(batches):
        import pyarrow

        for batch in batches:
            for index in batch.column(0).to_pylist():
                with tempfile.TemporaryDirectory(prefix="skewer-") as folder:
                    try:
                        code, line = run_one(index, folder)
                    except Failed as error:
                        code, line = error.code, str(error)
                columns = [
                    pyarrow.array([index], pyarrow.int64()),
                    pyarrow.array([code], pyarrow.int32()),
                    pyarrow.array([line], pyarrow.string()),
                ]
                yield pyarrow.RecordBatch.from_arrays(columns, ["task", "exit", "line"])

    return run


def say(text):
    print(text, file=sys.stderr, flush=True)


def on_driver(command):
    """Runs `skewer` on the driver, its progress and errors on our stderr; the exit code and what it printed."""
    done = subprocess.run(command, stdout=subprocess.PIPE, encoding="utf-8")
    return done.returncode, done.stdout


def run_tasks(spark, n_tasks, task):
    """Runs every task on the cluster, one Spark partition each."""
    rows = spark.range(0, n_tasks, 1, n_tasks).mapInArrow(task, RESULT)
    try:
        rows = rows.collect()
    except Exception as error:
        said = str(error)
        found = re.search(r"skewer task \d+: exit (-?\d+)", said)
        if found is None:
            # Without a word of `skewer` it is Spark's trouble (executors lost, memory) and may go well another time.
            raise Failed(f"Spark gave up, nothing is committed: {said}", TRY_AGAIN) from error
        said = re.split(r"\n\s*(?:at |SQLSTATE)", said[found.start() :])[0]
        code = int(found.group(1))
        raise Failed(f"{said}\nSpark gave up, nothing is committed", code if code > 0 else TRY_AGAIN) from error
    for row in rows:
        if row.exit:
            reason = FINAL[row.exit]
            raise Failed(f"task {row.task}: {reason}, nothing is committed: {row.line}", row.exit)
    missing = set(range(n_tasks)) - {row.task for row in rows}
    if missing:
        raise Failed(f"Spark returned nothing for tasks {sorted(missing)}: start again", TRY_AGAIN)
    return [json.loads(row.line) for row in rows]


def run(spark, args):
    """Plan, tasks, commit. Returns the exit code of the commit and its report."""
    job = find(args.job, beside=pathlib.Path(__file__))
    if job is None:
        raise Failed(f"no job spec `{args.job}`: give --job PATH", 2)
    skewer = find_binary(args.skewer)
    if str(spark.conf.get("spark.speculation", "false")).lower() == "true":
        say("warning: spark.speculation is on: tasks will run twice, which is safe and a waste: turn it off")
    command = [skewer, "plan", str(job), "--json"]
    for param in args.param:
        command += ["--param", param]
    if args.replace:
        command.append("--replace")
    if args.tasks is not None:
        command += ["--tasks", str(args.tasks)]
    code, printed = on_driver(command)
    if code:
        raise Failed("skewer plan failed, nothing was started", code)
    plan = json.loads(printed)
    plan_id, n_tasks = plan["plan_id"], len(plan["tasks"])
    say(f"plan {plan_id}: {n_tasks} tasks, {sum(task['n_bytes'] for task in plan['tasks'])} bytes")
    if n_tasks:
        spec = job.read_text(encoding="utf-8")
        done = run_tasks(spark, n_tasks, task_of(args.skewer, spec, plan_id))
        say(f"plan {plan_id}: {n_tasks} tasks done, {sum(task['rows_out'] for task in done)} rows out")
    return on_driver([skewer, "commit", str(job), "--plan", plan_id, "--json"])


def main():
    args = arguments()
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.config("spark.app.name", "skewer")
    if args.master:
        builder = builder.master(args.master)
    for pair in args.conf:
        key, _, value = pair.partition("=")
        builder = builder.config(key, value)
    # The session comes first: a cluster manager that started this driver waits for it.
    spark = builder.config("spark.speculation", "false").getOrCreate()
    report = ""
    try:
        code, report = run(spark, args)
    except Failed as error:
        say(f"error: {error}")
        code = error.code
    finally:
        # On Databricks the session belongs to the cluster, and stopping it fails the run.
        if "DATABRICKS_RUNTIME_VERSION" not in os.environ:
            spark.stop()
    if report:
        print(report.strip(), flush=True)
    # A zero is not raised: some clusters take any SystemExit for a failure.
    if code:
        sys.exit(code)


if __name__ == "__main__":
    main()
