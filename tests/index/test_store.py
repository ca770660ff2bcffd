import errno
import json
import os
import shutil
from functools import partial
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
from hashing_encoder import HashingEncoder

from index.build import BuildReport, build_papers, remove
from index.errors import EncoderError, StoreBusyError, StoreError
from index.manifest import FORMAT_VERSION, check_encoder, current
from index.papers import Paper, Source
from index.passages import cut, paper_text
from index.publish import undo, writer_lock
from index.store import Index

ENCODER = HashingEncoder()


def paper(number: int) -> Paper:
    boils = f"Kettle {number} boils water. It takes {number} minutes~(now).\u2028It never whistles."
    return Paper(
        id=f"paper{number:03}",
        title=f"On the boiling of kettle number {number}",
        abstract=boils,
        sources=(Source(name="mail.txt", position=number + 1),),
    )


def index(store: Path, count: int = 3) -> BuildReport:
    return build_papers([paper(number) for number in range(count)], store, ENCODER)


def live(store: Path) -> Path:
    generation = current(store)
    assert generation
    return store / "generations" / generation


@pytest.fixture
def store(tmp_path: Path) -> Path:
    index(tmp_path / "store")
    return tmp_path / "store"


def one_line(error: Exception) -> str:
    assert "\n" not in str(error)
    return str(error)


def test_an_open_index_holds_all_in_order(store: Path, tmp_path: Path) -> None:
    opened = Index.open(store)
    shutil.rmtree(store)
    papers = [paper(number) for number in range(3)]
    assert list(opened.papers) == papers
    assert list(opened.passages) == [passage for p in papers for passage in cut(p)]
    assert opened.owner.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    wholes = [ENCODER.encode_query(paper_text(p)) for p in papers]
    sentences = [ENCODER.encode_query(passage.text) for passage in opened.passages]
    assert np.allclose(opened.paper_vectors, wholes, atol=1e-6)
    assert np.allclose(opened.passage_vectors, sentences, atol=1e-6)
    assert opened.paper_vectors[:1].dtype == opened.passage_vectors[:1].dtype == np.float32
    build_papers([], tmp_path / "nothing", ENCODER)
    empty = Index.open(tmp_path / "nothing")
    assert list(empty.papers) == list(empty.passages) == []
    assert empty.paper_vectors[:].shape == empty.passage_vectors[:].shape == (0, 16)


@pytest.mark.parametrize("name", ["missing", "empty"])
def test_no_index_is_said_with_the_command_that_makes_one(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    assert current(tmp_path / name) is None
    with pytest.raises(StoreError, match=r"no index at .*: run abstractqa index PATH"):
        Index.open(tmp_path / name)
    with pytest.raises(StoreError, match="no index at"):
        undo(tmp_path / name)
    assert not (tmp_path / "missing").exists()


@pytest.mark.parametrize("content", [None, "", "../../etc", "\udcff"])
def test_without_its_current_a_store_is_the_newest_one(store: Path, content: str | None) -> None:
    index(store, 4)
    (store / "CURRENT").unlink()
    if content is not None:
        (store / "CURRENT").write_bytes(os.fsencode(content))
    assert len(Index.open(store).papers) == 4
    assert index(store, 5).new == 1
    undo(store)
    (store / "CURRENT").unlink()
    assert len(Index.open(store).papers) == 4, "what was undone is gone"
    assert index(store, 5).embedded == 0, "its vectors are kept"


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b", "caf\udce9"])
def test_a_folder_name_that_cannot_be_is_one_line(tmp_path: Path, name: str) -> None:
    for use in (Index.open, index, undo):
        with pytest.raises(StoreError, match="choose another --store") as caught:
            use(tmp_path / name)
        one_line(caught.value).encode()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("version", "way"),
    [(FORMAT_VERSION + 1, "upgrade abstractqa"),
     (FORMAT_VERSION - 1, "delete generations, vectors and CURRENT")],
)  # fmt: skip
def test_another_format_is_refused(store: Path, version: int, way: str) -> None:
    content = json.loads((manifest := live(store) / "manifest.json").read_text())
    manifest.write_text(json.dumps(content | {"format_version": version, "new": 1}))
    for use in (Index.open, index, undo, partial(remove, ["paper000"])):
        with pytest.raises(StoreError, match=rf"has format {version}, .*{way}"):
            use(store)
    if version < FORMAT_VERSION:  # what the line says to do helps
        for name in ("generations", "vectors"):
            shutil.rmtree(store / name)
        (store / "CURRENT").unlink()
        assert index(store).new == 3


def test_half_a_record_of_vectors_at_the_end_is_as_nothing(store: Path) -> None:
    """What a kill leaves, or another process that is writing just now."""
    (vectors,) = (store / "vectors").glob("*.bin")
    vectors.write_bytes(vectors.read_bytes() + b"half a record")
    assert Index.open(store).is_covered
    assert index(store, 4).embedded == 3
    opened = Index.open(store)
    expected = [ENCODER.encode_query(passage.text) for passage in opened.passages]
    assert np.allclose(opened.passage_vectors, expected, atol=1e-6)


def test_a_damaged_file_is_told_and_never_a_crash(store: Path) -> None:
    told = r"cannot be read|has changed since it was written"
    files = [path for path in live(store).iterdir() if path.name != "manifest.json"]
    files += (store / "vectors").iterdir()
    names = {path.name for path in files}
    assert {"papers.jsonl", "passages.npz", "lexical.npz", "names.npz", "map.npz"} <= names
    for path in files:
        whole = path.read_bytes()
        half = len(whole) // 2
        changed = whole[:half] + bytes([whole[half] ^ 1]) + whole[half + 1 :]
        for damaged in (changed, whole[:half], None):
            path.unlink() if damaged is None else path.write_bytes(damaged)
            with pytest.raises(StoreError, match=told):
                Index.open(store)
        path.write_bytes(whole)
    assert len(Index.open(store).papers) == 3
    for text in ("", "[]", f'{{"format_version": {FORMAT_VERSION}}}', '{"format_version": 1e999}'):
        (live(store) / "manifest.json").write_text(text)
        with pytest.raises(StoreError, match=r"manifest\.json cannot be read"):
            Index.open(store)


def test_an_encoder_of_the_same_name_and_other_weights_is_refused(store: Path) -> None:
    other = HashingEncoder(dimension=8)
    weights = rf"{ENCODER.weights_hash[:12]}.*{other.weights_hash[:12]}"
    with pytest.raises(EncoderError, match=weights) as caught:
        check_encoder(Index.open(store).manifest, other)
    one_line(caught.value)


def test_a_second_writer_is_refused_at_once_and_readers_are_not(store: Path) -> None:
    with writer_lock(store):
        holder = rf"process {os.getpid()} on .* again when"
        with pytest.raises(StoreBusyError, match=holder) as told:
            index(store, 4)
        one_line(told.value)
        with pytest.raises(StoreBusyError):
            undo(store)
        assert len(Index.open(store).papers) == 3
    assert index(store, 4).papers == 4


@pytest.mark.parametrize(
    ("call", "code", "words"),
    [("index.catalog.Papers.save", errno.ENOSPC, "no space left on its disk"),
     ("index.publish.hash_files", errno.EROFS, "it is read-only"),
     ("os.fsync", errno.EACCES, "it is read-only for this user")],
)  # fmt: skip
def test_a_disk_that_refuses_leaves_the_published_index_as_it_was(
    store: Path, monkeypatch: pytest.MonkeyPatch, call: str, code: int, words: str
) -> None:
    generation = current(store)
    monkeypatch.setattr(call, Mock(side_effect=OSError(code, "the disk refuses")))
    with pytest.raises(StoreError, match=words) as caught:
        index(store, 4)
    assert str(store) in one_line(caught.value)
    monkeypatch.undo()
    assert current(store) == generation
    assert [p.name for p in (store / "generations").iterdir()] == [generation]
    assert len(Index.open(store).papers) == 3


@pytest.mark.parametrize(
    "there", ["letter.txt", "CURRENT", "generations/second/thesis.txt", "generations", ".git/HEAD"]
)
def test_what_only_looks_like_a_store_is_refused_and_left_alone(tmp_path: Path, there: str) -> None:
    (tmp_path / there).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / there).write_text("MANIFEST-000001")
    before = sorted(tmp_path.rglob("*"))
    for folder in (tmp_path, tmp_path / there):
        for use in (Index.open, index, undo):
            with pytest.raises(StoreError, match=r"is not an index folder|is a file") as caught:
                use(folder)
            assert str(tmp_path) in one_line(caught.value)
    assert sorted(tmp_path.rglob("*")) == before


def test_two_generations_are_kept_and_nothing_of_others_is_removed(store: Path) -> None:
    generations, elsewhere = store / "generations", store.parent / "elsewhere"
    elsewhere.mkdir()
    (generations / "20250101T000000-cafecafe").symlink_to(elsewhere)
    (thesis := generations / "thesis.txt").write_text("three years of work")
    others = {path.name for path in generations.iterdir()} - {current(store)}
    second, third = index(store, 4).generation, index(store, 5).generation
    assert {p.name for p in generations.iterdir()} == {second, third, *others}
    undo(store)
    fourth = index(store, 6).generation
    assert {p.name for p in generations.iterdir()} == {second, fourth, *others}
    assert all(path.exists() for path in (thesis, elsewhere))
