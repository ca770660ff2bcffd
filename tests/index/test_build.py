import datetime as dt
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
from hashing_encoder import HashingEncoder, pots
from hypothesis import given, settings
from hypothesis import strategies as st

from index.build import BuildReport, build, build_papers, remove, resume
from index.catalog import Sightings
from index.errors import StoreBusyError, StoreError
from index.manifest import current
from index.papers import Paper, Source
from index.passages import paper_text
from index.publish import undo
from index.store import Index

TEA = Paper(
    id="tea",
    title="Tea at altitude",
    abstract="Water boils early on mountains. Tea suffers from it. A lid helps.",
)
MILK = Paper(id="milk", title="Milk or no milk", abstract="Milk goes first. A lid helps.")
HERE = Path(__file__).parent
ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join([str(HERE), str(HERE.parent.parent)])}


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def words() -> HashingEncoder:
    return HashingEncoder()


def test_files_are_read_again_only_where_that_could_change_something(
    tmp_path: Path, store: Path, words: HashingEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "mail.txt"
    file.write_text((HERE / "kettles.txt").read_text() + "\nA title without its abstract\n")
    stages: list[tuple[str, int, int]] = []
    first = build([file], store, words, year=2025, progress=lambda *said: stages.append(said))
    assert (first.new, first.papers, first.passages, first.embedded) == (2, 2, 4, 6)
    assert ("embed", 6, 6) in stages
    assert stages[-1] == ("map", 2, 2)
    with monkeypatch.context() as patch:
        patch.delattr("index.plan.read_files")
        again = build([file], store, words, year=2025)
    assert (again.new, again.unchanged, again.rejected) == (0, 2, 1)
    assert (again.problems, again.generation) == (first.problems, first.generation)
    changed = Index.open(store).papers[0].model_copy(update={"venue": "The Kettle"})
    build_papers([changed], store, words)
    assert build([file], store, words, year=2025).updated == 1
    remove([changed.id], store)
    assert build([file], store, words, year=2025).new == 1


def _everything(index: Index) -> tuple[object, ...]:
    """All that an index says of its papers."""
    names = [named for paper in index.papers for named in index.names.read(paper.abstract)]
    words = sorted(index.lexical.document_frequency)
    sightings = Sightings.of(index.papers)
    arrays = (index.owner, index.passage_vectors, index.paper_vectors, sightings.earliest)
    return (
        list(index.papers),
        list(index.passages),
        [np.asarray(array).tolist() for array in arrays],
        [(word, index.lexical.scores([word]).tolist()) for word in words],
        names,
        sightings.names(),
        [index.row_of(paper.title) for paper in index.papers],
    )


@given(st.lists(st.lists(st.sampled_from(range(12)), min_size=1, unique=True), min_size=1))
@settings(max_examples=15, deadline=None)
def test_an_index_that_grew_is_as_one_that_is_built_anew(
    tmp_path_factory: pytest.TempPathFactory, runs: list[list[int]]
) -> None:
    folder, words = tmp_path_factory.mktemp("grown"), HashingEncoder()
    shelf = [
        Paper(
            id=f"pot{number:02}",
            title=f"Pot{number}: a {'KettleBench' if number % 3 else 'Kettle Bench'}",
            abstract=f"Pot {number} boils. It has {number % 4} lids and one spout.",
            doi=f"10.1/{number // 2}" if number > 9 else None,
            sources=(
                Source(name=f"{number % 3}.txt", date=dt.date(2025, 1, 1 + number), position=1),
            ),
        )
        for number in range(12)
    ]
    for run in runs:
        build_papers([shelf[number] for number in run], folder / "grown", words)
        if len(papers := Index.open(folder / "grown").papers) > len(run):
            remove([papers[run[0] % len(papers)].id], folder / "grown")
    grown = Index.open(folder / "grown")
    build_papers(list(grown.papers), folder / "anew", words)
    assert _everything(grown) == _everything(Index.open(folder / "anew"))


def test_only_what_changed_in_an_abstract_is_embedded(store: Path, words: HashingEncoder) -> None:
    build_papers([TEA, MILK], store, words)
    words.encoded.clear()
    changed = TEA.model_copy(
        update={"abstract": "Water boils early up there. Tea suffers from it. A lid helps."}
    )
    report = build_papers([changed], store, words)
    assert (report.updated, report.new, report.papers, report.passages) == (1, 0, 2, 5)
    assert words.encoded == [paper_text(changed), "Water boils early up there."]
    opened = Index.open(store)
    expected = [words.encode_query(p.text) for p in opened.passages]
    assert np.allclose(opened.passage_vectors, expected, atol=1e-6)


# A process that indexes 200 more papers, says how far it is, and waits there to be killed.
BUILDER = """
    import sys, time
    from pathlib import Path
    from hashing_encoder import HashingEncoder, pots
    from index import publish
    from index.build import build_papers

    store, moment = Path(sys.argv[1]), sys.argv[2]

    def say(what, *_):
        if what == moment:
            print(what, flush=True)
            time.sleep(60)

    _publish = publish._publish

    def published(*args):
        say("before publishing")
        _publish(*args)
        say("after publishing")

    publish._publish = published
    build_papers(
        pots(200), store, HashingEncoder(),
        progress=lambda stage, done, total: say(stage if done < total else stage + " ended"),
    )
"""


@pytest.mark.parametrize(
    ("moment", "papers"), [("before publishing", 2), ("after publishing", 202), ("embed", 202)]
)
def test_a_kill_loses_nothing(store: Path, words: HashingEncoder, moment: str, papers: int) -> None:
    build_papers([TEA, MILK], store, words)
    command = [sys.executable, "-c", textwrap.dedent(BUILDER), str(store), moment]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)
    try:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == moment
        with pytest.raises(StoreBusyError):
            build_papers([TEA], store, words)
        assert len(Index.open(store).papers) == papers
    finally:
        process.kill()
        process.wait()
    assert len(Index.open(store).papers) == papers
    report = build_papers([TEA], store, words)
    assert report.papers == papers
    assert Index.open(store).coverage == 1
    assert not [*(store / "generations").glob("*.tmp")]


def test_a_run_that_is_stopped_keeps_what_it_encoded(store: Path) -> None:
    papers = pots(1000)

    def stop(_: object) -> None:
        if len(stopped.encoded) >= 1000:
            raise KeyboardInterrupt

    stopped, words = HashingEncoder(before=stop), HashingEncoder()
    with pytest.raises(KeyboardInterrupt):
        build_papers(papers, store, stopped)
    opened = Index.open(store)
    assert len(opened.papers) == 1000
    assert 0 < opened.coverage < 1
    assert opened.map is None
    assert int(np.argmax(opened.lexical.scores(["721"]))) == 721
    report = resume(store, words)
    assert len(stopped.encoded) + len(words.encoded) == report.papers + report.passages == 2000
    expected = (1000, len(words.encoded), opened.manifest.generation)
    assert (report.unchanged, report.embedded, report.previous) == expected
    followed = opened.followed()
    assert followed.coverage == Index.open(store).coverage == 1
    assert np.array_equal(followed.passage_vectors, Index.open(store).passage_vectors)
    assert build_papers(papers, store, words).generation == report.generation


def test_papers_are_added_while_others_are_encoded(store: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        build_papers(pots(600), store, HashingEncoder(before=Mock(side_effect=KeyboardInterrupt)))
    added: list[BuildReport] = []

    def add(_: object) -> None:
        if not added:
            added.append(build_papers([TEA], store, HashingEncoder()))

    report = resume(store, HashingEncoder(before=add))
    assert (added[0].new, report.papers) == (1, 601)
    assert Index.open(store).is_finished


def test_a_damaged_earlier_generation_is_no_way_back(store: Path, words: HashingEncoder) -> None:
    first = build_papers([TEA], store, words).generation
    second = build_papers([MILK], store, words).generation
    (store / "generations" / first / "papers.jsonl").write_text("")
    with pytest.raises(StoreError, match="has changed since it was written"):
        undo(store)
    assert current(store) == second
    (store / "generations" / first / "manifest.json").write_text("")
    third = Paper(id="lid", title="Lids", abstract="A lid helps.")
    assert build_papers([third], store, words).papers == 3
