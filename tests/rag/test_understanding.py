"""A question is analysed once, and the analysis travels."""

from collections import Counter
from collections.abc import Callable

import pytest

from index.embedding import SentenceEncoder
from index.lexical import tokenize
from index.names import Names
from index.store import Index
from rag import Assistant
from rag.query import Query

Understood = Callable[[str], Query]


@pytest.mark.parametrize(
    ("question", "subject"),
    [
        ("Which papers are about honey bees?", "honey bees"),
        ("Is there anything on sea ice or glaciers?", "sea ice or glaciers"),
        ("Which papers in the June 3 digest are on steel bridges?", "steel bridges"),
        ("What are these papers about?", None),
        ("Which papers are about quasars?", "quasars"),
        ("Where should a newcomer to glaciology begin?", "glaciology"),
        ("What are the main themes of the work on honey bees?", "honey bees"),
    ],
)
def test_the_subject_is_what_is_left_without_the_words_that_put_the_question(
    understood: Understood, question: str, subject: str | None
) -> None:
    query = understood(question)
    assert query.has_subject == (subject is not None)
    assert query.subject.tokens == tuple(tokenize(subject or query.probe.text))


def test_names_papers_and_dates_are_known_before_anything_is_searched(
    understood: Understood, index: Index
) -> None:
    query = understood("How do HivScan and GPT-9 count mites in the July 15 digest?")
    assert [name.text for name in query.names] == ["HiveScan", "GPT-9"]
    assert [index.papers[row].id for row in query.named] == ["hivescan"]
    assert [name.text for name in query.proper if not name.mentioned] == ["GPT-9"]
    assert query.probe.mends == (("HivScan", "HiveScan"),)
    assert query.allowed.sum() == 9
    assert "July" not in query.probe.text
    assert "hivescan" in query.own_tokens(query.named[0])


@pytest.mark.parametrize(
    "question", ["Summarise this digest", "Please sumarise HiveScan", "the colour of honey"]
)
def test_good_english_and_words_beside_the_subject_are_no_errors(
    understood: Understood, question: str
) -> None:
    assert understood(question).mends is None


def test_a_name_of_several_papers_is_ambiguous_only_without_other_words(
    understood: Understood,
) -> None:
    alone = understood("What is TIDE?").ambiguous
    assert alone is not None
    assert len(alone.own) == 2
    assert understood("How much fuel does TIDE save?").ambiguous is None
    assert understood("What is HiveScan?").ambiguous is None


def test_a_question_is_encoded_and_its_names_are_read_a_few_times_only(
    library: Assistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: Counter[str] = Counter()
    encode, read = SentenceEncoder.encode_query, Names.read

    def encoding(self: SentenceEncoder, text: str) -> object:
        seen["encoded"] += 1
        return encode(self, text)

    def reading(self: Names, text: str) -> object:
        seen["read"] += 1
        return read(self, text)

    monkeypatch.setattr(SentenceEncoder, "encode_query", encoding)
    monkeypatch.setattr(Names, "read", reading)
    library.ask("Why do honey bees forage less near lamps that stand in the street?")
    assert seen["encoded"] <= 3, "as it was put, standing alone, and what it is about"
    assert seen["read"] <= 2, "for typing errors, and for its names"
