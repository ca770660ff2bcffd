"""54,282 records: memory does not grow with the file; how fast they are read is shown."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

RECORDS = 54_282
ABSTRACT = "Counting owls by ear is slow, and volunteers are rarely awake. " * 20
MEASURE = """
import resource, sys, time
from pathlib import Path
from index.readers import read
for few in sys.argv[2:]:
    list(read([Path(few)]))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
started = time.perf_counter()
count = sum(1 for _ in read([Path(sys.argv[1])]))
seconds = time.perf_counter() - started
more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
print(count, round(count / seconds), round(more))
"""


def write(path: Path, count: int) -> None:
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        if path.suffix == ".csv":
            table.writerow(["title", "authors", "year", "abstract"])
        for at in range(count):
            title = f"Owls of the Region {at}"
            if path.suffix == ".csv":
                table.writerow([title, "Ada Byrd; Bo Ek", 2024, ABSTRACT])
            elif path.suffix == ".jsonl":
                record = {"title": title, "authors": ["Ada Byrd"], "abstract": ABSTRACT}
                file.write(json.dumps(record) + "\n")
            else:
                file.write(
                    f"@article{{k{at},\n  title = {{{title}}},\n  author = {{Byrd, Ada}},\n"
                    f"  year = {{2024}},\n  abstract = {{{ABSTRACT}}},\n}}\n"
                )


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["jsonl", "csv", "bib"])
def test_reading_needs_the_memory_of_a_few_records(tmp_path: Path, ending: str) -> None:
    few, many = tmp_path / f"few.{ending}", tmp_path / f"many.{ending}"
    write(few, 100)
    write(many, RECORDS)
    command = [sys.executable, "-c", MEASURE, str(many), str(few)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    count, rate, more = map(int, done.stdout.split())
    sys.stdout.write(f"\n{ending}: {rate:,} records/s, {more} MB more\n")
    assert count == RECORDS
    assert more <= 100
