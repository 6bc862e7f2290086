def read_parquet(source, paths):
    """The rows of Parquet files, and how many files could not be used."""
    frames, n_rejected = [pl.DataFrame(schema=source["schema"])], 0
    for name, file in files(source, paths):
        with file:
            try:
                df = pl.read_parquet(file)
                frames.append(df.select(pl.col(column).cast(dtype) for column, dtype in source["schema"].items()))
            except pl.exceptions.PolarsError as error:
                n_rejected += 1
                print(f"{name}: left out: {error}", file=sys.stderr)
    return pl.concat(frames), n_rejected
