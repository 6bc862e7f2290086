def files(source, paths):
    """Names and bytes of the data files of `paths`, by key in each; names starting with `_` or `.` are no data."""
    for path in paths:
        if path.startswith("s3://"):
            yield from s3_files(source, path)
        elif os.path.isdir(path):
            names = []
            for folder, _, found in os.walk(path, followlinks=True):
                names += [os.path.relpath(os.path.join(folder, name), path).replace(os.sep, "/") for name in found]
            for name in sorted(names, key=str.encode):
                if is_data(source, name):
                    yield name, open(os.path.join(path, name), "rb")
        elif os.path.exists(path):
            yield path, open(path, "rb")
        else:
            raise SystemExit(f"{path}: no such file or folder")


def s3_files(source, path):
    """As `files`, from S3 by boto3 (`pip install boto3`)."""
    try:
        import boto3
        from botocore import UNSIGNED
        from botocore.config import Config
    except ImportError:
        raise SystemExit("s3:// is read by boto3: pip install boto3") from None
    access = source.get("connection", {})
    config = Config(
        signature_version=UNSIGNED if access.get("anonymous") else None,
        s3={"addressing_style": "path"} if access.get("path_style") else None,
    )
    session = boto3.Session(profile_name=access.get("profile"), region_name=access.get("region"))
    client = session.client("s3", endpoint_url=access.get("endpoint"), config=config)
    bucket, _, key = path.removeprefix("s3://").partition("/")
    folder = key if not key or key.endswith("/") else key + "/"
    names = []
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key):
        for found in page.get("Contents", []):
            if found["Key"] == key and not key.endswith("/"):
                names.append(("", key))
            elif found["Key"].startswith(folder) and is_data(source, found["Key"][len(folder) :]):
                names.append((found["Key"][len(folder) :], found["Key"]))
    for _, name in sorted(names, key=lambda pair: pair[1].encode()):
        yield f"s3://{bucket}/{name}", io.BytesIO(client.get_object(Bucket=bucket, Key=name)["Body"].read())


def is_data(source, name):
    if any(part.startswith(("_", ".")) for part in name.split("/")):
        return False
    if source.get("match"):
        return re.fullmatch(source["match"], name.encode()) is not None
    ending = r"\.parquet" if source["format"] == "parquet" else r"\.(jsonl|ndjson|json)(\.gz|\.zstd?)?"
    return re.search(ending + r"\Z", name, re.IGNORECASE) is not None
