"""What a run does to an index, told beforehand; files that are read again; papers removed."""

import json
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hashing_encoder import HashingEncoder
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from index.build import BuildReport, build, remove
from index.errors import InputError, StoreBusyError, StoreError
from index.manifest import current, live_papers
from index.papers import Paper, find_ids
from index.plan import preview
from index.publish import undo, writer_lock
from index.readers import Upload
from index.store import Index

OWLS, KETTLES, MAPS = "Counting Owls at Night", "Why Do Kettles Sing", "Paper Maps That Disagree"

Run = Callable[..., BuildReport]


def write(path: Path, *titles: str, day: str = "2025-03-14", **more: object) -> Path:
    """A file with a record of each title."""
    path.parent.mkdir(parents=True, exist_ok=True)
    records = ({"title": t, "abstract": f"This is on {t}.", "date": day, **more} for t in titles)
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def index(store: Path) -> Run:
    """Index files and folders into the store."""

    def run(*paths: Path | Upload, year: int | None = None) -> BuildReport:
        return build(paths, store, HashingEncoder(), year=year)

    return run


def found(store: Path) -> dict[str, list[tuple[str, date | None]]]:
    """The sources of every paper, by its title."""
    papers: Sequence[Paper] = Index.open(store).papers
    return {p.title: [(source.name, source.date) for source in p.sources] for p in papers}


def names(store: Path) -> dict[str, list[str]]:
    return {title: [name for name, _ in sources] for title, sources in found(store).items()}


def counts(report: BuildReport) -> tuple[int, int, int, int, int]:
    return (report.new, report.unchanged, report.updated, report.duplicate, report.removed)


def test_another_year_corrects_the_date_alone(tmp_path: Path, store: Path, index: Run) -> None:
    mail = tmp_path / "mail.txt"
    mail.write_text(f"Mar 14\n\n{OWLS}\n\nWe count owls every night. There are nine of them.\n")
    index(mail, year=2024)
    report = index(mail, year=2025)
    assert (counts(report), report.embedded) == ((0, 0, 1, 0, 0), 0)
    assert found(store) == {OWLS: [("mail.txt", date(2025, 3, 14))]}
    assert counts(index(mail, year=2025)) == (0, 1, 0, 0, 0)


def test_what_left_its_file_is_gone_until_undone(tmp_path: Path, store: Path, index: Run) -> None:
    file = write(tmp_path / "a.jsonl", OWLS, KETTLES)
    index(file)
    report = index(write(file, OWLS, MAPS))
    assert (counts(report), report.papers) == ((1, 1, 0, 0, 1), 2)
    assert set(names(store)) == {OWLS, MAPS}
    texts = {passage.text for passage in Index.open(store).passages}
    assert texts == {f"This is on {title}." for title in (OWLS, MAPS)}
    undo(store)
    assert set(names(store)) == {OWLS, KETTLES}


def test_a_damaged_file_takes_nothing_back(tmp_path: Path, store: Path, index: Run) -> None:
    file = write(tmp_path / "a.jsonl", OWLS, MAPS, KETTLES)
    index(file)
    file.write_text(file.read_text().replace('{"title": "Why', '{"title" "Why'))
    report = index(file)
    assert (counts(report), report.is_damaged) == ((0, 2, 0, 0, 0), True)
    assert set(names(store)) == {OWLS, KETTLES, MAPS}


def test_a_file_that_moves_stays_the_same_source(tmp_path: Path, store: Path, index: Run) -> None:
    root = tmp_path / "root"
    file = write(root / "digests" / "a.jsonl", OWLS)
    first = index(root / "digests")
    again = index(root)
    assert (counts(again), again.generation) == ((0, 1, 0, 0, 0), first.generation)
    write(file, OWLS, MAPS)
    assert counts(index(root)) == (1, 1, 0, 0, 0)
    assert names(store) == {OWLS: ["a.jsonl"], MAPS: ["a.jsonl"]}
    moved = shutil.move(file, tmp_path / "moved.jsonl")
    assert counts(index(moved)) == (0, 2, 0, 0, 0)
    assert counts(index(write(moved, OWLS))) == (0, 1, 0, 0, 1)
    assert names(store) == {OWLS: ["a.jsonl"]}


def test_copies_in_one_run_are_one_source(tmp_path: Path, store: Path, index: Run) -> None:
    first = write(tmp_path / "in" / "a.jsonl", OWLS)
    shutil.copy(first, tmp_path / "in" / "b.jsonl")
    for new in (1, 0):
        report = index(tmp_path / "in")
        assert counts(report) == (new, 1 - new, 0, 1, 0)
        assert names(store) == {OWLS: ["a.jsonl"]}
    write(first, MAPS)
    index(tmp_path / "in")
    assert names(store) == {OWLS: ["b.jsonl"], MAPS: ["a.jsonl"]}


def test_files_of_one_name_are_two_sources(tmp_path: Path, store: Path, index: Run) -> None:
    monday = write(tmp_path / "mon" / "today.jsonl", OWLS, day="2025-03-17")
    tuesday = write(tmp_path / "tue" / "today.jsonl", KETTLES, day="2025-03-18")
    expected = {
        OWLS: [("today.jsonl", date(2025, 3, 17))],
        KETTLES: [("tue/today.jsonl", date(2025, 3, 18))],
    }
    index(monday)
    assert index(tuesday).removed == 0
    assert found(store) == expected
    assert counts(index(tuesday, monday)) == (0, 2, 0, 0, 0)
    assert found(store) == expected
    shutil.rmtree(store)
    index(monday, tuesday)
    assert found(store) == expected


@pytest.mark.parametrize("character", ["\0", "\x1b", "\n", "\u2028", "\ud800", "\uffff"])
def test_no_character_of_a_record_stops_the_index(store: Path, index: Run, character: str) -> None:
    title = f"Odd {character} titles of papers"
    file = write(store.parent / "a.jsonl", title, authors=[character], venue=character)
    assert counts(index(file)) == (1, 0, 0, 0, 0)
    assert counts(index(file)) == (0, 1, 0, 0, 0)


def pasted(title: str, name: str = "pasted.txt") -> Upload:
    text = f"Mar 14\n\n{title}\n\nWe looked at this for a year. It is always the same.\n"
    return Upload(name, text.encode())


def test_what_is_not_a_file_name_is_refused_in_one_line() -> None:
    for name in ("", " ", ".", "..", "a/b.txt", "/etc/passwd", "x" * 201, "\ud800.txt", "a/"):
        with pytest.raises(InputError, match="is not a file name") as caught:
            Upload(name, b"")
        assert "\n" not in str(caught.value)
        str(caught.value).encode()


def test_an_upload_is_its_text_and_replaces_none(tmp_path: Path, store: Path, index: Run) -> None:
    (tmp_path / "march.txt").write_bytes(pasted(OWLS).content)
    index(tmp_path / "march.txt")
    for title in (KETTLES, MAPS):
        first = index(pasted(title, "march.txt"))
        again = index(pasted(title, "again.txt"))
        assert (first.new, first.removed) == (1, 0)
        assert (again.unchanged, again.generation) == (1, first.generation)
    expected = {OWLS: ["march.txt"], KETTLES: ["march (2).txt"], MAPS: ["march (3).txt"]}
    assert names(store) == expected


def test_each_entry_of_a_preview_has_its_state(tmp_path: Path, store: Path, index: Run) -> None:
    index(write(tmp_path / "a.jsonl", OWLS))
    with writer_lock(store):
        found = preview([write(tmp_path / "b.jsonl", MAPS, OWLS, MAPS)], store)
    states = [("new", MAPS, 1), ("updated", OWLS, 2), ("duplicate", MAPS, 3)]
    assert [(e.state, e.paper.title, e.paper.sources[0].position) for e in found.entries] == states


TITLES = st.sampled_from([OWLS, KETTLES, MAPS, "Editorial"])
RECORDS = st.tuples(TITLES, st.sampled_from([{}, {"id": "x"}, {"year": 2024}]))
FILES = st.tuples(st.sampled_from("ab"), st.lists(RECORDS, min_size=1, max_size=4))
RUNS = st.lists(FILES, min_size=1, max_size=3)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(RUNS)
def test_a_preview_tells_what_indexing_then_does(
    tmp_path_factory: pytest.TempPathFactory, runs: list[tuple[str, list[tuple[str, Any]]]]
) -> None:
    folder = tmp_path_factory.mktemp("runs")
    store, part = folder / "store", folder / "part"
    for name, rows in runs:
        file = folder / f"{name}.jsonl"
        file.write_text("".join(write(part, title, **more).read_text() for title, more in rows))
        told = preview([file], store)
        report = build([file], store, HashingEncoder())
        for count in ("new", "unchanged", "updated", "duplicate", "rejected", "papers"):
            assert getattr(told, count) == getattr(report, count), count
        assert len(told.removed) == report.removed
        seen = Counter(entry.state for entry in told.entries)
        assert (seen["new"], seen["unchanged"]) == (told.new, told.unchanged)
        assert seen["duplicate"] == told.duplicate
        assert seen["updated"] <= told.updated
        assert {entry.paper.id for entry in told.entries} <= {p.id for p in live_papers(store)[1]}


@pytest.fixture
def three(tmp_path: Path, index: Run) -> Path:
    """A file of two papers, which are in the index with a third one."""
    file = write(tmp_path / "a.jsonl", OWLS, KETTLES)
    index(file, write(tmp_path / "b.jsonl", MAPS))
    return file


def ids(store: Path, *titles: str) -> tuple[str, ...]:
    return find_ids(titles, Index.open(store).papers)


def test_a_removed_paper_is_gone_until_it_is_reread(three: Path, store: Path, index: Run) -> None:
    before = current(store)
    report = remove(ids(store, MAPS), store)
    assert [paper.title for paper in report.removed] == [MAPS]
    assert (report.generation, report.previous) == (current(store), before)
    opened, counted = Index.open(store), (report.papers, report.passages)
    assert {paper.title for paper in opened.papers} == {OWLS, KETTLES}
    assert (opened.manifest.papers, opened.manifest.passages) == counted == (2, 2)
    assert list(opened.manifest.origins) == ["a.jsonl"]
    assert [point.id for point in opened.map.points] == [paper.id for paper in opened.papers]
    remove(ids(store, OWLS), store)
    assert counts(index(three)) == (1, 1, 0, 0, 0)


@pytest.mark.usefixtures("three")
def test_what_cannot_be_removed_or_taken_back_is_refused_and_changes_nothing(store: Path) -> None:
    (owls,) = ids(store, OWLS)
    assert ids(store, owls, "COUNTING  OWLS, at night!") == (owls, owls)
    with pytest.raises(InputError, match=r"no paper 'counting owl'.*'Counting Owls at Night'"):
        ids(store, "counting owl")
    with pytest.raises(InputError, match="give a title or an id"):
        ids(store, "§§§")
    first = remove(ids(store, OWLS), store)
    live = remove(ids(store, MAPS), store).generation
    for some, says in (
        ([], "nothing to remove"),
        ([*ids(store, KETTLES), "no-such-id"], "no paper 'no-such-id' in the index"),
        (ids(store, KETTLES), "would remove every paper"),
    ):
        with pytest.raises(InputError, match=says):
            remove(some, store)
    with writer_lock(store), pytest.raises(StoreBusyError):
        remove(ids(store, KETTLES), store)
    with pytest.raises(StoreError, match="has been changed since"):
        undo(store, expected=first.generation)
    assert current(store) == live
