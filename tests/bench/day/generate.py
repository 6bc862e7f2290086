"""Writes one day of job ads as many small JSON Lines files, the same for every run: `generate.py DIR [N_FILES [N_RECORDS]]`.

A record is about 1.6 KB. Descriptions have single ASCII spaces between words, so that every engine's way to split text
gives the same tokens.
"""

import json
import pathlib
import random
import sys

COUNTRIES = ["US"] * 45 + ["DE"] * 15 + ["FR"] * 12 + ["JP"] * 10 + ["BR"] * 8 + ["IN"] * 6 + ["ZA"] * 4
CITIES = {"US": "Tulsa", "DE": "Köln", "FR": "Lyon", "JP": "札幌", "BR": "Recife", "IN": "Pune", "ZA": "Durban"}
TITLES = ["Store Manager", "Infirmière", "看護師", "Backend Developer (Rust)", "Köchin", "Line Cook", "Data Engineer"]
TAGS = ["rust", "spark", "nursing", "excel", "remote-ok", "part-time", "senior", "café"]
SYLLABLES = "ba ce di fo gu ha je ki lo mu na pe qui ro su ta ve wi xo zy".split()


def words(rng, n):
    return ["".join(rng.choices(SYLLABLES, k=rng.randint(1, 4))).capitalize() for _ in range(n)]


def record(rng, vocabulary, number):
    country = rng.choice(COUNTRIES)
    salary = None if rng.random() < 0.2 else rng.randrange(12_000, 180_000, 500)
    return {
        "id": f"{rng.getrandbits(64):016x}-{number:07d}",
        "title": rng.choice(["", " ", "  "]) + rng.choice(TITLES) + rng.choice(["", " "]),
        "company": f"Company {rng.randrange(5000)}",
        "description": " ".join(rng.choices(vocabulary, k=rng.randint(130, 230))),
        "location": {"city": CITIES[country], "country": country, "lat": rng.randrange(-900, 900) / 10},
        "tags": rng.sample(TAGS, rng.randint(0, 5)),
        "salary_min": salary,
        "posted_at": f"2020-01-01T{rng.randrange(24):02}:{rng.randrange(60):02}:{rng.randrange(60):02}Z",
        "remote": rng.random() < 0.3,
    }


def main():
    folder = pathlib.Path(sys.argv[1]) / "raw" / "2020" / "01" / "01"
    n_files = int(sys.argv[2]) if len(sys.argv) > 2 else 4000
    n_records = int(sys.argv[3]) if len(sys.argv) > 3 else 100
    folder.mkdir(parents=True)
    vocabulary = words(random.Random(7), 20_000)
    for file in range(n_files):
        rng = random.Random(file)
        lines = (record(rng, vocabulary, file * n_records + i) for i in range(n_records))
        text = "".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in lines)
        (folder / f"jobs-{file:06}.jsonl").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
