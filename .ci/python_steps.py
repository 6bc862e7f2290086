"""Holds the Python programs that Skewer writes to the rows of `skewer preview`: `python_steps.py SKEWER [NAME ...]`.

Every step that `skewer job-schema` lists needs a case in `python_cases.py`, or stands in NOT_WRITTEN there with the reason
that its program gives. For each case the rows, their order, columns and types must be equal. The rows are read by the
program's own reader, which is also held to odd records, compressed files, Parquet and a job with declared types. Needs
polars from PyPI and zstandard.
"""

import concurrent.futures
import gzip
import json
import math
import os
import pathlib
import re
import subprocess
import sys
import tempfile
from datetime import date, datetime

import polars as pl
from python_cases import CASES, DATA, NOT_WRITTEN, ODD_RECORDS

LEARNING = set("scale quantile_bucketize winsorize string_index one_hot frequency_encode group_rare".split())
BINARY = str(pathlib.Path(sys.argv[1]).resolve()) if len(sys.argv) > 1 else "skewer"


def skewer(*args):
    done = subprocess.run([BINARY, *map(str, args)], capture_output=True, text=True, encoding="utf-8", check=False, timeout=300)
    assert done.returncode == 0, f"skewer {' '.join(map(str, args))}: exit {done.returncode}\n{done.stderr}"
    return done


def registry():
    """Names of all steps, as the published schema lists them."""
    schema = json.loads(skewer("job-schema").stdout)

    def step_lists(node):
        if isinstance(node, dict):
            for step in node.get("items", {}).get("oneOf", []) if isinstance(node.get("items"), dict) else []:
                yield from step.get("required", [])
            for value in node.values():
                yield from step_lists(value)
        elif isinstance(node, list):
            for value in node:
                yield from step_lists(value)

    return sorted(set(step_lists(schema)))


def words(dtype):
    """A type as `skewer preview` names it."""
    if isinstance(dtype, pl.List):
        return f"list<{words(dtype.inner)}>"
    if isinstance(dtype, pl.Struct):
        quoted = lambda name: name if name.replace("_", "a").isalnum() else "`" + name.replace("`", "``") + "`"  # noqa: E731
        return "struct<" + ", ".join(f"{quoted(f.name)}: {words(f.dtype)}" for f in dtype.fields) + ">"
    if isinstance(dtype, pl.Datetime):
        return f"timestamp[{dtype.time_unit}{', ' + dtype.time_zone if dtype.time_zone else ''}]"
    if isinstance(dtype, pl.Duration):
        return f"duration[{dtype.time_unit}]"
    return {"Boolean": "bool"}.get(str(dtype), str(dtype).lower())


def program(text):
    """The functions of a program, which is not run."""
    space = {"__name__": "program", "__doc__": "", "print": lambda *_, **__: None}
    exec(compile(text, "program.py", "exec"), space)  # noqa: S102
    return space


def rows_of(space):
    df, _ = space["read"](space["ROWS"], space["ROWS"]["paths"])
    inputs = {name: space["read"](source, source["paths"])[0] for name, source in space["INPUTS"].items()}
    return space["steps"](df, inputs)


def is_same(a, b, tolerance):
    if isinstance(a, float) or isinstance(b, float):
        is_number = all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in (a, b))
        return is_number and (a == b or tolerance > 0 and math.isclose(a, b, rel_tol=tolerance, abs_tol=tolerance))
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(is_same(x, y, tolerance) for x, y in zip(a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return list(a) == list(b) and all(is_same(a[key], b[key], tolerance) for key in a)
    return type(a) is type(b) and a == b


def compare(expected, space, df, tolerance=0.0):
    """Why `df` is not what the preview showed, in one line; none when it is."""
    types = {column["name"]: column["dtype"] for column in expected["schema"]}
    found = {name: words(dtype) for name, dtype in df.schema.items()}
    if list(types.items()) != list(found.items()):
        return f"columns differ: {types} but in Python {found}"
    rows = [json.loads(line) for line in space["json_lines"](df)]
    for number, (row, other) in enumerate(zip(expected["rows"], rows), 1):
        for name in types:
            if not is_same(row[name], other[name], tolerance):
                return f"row {number}, column {name}: {row[name]!r} but in Python {other[name]!r}"
    if len(rows) != len(expected["rows"]):
        return f"{len(expected['rows'])} rows but {len(rows)} in Python"
    return None


def check_case(folder, number, case):
    """Why a case fails; none when it passes."""
    recipe = folder / f"recipe_{number}.yaml"
    written = {"apiVersion": "skewer/v1", "kind": "Recipe", **case.get("file", {}), "steps": case["steps"]}
    text = json.dumps(written, ensure_ascii=False, indent=1)
    recipe.write_text(text.replace("@FOLDER@", str(folder)), encoding="utf-8")
    data = case.get("data", "ads")
    location = folder / (f"{data}.jsonl" if data in DATA else f"{data}.parquet")
    try:
        if LEARNING & {next(iter(step)) for step in case["steps"]}:
            skewer("fit", recipe, folder / "learned.jsonl", "-o", recipe)
        preview = skewer("preview", location, "--recipe", recipe, "--rows", 100_000, "--json")
        done = skewer("script", location, "--recipe", recipe)
        if done.stderr:
            return done.stderr.strip()
        space = program(done.stdout)
        df = rows_of(space)
        return compare(json.loads(preview.stdout), space, df, case.get("tolerance", 0.0))
    except (Exception, SystemExit) as error:  # noqa: BLE001
        text = " ".join(str(error).split()) or repr(error)
        return f"{type(error).__name__}: {text[:1500]}"


def check_steps(folder, names):
    for name, lines in DATA.items():
        text = "".join(line if isinstance(line, str) else json.dumps(line, ensure_ascii=False) for line in intersperse(lines))
        (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")
    space = program(skewer("script", folder / "ads.jsonl").stdout)
    space["read"](space["ROWS"], space["ROWS"]["paths"])[0].with_columns(
        pl.col("at").str.to_datetime(time_unit="us", time_zone="UTC", format="%Y-%m-%dT%H:%M:%S%.fZ"),
        pl.col("day").str.to_date(),
        pl.col("n").cast(pl.Int32, strict=False).alias("small"),
        pl.col("x").clip(-1000, 1000).cast(pl.Float32).alias("single"),
        (pl.col("x") / pl.col("zero")).alias("nan"),
    ).write_parquet(folder / "typed.parquet")
    functions().write_parquet(folder / "functions.parquet")
    registered = registry()
    tried = {next(iter(step)) for case in CASES for step in case["steps"]}
    failures = []
    for step in registered:
        if step not in tried and step not in NOT_WRITTEN:
            failures.append(f"{step}: no case in python_cases.py, and not in NOT_WRITTEN")
    failures += [f"{step}: no such step" for step in sorted((tried | set(NOT_WRITTEN)) - set(registered))]
    cases = CASES + function_cases()
    chosen = [case for case in cases if not names or set(names) & {next(iter(step)) for step in case["steps"]}]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        results = pool.map(lambda pair: check_case(folder, *pair), enumerate(chosen))
        for case, problem in zip(chosen, results):
            if problem:
                failures.append(f"{json.dumps(case['steps'], ensure_ascii=False)[:300]}\n    {problem}")
    for step, (params, reason) in NOT_WRITTEN.items():
        failures += check_not_written(folder, step, params, reason)
    return len(chosen), failures


def functions():
    """Rows for the examples of functions, as `functions.rs` describes their columns."""
    return pl.DataFrame(
        {
            "s": ["abc", "Straße ", None, "", "2020-02-29"],
            "n": [3, -7, None, 0, 10],
            "x": [0.5, -1.5, None, 0.25, 1e10],
            "d": [date(2020, 2, 29), date(1969, 12, 31), None, date(2021, 1, 1), date(2000, 1, 1)],
            "t": [datetime(2020, 1, 2, 3, 4, 5, 678901), datetime(1969, 12, 31, 23), None, datetime(2021, 1, 1), datetime(2000, 2, 29)],
            "l": [["a", "b"], [], None, [None, "a"], ["ü"]],
            "ln": [[1, 2], [], None, [None, 3], [5]],
        },
        schema_overrides={"t": pl.Datetime("us")},
    ).with_columns(pl.col("t").dt.replace_time_zone("UTC"))


def function_cases():
    """A case for the example of each function that expressions may call."""
    source = pathlib.Path(__file__).resolve().parents[1] / "src/transform/expr/functions.rs"
    text = r'"((?:[^"\\]|\\.)*)"'
    found = re.findall(rf"\bf\(\s*{text},\s*{text},\s*{text},\s*{text}", source.read_text(encoding="utf-8"))
    assert len(found) > 50, "the functions that expressions may call"
    return [
        {"steps": [{"derive": {"columns": {"made": json.loads(f'"{example}"')}}}], "data": "functions", "tolerance": 1e-13}
        for _, _, example, _ in found
    ]


def intersperse(lines):
    for line in lines:
        yield line
        yield "\n"


def check_not_written(folder, step, params, reason):
    """The program of a step without polars code ends with the reason, and `--skip` leaves it out."""
    recipe, script = folder / f"not_{step}.yaml", folder / f"not_{step}.py"
    recipe.write_text(json.dumps({"apiVersion": "skewer/v1", "kind": "Recipe", "steps": [{step: params}]}), encoding="utf-8")
    done = skewer("script", folder / "ads.jsonl", "--recipe", recipe, "-o", script)
    if reason not in done.stderr:
        return [f"{step}: the note does not say {reason!r}: {done.stderr}"]
    stopped = subprocess.run([sys.executable, script, "--json"], capture_output=True, text=True, check=False)
    if stopped.returncode != 1 or reason not in stopped.stderr or stopped.stdout:
        return [f"{step}: its program does not end with the reason: {stopped.stderr}"]
    skipped = subprocess.run([sys.executable, script, "--json", "--skip"], capture_output=True, text=True, check=False)
    return [] if skipped.returncode == 0 and skipped.stdout else [f"{step}: --skip fails: {skipped.stderr}"]


def check_reading(folder):
    """Odd records, compressed files, files of a folder in order, and Parquet."""
    lake = folder / "lake"
    for name in ("2020/01/01", "2020/01/02", "_tmp"):
        (lake / name).mkdir(parents=True)
    odd = b"\n".join(line if isinstance(line, bytes) else line.encode() for line in ODD_RECORDS)
    (lake / "2020/01/01/a.jsonl").write_bytes(b"\xef\xbb\xbf" + odd)
    (lake / "2020/01/01/B.jsonl.gz").write_bytes(gzip.compress(odd + b"\r\n \r\n") + gzip.compress(odd))
    # A file whose end is missing, without the record of a megabyte, which would be read as many times.
    short = b"\n".join(line for line in odd.splitlines() if len(line) < 100_000)
    whole = gzip.compress(short * 100)
    (lake / "2020/01/02/cut.jsonl.gz").write_bytes(whole[: len(whole) // 3 * 2])
    (lake / "2020/01/02/plain.jsonl.gz").write_bytes(odd)
    (lake / "_tmp/x.jsonl").write_bytes(odd)
    import zstandard

    (lake / "2020/01/02/c.jsonl.zst").write_bytes(zstandard.compress(odd))
    failures = []
    expected = json.loads(skewer("preview", lake, "--rows", 1_000_000, "--json").stdout)
    assert len(expected["rows"]) > 100 and len(expected["rejects"]) > 10, "the odd records give rows and rejects"
    script = folder / "lake.py"
    skewer("script", lake, "-o", script)
    space = program(script.read_text(encoding="utf-8"))
    problem = compare(expected, space, rows_of(space))
    failures += [f"reading JSON Lines: {problem}"] if problem else []
    printed = subprocess.run([sys.executable, script, "--json"], capture_output=True, text=True, encoding="utf-8", check=True)
    rows = [json.loads(line) for line in printed.stdout.splitlines()]
    if not is_same(rows, expected["rows"], 0.0) or "rejected in all" not in printed.stderr:
        failures.append("printing with --json gives other rows")

    table = folder / "table"
    (table / "d=1").mkdir(parents=True)
    df = rows_of(space)
    df.with_columns(
        pl.lit(7, pl.Int16).alias("small"),
        pl.lit(b"\x00\xff").alias("bytes_left_out"),
        pl.datetime(2020, 1, 2, 3, time_zone="UTC", time_unit="ns").alias("nanos"),
        pl.lit(float("nan")).alias("nan"),
    ).drop("bytes_left_out").write_parquet(table / "d=1/part-0.parquet")
    expected = json.loads(skewer("preview", table, "--rows", 1_000_000, "--json").stdout)
    space = program(skewer("script", table).stdout)
    problem = compare(expected, space, rows_of(space))
    return failures + ([f"reading Parquet: {problem}"] if problem else [])


FIELDS = [
    {"name": "id", "type": "int64", "required": True, "accept": ["numeric_string"]},
    {"name": "x", "type": "float64", "accept": ["number", "numeric_string"]},
    {"name": "note", "type": "string", "accept": ["string", "number", "bool", "json"]},
    {"name": "at", "type": "timestamp[us, UTC]", "parse": "%d/%m/%Y %H:%M:%S%.f%z"},
    {"name": "epoch", "type": "timestamp[us, UTC]", "parse": "%s", "accept": ["number"]},
    {"name": "day", "type": "date", "parse": "%a, %d %b %Y"},
    {"name": "iso", "type": "timestamp[us, UTC]"},
    {"name": "flag", "type": "bool", "accept": ["string"]},
    {"name": "raw", "type": "struct<a: list<json>, b: string>"},
]


def check_job(folder):
    """A job's rows are those of its exported program."""
    day = folder / "raw/2020-01-02"
    day.mkdir(parents=True)
    records = [
        '{"id": 1, "x": 9007199254740993, "note": 1.50, "at": "02/01/2020 03:04:05.25+0130", "epoch": 1577934245}',
        '{"id": "2.0", "x": " -1e3 ", "note": {"a" : [1,  "\\u00e9"]}, "day": "Thu, 02 Jan 2020", "flag": "true"}',
        '{"id": 3, "x": 1e400}',
        '{"id": 4, "day": "Fri, 02 Jan 2020"}',
        '{"id": 5, "raw": {"a": [1.0, null, "x\\n", {"z": [ ]}], "b": true}, "iso": "1969-12-31 23:59:59.9999999"}',
        '{"id": 5, "raw": {"a": [], "b": [1, 2]}, "iso": "0000-02-29T00:00Z", "note": false}',
        '{"id": null}',
        '{"id": 6, "at": "31/02/2020 00:00:00+0000"}',
        '{"id": 7, "at": "01/03/2020 00:00:60.5-00:30", "unknown": 1, "epoch": "12"}',
        '{"id": 1.5}',
        '{"id": 9223372036854775807, "raw": null, "iso": "2020-01-02T03:04:05,5+02"}',
        '{"id": 9223372036854775808}',
    ]
    (day / "a.json").write_text("\n".join(records), encoding="utf-8")
    (day / "ignored.txt").write_text("{}", encoding="utf-8")
    job = folder / "job.yaml"
    spec = {
        "apiVersion": "skewer/v1",
        "kind": "Job",
        "metadata": {"name": "declared"},
        "source": {"uri": "raw/{day}/", "schema": {"fields": FIELDS}},
        "steps": [{"derive": {"columns": {"twice": "id / 2"}}}, {"filter": {"where": "id <> 4", "comment": "no fours"}}],
        "sink": {"uri": "out/declared/"},
        "errors": {"budget": {"records": {"ratio": 1, "abs": 100}}},
        "tests": [{"name": "one", "given": [records[0], {"id": "x"}], "expect": {"rows": [{"twice": 0.5}], "rejected": 1}}],
    }
    job.write_text(json.dumps(spec), encoding="utf-8")
    answer = json.loads(skewer("validate", job, "--tests", "--json").stdout)
    assert answer["tests"] == [{"name": "one", "passed": True, "problem": None}], answer["tests"]
    skewer("run", job, "--param", "day=2020-01-02", "--json")
    skewer("export", job, "--target", "polars", "-o", folder / "exported")
    script, out = folder / "exported/steps.py", folder / "rows.parquet"
    done = subprocess.run(
        [sys.executable, script, "--day", "2020-01-02", "-o", out], capture_output=True, text=True, check=False
    )
    if done.returncode:
        return [f"the exported job: {done.stderr}"]
    parts = sorted((folder / "out/declared/day_partition=2020-01-02").glob("*.parquet"))
    table, rows = pl.concat([pl.read_parquet(part, hive_partitioning=False) for part in parts]), pl.read_parquet(out)
    if table.schema != rows.schema or not table.equals(rows):
        return [f"the exported job gives other rows than a run:\n{table}\n{rows}"]
    return [] if table.height == 4 else [f"the job has {table.height} rows only"]


def main():
    names = sys.argv[2:]
    pl.Config.set_tbl_cols(20)
    os.environ["POLARS_FMT_MAX_ROWS"] = "20"
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder).resolve()
        n_cases, failures = check_steps(folder, names)
        if not names:
            failures += check_reading(folder) + check_job(folder)
    for failure in failures:
        print(failure, file=sys.stderr)
    if failures:
        sys.exit(f"{len(failures)} failures in {n_cases} cases")
    print(f"{n_cases} recipes give the same rows in Python")


if __name__ == "__main__":
    main()
