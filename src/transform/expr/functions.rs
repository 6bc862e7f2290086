//! The functions that an expression may call, with an example each.
//!
//! The list follows polars-sql 0.55 as it is built here; a test compiles every example.

/// A function for the editor's help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FunctionInfo {
    pub name: &'static str,
    /// One of [`FUNCTION_GROUPS`].
    pub group: &'static str,
    /// What it gives, in a few words.
    pub gives: &'static str,
    /// A call on columns `s` (text), `n` (whole number), `x` (fraction), `d` (date), `t` (timestamp), `l` (list).
    pub example: &'static str,
}

/// Whether a function can be computed on a row alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Row,
    Aggregate,
    Window,
    /// It makes rows of one.
    Rows,
}

/// What functions are about, in the order of the editor's help.
pub const FUNCTION_GROUPS: &[&str] = &["text", "numbers", "conditions", "time", "lists", "bits", "angles"];

/// Functions that compute a row alone, by name.
pub fn functions() -> &'static [FunctionInfo] {
    FUNCTIONS
}

pub(super) fn names() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.iter().map(|function| function.name)
}

/// What polars would take `name` (in lower case) for; none when it is unknown or not built in.
pub(super) fn kind(name: &str) -> Option<Kind> {
    if names().any(|known| known == name) || ALIASES.contains(&name) {
        Some(Kind::Row)
    } else if AGGREGATES.contains(&name) {
        Some(Kind::Aggregate)
    } else if WINDOWS.contains(&name) {
        Some(Kind::Window)
    } else {
        (name == "unnest").then_some(Kind::Rows)
    }
}

const AGGREGATES: &[&str] = &[
    "array_agg",
    "avg",
    "corr",
    "count",
    "covar",
    "covar_pop",
    "covar_samp",
    "first",
    "group_concat",
    "last",
    "listagg",
    "max",
    "median",
    "min",
    "quantile_cont",
    "quantile_disc",
    "stddev",
    "stddev_samp",
    "stdev",
    "stdev_samp",
    "string_agg",
    "sum",
    "total",
    "var",
    "var_samp",
    "variance",
];

const WINDOWS: &[&str] = &[
    "dense_rank",
    "first_value",
    "lag",
    "last_value",
    "lead",
    "rank",
    "row_number",
];

/// Other names of functions in the list.
const ALIASES: &[&str] = &[
    "bitand",
    "bitnot",
    "bitor",
    "bitxor",
    "ceiling",
    "char_length",
    "character_length",
    "datetime",
    "power",
    "truncate",
    "xor",
];

const fn f(
    name: &'static str,
    group: &'static str,
    example: &'static str,
    gives: &'static str,
) -> FunctionInfo {
    FunctionInfo {
        name,
        group,
        gives,
        example,
    }
}

const FUNCTIONS: &[FunctionInfo] = &[
    f("abs", "numbers", "abs(n)", "the size without the sign"),
    f("acos", "angles", "acos(x)", "arc cosine, in radians"),
    f("acosd", "angles", "acosd(x)", "arc cosine, in degrees"),
    f(
        "array_contains",
        "lists",
        "array_contains(l, 'a')",
        "whether a list holds a value",
    ),
    f(
        "array_get",
        "lists",
        "array_get(l, 1)",
        "the entry at a position, from 1",
    ),
    f(
        "array_length",
        "lists",
        "array_length(l)",
        "how many entries a list has",
    ),
    f("array_lower", "lists", "array_lower(l)", "the smallest entry"),
    f("array_mean", "lists", "array_mean(ln)", "the mean of the entries"),
    f(
        "array_reverse",
        "lists",
        "array_reverse(l)",
        "the entries from last to first",
    ),
    f("array_sum", "lists", "array_sum(ln)", "the sum of the entries"),
    f(
        "array_to_string",
        "lists",
        "array_to_string(l, ', ')",
        "the entries joined to a text",
    ),
    f("array_unique", "lists", "array_unique(l)", "each entry once"),
    f("array_upper", "lists", "array_upper(l)", "the largest entry"),
    f("asin", "angles", "asin(x)", "arc sine, in radians"),
    f("asind", "angles", "asind(x)", "arc sine, in degrees"),
    f("atan", "angles", "atan(x)", "arc tangent, in radians"),
    f(
        "atan2",
        "angles",
        "atan2(x, 2.0)",
        "the angle of a point (y, x), in radians",
    ),
    f(
        "atan2d",
        "angles",
        "atan2d(x, 2.0)",
        "the angle of a point (y, x), in degrees",
    ),
    f("atand", "angles", "atand(x)", "arc tangent, in degrees"),
    f("bit_and", "bits", "bit_and(n, 6)", "bits that both numbers have"),
    f("bit_not", "bits", "bit_not(n)", "every bit the other way"),
    f("bit_or", "bits", "bit_or(n, 6)", "bits that either number has"),
    f(
        "bit_xor",
        "bits",
        "bit_xor(n, 6)",
        "bits that only one number has",
    ),
    f("bit_length", "text", "bit_length(s)", "length in bits"),
    f("cbrt", "numbers", "cbrt(x)", "cube root"),
    f("ceil", "numbers", "ceil(x)", "the next whole number up"),
    f(
        "coalesce",
        "conditions",
        "coalesce(s, 'none')",
        "the first value that is not null",
    ),
    f(
        "concat",
        "text",
        "concat(s, '-', s)",
        "values joined; nulls are skipped",
    ),
    f(
        "concat_ws",
        "text",
        "concat_ws('-', s, s)",
        "values joined with a separator; nulls are skipped",
    ),
    f("cos", "angles", "cos(x)", "cosine of radians"),
    f("cosd", "angles", "cosd(x)", "cosine of degrees"),
    f("cot", "angles", "cot(x)", "cotangent of radians"),
    f("cotd", "angles", "cotd(x)", "cotangent of degrees"),
    f(
        "date",
        "time",
        "date(s, '%Y-%m-%d')",
        "a date read from text by its format",
    ),
    f(
        "date_part",
        "time",
        "date_part('year', d)",
        "year, month, day, hour, ... of a time",
    ),
    f("degrees", "angles", "degrees(x)", "radians as degrees"),
    f(
        "div",
        "numbers",
        "div(n, 2)",
        "division cut to the whole number below",
    ),
    f(
        "ends_with",
        "text",
        "ends_with(s, 'z')",
        "whether the text ends so",
    ),
    f("exp", "numbers", "exp(x)", "e to this power"),
    f("floor", "numbers", "floor(x)", "the next whole number down"),
    f(
        "greatest",
        "conditions",
        "greatest(n, 0)",
        "the largest of the values",
    ),
    f(
        "if",
        "conditions",
        "if(n > 0, 'yes', 'no')",
        "one value or the other",
    ),
    f(
        "ifnull",
        "conditions",
        "ifnull(s, 'none')",
        "a value in place of null",
    ),
    f("least", "conditions", "least(n, 0)", "the smallest of the values"),
    f("left", "text", "left(s, 3)", "the first characters"),
    f("length", "text", "length(s)", "how many characters"),
    f("ln", "numbers", "ln(x)", "natural logarithm"),
    f("log", "numbers", "log(x, 2)", "logarithm to a base"),
    f("log10", "numbers", "log10(x)", "logarithm to base 10"),
    f("log1p", "numbers", "log1p(x)", "natural logarithm of 1 + x"),
    f("log2", "numbers", "log2(x)", "logarithm to base 2"),
    f("lower", "text", "lower(s)", "small letters"),
    f(
        "lpad",
        "text",
        "lpad(s, 5, '0')",
        "filled at the left to a length",
    ),
    f("ltrim", "text", "ltrim(s)", "without spaces at the left"),
    f("mod", "numbers", "mod(n, 2)", "what remains of a division"),
    f("normalize", "text", "normalize(s)", "Unicode normal form C"),
    f(
        "nullif",
        "conditions",
        "nullif(s, '')",
        "null where the value is this one",
    ),
    f("octet_length", "text", "octet_length(s)", "length in bytes"),
    f("pi", "angles", "pi()", "3.14159..."),
    f("pow", "numbers", "pow(x, 2)", "a number to a power"),
    f("radians", "angles", "radians(x)", "degrees as radians"),
    f(
        "regexp_like",
        "text",
        "regexp_like(s, '^a')",
        "whether a regular expression fits",
    ),
    f(
        "replace",
        "text",
        "replace(s, 'a', 'b')",
        "every occurrence replaced",
    ),
    f(
        "reverse",
        "text",
        "reverse(s)",
        "from the last character to the first",
    ),
    f("right", "text", "right(s, 3)", "the last characters"),
    f("round", "numbers", "round(x, 2)", "rounded half to even"),
    f(
        "rpad",
        "text",
        "rpad(s, 5, ' ')",
        "filled at the right to a length",
    ),
    f("rtrim", "text", "rtrim(s)", "without spaces at the right"),
    f("sign", "numbers", "sign(n)", "-1, 0 or 1"),
    f("sin", "angles", "sin(x)", "sine of radians"),
    f("sind", "angles", "sind(x)", "sine of degrees"),
    f(
        "split_part",
        "text",
        "split_part(s, '-', 1)",
        "the n-th part between separators",
    ),
    f("sqrt", "numbers", "sqrt(x)", "square root"),
    f(
        "starts_with",
        "text",
        "starts_with(s, 'a')",
        "whether the text starts so",
    ),
    f(
        "strftime",
        "time",
        "strftime(t, '%Y-%m')",
        "a time written by a format",
    ),
    f(
        "string_to_array",
        "lists",
        "string_to_array(s, '-')",
        "a text split at a separator",
    ),
    f(
        "strpos",
        "text",
        "strpos(s, 'a')",
        "the position of a text in another, 0 when absent",
    ),
    f(
        "strptime",
        "time",
        "strptime(s, '%Y-%m-%d')",
        "a timestamp read from text by its format",
    ),
    f(
        "substr",
        "text",
        "substr(s, 1, 3)",
        "characters from a position, and how many",
    ),
    f("tan", "angles", "tan(x)", "tangent of radians"),
    f("tand", "angles", "tand(x)", "tangent of degrees"),
    f(
        "timestamp",
        "time",
        "timestamp(s, '%Y-%m-%d %H:%M')",
        "a timestamp read from text by its format",
    ),
    f("trunc", "numbers", "trunc(x)", "cut to a whole number"),
    f("upper", "text", "upper(s)", "capital letters"),
];
