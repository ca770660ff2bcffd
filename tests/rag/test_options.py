"""Options bind: another model, the number of sources, how strictly an answer is given."""

import asyncio
from typing import Literal

import pytest
from made_up import keeps_the_promises
from pydantic import ValidationError

from index.errors import InputError
from rag import Answer, Assistant, Filters, Options
from rag.limiting import LEAST_CONFIDENCE

MERGING = "Which papers are about model merging?"


@pytest.mark.parametrize("sources", [0, 21])
def test_a_number_of_sources_out_of_range_is_refused(sources: int) -> None:
    with pytest.raises(ValidationError):
        Options(sources=sources)


@pytest.mark.parametrize("sources", [1, 2, 20])
def test_no_more_papers_are_cited_than_sources(sample_assistant: Assistant, sources: int) -> None:
    whole = sample_assistant.ask(MERGING)
    answer = sample_assistant.ask(MERGING, options=Options(sources=sources))
    keeps_the_promises(answer)
    assert [r.paper.id for r in answer.references] == [r.paper.id for r in whole.references][
        :sources
    ]
    assert answer.confidence == pytest.approx(whole.confidence)
    count = len(whole.references)
    assert count > 2
    cut = f"Only {sources} of the {count} papers that fit"
    assert (answer.notice or "").startswith(cut) == (sources < count)


def test_a_counted_list_that_is_cut_says_how_many_there_are(sample_assistant: Assistant) -> None:
    question = "How many papers are about model merging?"
    whole = sample_assistant.ask(question)
    answer = sample_assistant.ask(question, options=Options(sources=1))
    assert answer.sentences[0].text == whole.sentences[0].text
    assert len(answer.references) == 1


def test_a_comparison_with_fewer_sources_than_papers_says_so(sample_assistant: Assistant) -> None:
    answer = sample_assistant.ask("Compare OSWorld and AndroidWorld", options=Options(sources=1))
    keeps_the_promises(answer)
    assert len(answer.references) == 1
    assert answer.notice is not None
    assert answer.notice.startswith("Only 1 of the 2 papers that the question is about is cited")


def test_a_whole_digest_is_listed_up_to_the_number_of_sources(sample_assistant: Assistant) -> None:
    answer = sample_assistant.ask(
        "List the papers of the Mar 14 digest", options=Options(sources=2)
    )
    keeps_the_promises(answer)
    assert len(answer.references) == 2
    assert "more are not shown" in answer.text


def test_a_strict_answer_is_given_only_if_it_is_sure_enough(sample_assistant: Assistant) -> None:
    question = "Which benchmark is hard for agents?"
    normal = sample_assistant.ask(question)
    assert normal.status == "answered"
    assert normal.confidence is not None
    assert normal.confidence < LEAST_CONFIDENCE
    strict = sample_assistant.ask(question, options=Options(strictness="strict"))
    keeps_the_promises(strict)
    assert strict.status == "insufficient_evidence"
    assert "strict" in (strict.reason or "")
    assert strict.confidence is None


def test_a_strict_answer_that_is_sure_is_the_normal_one(sample_assistant: Assistant) -> None:
    question = "How many tasks does OSWorld have?"
    strict = sample_assistant.ask(question, options=Options(strictness="strict"))
    assert strict.text == sample_assistant.ask(question).text


LENIENT = Options(strictness="lenient")


@pytest.mark.parametrize(
    ("question", "papers"),
    [
        ("boiling point of mercury?", 1),
        ("Which papers are about kites?", 3),
        ("Which optimizer does LoRAMoE use?", 1),
    ],
)
def test_a_lenient_answer_quotes_what_comes_nearest(
    sample_assistant: Assistant, question: str, papers: int
) -> None:
    refusal = sample_assistant.ask(question)
    assert refusal.status == "insufficient_evidence"
    answer = sample_assistant.ask(question, options=LENIENT)
    keeps_the_promises(answer)
    assert answer.status == "answered"
    assert len(answer.references) == papers
    assert answer.notice is not None
    assert answer.notice.startswith(refusal.reason or "?")
    assert "beside the question" in answer.notice
    assert answer.confidence is None
    fewer = sample_assistant.ask(question, options=Options(strictness="lenient", sources=1))
    assert len(fewer.references) == 1
    assert fewer.notice == answer.notice


@pytest.mark.parametrize(
    ("question", "filters"),
    [
        ("What does Voyager do in Minecraft?", Filters()),
        ("How does the FooBarNet-7 brew coffee?", Filters()),
        ("How many layers does LoRAMoE have?", Filters()),
        ("Which papers mention Voyager?", Filters()),
        ("Which papers are about kites?", Filters(title="zebra")),
        ("What is WebArena?", Filters(title="OSWorld")),
        ("thanks", Filters()),
        ("What was in the Mar 3 digest?", Filters()),
    ],
)
def test_a_lenient_answer_makes_up_for_no_more_than_distance(
    sample_assistant: Assistant, question: str, filters: Filters
) -> None:
    answer = sample_assistant.ask(question, filters=filters, options=LENIENT)
    keeps_the_promises(answer)
    assert answer.status == "insufficient_evidence"


@pytest.mark.parametrize("mode", ["auto", "extractive", "generative"])
def test_a_model_without_an_endpoint_is_one_clear_line(
    sample_assistant: Assistant, mode: Literal["auto", "extractive", "generative"]
) -> None:
    with pytest.raises(InputError, match="'other' cannot be asked") as error:
        sample_assistant.ask("What is OSWorld?", mode=mode, options=Options(model="other"))
    assert "\n" not in str(error.value)
    assert sample_assistant.chat_models() == []


def test_options_reach_every_way_of_asking(sample_assistant: Assistant) -> None:
    one = Options(sources=1)

    async def both() -> tuple[Answer, int]:
        answer = await sample_assistant.aask(MERGING, options=one)
        last = [event async for event in sample_assistant.astream(MERGING, options=one)][-1]
        return answer, len(getattr(last, "answer").references)  # noqa: B009

    answer, streamed = asyncio.run(both())
    *_, finished = sample_assistant.stream(MERGING, options=one)
    assert len(answer.references) == streamed == 1
    assert len(getattr(finished, "answer").references) == 1  # noqa: B009
