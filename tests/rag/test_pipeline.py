"""Each kind of question is answered in its form, and every sentence cites where it stands."""

import re
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up import BOATS, EMPTY, KITES, NAMES, Open, cited, keeps_the_promises

from index.embedding import SentenceEncoder
from rag import Answer, Assistant, Options
from rag.evidence import WORDS
from rag.fitted import record
from rag.pipeline import CAUTION, HELP
from rag.wording import ASKS, Reader

BEES = {"hivescan", "wagglenet", "lamps", "smoke"}
BRIDGES = {"crackmap", "bridgesong", "sensors", "salt"}
OF_KINDS = {
    "answer": "How many photographs was HiveScan trained on?",
    "papers": "Which papers are about honey bees?",
    "about": "What does WaggleNet propose?",
    "compare": "Compare HiveScan and CrackMap",
    "overview": "What are the trends in research on bridges?",
    "similar": "Which papers are similar to HiveScan?",
    "choose": "Which paper on bread should I read first?",
    "catalogue": "Which papers are in both digests?",
    "chat": "thanks",
}


@pytest.fixture(scope="module")
def answers(certain: Assistant) -> dict[str, Answer]:
    return {kind: certain.ask(question) for kind, question in OF_KINDS.items()}


def bullets(answer: Answer) -> list[str]:
    return [line for line in answer.text.splitlines() if line.startswith("- ")]


@pytest.mark.parametrize("kind", OF_KINDS)
def test_every_kind_of_answer_keeps_the_promises(answers: dict[str, Answer], kind: str) -> None:
    answer = answers[kind]
    keeps_the_promises(answer)
    assert (answer.kind, answer.status) == (kind, "answered")
    assert all(sentence.support in ("supported", "unchecked") for sentence in answer.sentences)


@pytest.mark.parametrize(
    ("question", "key", "fact"),
    [
        ("How many photographs was HiveScan trained on?", "hivescan", "8,200 photographs"),
        ("Why does HiveScan fail on frames with wax?", "hivescan", "wax reflects the flash"),
        ("Why is concrete that is wet bad for CrackMap?", "crackmap", "Wet concrete"),
        ("How much fuel did TIDE save?", "ferrytide", "12% of the fuel"),
        ("what makes a refrigerator bad for bread", "stale", "worst place for bread"),
    ],
)
def test_a_fact_is_under_its_paper(certain: Assistant, question: str, key: str, fact: str) -> None:
    answer = certain.ask(question)
    keeps_the_promises(answer)
    assert cited(answer) == [key]
    assert any(fact in sentence.text for sentence in answer.sentences), "LaTeX is shown as text"
    assert answer.text.startswith("**")
    assert not bullets(answer)


@pytest.mark.parametrize(
    ("question", "papers"),
    [
        ("How many tiles did CrackMap and how many loaves did DoughCast learn from?",
         {"crackmap", "doughcast"}),
        ("Which one errs less, DoughCast or WaggleNet?", {"doughcast", "wagglenet"}),
    ],
)  # fmt: skip
def test_every_paper_named_is_quoted(certain: Assistant, question: str, papers: set[str]) -> None:
    answer = certain.ask(question)
    keeps_the_promises(answer)
    assert set(cited(answer)) >= papers
    for reference in answer.references:
        words = sum(len(at.text.split()) for at in reference.passages)
        assert len(reference.passages) == 1 or words <= WORDS


def test_a_list_has_a_bullet_with_a_reason_for_each_paper(answers: dict[str, Answer]) -> None:
    answer = answers["papers"]
    assert set(cited(answer)) == BEES
    assert len(bullets(answer)) == len(answer.references) == len(answer.sentences)
    for number, (line, ref) in enumerate(zip(bullets(answer), answer.references, strict=True), 1):
        assert line.startswith(f"- **{ref.paper.display_title}** — ")
        assert line.endswith(f"[{number}]")


def test_one_paper_and_each_side_of_a_comparison_have_headings(answers: dict[str, Answer]) -> None:
    answer = answers["about"]
    assert cited(answer) == ["wagglenet"]
    assert answer.text.startswith("**WaggleNet**\n\n")
    assert "WaggleNet reads" in answer.sentences[0].text
    assert len(answer.sentences) > 2
    assert cited(answers["compare"]) == ["hivescan", "crackmap"]
    assert re.findall(r"\*\*(.+)\*\*\n", answers["compare"].text) == ["HiveScan", "CrackMap"]


def test_overviews_cite_a_subject_or_all(certain: Assistant, answers: dict[str, Answer]) -> None:
    assert set(cited(answers["overview"])) >= BRIDGES
    themes = certain.ask("What are the main themes?")
    keeps_the_promises(themes)
    sizes = [int(size) for size in re.findall(r"\((\d+) papers?\):", themes.text)]
    assert sum(sizes) == len(certain.papers())
    assert len(bullets(themes)) == len(themes.references) > 1


def test_similar_papers_and_what_to_read_are_on_the_subject(answers: dict[str, Answer]) -> None:
    assert set(cited(answers["similar"])[:3]) == BEES - {"hivescan"}
    assert len(cited(answers["choose"])) == 3
    assert set(cited(answers["choose"])) <= {"stale", "crust", "doughcast", "rye"}
    assert answers["chat"].text == HELP
    assert answers["similar"].confidence == answers["chat"].confidence == 1


def test_a_typing_error_is_mended_and_said(certain: Assistant) -> None:
    question = "which photographs was hivscan trained on"
    answer = certain.ask(question)
    assert (cited(answer), answer.question) == (["hivescan"], question)
    assert (answer.notice or "").startswith("Understood as “")


def test_doubtful_evidence_is_told(judging: Callable[..., Assistant], certain: Assistant) -> None:
    question = "what makes a refrigerator bad for bread"
    unknown = record().thresholds["paper"] / 2
    sure, unsure = certain.ask(question), judging(1.0, unknown, 0.9).ask(question)
    assert (sure.notice, unsure.notice) == (None, CAUTION)
    assert len(unsure.references) > len(sure.references) == 1
    assert unsure.confidence < sure.confidence


def test_the_smallest_indexes_answer_and_empty_papers_never_do(open_papers: Open) -> None:
    questions = ("How many kites does KiteNet keep in the air?", "What is on nothing?",
                 "Compare KiteNet and BoatNet", "Which papers are about kites?",
                 "What are the main themes?", "More like KiteNet")  # fmt: skip
    for papers in ([KITES], [EMPTY], [KITES, EMPTY], [KITES, BOATS, EMPTY]):
        assistant = open_papers(papers)
        for question in questions:
            answer = assistant.ask(question)
            keeps_the_promises(answer)
            assert "empty" not in cited(answer)


@settings(max_examples=25, deadline=None)
@given(st.text(max_size=60))
def test_any_text_has_a_wording_in_probabilities(encoder: SentenceEncoder, text: str) -> None:
    found = Reader(record(), encoder.encode_query).wording(text)
    assert found.asks.keys() == {*ASKS}
    for shares in (found.kinds.values(), found.facts.values(), found.asks.values()):
        assert sum(shares) == pytest.approx(1, abs=1e-4)
    assert 0 <= found.leans <= 1


_WORDS = st.sampled_from(
    [*NAMES, "TIDE", "GPT-9", *"which papers compare how many why vs and the digest June 3 both"
     " bees bridges mites similar to overview read first [1] **bold** it % \\cite{x} 88% 什么 – ?"
     .split()]
)  # fmt: skip


@settings(max_examples=20, deadline=None)
@given(st.lists(_WORDS | st.text(st.characters(exclude_categories=["Cs"]), max_size=8), max_size=9))
def test_anything_may_be_asked(certain: Assistant, doubting: Assistant, words: list[str]) -> None:
    question = " ".join(["bees", *words])
    for assistant in (certain, doubting):
        keeps_the_promises(assistant.ask(question))
    keeps_the_promises(doubting.ask(question, options=Options(strictness="lenient")))
