"""Holds the steps that Spark ML also has to real Spark, value by value: `spark_ml.py SKEWER`.

Both read the same Parquet files of nasty values: Unicode, empty text, doubled values, infinities, numbers exactly on a
border. What `skewer preview` shows must be what Spark computes; only means and deviations, which Spark adds up in parts,
may differ in their last digits. Each comparison is made once more with one value changed, and must notice it. Needs Java
17 or later, pyspark, numpy and pyarrow.
"""

import copy
import itertools
import json
import math
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

import pyarrow
import pyarrow.parquet
from pyspark.ml.feature import (
    Bucketizer,
    HashingTF,
    MinMaxScaler,
    NGram,
    OneHotEncoder,
    QuantileDiscretizer,
    RegexTokenizer,
    RobustScaler,
    StandardScaler,
    StopWordsRemover,
    StringIndexer,
    Tokenizer,
    VectorAssembler,
)
from pyspark.sql import SparkSession

TEXTS = [
    "",
    " ",
    "  two  spaces ",
    "Senior Data Engineer",
    "the quick brown fox AND the lazy dog",
    "C++ & C#, Rust; Go!",
    "tab\tnew\nline\x0bfeed\x0creturn\rnul\x00end",
    "no\u00a0break\u3000wide\u2028line",
    "Straße ΟΔΟΣ İstanbul ÄÖÜ ﬁ",
    "e\u0301 é 天地 😀😁 \U0001d54f",
    "der Hund und die Katze sind nicht im Haus",
    "a,b,,c,",
    "_under_score_ 123 4.5e6",
    "I'm can't won't isn't",
    "ÜBER über Über",
]
CATEGORIES = ["", " ", "a", "A", "b", "é", "e\u0301", "null", "0", "00", "天", "\uff01", "😀", "z\x00", "zz", "Ab", "aB"]
BORDERS = [-1e300, -1.5, -0.0, 0.1, 0.30000000000000004, 1.0, 2.5, 1e16, 1e300]


def nasty_texts(random):
    words = [word for text in TEXTS for word in text.split(" ")]
    for text in TEXTS:
        yield text
    for _ in range(300):
        gap = random.choice([" ", "  ", "\t", ", ", "\u00a0"])
        yield gap.join(random.choice(words) for _ in range(random.randrange(9)))


def nasty_numbers(random):
    exact = [math.inf, -math.inf, math.nan, None, 0.0, 5e-324, -5e-324]
    for border in BORDERS:
        exact += [border, math.nextafter(border, math.inf), math.nextafter(border, -math.inf)]
    yield from exact
    for _ in range(300):
        yield random.choice([random.gauss(0, 2), random.uniform(-1e17, 1e17), float(random.randrange(-3, 4))])


def write(folder, name, columns):
    """A folder with one Parquet file, whose rows are numbered."""
    n = len(next(iter(columns.values())))
    place = folder / name
    place.mkdir()
    table = pyarrow.table({"id": pyarrow.array(range(n), pyarrow.int64()), **columns})
    pyarrow.parquet.write_table(table, place / "part.parquet")
    return place


class Trial:
    """The same rows for Skewer and for Spark."""

    def __init__(self, skewer, spark, folder):
        self.skewer, self.spark, self.folder = skewer, spark, folder
        self.n_compared = 0
        self.numbers = itertools.count()

    def rows(self, place, steps, learn_from=None):
        """What the steps make of the rows, by `id`; fitted on `learn_from` before."""
        recipe = self.folder / f"recipe{next(self.numbers)}.yaml"
        recipe.write_text(json.dumps({"apiVersion": "skewer/v1", "kind": "Recipe", "steps": steps}))
        if learn_from:
            self.run("fit", recipe, learn_from)
        answer = self.run("preview", place, "--recipe", recipe)
        return {row["id"]: row for row in answer["rows"]}

    def run(self, *args):
        command = [self.skewer, *args, "--rows", "100000", "--json"]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert done.returncode == 0, f"{command}: {done.stderr}"
        return json.loads(done.stdout)

    def read(self, place):
        return self.spark.read.parquet(str(place))

    def same(self, what, ours, rows, columns, digits=None, missing=()):
        """Holds columns of ours to columns of Spark's, row by row. `missing` may lack where Spark leaves rows out."""
        rows = rows if isinstance(rows, list) else rows.collect()
        theirs = {row["id"]: {name: plain(row[name]) for name in columns.values()} for row in rows}
        compare(what, ours, theirs, columns, digits, missing)
        self.n_compared += len(ours) * len(columns)
        for mine, their in columns.items():
            changed = copy.deepcopy(theirs)
            row = next((row for row in reversed(changed.values()) if row[their] not in (None, [])), None)
            assert row, f"{what}: {their} holds nothing but null"
            row[their] = spoiled(row[their])
            try:
                compare(what, ours, changed, columns, digits, missing)
            except AssertionError:
                continue
            raise SystemExit(f"{what}: a wrong value of {mine} goes unnoticed")
        print(f"{what}: {len(ours)} rows")


def plain(value):
    """A value of Spark as JSON shows ours: vectors are lists."""
    if hasattr(value, "toArray"):
        return [float(x) for x in value.toArray()]
    return value


def spoiled(value):
    if isinstance(value, list):
        return [*value[:-1], spoiled(value[-1])]
    return value + "x" if isinstance(value, str) else (0.0 if math.isnan(value) or math.isinf(value) else value + 1)


def compare(what, ours, theirs, columns, digits, missing):
    left_out = ours.keys() - theirs.keys()
    assert left_out <= set(missing) and theirs.keys() <= ours.keys(), f"{what}: other rows: {left_out}"
    for row, values in theirs.items():
        for mine, their in columns.items():
            a, b = ours[row][mine], values[their]
            assert agree(a, b, digits), f"{what}: row {row}: {mine} is {a!r}, in Spark {b!r}"


def agree(a, b, digits):
    if a is None or b is None:
        return a is b
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(agree(x, y, digits) for x, y in zip(a, b))
    if isinstance(b, (int, float)):
        a = float(a)
        if digits and math.isfinite(b):
            return math.isclose(a, b, rel_tol=10**-digits, abs_tol=10**-digits)
        return a == b or (math.isnan(a) and math.isnan(b))
    return a == b


def texts(trial, place):
    df = trial.read(place).na.drop(subset=["text"])
    steps = [{"tokenize": {"column": "text", "into": "words"}}]
    split = Tokenizer(inputCol="text", outputCol="words").transform(df)
    ours = trial.rows(place, steps)
    nulls = [id for id, row in ours.items() if row["text"] is None]
    assert nulls and all(ours[id]["words"] is None for id in nulls)
    trial.same("tokenize", ours, split, {"words": "words"}, missing=nulls)
    for pattern, lower in [(r"\s+", True), (r"\W+", False), (r"[^\w#+]+", True), (",", False), (r"[\d_]", True)]:
        ours = trial.rows(place, [{"tokenize": {"column": "text", "into": "words", "pattern": pattern, "lower": lower}}])
        spark = RegexTokenizer(inputCol="text", outputCol="words", pattern=pattern, toLowercase=lower)
        trial.same(f"tokenize {pattern}", ours, spark.transform(df), {"words": "words"}, missing=nulls)
    for n_features, binary in [(262_144, False), (97, True)]:
        step = {"column": "words", "into": "tf", "num_features": n_features, "binary": binary}
        ours = trial.rows(place, [*steps, {"hashing_tf": step}])
        for row in ours.values():
            sparse = row["tf"] or {"indices": None, "values": None}
            row["indices"], row["values"] = sparse["indices"], sparse["values"]
        spark = HashingTF(inputCol="words", outputCol="tf", numFeatures=n_features, binary=binary).transform(split)
        spark = [
            {"id": row["id"], "indices": [int(i) for i in row["tf"].indices], "values": [float(v) for v in row["tf"].values]}
            for row in spark.select("id", "tf").collect()
        ]
        trial.same(f"hashing_tf {n_features}", ours, spark, {"indices": "indices", "values": "values"}, missing=nulls)
    for language, is_exact in [("english", False), ("german", False), ("english", True)]:
        step = {"column": "words", "languages": [language], "words": ["Fox"], "case_sensitive": is_exact}
        ours = trial.rows(place, [*steps, {"stop_words": step}])
        listed = StopWordsRemover.loadDefaultStopWords(language) + ["Fox"]
        spark = StopWordsRemover(inputCol="words", outputCol="kept", stopWords=listed, caseSensitive=is_exact, locale="en_US")
        trial.same(f"stop_words {language}", ours, spark.transform(split), {"words": "kept"}, missing=nulls)
    for n in [2, 3]:
        ours = trial.rows(place, [*steps, {"ngrams": {"column": "words", "into": "grams", "n": n}}])
        spark = NGram(inputCol="words", outputCol="grams", n=n).transform(split)
        trial.same(f"ngrams {n}", ours, spark, {"grams": "grams"}, missing=nulls)


def numbers(trial, place):
    df = trial.read(place)
    for on_nan, handle, zero in [("extra", "keep", -0.0), ("extra", "keep", 0.0), ("null", "skip", 0.0), ("reject", "skip", 0.0)]:
        borders = [border or zero for border in BORDERS]
        ours = trial.rows(place, [{"bucketize": {"column": "x", "into": "bucket", "borders": borders, "on_nan": on_nan}}])
        bad = [id for id, row in ours.items() if row["bucket"] is None]
        spark = Bucketizer(splits=[-math.inf, *borders, math.inf], inputCol="x", outputCol="bucket", handleInvalid=handle)
        trial.same(f"bucketize {on_nan}", ours, spark.transform(df), {"bucket": "bucket"}, missing=bad)
    for buckets in [3, 500]:
        step = {"column": "y", "into": "bucket", "buckets": buckets, "on_nan": "extra"}
        ours = trial.rows(place, [{"quantile_bucketize": step}], learn_from=place)
        spark = QuantileDiscretizer(
            inputCol="y", outputCol="bucket", numBuckets=buckets, relativeError=0.0, handleInvalid="keep"
        )
        trial.same(f"quantile_bucketize {buckets}", ours, spark.fit(df).transform(df), {"bucket": "bucket"})
    vectors = VectorAssembler(inputCols=["z", "n", "same"], outputCol="v").transform(df)
    for method, scaler in [
        ("standard", StandardScaler(withMean=True, withStd=True)),
        ("min_max", MinMaxScaler()),
        ("robust", RobustScaler(withCentering=True, withScaling=True, relativeError=0.0)),
    ]:
        ours = trial.rows(place, [{"scale": {"columns": ["z", "n", "same"], "method": method}}], learn_from=place)
        for row in ours.values():
            row["v"] = [row["z"], row["n"], row["same"]]
        spark = scaler.setInputCol("v").setOutputCol("s").fit(vectors).transform(vectors)
        trial.same(f"scale {method}", ours, spark, {"v": "s"}, digits=12)
    for lower, upper in [(0.0, 1.0), (0.05, 0.9)]:
        ours = trial.rows(place, [{"winsorize": {"column": "z", "lower": lower, "upper": upper}}], learn_from=place)
        low, high = df.approxQuantile("z", [lower, upper], 0.0)
        spark = df.selectExpr("id", f"greatest(least(z, double('{high!r}')), double('{low!r}')) AS z")
        trial.same(f"winsorize {lower} {upper}", ours, spark, {"z": "z"})


def categories(trial, learned, applied):
    known, df = trial.read(learned), trial.read(applied)
    step = {"column": "c", "into": "index"}
    for ours_do, spark_does in [("keep", "keep"), ("null", "skip"), ("reject", "skip")]:
        ours = trial.rows(applied, [{"string_index": {**step, "handle_invalid": ours_do}}], learn_from=learned)
        indexer = StringIndexer(inputCol="c", outputCol="index", handleInvalid=spark_does).fit(known)
        strangers = [id for id, row in ours.items() if row["index"] is None]
        if ours_do == "null":
            assert strangers, "no row has an unknown value"
        trial.same(f"string_index {ours_do}", ours, indexer.transform(df), {"index": "index"}, missing=strangers)
    # Spark's encoder takes no empty text among the names that an indexer leaves: a computed column has none.
    indexer = StringIndexer(inputCol="c", outputCol="index", handleInvalid="keep").fit(known)
    known = known.na.drop(subset=["c"])
    train, indexed = (indexer.transform(rows).selectExpr("id", "index + 0.0 AS index") for rows in (known, df))
    for drop_last in [True, False]:
        step = {"column": "c", "into": "v", "to": "list", "drop_last": drop_last, "handle_invalid": "keep"}
        ours = trial.rows(applied, [{"one_hot": step}], learn_from=learned)
        encoder = OneHotEncoder(inputCol="index", outputCol="v", dropLast=drop_last, handleInvalid="keep").fit(train)
        trial.same(f"one_hot drop_last {drop_last}", ours, encoder.transform(indexed), {"v": "v"})
    ours = trial.rows(applied, [{"hash_encode": {"column": "c", "into": "h", "buckets": 97}}])
    hashing = HashingTF(numFeatures=97)
    places = {c: hashing.indexOf(c) for c in {row["c"] for row in ours.values()} - {None}}
    spark = [{"id": id, "h": places.get(row["c"])} for id, row in ours.items()]
    trial.same("hash_encode", ours, spark, {"h": "h"})


def check(skewer, spark, folder):
    seeded = random.Random(7)
    trial = Trial(skewer, spark, folder)
    lines = [*nasty_texts(seeded), None]
    texts(trial, write(folder, "texts", {"text": pyarrow.array(lines, pyarrow.string())}))

    xs = list(nasty_numbers(seeded))
    n = len(xs)
    columns = {
        "x": pyarrow.array(xs, pyarrow.float64(), from_pandas=False),
        # Doubled numbers; infinities teach nothing here, and would in Spark.
        "y": pyarrow.array([None if x is None or math.isinf(x) else x for x in xs], pyarrow.float64(), from_pandas=False),
        "z": pyarrow.array([round(seeded.gauss(50, 20), 1) for _ in xs], pyarrow.float64()),
        "n": pyarrow.array([seeded.randrange(-5, 6) for _ in xs], pyarrow.int64()),
        "same": pyarrow.array([4.25] * n, pyarrow.float64()),
    }
    numbers(trial, write(folder, "numbers", columns))

    drawn = [seeded.choice(CATEGORIES[: seeded.randrange(1, len(CATEGORIES) + 1)]) for _ in range(300)]
    learned = write(folder, "learned", {"c": pyarrow.array([*drawn, *CATEGORIES, None], pyarrow.string())})
    strangers = [*drawn[:100], *CATEGORIES, None, "stranger", "B", "\U0001f602", *drawn[100:]]
    categories(trial, learned, write(folder, "applied", {"c": pyarrow.array(strangers, pyarrow.string())}))
    print(f"{trial.n_compared} values as in Spark {spark.version}")


def main():
    skewer = pathlib.Path(sys.argv[1]).resolve()
    if not shutil.which("java"):
        sys.exit("no java on PATH: install default-jre-headless")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        builder = SparkSession.builder.master("local[2]").appName("spark_ml")
        for key, value in {
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
            "spark.sql.shuffle.partitions": "2",
            "spark.sql.warehouse.dir": str(folder / "warehouse"),
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
        }.items():
            builder = builder.config(key, value)
        spark = builder.getOrCreate()
        spark.sparkContext.setLogLevel("ERROR")
        try:
            check(skewer, spark, folder)
        finally:
            spark.stop()


if __name__ == "__main__":
    main()
