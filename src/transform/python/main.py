def read(source, paths):
    """The rows of a source, and how many records or files were rejected."""
    if "cannot" in source:
        raise SystemExit(source["cannot"])
    return read_parquet(source, paths) if source["format"] == "parquet" else read_jsonl(source, paths)


def cannot(skip, number, label, reason):
    """A step that has no polars code: the rows after it would be others, so the script ends here."""
    message = f"step {number} `{label}` is not written: {reason}"
    if not skip:
        raise SystemExit(f"{message}\nrun it with --skip to leave such steps out")
    print(f"{message}: left out", file=sys.stderr)


def days_in(text):
    first, _, last = text.partition("..")
    day, last = datetime.date.fromisoformat(first), datetime.date.fromisoformat(last or first)
    while day <= last:
        yield day
        day += datetime.timedelta(days=1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*", help="files, folders or s3:// prefixes; else those written in the script")
    parser.add_argument("--day", action="append", default=[], help="2020-01-01 or 2020-01-01..2020-01-07, of a source by day")
    parser.add_argument("--input", action="append", default=[], metavar="NAME=PATH", help="where a second dataset is read")
    parser.add_argument("--json", action="store_true", help="print the rows as JSON Lines")
    parser.add_argument("-o", "--out", metavar="FILE", help="write the rows to a Parquet file")
    parser.add_argument("--skip", action="store_true", help="leave out steps that have no polars code")
    args = parser.parse_args()
    df, n_rejected = read(ROWS, paths_of(ROWS, args.paths, args.day))
    given = dict(text.partition("=")[::2] for text in args.input)
    inputs = {}
    for name, source in INPUTS.items():
        inputs[name], _ = read(source, paths_of(source, [given[name]] if name in given else [], args.day))
    df = steps(df, inputs, args.skip)
    if n_rejected:
        print(f"{n_rejected} rejected in all", file=sys.stderr)
    if args.out:
        df.write_parquet(args.out)
    if args.json:
        for line in json_lines(df):
            print(line)
    elif not args.out:
        print(df)


def paths_of(source, given, days):
    if given or not source["by_day"]:
        return given or source["paths"]
    if not days:
        raise SystemExit("the source has a folder for each day: give --day 2020-01-01, or paths")
    paths = [path.format(day=day) for text in days for day in days_in(text) for path in source["paths"]]
    return [path for path in paths if path.startswith("s3://") or os.path.exists(path)]


if __name__ == "__main__":
    main()
