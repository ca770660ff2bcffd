"""54,282 records: memory does not grow with the file; how fast they are read is shown."""

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


EACH = {
    "jsonl": f'{{"title": "Owls of Region AT", "authors": ["Ada Byrd"], "abstract": "{ABSTRACT}"}}',
    "csv": f'Owls of Region AT,Ada Byrd; Bo Ek,2024,"{ABSTRACT}"',
    "bib": "@article{kAT,\n  title = {Owls of Region AT},\n  author = {Byrd, Ada},\n"
    f"  year = {{2024}},\n  abstract = {{{ABSTRACT}}},\n}}",
}


def write(path: Path, count: int) -> None:
    head = "title,authors,year,abstract\n" if path.suffix == ".csv" else ""
    records = (EACH[path.suffix[1:]].replace("AT", str(at)) + "\n" for at in range(count))
    with path.open("w") as file:
        file.writelines([head, *records])


@pytest.mark.slow
@pytest.mark.parametrize("ending", EACH)
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
