"""Options bind: another model, the number of sources, how strictly an answer is given."""

import asyncio
from collections.abc import Callable
from typing import Literal

import pytest
from made_up import cited, keeps_the_promises

from index.errors import InputError
from rag import Answer, Assistant, Filters, Options
from rag.schema import Finished

BEES = "Which papers are about honey bees?"
STRICT, LENIENT = Options(strictness="strict"), Options(strictness="lenient")


@pytest.mark.parametrize("question", [BEES, "Compare HiveScan and CrackMap"])
@pytest.mark.parametrize("sources", [1, 2, 20])
def test_no_more_papers_are_cited_than_sources(
    certain: Assistant, question: str, sources: int
) -> None:
    whole = certain.ask(question)
    answer = certain.ask(question, options=Options(sources=sources))
    keeps_the_promises(answer)
    assert cited(answer) == cited(whole)[:sources]
    assert answer.confidence == pytest.approx(whole.confidence)
    count = len(whole.references)
    cut = f"Only {sources} of the {count} papers that fit"
    assert (answer.notice or "").startswith(cut) == (sources < count)


def test_a_strict_answer_is_given_only_if_it_is_more_likely_right_than_not(
    judging: Callable[..., Assistant], certain: Assistant
) -> None:
    question = "How many mites does HiveScan find?"
    doubtful = judging(1.0, 0.6, 0.6)
    assert doubtful.ask(question).status == "answered"
    strict = doubtful.ask(question, options=STRICT)
    keeps_the_promises(strict)
    assert strict.status == "insufficient_evidence"
    assert "strict answer (36%)" in (strict.reason or "")
    assert certain.ask(question, options=STRICT).text == certain.ask(question).text


@pytest.mark.parametrize(
    ("question", "filters"),
    [
        ("Which papers are about bees?", Filters(title="zebra")),
        ("How many mites does HiveScan find?", Filters(title="CrackMap")),
        ("What was in the May 3 digest?", Filters()),
        ("What is TIDE?", Filters()),
    ],
)
def test_a_lenient_answer_does_not_make_up_for_filters_or_for_what_is_unclear(
    doubting: Assistant, question: str, filters: Filters
) -> None:
    answer = doubting.ask(question, filters=filters, options=LENIENT)
    keeps_the_promises(answer)
    assert answer.status == "insufficient_evidence"


@pytest.mark.parametrize("mode", ["auto", "extractive", "generative"])
def test_a_model_without_an_endpoint_is_one_clear_line(
    library: Assistant, mode: Literal["auto", "extractive", "generative"]
) -> None:
    with pytest.raises(InputError, match="'other' cannot be asked") as error:
        library.ask("What is HiveScan?", mode=mode, options=Options(model="other"))
    assert "\n" not in str(error.value)
    assert library.chat_models() == []


def test_options_reach_every_way_of_asking(certain: Assistant) -> None:
    one = Options(sources=1)

    async def asked() -> list[Answer]:
        answer = await certain.aask(BEES, options=one)
        events = [event async for event in certain.astream(BEES, options=one)]
        return [answer, *(event.answer for event in events if isinstance(event, Finished))]

    events = certain.stream(BEES, options=one)
    streamed = [event.answer for event in events if isinstance(event, Finished)]
    answers = [*asyncio.run(asked()), *streamed]
    assert [len(answer.references) for answer in answers] == [1, 1, 1]
