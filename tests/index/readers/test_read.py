"""Files and folders: names, encodings, formats, what is refused, and how much memory they take."""

import gzip
import io
import json
import os
import re
import subprocess
import sys
import zipfile
from datetime import date
from pathlib import Path

import pytest
from digest_papers import ABSTRACTS, TITLES, found

from index.errors import InputError
from index.papers import Paper
from index.readers import Problem, read

DIGEST = f"Apr 22\n\n{TITLES[0]}\n\n{ABSTRACTS[0]}\n"
RECORD = json.dumps({"title": TITLES[1], "abstract": ABSTRACTS[1]})


def write(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def papers(*paths: Path, **options: object) -> list[Paper]:
    read_, wrong = found(paths, **options)
    assert wrong == []
    return read_


def problems(*paths: Path) -> list[str]:
    return list(map(str, found(paths)[1]))


def test_a_folder_is_read_in_order_with_names_from_its_root(tmp_path: Path) -> None:
    file = write(tmp_path / "b.txt", DIGEST)
    write(tmp_path / "a" / "x.jsonl", RECORD)
    write(tmp_path / ".hidden" / "y.txt", DIGEST)
    write(tmp_path / ".z.txt", DIGEST)
    assert [paper.sources[0].name for paper in papers(tmp_path)] == ["a/x.jsonl", "b.txt"]
    assert len(papers(file, tmp_path, file)) == 2  # a file named twice is read once


def test_files_of_one_name_in_a_run_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    files = [write(tmp_path / day / "mail" / "today.txt", DIGEST) for day in ("mon", "tue", "wed")]
    names = ["today.txt", "mail/today.txt", "wed/mail/today.txt"]
    assert [paper.sources[0].name for paper in papers(*files)] == names
    broken = write(tmp_path / "thu" / "today.txt", "hello")
    assert problems(files[0], broken) == ["thu/today.txt: no paper found, read as digest"]
    damaged = write(tmp_path / "x.jsonl", f'{RECORD}\n{{"title": "Owls"\n')
    kinds = [problem.is_damage for problem in found([broken, damaged])[1]]
    assert kinds == [False, True], "a digest has no grammar"


@pytest.mark.parametrize(
    ("name", "shown"),
    [(b"caf\xe9.txt", "caf\\xe9.txt"), (b"a\nb.txt", "a\\nb.txt"), ("日.txt".encode(), "日.txt")],
)
def test_names_are_text_of_one_line(tmp_path: Path, name: bytes, shown: str) -> None:
    folder = tmp_path / "in"
    write(folder / os.fsdecode(name), DIGEST)
    for path in (folder, folder / os.fsdecode(name)):
        paper = papers(path)[0]
        assert paper.sources[0].name == shown
        paper.model_dump_json().encode()
    with pytest.raises(InputError, match="does not exist") as caught:
        read([folder / os.fsdecode(b"not " + name)])
    assert "\n" not in str(caught.value)
    str(caught.value).encode()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends_do_not_matter(tmp_path: Path, encoding: str, ending: str) -> None:
    text = DIGEST.replace("Counting", "Søren’s")
    file = write(tmp_path / "x.txt", text.replace("\n", ending).encode(encoding))
    (paper,), told = found([file])
    assert ["cp1252" in each.reason for each in told] == [True] * (encoding == "cp1252")
    assert paper.title == TITLES[0].replace("Counting", "Søren’s")
    assert paper.abstract == ABSTRACTS[0].replace("Counting", "Søren’s")


@pytest.mark.parametrize(
    "others", ["", "\nØrsted, Çelik, Ångström, Müller and Nuñez listen to owls."]
)
def test_a_byte_order_mark_is_no_text_even_before_a_line_with_other_bytes(
    tmp_path: Path, others: str
) -> None:
    text = b"\xef\xbb\xbf" + TITLES[0].encode() + b" in \xc5rhus\n\n" + ABSTRACTS[0].encode()
    read_, told = found([write(tmp_path / "x.txt", text + others.encode())])
    assert [paper.title for paper in read_] == [f"{TITLES[0]} in Århus"]
    assert ["line is read as Windows-1252" in each.reason for each in told] == [True]


@pytest.mark.parametrize(
    "data",
    [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", bytes(range(256)) * 9, b"%PDF-1.7\nabc", b"a\0b",
     b"\x1b\x02\x03abc" * 50, b"\xff\xfe\x00"],
)  # fmt: skip
def test_what_is_not_text_is_a_problem_and_the_rest_is_read(tmp_path: Path, data: bytes) -> None:
    binary = write(tmp_path / "a.txt", data)
    text = write(tmp_path / "b.txt", DIGEST)
    assert [each.startswith("a.txt: ") for each in problems(binary, text)] == [True]
    read_, (problem,) = found([tmp_path])
    assert re.search("not text|unknown format", problem.reason)
    assert len(read_) == 1


def test_text_in_a_folder_that_may_be_anything_is_read_only_if_it_is_named(tmp_path: Path) -> None:
    write(tmp_path / "a.txt", DIGEST)
    program = write(tmp_path / "b.py", DIGEST)
    write(tmp_path / "c.png", b"\x89PNG\0")
    told = problems(tmp_path)
    assert [text.split(":")[0] for text in told] == ["b.py", "c.png"]
    assert "unknown format" in told[0]
    assert len(papers(program)) == 1


@pytest.mark.parametrize("name", ["nowhere", "x" * 5000, "a\0b", "empty"])
def test_a_path_without_a_file_is_refused_at_once(tmp_path: Path, name: str) -> None:
    write(tmp_path / "empty" / ".hidden.txt", DIGEST)
    with pytest.raises(InputError, match=r"not exist|not a path|no file in") as caught:
        read([tmp_path / name])
    assert "\n" not in str(caught.value)


def test_options_are_checked_and_the_year_is_else_that_of_the_file(tmp_path: Path) -> None:
    file = write(tmp_path / "x.txt", DIGEST)
    for key, value, hint in (
        ("format", "docx", "choose one of auto, digest, "), ("year", 1899, "between 1900 and 2100"),
        ("format", "", "choose one of auto, digest, "), ("year", 2101, "between 1900 and 2100"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=hint):
            read([file], **{key: value})  # type: ignore[arg-type] # options by name
    os.utime(file, (1_500_000_000, 1_500_000_000))
    assert papers(file)[0].sources[0].date == date(2017, 4, 22)
    assert papers(file, year=2021)[0].sources[0].date == date(2021, 4, 22)


def test_a_pipe_is_read(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.write(writing, DIGEST.encode())
    os.close(writing)
    try:
        assert len(papers(Path(f"/dev/fd/{reading}"))) == 1
    finally:
        os.close(reading)


def test_a_file_that_vanishes_or_is_empty_is_a_problem(tmp_path: Path) -> None:
    for content in ("", " \n\r\n", "\ufeff"):
        assert problems(write(tmp_path / "x.txt", content)) == ["x.txt: empty file"]
    file = write(tmp_path / "x.txt", DIGEST)
    items = read([file, write(tmp_path / "y.txt", DIGEST)])
    file.unlink()
    assert [type(item) for item in items] == [Problem, Paper]


def test_bombs_and_paths_out_of_an_archive_are_refused_in_a_line(tmp_path: Path) -> None:
    bomb, outside = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", bytes(100_000_000))
    with zipfile.ZipFile(outside, "w") as archive:
        archive.writestr("../a.txt", DIGEST)
    for name, content, reason in (
        ("x.zip", bomb.getvalue(), "is too large when unpacked"),
        ("x.gz", gzip.compress(b"a" * 100_000_000), "is too large when unpacked"),
        ("y.zip", outside.getvalue(), "outside the archive"),
    ):
        (problem,) = problems(write(tmp_path / name, content))
        assert reason in problem


RECORDS = 54_282
LONG = "Counting owls by ear is slow, and volunteers are rarely awake. " * 20
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
    "jsonl": f'{{"title": "Owls of Region AT", "authors": ["Ada Byrd"], "abstract": "{LONG}"}}',
    "csv": f'Owls of Region AT,Ada Byrd; Bo Ek,2024,"{LONG}"',
    "bib": "@article{kAT,\n  title = {Owls of Region AT},\n  author = {Byrd, Ada},\n"
    f"  year = {{2024}},\n  abstract = {{{LONG}}},\n}}",
}


@pytest.mark.slow
@pytest.mark.parametrize("ending", EACH)
def test_reading_needs_the_memory_of_a_few_records(tmp_path: Path, ending: str) -> None:
    """Memory does not grow with the file; how fast 54,282 records are read is shown."""
    few, many = tmp_path / f"few.{ending}", tmp_path / f"many.{ending}"
    for path, count in ((few, 100), (many, RECORDS)):
        head = "title,authors,year,abstract\n" if ending == "csv" else ""
        records = (EACH[ending].replace("AT", str(at)) + "\n" for at in range(count))
        with path.open("w") as file:
            file.writelines([head, *records])
    command = [sys.executable, "-c", MEASURE, str(many), str(few)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    count, rate, more = map(int, done.stdout.split())
    sys.stdout.write(f"\n{ending}: {rate:,} records/s, {more} MB more\n")
    assert count == RECORDS
    assert more <= 100
