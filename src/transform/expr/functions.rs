//! The functions that an expression may call, with an example each.
//!
//! The list follows polars-sql 0.55 as it is built here; a test compiles every example.

/// A function for the editor's help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FunctionInfo {
    pub name: &'static str,
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

const fn f(name: &'static str, example: &'static str) -> FunctionInfo {
    FunctionInfo { name, example }
}

const FUNCTIONS: &[FunctionInfo] = &[
    f("abs", "abs(n)"),
    f("acos", "acos(x)"),
    f("acosd", "acosd(x)"),
    f("array_contains", "array_contains(l, 'a')"),
    f("array_get", "array_get(l, 1)"),
    f("array_length", "array_length(l)"),
    f("array_lower", "array_lower(l)"),
    f("array_mean", "array_mean(ln)"),
    f("array_reverse", "array_reverse(l)"),
    f("array_sum", "array_sum(ln)"),
    f("array_to_string", "array_to_string(l, ', ')"),
    f("array_unique", "array_unique(l)"),
    f("array_upper", "array_upper(l)"),
    f("asin", "asin(x)"),
    f("asind", "asind(x)"),
    f("atan", "atan(x)"),
    f("atan2", "atan2(x, 2.0)"),
    f("atan2d", "atan2d(x, 2.0)"),
    f("atand", "atand(x)"),
    f("bit_and", "bit_and(n, 6)"),
    f("bit_not", "bit_not(n)"),
    f("bit_or", "bit_or(n, 6)"),
    f("bit_xor", "bit_xor(n, 6)"),
    f("bit_length", "bit_length(s)"),
    f("cbrt", "cbrt(x)"),
    f("ceil", "ceil(x)"),
    f("coalesce", "coalesce(s, 'none')"),
    f("concat", "concat(s, '-', s)"),
    f("concat_ws", "concat_ws('-', s, s)"),
    f("cos", "cos(x)"),
    f("cosd", "cosd(x)"),
    f("cot", "cot(x)"),
    f("cotd", "cotd(x)"),
    f("date", "date(s, '%Y-%m-%d')"),
    f("date_part", "date_part('year', d)"),
    f("degrees", "degrees(x)"),
    f("div", "div(n, 2)"),
    f("ends_with", "ends_with(s, 'z')"),
    f("exp", "exp(x)"),
    f("floor", "floor(x)"),
    f("greatest", "greatest(n, 0)"),
    f("if", "if(n > 0, 'yes', 'no')"),
    f("ifnull", "ifnull(s, 'none')"),
    f("least", "least(n, 0)"),
    f("left", "left(s, 3)"),
    f("length", "length(s)"),
    f("ln", "ln(x)"),
    f("log", "log(x, 2)"),
    f("log10", "log10(x)"),
    f("log1p", "log1p(x)"),
    f("log2", "log2(x)"),
    f("lower", "lower(s)"),
    f("lpad", "lpad(s, 5, '0')"),
    f("ltrim", "ltrim(s)"),
    f("mod", "mod(n, 2)"),
    f("normalize", "normalize(s)"),
    f("nullif", "nullif(s, '')"),
    f("octet_length", "octet_length(s)"),
    f("pi", "pi()"),
    f("pow", "pow(x, 2)"),
    f("radians", "radians(x)"),
    f("regexp_like", "regexp_like(s, '^a')"),
    f("replace", "replace(s, 'a', 'b')"),
    f("reverse", "reverse(s)"),
    f("right", "right(s, 3)"),
    f("round", "round(x, 2)"),
    f("rpad", "rpad(s, 5, ' ')"),
    f("rtrim", "rtrim(s)"),
    f("sign", "sign(n)"),
    f("sin", "sin(x)"),
    f("sind", "sind(x)"),
    f("split_part", "split_part(s, '-', 1)"),
    f("sqrt", "sqrt(x)"),
    f("starts_with", "starts_with(s, 'a')"),
    f("strftime", "strftime(t, '%Y-%m')"),
    f("string_to_array", "string_to_array(s, '-')"),
    f("strpos", "strpos(s, 'a')"),
    f("strptime", "strptime(s, '%Y-%m-%d')"),
    f("substr", "substr(s, 1, 3)"),
    f("tan", "tan(x)"),
    f("tand", "tand(x)"),
    f("timestamp", "timestamp(s, '%Y-%m-%d %H:%M')"),
    f("trunc", "trunc(x)"),
    f("upper", "upper(s)"),
];
