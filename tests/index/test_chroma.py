"""A real Chroma server, started here."""

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hashing_encoder import HashingEncoder

from index.build import build_papers, remove
from index.chroma import Chroma, recall
from index.errors import DatabaseError, InputError
from index.papers import Paper
from index.publish import undo
from index.store import Index
from rag.assistant import Assistant
from rag.settings import Settings

WORDS = "kettle pot lid steam tea cup spoon milk owl night forest wing map road hill lake".split()


def paper(number: int, change: str = "") -> Paper:
    pick = np.random.default_rng(number).permutation(WORDS).tolist()
    return Paper(
        id=f"paper{number:03}",
        title=f"A {pick[0]} and the {pick[1]} number {number}",
        abstract=f"The {pick[2]} has a {pick[3]}{change}. No {pick[4]} is like the {number}.",
    )


class Server:
    """`chroma run` on a free port; it can be stopped and started again."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = shutil.which("chroma", path=str(Path(sys.executable).parent))
        assert command, "chroma's command comes with chromadb"
        self._process = subprocess.Popen(
            [command, "run", "--path", str(self._folder), "--port", str(self.port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(600):
            with suppress(OSError):
                return socket.create_connection(("127.0.0.1", self.port), 1).close()
            time.sleep(0.1)
        raise AssertionError("chroma does not start")

    def stop(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("chroma"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def chroma(server: Server, request: pytest.FixtureRequest) -> Chroma:
    return Chroma(server.url, collection=f"test{abs(hash(request.node.name))}")


def check_the_same(chroma: Chroma, index: Index) -> None:
    """The server finds what exact search finds, and only what is in the index."""
    searched = chroma.searching(index)
    passages = (searched.passage_vectors, index.passage_vectors)
    for vectors, exact in (passages, (searched.paper_vectors, index.paper_vectors)):
        for row in range(0, len(exact), 25):
            found, right = vectors @ exact[row], exact @ exact[row]
            best = np.argsort(-right)[:10]
            assert np.allclose(found[best], right[best], atol=1e-5)
    assert recall(index, chroma) >= 0.99
    assert recall(index, chroma, "papers") >= 0.99


def test_the_server_follows_what_changes_and_an_undo(tmp_path: Path, chroma: Chroma) -> None:
    encoder = HashingEncoder(dimension=64)
    build_papers([paper(number) for number in range(60)], tmp_path, encoder)
    index = Index.open(tmp_path)
    assert not chroma.holds(index, tmp_path)
    assert chroma.bring(index, tmp_path) == 60 + 120
    assert chroma.holds(index, tmp_path)
    check_the_same(chroma, index)
    assert chroma.bring(index, tmp_path) == 0

    build_papers([paper(60), paper(3, " now")], tmp_path, encoder)
    changed = Index.open(tmp_path)
    assert not chroma.holds(changed, tmp_path)
    assert chroma.bring(changed, tmp_path) <= 2 + 2 + 4
    check_the_same(chroma, changed)

    remove(["paper007"], tmp_path)
    chroma.bring(Index.open(tmp_path), tmp_path)
    check_the_same(chroma, Index.open(tmp_path))
    vector = encoder.encode_query(paper(7).title)
    assert "paper007" not in chroma.nearest("papers", vector, 60)

    undo(tmp_path)
    chroma.bring(Index.open(tmp_path), tmp_path)
    assert "paper007" in chroma.nearest("papers", vector, 61)


def test_questions_go_on_while_the_server_is_away_and_it_is_used_again(
    sample_store: Path,
    encoder: object,
    server: Server,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = shutil.copytree(sample_store, tmp_path / "store")
    chroma = Chroma(server.url)
    chroma.bring(Index.open(store), store)
    monkeypatch.setattr("index.chroma.RETRY_SECONDS", 0.2)
    settings = Settings(store=store, chroma_url=server.url)
    with_server, alone = Assistant(store, encoder, settings), Assistant(store, encoder)  # type: ignore[arg-type] # an encoder will do
    titles = [paper.display_title for paper in alone.papers()]

    def check(first: int) -> None:
        for title in titles[first : first + 3]:
            found, right = with_server.search(title, 5), alone.search(title, 5)
            assert [hit.paper.id for hit in found] == [hit.paper.id for hit in right]

    check(0)
    server.stop()
    with pytest.raises(DatabaseError, match=r"Chroma at http://127\.0\.0\.1:\d+ did not answer"):
        chroma.bring(Index.open(store), store)
    caplog.clear()
    check(3)
    assert "every vector is compared instead" in caplog.text
    server.start()
    time.sleep(0.3)
    caplog.clear()
    check(6)
    assert not caplog.text


def test_records_gone_or_of_another_index_are_written_again(tmp_path: Path, chroma: Chroma) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for count, store in ((5, one), (9, other)):
        build_papers([paper(number) for number in range(count)], store, HashingEncoder())
    index = Index.open(one)
    chroma.bring(index, one)
    with pytest.raises(DatabaseError, match="belong to another index"):
        chroma.bring(Index.open(other), other)
    (ledger,) = one.glob(".chroma-*.json")
    ledger.write_text("{}")
    assert chroma.bring(index, one) == 0
    with chroma._asking() as client:
        passages = client.get_collection(f"{chroma._name}-passages", embedding_function=None)
        passages.delete(ids=[index.passages[0].id])
    assert not chroma.holds(index, one)
    vectors, vector = index.passage_vectors, index.passage_vectors[0]
    found = chroma.searching(index).passage_vectors @ vector
    assert np.allclose(found, vectors @ vector, atol=1e-6)
    assert chroma.bring(index, one) == 1


def test_an_address_that_is_none_or_has_a_password_is_one_line() -> None:
    invalid = ("", "localhost:8000", "ftp://host", "http://", "http://host:abc", "http://[::1")
    for url in (*invalid, "http://me:hidden@host:8000"):
        says = r"not a valid address|ABSTRACTQA_CHROMA_TOKEN"
        with pytest.raises(InputError, match=says) as error:
            Chroma(url)
        assert "hidden" not in str(error.value)
