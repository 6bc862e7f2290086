"""Holds Skewer's copy of Spark's hash, and the partitions it simulates, to real Spark: `spark_hash.py SKEWER`.

Three questions: do the values of a table of nasty expressions have Spark's hashes and partitions; do 10,000 random values of
every type; and are the simulated loads exactly the records that the tasks of a real skewed shuffle count, before and after
salting. Each comparison is made once more with something changed, and must notice it. Needs Java 17 or later, pyspark and
pyarrow.
"""

import collections
import datetime
import decimal
import json
import math
import pathlib
import random
import shutil
import struct
import subprocess
import sys
import tempfile

import pyarrow
import pyarrow.parquet
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

N_RANDOM = 10_000

# Expressions of one or two key columns, their Spark types, and `hash(...)`, `pmod(..., 8)`, `pmod(..., 200)` on Spark 4.3.
TABLE = [
    (["cast(null as int)"], 42, 2, 42),
    (["true"], -559580957, 3, 43),
    (["false"], 933211791, 7, 191),
    (["cast(42 as int)"], 29417773, 5, 173),
    (["cast(42 as bigint)"], 1316951768, 0, 168),
    (["'42'"], -2140846185, 7, 15),
    (["DATE'2024-01-01'"], -456589419, 5, 181),
    (["'2024-01-01'"], 1555046387, 3, 187),
    (["TIMESTAMP'2024-01-01T00:00:00Z'"], 1545358984, 0, 184),
    (["cast(1.5 as double)"], 1290763749, 5, 149),
    (["cast(1.5 as float)"], -221251528, 0, 72),
    (["double('NaN')"], -1281358385, 7, 15),
    (["float('NaN')"], -349261430, 2, 170),
    (["cast(-0.0 as double)"], -1670924195, 5, 5),
    (["'é'"], 2119106806, 6, 6),
    (["'hello'"], -1008564952, 0, 48),
    (["''"], 142593372, 4, 172),
    (["'a'"], 1485273170, 2, 170),
    (["'ab'"], -97053317, 3, 83),
    (["'abc'"], 1322437556, 4, 156),
    (["'abcde'"], 814637928, 0, 128),
    (["'天地'"], -1899966402, 6, 198),
    (["'😁'"], 885025535, 7, 135),
    (["cast(12.34 as decimal(10,2))"], -1028144669, 3, 131),
    (["cast(1234 as decimal(38,0))"], 1123058251, 3, 51),
    (["cast(-1234 as decimal(38,0))"], -378694793, 7, 7),
    (["cast(1 as tinyint)"], -559580957, 3, 43),
    (["cast(1 as smallint)"], -559580957, 3, 43),
    (["X'00ff10'"], -339173231, 1, 169),
    (["cast(1 as int)", "'a'"], -936062819, 5, 181),
    (["'a'", "cast(1 as int)"], 532252686, 6, 86),
    (["cast(null as int)", "cast(1 as int)"], -559580957, 3, 43),
    (["DATE'2024-01-01'", "'US'"], -418201300, 4, 100),
    (["'2024-01-01'", "'US'"], -1733723780, 4, 20),
    (["array(1,2,3)"], -912918097, 7, 103),
    (["struct(1,'a')"], -936062819, 5, 181),
    (["TIMESTAMP_NTZ'2024-01-01 00:00:00'"], 1545358984, 0, 184),
    (["'Spark'", "array(123)", "2"], -1321691492, 4, 108),
]

LETTERS = ["a", "Z", "0", " ", "é", "ß", "天", "😁", "\u0301", "\x00", "\x7f", "ÿ", "\uffff", "\U0010ffff", "'", '"', "\\", "\n"]


class Trial:
    def __init__(self, skewer, spark, folder):
        self.skewer, self.spark, self.folder = skewer, spark, folder
        self.n_values = self.n_loads = 0

    def skew(self, place, columns, types, n, top=20, more=()):
        """What `skewer skew --by` says of a key; `types` are Spark's, by column."""
        command = [self.skewer, "skew", place, "--by", ",".join(columns), "--partitions", n, "--top", top, "--json", *more]
        for column, dtype in types.items():
            command += ["--spark-type", f"{column}={dtype}"]
        done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert done.returncode == 0, f"{command}: {done.stderr}"
        answer = json.loads(done.stdout)
        assert answer["accuracy"]["kind"] == "exact" and answer["n_rejects"] == 0, answer["accuracy"]
        return answer

    def write(self, name, table):
        place = self.folder / name
        place.mkdir()
        pyarrow.parquet.write_table(table, place / "part.parquet")
        return place


def loads_of(answer):
    return [partition["load"] for partition in answer["partitions"]]


def table(trial):
    """Every expression of the table, hashed by Spark, read back from the Parquet that Spark wrote, and hashed by Skewer."""
    for number, (expressions, expected, of_8, of_200) in enumerate(TABLE):
        named = [f"{expression} as k{i}" for i, expression in enumerate(expressions)]
        columns = [f"k{i}" for i in range(len(expressions))]
        df = trial.spark.sql(f"select {', '.join(named)}")
        key = ", ".join(columns)
        row = df.selectExpr(f"hash({key}) as h", f"pmod(hash({key}), 8) as a", f"pmod(hash({key}), 200) as b").first()
        assert tuple(row) == (expected, of_8, of_200), f"{expressions}: Spark says {tuple(row)}"
        place = trial.folder / f"table{number}"
        df.coalesce(1).write.parquet(str(place))
        types = dict(df.dtypes)
        for n, partition in [(8, of_8), (200, of_200)]:
            answer = trial.skew(place, columns, types, n)
            found = answer["profile"]["top"][0]["hash"]
            assert found == expected, f"{expressions}: {found}, in Spark {expected}"
            assert loads_of(answer) == [int(i == partition) for i in range(n)], f"{expressions}: {n}"
            trial.n_values += 1
    print(f"table: {len(TABLE)} expressions")


def random_text(rng):
    return "".join(rng.choice(LETTERS) for _ in range(rng.randrange(14)))


ODD_FLOATS = [0.0, -0.0, math.nan, math.inf, -math.inf, 5e-324, 1.5, -1.0]


def random_float(rng):
    """Any 64 bits, or a number that is written with few."""
    if rng.random() < 0.9:
        return struct.unpack("<d", rng.randbytes(8))[0]
    return rng.choice([*ODD_FLOATS, float(rng.randrange(-99, 99))])


def random_decimal(rng, precision, scale):
    digits = rng.randrange(1, precision + 1)
    return decimal.Decimal(rng.randrange(-(10**digits) + 1, 10**digits)).scaleb(-scale, decimal.Context(prec=60))


def whole(bits):
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    return lambda rng: rng.randint(low, high) if rng.random() < 0.95 else rng.choice([low, high, 0, -1, 1])


def at(rng):
    return datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=rng.randrange(-(10**16), 4 * 10**16))


def float32(rng):
    return struct.unpack("<f", rng.randbytes(4))[0] if rng.random() < 0.9 else rng.choice(ODD_FLOATS)


def maybe(rng, make):
    return None if rng.random() < 0.1 else make(rng)


# Spark's type, the type in the file, and how a value is drawn.
TYPES = [
    ("boolean", pyarrow.bool_(), lambda rng: rng.random() < 0.5),
    ("tinyint", pyarrow.int8(), whole(8)),
    ("smallint", pyarrow.int16(), whole(16)),
    ("int", pyarrow.int32(), whole(32)),
    ("bigint", pyarrow.int64(), whole(64)),
    ("float", pyarrow.float32(), float32),
    ("double", pyarrow.float64(), random_float),
    ("decimal(4,1)", pyarrow.decimal128(4, 1), lambda rng: random_decimal(rng, 4, 1)),
    ("decimal(18,6)", pyarrow.decimal128(18, 6), lambda rng: random_decimal(rng, 18, 6)),
    ("decimal(19,0)", pyarrow.decimal128(19, 0), lambda rng: random_decimal(rng, 19, 0)),
    ("decimal(38,10)", pyarrow.decimal128(38, 10), lambda rng: random_decimal(rng, 38, 10)),
    ("string", pyarrow.string(), random_text),
    ("binary", pyarrow.binary(), lambda rng: rng.randbytes(rng.randrange(14))),
    ("date", pyarrow.date32(), lambda rng: datetime.date(1, 1, 1) + datetime.timedelta(days=rng.randrange(3_000_000))),
    ("timestamp", pyarrow.timestamp("us", "UTC"), at),
    ("timestamp_ntz", pyarrow.timestamp("us"), at),
    ("array<bigint>", pyarrow.list_(pyarrow.int64()), lambda rng: [maybe(rng, whole(64)) for _ in range(rng.randrange(5))]),
    ("array<string>", pyarrow.list_(pyarrow.string()), lambda rng: [maybe(rng, random_text) for _ in range(rng.randrange(4))]),
    (
        "struct<a:int,b:string,c:array<double>>",
        pyarrow.struct([("a", pyarrow.int32()), ("b", pyarrow.string()), ("c", pyarrow.list_(pyarrow.float64()))]),
        lambda rng: {"a": maybe(rng, whole(32)), "b": maybe(rng, random_text), "c": [random_float(rng) for _ in range(rng.randrange(3))]},
    ),
]


def of_every_type(trial):
    """The hashes of the distinct keys of a column, counted with their rows, in both engines; and the loads they lead to."""
    rng = random.Random(11)
    for number, (dtype, in_file, draw) in enumerate(TYPES):
        values = [None, *(draw(rng) for _ in range(N_RANDOM))]
        place = trial.write(f"type{number}", pyarrow.table({"k": pyarrow.array(values, in_file)}))
        compare(trial, dtype, place, ["k"], {"k": dtype})
    columns = {"a": "bigint", "b": "string", "c": "date"}
    draws = {dtype: (in_file, draw) for dtype, in_file, draw in TYPES}
    arrays = {
        name: pyarrow.array([maybe(rng, draws[dtype][1]) for _ in range(N_RANDOM)], draws[dtype][0]) for name, dtype in columns.items()
    }
    place = trial.write("compound", pyarrow.table(arrays))
    compare(trial, "bigint, string, date", place, list(columns), columns)
    # Integers as text and the other way round: the chosen type counts, not the file's.
    numbers = [rng.randrange(-(10**9), 10**9) for _ in range(N_RANDOM)]
    place = trial.write("cast", pyarrow.table({"k": pyarrow.array(numbers, pyarrow.int64())}))
    compare(trial, "bigint as string", place, ["k"], {"k": "string"}, cast=True)
    compare(trial, "bigint as int", place, ["k"], {"k": "int"}, cast=True)
    compare(trial, "bigint as decimal", place, ["k"], {"k": "decimal(12,2)"}, cast=True)


def compare(trial, what, place, columns, types, cast=False):
    df = trial.spark.read.parquet(str(place))
    if cast:
        df = df.select(*(F.col(name).cast(types[name]).alias(name) for name in columns))
    assert {name: dict(df.dtypes)[name] for name in columns} == types, f"{what}: Spark reads {df.dtypes}"
    theirs = collections.Counter(row["h"] for row in df.select(F.hash(*columns).alias("h")).collect())
    answer = trial.skew(place, columns, types, 200, top=2 * N_RANDOM)
    ours = collections.Counter()
    for key in answer["profile"]["top"]:
        ours[key["hash"]] += key["n_rows"]
    wrong = ours - theirs
    assert ours == theirs, f"{what}: {sum(wrong.values())} rows hash otherwise, such as {list(wrong)[:3]}"
    spoiled = theirs.copy()
    spoiled[next(iter(spoiled))] -= 1
    assert spoiled != ours, "a wrong hash goes unnoticed"
    loads = [0] * 200
    for value, n in theirs.items():
        loads[value % 200] += n
    assert loads_of(answer) == loads, f"{what}: loads"
    trial.n_values += sum(ours.values())
    print(f"{what}: {sum(ours.values())} rows, {len(ours)} hashes")


def skewed_rows(rng, n):
    """Keys with a hot one, nulls, empty text, and a long tail."""
    start = datetime.date(2024, 1, 1)
    for _ in range(n):
        draw = rng.random()
        user = "bot" if draw < 0.25 else None if draw < 0.32 else "" if draw < 0.35 else f"user-{int(rng.paretovariate(0.7)) % 60000}"
        yield user, rng.choice([-1, 0, *range(1000, 1400)]), start + datetime.timedelta(days=rng.randrange(366))


def shuffles(trial, events):
    """Loads against the rows of each partition and the records that each task read, of a real shuffle."""
    rows = list(skewed_rows(random.Random(5), 200_000))
    users, campaigns, days = zip(*rows)
    data = pyarrow.table(
        {
            "user": pyarrow.array(users, pyarrow.string()),
            "campaign": pyarrow.array(campaigns, pyarrow.int64()),
            "day": pyarrow.array(days, pyarrow.date32()),
        }
    )
    place = trial.write("skewed", data)
    df = trial.spark.read.parquet(str(place))
    runs = []
    for columns, n in [(["user"], 200), (["user"], 7), (["campaign"], 333), (["day"], 200), (["day", "user"], 64), (["user", "day"], 64)]:
        types = {name: dict(df.dtypes)[name] for name in columns}
        answer = trial.skew(place, columns, types, n)
        runs.append((f"{', '.join(columns)} over {n}", loads_of(answer), shuffle(df, columns, n, trial)))
        if columns == ["user"] and n == 200:
            runs.append(salted(trial, place, answer))
    for what, loads, (counted, stage) in runs:
        same_loads(what, loads, counted)
        records = read_records(events, stage, len(loads))
        same_loads(f"{what}, task records", loads, records)
        trial.n_loads += 2 * len(loads)
        mean = sum(loads) / len(loads)
        print(f"{what}: {sum(loads)} rows, largest {max(loads) / mean:.2f} x the mean, as in Spark's tasks")


def same_loads(what, loads, counted):
    different = [i for i, pair in enumerate(zip(loads, counted, strict=True)) if pair[0] != pair[1]]
    assert not different, f"{what}: partition {different[0]} has {counted[different[0]]} rows, predicted {loads[different[0]]}"
    moved = [loads[0] + 1, *loads[1:]]
    assert moved != counted, f"{what}: a wrong load goes unnoticed"


def shuffle(df, columns, n, trial):
    """Rows by partition of a real shuffle, and the name that finds its tasks in the event log."""
    shuffled = df.repartition(n, *columns)
    name = f"shuffle {','.join(columns)} {n} {random.random()}"
    trial.spark.sparkContext.setJobDescription(name)
    # Without a further exchange each task counts what it was sent.
    counts = shuffled.rdd.mapPartitionsWithIndex(lambda i, part: [(i, sum(1 for _ in part))]).collect()
    trial.spark.sparkContext.setJobDescription(None)
    return [count for _, count in sorted(counts)], name


def salted(trial, place, answer):
    """The loads that the offered salts are said to give, against a shuffle of the rows that the step salts."""
    remedy = next(remedy for remedy in answer["remedies"] if remedy["remedy"]["kind"] == "salt")
    step = next(step["salt"] for step in remedy["steps"] if "salt" in step)
    n = answer["n_partitions"]
    salts = {key["key"][0]: key["salts"] for key in step["keys"]}
    assert "bot" in salts and len(salts["bot"]) > 20, salts.keys()
    rows = trial.spark.createDataFrame([(key, salt) for key, of_key in salts.items() for salt in of_key], "user string, salt int")
    taken = [(row[0], row[1]) for row in rows.selectExpr("user", f"pmod(hash(user, salt), {n})").collect()]
    assert len(taken) == len(set(taken)), "salts of a key collide in Spark"
    partitions = {partition for _, partition in taken}
    assert len(partitions) == min(n, len(taken)), "salts of two keys collide in Spark although there are free partitions"
    recipe = trial.folder / "salts.json"
    recipe.write_text(json.dumps({"apiVersion": "skewer/v1", "kind": "Recipe", "steps": remedy["steps"]}), encoding="utf-8")
    command = [trial.skewer, "preview", place, "--recipe", recipe, "--rows", answer["n_rows"], "--json"]
    told = json.loads(subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, check=True).stdout)["rows"]
    assert len(told) == answer["n_rows"], f"{len(told)} of {answer['n_rows']} rows"
    given = {key: {row["salt"] for row in told if row["user"] == key} for key in salts}
    assert all(given[key] == set(salts[key]) for key in salts), "the step gives other salts than the remedy"
    columns = {"user": [row["user"] for row in told], "salt": pyarrow.array([row["salt"] for row in told], pyarrow.int32())}
    salted_rows = trial.spark.read.parquet(str(trial.write("salted", pyarrow.table(columns))))
    counted = shuffle(salted_rows, ["user", "salt"], n, trial)
    after = remedy["after"]["max"]
    # Of more rows than the count keeps apart, the prediction is an estimate; the loads of the salted rows are none.
    chance = 0 if remedy["prediction"] == "counted" else 4 * math.sqrt(after)
    assert abs(max(counted[0]) - after) <= chance, f"{max(counted[0])} rows, predicted {after}, {chance:.0f} by chance"
    ours = trial.skew(place, ["user", "salt"], {"salt": "int"}, n, more=("--recipe", recipe))
    print(f"salts: {len(taken)} of {len(salts)} keys lead to {len(partitions)} partitions, largest {max(counted[0])} rows for {answer['metrics']['max']}")
    return "user with salts over 200", loads_of(ours), counted


def read_records(events, name, n):
    """`Total Records Read` of the successful tasks of the last stage of the job of that name, by partition."""
    stages, records = set(), {}
    for path in sorted(events.rglob("*")):
        if not path.is_file():
            continue
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                if line.startswith('{"Event":"SparkListenerJobStart"'):
                    event = json.loads(line)
                    if event["Properties"].get("spark.job.description") == name:
                        stages.add(max(event["Stage IDs"]))
                elif line.startswith('{"Event":"SparkListenerTaskEnd"'):
                    event = json.loads(line)
                    if event["Stage ID"] in stages and event["Task End Reason"]["Reason"] == "Success":
                        read = event["Task Metrics"]["Shuffle Read Metrics"]["Total Records Read"]
                        records[event["Task Info"]["Partition ID"]] = read
    assert len(records) == n, f"{name}: {len(records)} tasks in the log"
    return [records[i] for i in range(n)]


def check(skewer, spark, folder, events):
    trial = Trial(skewer, spark, folder)
    table(trial)
    of_every_type(trial)
    shuffles(trial, events)
    print(f"{trial.n_values} hashes and {trial.n_loads} loads as in Spark {spark.version}")


def main():
    skewer = pathlib.Path(sys.argv[1]).resolve()
    if not shutil.which("java"):
        sys.exit("no java on PATH: install default-jre-headless")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        events = folder / "events"
        events.mkdir()
        builder = SparkSession.builder.master("local[2]").appName("spark_hash")
        for key, value in {
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Duser.timezone=UTC",
            "spark.sql.session.timeZone": "UTC",
            "spark.sql.shuffle.partitions": "2",
            # The number of partitions has to stay as it is asked for.
            "spark.sql.adaptive.enabled": "false",
            "spark.sql.warehouse.dir": str(folder / "warehouse"),
            "spark.eventLog.enabled": "true",
            "spark.eventLog.dir": events.as_uri(),
            "spark.eventLog.compress": "false",
            "spark.eventLog.rolling.enabled": "false",
            "spark.eventLog.buffer.kb": "1k",
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
        }.items():
            builder = builder.config(key, value)
        spark = builder.getOrCreate()
        spark.sparkContext.setLogLevel("ERROR")
        try:
            check(skewer, spark, folder, events)
        finally:
            spark.stop()


if __name__ == "__main__":
    main()
