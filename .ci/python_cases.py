"""Recipes on small nasty data, at least one for every step: what `python_steps.py` runs in both engines.

Steps that learn do so from `learned`. A case has `steps`, and maybe `data` (a key of DATA, else `ads`), `file` (what stands beside the steps in the recipe file,
with @FOLDER@ for the folder of the data) and `tolerance` (of floats, where the engines' mathematics round differently).
"""

FULL = {
    "id": 1,
    "user": "ann",
    "n": 3,
    "x": 1.5,
    "zero": 0.0,
    "flag": True,
    "title": "  Hello  WORLD, it's <b>Fish &amp; Chips</b>! ",
    "contact": "write ann.b@example.org or call +49 170 1234567",
    "digits": " 42",
    "tags": ["b", "a", "b"],
    "nums": [1, 2, None],
    "at": "2020-01-02T03:04:05.123456Z",
    "day": "2020-02-29",
    "when": "02/01/2020 03:04",
    "loc": {"city": "Köln", "geo": {"lat": 50.9, "lon": None}},
    "raw": '{"a": {"b": [1, 2.5, "x"]}, "k": null}',
    "kind": "red",
    "items": [{"key": "size", "value": "L"}, {"key": "color", "value": "red"}],
}


def row(**values):
    return {**FULL, **values}


EMPTY = dict.fromkeys(FULL)

# `typed` is `ads` as Parquet, with `at` and `day` as timestamp and date, numbers of other widths, and NaN in `nan`.
DATA = {
    "ads": [
        FULL,
        row(id=2, n=-7, x=-0.0, user="bob", title="ÀÉÎ straße ǅ İstanbul ΑΣ", tags=[], nums=[], kind="blue", digits="x"),
        row(id=3, n=0, x=1e300, user="ann", title="", tags=["", "ü", None], at="1969-12-31T23:59:59.999999Z", kind="red"),
        row(id=4, n=9007199254740993, x=-2.5, title="a\tb\u00a0c\u3000d\u200be 1234 the THE and running runs", when="31/02/2020"),
        row(id=5, n=None, x=None, user=None, title=None, tags=None, nums=None, at=None, day=None, loc=None, raw=None, kind=None),
        "{broken",
        "[1, 2]",
        {"id": 6},
        row(id=7, user="bob", day="1970-01-01", at="2024-02-29T12:00:00Z", loc={"city": None, "geo": None}, raw="{no json", items=[]),
        row(id=8, flag=False, x=2.5, n=2, title="日本語 text 🎉 ok", contact="x@y.zz, a@b.co", kind="", raw='{"a": {"b": []}, "k": "v"}'),
        row(id=9, n=-3, x=0.1, user="cy", kind="green", nums=[5, -5, 5], raw='{"a": 1, "k": [1, {"z": true}]}', digits="007"),
        FULL,
        row(id=10, n=10, x=3.5, user="bob", when="1/2/2021 23:59", day="2019-12-31", at="2020-10-25T00:30:00Z", loc={"city": "Ä"}),
        row(id=11, n=10, x=4.5, user="bob", title="ann@example.com ANN 5.5 <script>x</script>&lt;", at="2020-03-29T01:30:00Z"),
        EMPTY | {"id": 12, "kind": "violet", "title": "x" * 300},
    ],
    # What steps learn from: fewer values than `ads` has.
    "learned": [
        row(id=1, zero=2.0),
        row(id=2, zero=2.0, kind="blue", x=-1.0, n=1),
        row(id=3, zero=2.0, kind="blue", x=2.0, n=2),
        row(id=4, zero=2.0, kind="green", x=0.5, n=9),
    ],
    "clicks": [
        {"ad": 1, "user": "ann", "page": "home", "at": "2020-01-02T03:04:06Z", "price": 0.5},
        {"ad": 1, "user": "ann", "page": "cart", "at": "2020-01-03T00:00:00Z", "price": None},
        {"ad": 2, "user": "bob", "page": "home", "at": "2019-12-31T00:00:00Z", "price": 2.0},
        {"ad": None, "user": None, "page": "lost", "at": None, "price": 1.0},
        {"ad": 99, "user": "zed", "page": "far", "at": "2021-01-01T00:00:00Z", "price": 3.0},
    ],
}

# Numbers that JSON does not have, made by the first step of a case.
NAN = {"derive": {"columns": {"nan": "x / zero", "neg": "0.0 - x / zero"}}}


def one(name, *params, **more):
    """A case for each set of parameters."""
    return [{"steps": [{name: each}], **more} for each in params]


CASES = [
    {"steps": []},
    *one("select", {"columns": ["title", "id"]}, {"columns": ["loc"]}),
    *one("drop", {"columns": ["title", "loc", "id"]}),
    *one("rename", {"columns": {"id": "title", "title": "id"}}, {"columns": {"x": "with \"quotes\" and \\"}}),
    *one("reorder", {"columns": ["x", "title"]}),
    *[
        {"steps": [NAN, {"cast": {"column": column, "to": to, "on_error": on_error}}]}
        for column, to in [
            ("n", "string"), ("n", "int8"), ("n", "float64"), ("n", "bool"), ("n", "uint32"), ("x", "int64"),
            ("nan", "int32"), ("nan", "string"), ("x", "string"), ("x", "float32"), ("digits", "int64"),
            ("digits", "float64"), ("digits", "bool"), ("flag", "string"), ("flag", "int64"), ("day", "date"), ("title", "date"),
        ]
        for on_error in ("reject", "null")
    ],
    *[
        {"steps": [{"cast": {"column": column, "to": to, "on_error": "null"}}], "data": "typed"}
        for column, to in [
            ("at", "string"), ("at", "date"), ("at", "int64"), ("day", "timestamp"), ("day", "string"), ("day", "int64"),
            ("small", "int8"), ("small", "uint64"), ("single", "float64"), ("single", "string"), ("nan", "string"),
        ]
    ],
    *one(
        "derive",
        {"columns": {"twice": "n * 2", "half": "x / 2", "id": "id + 1"}},
        {"columns": {"s": "upper(title) || '!'", "l": "length(title)", "c": "coalesce(\"user\", 'nobody')"}},
        {"columns": {"band": "case when x > 2 then 'high' when x > 0 then 'low' else 'none' end"}},
        {"columns": {"isnull": "title is null", "in_": "kind in ('red', 'blue')", "like": "title like '%t%'"}},
        {"columns": {"r": "round(x, 1)", "a": "abs(n)", "p": "x between 0 and 3", "m": "n % 4", "k": "n / 2"}},
    ),
    *one(
        "derive",
        {"columns": {"y": "date_part('year', at)", "later": "at + interval '1 hour'", "d": "at > TIMESTAMP '2020-01-02 00:00:00'"}},
        data="typed",
    ),
    {"steps": [NAN, {"fill_null": {"column": "nan", "value": 7}}, {"fill_null": {"column": "title", "value": "none\n\"x\""}}]},
    *one("fill_null", {"column": "n", "value": -1}, {"column": "x", "value": 0.5}, {"column": "flag", "value": False}),
    *one("fill_null", {"column": "day", "value": "2020-01-01"}, {"column": "single", "value": 0.1}, data="typed"),
    *one("constant", {"into": "c", "value": "é\"\\"}, {"into": "id", "value": 7}, {"into": "c", "value": 1, "type": "int32"}),
    *one("constant", {"into": "c", "value": "2020-01-02", "type": "date"}, {"into": "c", "value": 1.5}, {"into": "c", "value": True}),
    *one("coalesce", {"columns": ["user", "title"], "into": "who"}, {"columns": ["n", "id"]}),
    *[
        case
        for nulls in ("null", "skip", "empty")
        for case in one("concat", {"columns": ["user", "n", "x", "flag", "at", "day"], "into": "all", "separator": "|", "nulls": nulls})
    ],
    *one("split", {"column": "title", "into": "parts", "separator": " "}, {"column": "title", "columns": ["p1", "p2"], "separator": " "}),
    *one(
        "split",
        {"column": "title", "into": "parts", "pattern": "\\W+", "trim": True, "drop_empty": True},
        {"column": "contact", "columns": ["a", "b", "c"], "pattern": "[ ,]+"},
        {"column": "title", "into": "parts", "separator": ",", "trim": True},
    ),
    *[{"steps": [NAN, {"clip": p}]} for p in (
        {"column": "n", "min": -5, "max": 5}, {"column": "x", "max": 2.25, "into": "y"}, {"column": "nan", "min": 0},
    )],
    *one("row_hash", {"into": "h"}, {"columns": ["user", "n", "x"], "into": "h", "form": "hex"}, {"columns": ["loc", "tags"], "into": "h"}),
    *one(
        "salt",
        {"columns": ["user"], "keys": [{"key": ["ann"], "salts": [0, 3, 4]}, {"key": [None], "salts": [7, 8]}]},
        {"columns": ["n", "x"], "into": "s", "by": ["id"], "keys": [{"key": [10, 3.5], "salts": [1, 2]}, {"key": [-3, 0.1], "salts": [5]}]},
    ),
    *one("surrogate_id", {"columns": ["user", "n"], "into": "sid"}, {"columns": ["id"], "into": "sid", "namespace": "ads", "on_null": "null"}),
    *one(
        "normalize_text",
        {"column": "title", "trim": True, "case": "lower", "strip_html": True, "collapse_spaces": True},
        {"column": "title", "into": "t", "unicode": "nfkc", "case": "upper"},
        {"column": "title", "case": "title", "trim": True},
        {"column": "title", "strip_html": True},
    ),
    *[
        case
        for to in ("lower", "upper", "title")
        for case in one("case", {"column": "title", "to": to}, {"column": "title", "to": to, "language": "turkish", "into": "t"})
    ],
    *one(
        "replace_text",
        {"column": "title", "pattern": "(\\w+)\\s+(\\w+)", "with": "$2 $1"},
        {"column": "title", "pattern": "l", "with": "$L\\", "literal": True, "first": True, "into": "t"},
        {"column": "title", "pattern": "[aeiouü]+", "with": ""},
        {"column": "title", "pattern": "(?i)ANN|the\\b", "with": "<$0>", "first": True},
    ),
    *one(
        "extract_text",
        {"column": "contact", "pattern": "(?P<name>[\\w.]+)@(?P<host>[\\w.]+)"},
        {"column": "contact", "pattern": "([0-9]+) ?([0-9]+)?", "into": "phone", "group": "2"},
        {"column": "title", "pattern": "\\d+", "into": "d", "group": "0"},
    ),
    *one(
        "mask",
        {"column": "contact", "what": ["email", "phone"]},
        {"column": "contact", "what": ["email"], "into": "m", "keep_domain": True},
        {"column": "contact", "what": ["email", "phone"], "by": "hash", "salt": "s"},
    ),
    *one(
        "text_stats",
        {"column": "title"},
        {"column": "title", "stats": ["chars", "words"], "into": "s"},
        {"column": "title", "stats": ["words"], "prefix": "n_"},
    ),
    *one(
        "tokenize",
        {"column": "title", "into": "words"},
        {"column": "title", "into": "words", "lower": False, "pattern": "\\W+"},
        {"column": "title", "into": "words", "pattern": "[,;]"},
    ),
    *[
        {"steps": [{"tokenize": {"column": "title", "into": "words"}}, step]}
        for step in (
            {"stop_words": {"column": "words", "languages": ["english"]}},
            {"stop_words": {"column": "words", "into": "kept", "languages": ["english", "german"], "words": ["ok"]}},
            {"stop_words": {"column": "words", "words": ["HELLO"], "case_sensitive": True}},
            {"ngrams": {"column": "words", "into": "pairs", "n": 2}},
            {"ngrams": {"column": "words", "into": "triples", "n": 3}},
            {"hashing_tf": {"column": "words", "into": "v", "num_features": 64}},
            {"hashing_tf": {"column": "words", "into": "v", "num_features": 262144, "binary": True}},
        )
    ],
    *one("hashing_tf", {"column": "tags", "into": "v", "num_features": 16}),
    *[
        {"steps": [NAN, {"round": p}]}
        for p in (
            {"column": "x", "digits": 0}, {"column": "x", "digits": 1, "to": "half_even", "into": "y"}, {"column": "nan", "to": "down"},
            {"column": "x", "digits": -1, "to": "up"}, {"column": "n", "digits": -1}, {"column": "x", "to": "half_even"},
        )
    ],
    *[{"steps": [NAN, {"log1p": {"column": c, "on_error": e}}], "tolerance": 1e-15} for c in ("n", "x", "nan") for e in ("reject", "null")],
    *[
        {"steps": [NAN, {"scale": {"columns": ["x", "n"]}}]},
        {"steps": [NAN, {"scale": {"columns": ["nan"], "suffix": "_s"}}]},
    ],
    *[
        {"steps": [NAN, {"bucketize": {"column": c, "into": "b", "borders": [0.0, 1.5, 2.5], "on_nan": on_nan}}]}
        for c in ("x", "nan", "n", "neg")
        for on_nan in ("reject", "null", "extra")
    ],
    *[
        {"steps": [NAN, {"quantile_bucketize": {"column": c, "into": "b", "buckets": 4, "on_nan": on_nan}}]}
        for c in ("x", "nan")
        for on_nan in ("reject", "null", "extra")
    ],
    *[
        {"steps": [NAN, {"winsorize": {"column": c, "lower": 0.1, "upper": 0.9}}]}
        for c in ("x", "nan", "n")
    ],
    *one(
        "string_index",
        {"column": "kind", "into": "k", "handle_invalid": "keep"},
        {"column": "kind", "into": "k", "handle_invalid": "reject"},
        {"column": "kind", "into": "k", "handle_invalid": "null"},
    ),
    *[
        case
        for to in ("columns", "list")
        for invalid in ("reject", "null", "zeros", "keep")
        for last in (True, False)
        for case in one(
            "one_hot",
            {"column": "kind", "into": "k", "to": to, "handle_invalid": invalid, "drop_last": last},
        )
    ],
    *one(
        "frequency_encode",
        {"column": "kind", "into": "k"},
        {"column": "kind", "to": "count", "unknown": "null"},
    ),
    *one("hash_encode", {"column": "kind", "into": "k", "buckets": 8}, {"column": "n", "into": "k", "buckets": 1000, "seed": 7}),
    *one(
        "group_rare",
        {"column": "kind", "min_count": 2},
        {"column": "kind", "into": "k", "min_share": 0.2, "other": "rare"},
    ),
    *one(
        "parse_timestamp",
        {"column": "when", "format": "%d/%m/%Y %H:%M", "into": "w"},
        {"column": "when", "format": "%d/%m/%Y %H:%M", "on_error": "null"},
        {"column": "when", "on_error": "null"},
        {"column": "at"},
        {"column": "day", "format": "%Y-%m-%d", "into": "w"},
    ),
    *[
        case
        for zone in ("Europe/Berlin", "America/New_York", "Asia/Kolkata")
        for case in one(
            "timezone",
            {"column": "at", "zone": zone},
            {"column": "at", "zone": zone, "how": "set", "into": "z", "ambiguous": "earliest", "non_existent": "null"},
            {"column": "at", "zone": zone, "how": "set"},
            data="typed",
        )
    ],
    # What steps make of a time on the clock of a zone; in 1850 clocks showed the sun's time, with odd seconds.
    *[
        {"steps": [{"timezone": {"column": "at", "zone": zone, "into": "local"}}, step], "data": "typed", "tolerance": 1e-12}
        for zone in ("Europe/Berlin", "America/New_York")
        for step in (
            {"concat": {"columns": ["local", "user"], "into": "all"}},
            {"to_json": {"columns": ["local", "at"], "into": "j"}},
            {"row_hash": {"columns": ["local"], "into": "h"}},
            {"surrogate_id": {"columns": ["local"], "into": "sid"}},
            {"sample": {"columns": ["local"], "share": 0.5, "seed": 5}},
            *({"cast": {"column": "local", "to": to, "on_error": "null"}} for to in ("string", "date", "int64", "timestamp")),
            {"date_parts": {"column": "local", "parts": ["day", "hour", "week"]}},
            {"truncate_time": {"column": "local", "to": "day"}},
            {"truncate_time": {"column": "local", "to": "month", "zone": "Asia/Kolkata"}},
            {"age": {"column": "local", "until": "at", "into": "age", "unit": "months"}},
            {"cyclic": {"column": "local", "of": "hour"}},
            {"derive": {"columns": {"h": "date_part('hour', local)", "after": "local + interval '1 day'"}}},
            {"timezone": {"column": "local", "zone": "Asia/Kolkata", "how": "set", "non_existent": "null", "ambiguous": "latest"}},
            {"aggregate": {"by": ["user"], "columns": [{"into": fn, "fn": fn, "column": "local"} for fn in ("min", "max", "first", "list")]}},
            {"window": {"partition_by": ["user"], "order_by": ["local", "id"], "columns": [{"into": "before", "fn": "lag", "column": "local"}]}},
            {"sort": {"columns": ["local", "id"]}},
            {"dedupe": {"columns": ["local"]}},
        )
    ],
    {"steps": [
        {"constant": {"into": "old", "value": "1850-06-01T12:00:00Z", "type": "timestamp[us, UTC]"}},
        {"timezone": {"column": "old", "zone": "Europe/Paris", "into": "paris"}},
        {"timezone": {"column": "old", "zone": "America/New_York", "into": "new_york"}},
        {"derive": {"columns": {"p": "date_part('minute', paris)"}}},
    ]},
    *one(
        "date_parts",
        {"column": "at", "parts": ["year", "quarter", "month", "day", "day_of_year", "weekday", "week", "iso_year", "hour", "minute", "second"]},
        {"column": "day", "parts": ["year", "week", "iso_year"], "prefix": "d_"},
        {"column": "at", "parts": ["hour", "day"], "zone": "America/New_York"},
        data="typed",
    ),
    *[
        case
        for to in ("minute", "hour", "day", "week", "month", "quarter", "year")
        for case in one("truncate_time", {"column": "at", "to": to, "into": "t"}, {"column": "at", "to": to, "zone": "Europe/Berlin"}, data="typed")
    ],
    *one("truncate_time", {"column": "day", "to": "month"}, {"column": "day", "to": "week", "into": "w"}, data="typed"),
    *[
        case
        for unit in ("seconds", "minutes", "hours", "days", "weeks", "months", "years")
        for case in one("age", {"column": "day", "until": "at", "into": "age", "unit": unit}, {"column": "at", "at": "2024-01-01", "into": "age", "unit": unit}, data="typed")
    ],
    *one("cyclic", *({"column": "at", "of": of} for of in ("hour", "minute_of_day", "weekday", "day", "month", "day_of_year")), tolerance=1e-12, data="typed"),
    *one("cyclic", {"column": "n", "period": 12.0, "into": "c"}, {"column": "at", "of": "hour", "zone": "Asia/Kolkata"}, tolerance=1e-12, data="typed"),
    *one("unnest", {"column": "loc"}, {"column": "loc", "prefix": True, "keep": True}),
    *one("flatten", {}, {"columns": ["loc"], "separator": "_", "depth": 1}),
    *one("explode", {"column": "tags"}, {"column": "nums", "empty": "drop"}, {"column": "items"}),
    *one("list_stats", {"column": "nums"}, {"column": "tags", "prefix": "t_"}),
    *one(
        "map_columns",
        {"column": "items", "keys": ["size", "color", "none"]},
        {"column": "raw", "keys": ["k"], "prefix": "raw_", "on_error": "null"},
        {"column": "raw", "keys": ["k", "a"]},
    ),
    *one(
        "json_path",
        {"column": "raw", "path": "$.a.b[0]", "into": "j"},
        {"column": "raw", "path": "$.a.b[*]", "into": "j", "on_error": "null"},
        {"column": "raw", "path": "$.k", "into": "j", "type": "string", "on_error": "null"},
        {"column": "raw", "path": "$.a.b[1]", "into": "j", "type": "float64", "on_error": "null"},
    ),
    {"steps": [NAN, {"to_json": {"columns": ["id", "title", "x", "nan", "tags", "loc", "at", "day", "flag"], "into": "j"}}]},
    *one("to_json", {"columns": ["n", "user"], "into": "j", "skip_nulls": True}, {"into": "j"}),
    *one("filter", {"where": "x > 1"}, {"where": "title is not null and n <> 3"}, {"where": "kind = 'red' or \"user\" = 'bob'"}),
    {"steps": [NAN, {"filter": {"where": "nan > 0"}}]},
    *one("drop_nulls", {}, {"columns": ["user", "n"]}, {"columns": ["user", "title"], "when": "all"}),
    *one("dedupe", {}, {"columns": ["user"]}, {"columns": ["user", "kind"], "keep": "last"}, {"columns": ["user"], "keep": "none"}),
    {"steps": [NAN, {"dedupe": {"columns": ["nan"]}}]},
    *[
        {"steps": [NAN, {"sort": p}]}
        for p in ({"columns": ["x", "user"]}, {"columns": ["nan", "id"], "descending": ["nan"]}, {"columns": ["title"]}, {"columns": ["kind", "n"], "descending": ["n"]})
    ],
    *one("limit", {"n": 3}, {"n": 1, "by": ["user"]}, {"n": 100}),
    *one("sample", {"columns": ["id"], "share": 0.5, "seed": 1}, {"columns": ["user", "x"], "share": 0.4, "seed": 2}, {"columns": ["title"], "share": 0.5, "seed": 3}),
    *[
        {"steps": [NAN, {"aggregate": {"by": by, "columns": [
            {"into": "rows", "fn": "count"},
            *({"into": f"{fn}_{column}", "fn": fn, "column": column} for column in ("x", "n") for fn in ("count", "sum", "mean", "min", "max", "median", "std", "var", "n_unique", "first", "last", "list")),
            {"into": "max_nan", "fn": "max", "column": "nan"},
            {"into": "min_nan", "fn": "min", "column": "nan"},
            {"into": "unique_nan", "fn": "n_unique", "column": "nan"},
            {"into": "q", "fn": "quantile", "column": "x", "share": 0.9},
            {"into": "first_title", "fn": "first", "column": "title"},
            {"into": "max_at", "fn": "max", "column": "at"},
        ]}}], "tolerance": 1e-12}
        for by in ([], ["user"], ["kind", "flag"])
    ],
    *[
        {"steps": [{"window": {"partition_by": by, "order_by": order, "descending": descending, "columns": [
            {"into": "a", "fn": "row_number"}, {"into": "b", "fn": "rank"}, {"into": "c", "fn": "dense_rank"},
            {"into": "d", "fn": "lag", "column": "title"}, {"into": "e", "fn": "lead", "column": "n", "rows": 2},
            {"into": "f", "fn": "rolling_sum", "column": "n", "rows": 2}, {"into": "g", "fn": "rolling_mean", "column": "x", "rows": 3},
            {"into": "h", "fn": "rolling_min", "column": "x", "rows": 2}, {"into": "i", "fn": "rolling_max", "column": "x", "rows": 2},
            {"into": "j", "fn": "cumulative_sum", "column": "n"}, {"into": "k", "fn": "share", "column": "x"},
        ]}}], "tolerance": 1e-12, "data": "typed"}
        for by, order, descending in (([], ["id"], []), (["user"], ["x", "id"], ["x"]), (["kind"], ["at"], []))
    ],
    # A huge number, or none, that has left a window leaves nothing behind, and sums of whole numbers do not wrap around.
    *[
        {"steps": [NAN, {"derive": {"columns": {"big": "coalesce(n, 3) * 1000 + 200000000000000000"}}}, {"window": {"partition_by": by, "order_by": ["id"], "columns": [
            *({"into": f"{fn}_{column}_{rows}", "fn": fn, "column": column, "rows": rows}
              for column in ("x", "nan", "neg", "n", "big") for rows in (1, 2, 3, 100)
              for fn in ("rolling_sum", "rolling_mean", "rolling_min", "rolling_max")),
            *({"into": f"{fn}_{column}", "fn": fn, "column": column} for column in ("x", "nan", "n", "big") for fn in ("cumulative_sum", "share")),
        ]}}]}
        for by in ([], ["user"], ["kind", "flag"])
    ],
    *one("pivot", {"by": ["user"], "on": "kind", "values": ["red", "blue"], "fn": "count", "prefix": "n_"}),
    *one("pivot", {"by": [], "on": "kind", "values": ["red", "green"], "column": "x", "fn": "mean", "prefix": "x_"}, {"by": ["flag"], "on": "n", "values": [3, 10], "column": "title", "fn": "first"}),
    *one("unpivot", {"columns": ["x", "zero"]}, {"columns": ["user", "title"], "name_into": "what", "value_into": "text", "nulls": "drop"}),
    *one(
        "sql",
        {"query": "SELECT kind, count(*) AS n, max(x) AS most FROM rows WHERE id > 1 GROUP BY kind ORDER BY n DESC, kind"},
        {"query": "SELECT *, upper(kind) AS k FROM rows WHERE x > 0 ORDER BY id LIMIT 4"},
    ),
]

CLICKS = {
    "uri": "@FOLDER@/clicks.jsonl",
    "schema": {"fields": [
        {"name": "ad", "type": "int64"}, {"name": "user", "type": "string"}, {"name": "page", "type": "string"},
        {"name": "at", "type": "timestamp[us, UTC]"}, {"name": "price", "type": "float64"},
    ]},
}
CASES += [
    {"steps": [step], "file": {"inputs": {"clicks": CLICKS}}, "data": "typed"}
    for step in (
        {"join": {"input": "clicks", "on": ["id"], "input_on": ["ad"], "how": "left", "columns": ["page"], "expect": "many"}},
        {"join": {"input": "clicks", "on": ["id"], "input_on": ["ad"], "how": "inner", "expect": "many"}},
        {"join": {"input": "clicks", "on": ["id"], "input_on": ["ad"], "how": "left", "columns": ["page"]}},
        {"join": {"input": "clicks", "on": ["user"], "how": "semi"}},
        {"join": {"input": "clicks", "on": ["user"], "how": "anti"}},
        {"join": {"input": "clicks", "on": ["user"], "how": "semi", "nulls_match": True}},
        {"join": {"input": "clicks", "on": ["at"], "how": "asof", "columns": ["page", "price"]}},
        {"join": {"input": "clicks", "on": ["at"], "how": "asof", "by": ["user"], "columns": ["page"], "direction": "forward", "tolerance": "1d"}},
        {"join": {"input": "clicks", "on": ["at"], "how": "asof", "by": ["user"], "columns": ["page"], "direction": "nearest"}},
    )
]
CASES += [
    {"steps": [{"select": {"columns": ["user", "at"]}}, {"union": {"input": "clicks"}}], "file": {"inputs": {"clicks": CLICKS}}, "data": "typed"},
]

# Steps whose program ends with a reason: a set of parameters, and words of the reason.
NOT_WRITTEN = {
    "stem": ({"column": "tags", "language": "english"}, "Snowball"),
}

# Lines that the decoder and the program's reader must judge alike.
ODD_RECORDS = [
    '{"id": 1, "x": 1.5, "s": "a", "at": "2020-01-02T03:04:05Z", "l": [1, 2], "o": {"a": 1, "b": "x"}}',
    '  {"id":2,"x":2,"s":"\\u00e9\\ud83d\\ude00\\n\\"\\\\","at":"2020-01-02 03:04","l":[],"o":{"b":null}}  ',
    '{"id": 3.0, "x": -0, "s": "", "at": "2020-01-02T03:04:05.123456789+02:00"}',
    '{"id": 4e0, "x": -0.0}',
    '{"id": 5.5}',
    '{"id": 9223372036854775808}',
    '{"id": -9223372036854775808, "x": 1e308}',
    '{"id": 6, "x": 1e309}',
    '{"id": 7, "x": 9007199254740993}',
    '{"id": 8, "x": 9007199254740992}',
    '{"id": 9, "x": NaN}',
    '{"id": 10, "x": Infinity}',
    '{"id": 01}',
    '{"id": 11, "id": 11}',
    '{"id": 12, "other": {"a": 1, "a": 2}}',
    '{"id": 13, "other": [1, {"b": []}]}',
    '{"id": 14, "o": {"a": 1, "c": 2}, "l": [null]}',
    '{"id": 15, "o": {}, "l": null}',
    '{"id": 16, "o": null}',
    '{"id": 17, "l": [1.5]}',
    '{"id": 18, "o": []}',
    '{"id": 19, "s": "\\ud800"}',
    '{"id": 20, "s": "tab\there"}',
    '{"id": 21, "at": "2020-02-30T00:00:00Z"}',
    '{"id": 22, "at": "2020-01-02T24:00:00Z"}',
    '{"id": 23, "at": 5}',
    '{"id": 24, "s": 5}',
    '{"id": null, "x": null}',
    "{}",
    "[]",
    "null",
    "7",
    '"text"',
    "",
    " \t ",
    '{"id": 25',
    '{"id": 26} x',
    '{"id": 27,}',
    "{'id': 28}",
    b'{"id": 29, "s": "\xff"}',
    '{"id": 30, "s": "' + "x" * (1 << 20) + '"}',
    '{"id": 31, "other": ' + "[" * 127 + "]" * 127 + "}",
    '{"id": 32, "other": ' + "[" * 128 + "]" * 128 + "}",
    '{"id": 33, "other": ' + "[" * 5000 + "]" * 5000 + "}",
    '{"id": 34, "x": 0.1, "s": "last"}\r',
]
