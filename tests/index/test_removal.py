"""Taking papers out of an index, and putting them back."""

import json
from pathlib import Path

import numpy as np
import pytest
from hashing_encoder import HashingEncoder

from index.build import build, find_ids, remove
from index.errors import InputError, StoreBusyError, StoreError
from index.manifest import current
from index.passages import paper_text
from index.publish import undo, writer_lock
from index.readers import Upload
from index.store import Index

TITLES = ("Counting Owls at Night", "Why Do Kettles Sing", "Paper Maps That Disagree")
OWLS, KETTLES, MAPS = TITLES


def upload(*titles: str) -> Upload:
    rows = ({"title": t, "abstract": f"This is on {t}. It is short."} for t in titles)
    return Upload(f"{titles[0]}.jsonl", "".join(json.dumps(row) + "\n" for row in rows).encode())


@pytest.fixture
def store(tmp_path: Path) -> Path:
    build([upload(OWLS, KETTLES), upload(MAPS)], tmp_path / "store", HashingEncoder())
    return tmp_path / "store"


def ids(store: Path, *titles: str) -> tuple[str, ...]:
    return find_ids(titles, Index.open(store).papers)


def titles(store: Path) -> set[str]:
    return {paper.title for paper in Index.open(store).papers}


def test_a_removed_paper_is_gone_with_all_that_was_of_it(store: Path) -> None:
    before = Index.open(store)
    report = remove(ids(store, MAPS), store)
    assert [paper.title for paper in report.removed] == [MAPS]
    assert (report.papers, report.passages) == (2, 4)
    assert (report.generation, report.previous) == (current(store), before.manifest.generation)
    opened = Index.open(store)
    assert titles(store) == {OWLS, KETTLES}
    assert (opened.manifest.papers, opened.manifest.passages) == (2, 4)
    assert list(opened.manifest.origins) == [f"{OWLS}.jsonl"]
    assert {passage.paper_id for passage in opened.passages} == {p.id for p in opened.papers}
    assert opened.lexical.size == 2
    assert "map" not in opened.lexical.document_frequency
    assert opened.map is not None
    assert [point.id for point in opened.map.points] == [paper.id for paper in opened.papers]
    encoder = HashingEncoder()
    expected = [encoder.encode_query(text) for text in map(paper_text, opened.papers)]
    assert np.allclose(opened.paper_vectors, expected, atol=1e-6)


def test_a_removed_paper_comes_back_when_its_file_is_indexed_again(store: Path) -> None:
    remove(ids(store, OWLS), store)
    report = build([upload(OWLS, KETTLES)], store, HashingEncoder())
    assert (report.new, report.unchanged) == (1, 1)
    assert titles(store) == {*TITLES}


def test_an_undo_of_a_change_that_is_not_the_last_any_more_is_refused(store: Path) -> None:
    report = remove(ids(store, OWLS), store)
    later = remove(ids(store, MAPS), store)
    with pytest.raises(StoreError, match="has been changed since") as caught:
        undo(store, expected=report.generation)
    assert "\n" not in str(caught.value)
    assert current(store) == later.generation


def test_what_cannot_be_removed_is_refused_and_changes_nothing(store: Path) -> None:
    live = current(store)
    for some, says in (
        ([], "nothing to remove"),
        ([*ids(store, OWLS), "no-such-id"], "no paper 'no-such-id' in the index"),
        (ids(store, *TITLES), "would remove every paper"),
    ):
        with pytest.raises(InputError, match=says):
            remove(some, store)
    with writer_lock(store), pytest.raises(StoreBusyError):
        remove(ids(store, OWLS), store)
    assert current(store) == live


def test_papers_are_found_by_id_or_by_title_whatever_its_case(store: Path) -> None:
    (owls,) = ids(store, OWLS)
    assert ids(store, owls, "COUNTING  OWLS, at night!") == (owls, owls)


def test_an_unknown_title_is_told_with_the_nearest_ones(store: Path) -> None:
    with pytest.raises(InputError, match=r"no paper 'counting owl'.*'Counting Owls at Night'"):
        ids(store, "counting owl")
    with pytest.raises(InputError, match="give a title or an id"):
        ids(store, "§§§")
