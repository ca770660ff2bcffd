import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from index.embedding import SentenceEncoder
from index.lexical import LexicalIndex
from index.papers import Paper
from rag.chat import ChatError, Message
from rag.expansion import (
    LONGEST_PASSAGE,
    QUESTION_WEIGHT,
    Expansion,
    expand,
    hyde_vector,
    query2doc_scores,
)
from rag.expansion_cache import ExpansionCache

QUESTION = "How do robots learn from people's words?"
PASSAGE = (
    "We train robots whose policies predict language motions that people can correct by speech."
)


def fail(messages: list[Message]) -> str:
    raise ChatError("it is down")


def test_a_question_is_asked_once_and_its_passage_is_kept_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "cache" / "expansions.sqlite"
    asked: list[Message] = []

    def complete(messages: list[Message]) -> str:
        asked.extend(messages)
        return f'"{PASSAGE}"'

    assert expand(f"{QUESTION}</question>", complete, ExpansionCache("m", file)) == PASSAGE
    assert expand(f"{QUESTION}</question>", fail, ExpansionCache("m", file)) == PASSAGE
    assert asked[1]["content"].count("</question>") == 1
    assert expand(f"{QUESTION}</question>", fail, ExpansionCache("other", file)) is None
    assert expand("Another question?", fail, ExpansionCache("m", file)) is None


def test_a_long_passage_is_cut_and_too_short_a_one_not_used_or_kept(tmp_path: Path) -> None:
    long = expand(QUESTION, lambda messages: " ".join([PASSAGE] * 30))
    assert long is not None
    assert len(long.split()) == LONGEST_PASSAGE
    cache = ExpansionCache("m", tmp_path / "c.sqlite")
    assert expand(QUESTION, lambda messages: "I do not know.", cache) is None
    assert cache.find(QUESTION) is None


def test_the_file_holds_a_limited_number_the_newest_ones(tmp_path: Path) -> None:
    cache = ExpansionCache("m", tmp_path / "c.sqlite", most=3)
    for number in range(5):
        cache.keep(f"question {number}", f"passage {number}")
    kept = [cache.find(f"question {number}") for number in range(5)]
    assert kept == [None, None, "passage 2", "passage 3", "passage 4"]


def test_a_passage_kept_again_replaces_the_one_before(tmp_path: Path) -> None:
    cache = ExpansionCache("m", tmp_path / "c.sqlite")
    cache.keep(QUESTION, "old")
    cache.keep(QUESTION, "new")
    assert cache.find(QUESTION) == "new"


def test_writers_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    file = tmp_path / "c.sqlite"

    def write(number: int) -> None:
        ExpansionCache("m", file).keep(f"question {number}", f"passage {number}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(40)))
    cache = ExpansionCache("m", file)
    assert all(cache.find(f"question {n}") == f"passage {n}" for n in range(40))


def test_a_file_that_cannot_be_read_is_no_hindrance(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "c.sqlite"
    file.write_bytes(b"this is no database, but long enough to be looked at as one " * 20)
    assert expand(QUESTION, lambda messages: PASSAGE, ExpansionCache("m", file)) == PASSAGE
    assert "cannot be read" in caplog.text
    assert "cannot be kept" in caplog.text


def test_the_default_file_is_in_the_users_cache_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    ExpansionCache("m").keep(QUESTION, PASSAGE)
    (file,) = tmp_path.rglob("expansions.sqlite")
    with sqlite3.connect(file) as database:
        assert database.execute("SELECT passage FROM expansions").fetchone() == (PASSAGE,)
    database.close()


def test_hyde_is_the_mean_direction_of_the_question_and_the_passages() -> None:
    x, y = np.eye(2, dtype=np.float32)
    found = hyde_vector(x, [y])
    assert found == pytest.approx(np.sqrt([0.5, 0.5]))
    assert found.dtype == np.float32
    assert hyde_vector(x, [y, y]) == pytest.approx(np.array([1, 2]) / np.sqrt(5))
    assert hyde_vector(x, []) == pytest.approx(x)
    assert hyde_vector(x, [-x]) == pytest.approx(x)


def paper(title: str, abstract: str) -> Paper:
    return Paper(id=title, title=title, abstract=abstract)


def test_query2doc_is_bm25_of_the_question_repeated_and_the_passage() -> None:
    lexical = LexicalIndex.build(
        [paper("Bogs", "Bogs are wet."), paper("Ferns", "Ferns vary."), paper("Moss", "Moss dries")]
    )
    found = query2doc_scores(lexical, ["bog"], ["fern", "bog"])
    assert found[0] == pytest.approx((QUESTION_WEIGHT + 1) * lexical.scores(["bog"])[0])
    assert found[1] == pytest.approx(lexical.scores(["fern"])[1])
    assert found[2] == 0


def test_a_passage_in_the_abstracts_words_brings_their_paper_nearer(
    encoder: SentenceEncoder,
) -> None:
    abstract = encoder.encode([
        "RT-H builds an action hierarchy with language motions that people intervene in by speech."
    ])[0]  # fmt: skip
    hints = Expansion.of(f"{PASSAGE} {PASSAGE}", encoder)
    query = encoder.encode_query("Can I talk a machine out of a mistake?")
    assert hyde_vector(query, [hints.vector]) @ abstract > query @ abstract
    assert len(set(hints.tokens)) == len(hints.tokens)
    assert "robot" in hints.tokens
