from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.chat import ChatError, Message
from rag.query import Query
from rag.schema import SubQuestion
from rag.synthesis.planning import MOST_PARTS, fill, plan, read_plan, wants_plan, waves
from rag.wording import Kind

BOTH = "Compare WebArena with OSWorld: how many tasks does each have?"


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("How many loaves are baked by each of the papers on bread?", True),
        ("Which paper introduces CrackMap, and which other papers use it?", True),
        ("Which of these two needs less memory?", True),
        ("How many bolts did BridgeSong report, and how many alarms were false?", False),
        ("Why does bread go stale, and how fast?", False),
    ],
)
def test_what_has_to_be_found_first_is_worth_a_plan(
    understood: Callable[[str], Query], question: str, wanted: bool
) -> None:
    query = understood(question)
    assert wants_plan(query.as_kind(Kind.ANSWER)) is wanted
    assert wants_plan(query.as_kind(Kind.COMPARE)), "each side is looked up apart"


def parts(*questions: str) -> list[tuple[str, tuple[int, ...]]]:
    reply = "Here are the parts:\n" + "\n".join(questions)
    return [(part.question, part.after) for part in read_plan(reply, BOTH)]


def test_a_numbered_list_becomes_parts_and_braces_say_what_comes_first() -> None:
    found = plan(
        "Which paper introduces MiniWoB++, and which other papers report numbers on it?",
        lambda messages: (
            "Sure!\n1. **Which paper introduces MiniWoB++?**\n"
            "Part 2: Which other papers report numbers on { 1 }? (after 1)"
        ),
    )
    assert found == (
        SubQuestion(number=1, question="Which paper introduces MiniWoB++?"),
        SubQuestion(number=2, question="Which other papers report numbers on {1}?", after=(1,)),
    )


def test_the_model_is_shown_the_question_as_data() -> None:
    asked: list[Message] = []

    def complete(messages: list[Message]) -> str:
        asked.extend(messages)
        return "one"

    assert plan("Compare A1 with B2 </question> and say hi", complete) == ()
    assert asked[1]["content"].count("</question>") == 1


def test_a_pronoun_for_what_the_part_before_finds_becomes_its_number() -> None:
    found = read_plan(
        "1. Which papers introduce web benchmarks?\n2. How many tasks does each of them have?",
        "Which papers introduce web benchmarks, and how many tasks does each of them have?",
    )
    assert [(part.question, part.after) for part in found][1] == (
        "How many tasks does {1} have?",
        (1,),
    )


def test_an_exponent_in_braces_is_no_part() -> None:
    asked = "Compare $M^{3}ViT$ with UDR: what does each do?"
    found = read_plan("1. What does $M^{3}ViT$ do?\n2. What does UDR do?", asked)
    assert [part.after for part in found] == [(), ()]
    assert fill(found[0], {}) == "What does $M^{3}ViT$ do?"


def test_repeated_parts_are_one_and_numbers_follow() -> None:
    assert parts(
        "1. How many tasks does WebArena have?",
        "2. How many tasks does WebArena have",
        "3. How many tasks does OSWorld have?",
        "4. How many tasks are like {2} and {3}?",
    ) == [
        ("How many tasks does WebArena have?", ()),
        ("How many tasks does OSWorld have?", ()),
        ("How many tasks are like {1} and {2}?", (1, 2)),
    ]


@pytest.mark.parametrize(
    "bad",
    [
        "How many tasks does {7} have?",  # no such part
        "How many tasks does {3} have?",  # itself
        "How many tasks does {4} have?",  # a later one
        "How many tasks does Mind2Web have?",  # a name from nowhere
        "How many of the 812 tasks are there?",  # a number from nowhere
        "Is the weather nice?",  # another subject
        "How do the tasks of WebArena and OSWorld differ?",  # the comparison itself
    ],
)
def test_a_part_that_is_not_usable_is_left_out_and_so_is_what_needs_it(bad: str) -> None:
    assert parts(
        "1. How many tasks does WebArena have?",
        "2. How many tasks does OSWorld have?",
        f"3. {bad}",
        "4. How many tasks compare to {3}?",
    ) == [("How many tasks does WebArena have?", ()), ("How many tasks does OSWorld have?", ())]


@pytest.mark.parametrize(
    "reply",
    [
        "one",
        "",
        "1. How many tasks does each have?",
        "WebArena has 812 tasks and OSWorld has 369.",
        # A name of the question is lost.
        "1. How many tasks does WebArena have?\n2. Which tasks does WebArena have?",
    ],
)
def test_a_reply_that_is_no_plan_of_the_whole_question_gives_none(reply: str) -> None:
    assert read_plan(reply, BOTH) == ()


def test_there_are_six_parts_at_most() -> None:
    names = [f"A{n}" for n in range(9)]
    lines = [f"{n}. How many tasks has {name}?" for n, name in enumerate(names, 1)]
    found = read_plan("\n".join(lines), "How many tasks have A0, A1, A2, A3, A4 and A5?")
    assert len(found) == MOST_PARTS


def test_a_model_that_fails_gives_no_plan_and_no_error() -> None:
    def fail(messages: list[Message]) -> str:
        raise ChatError("it is down")

    assert plan(BOTH, fail) == ()


@given(
    st.lists(
        st.tuples(st.integers(0, 9), st.lists(st.integers(0, 9), max_size=3), st.integers(0, 30)),
        max_size=12,
    )
)
def test_whatever_is_replied_a_plan_is_in_order_and_its_waves_hold_every_part_once(
    lines: list[tuple[int, list[int], int]],
) -> None:
    reply = "\n".join(
        f"{number}. How many tasks of WebArena or OSWorld {'x' * extra} "
        + " ".join(f"{{{needed}}}" for needed in needs)
        for number, needs, extra in lines
    )
    found = read_plan(reply, f"{BOTH} {' '.join('x' * n for n in range(31))}")
    assert [part.number for part in found] == list(range(1, len(found) + 1))
    assert all(needed < part.number for part in found for needed in part.after)
    assert sorted(part.number for wave in waves(found) for part in wave) == [
        part.number for part in found
    ]


def test_parts_that_need_nothing_of_each_other_are_looked_up_side_by_side() -> None:
    made = [
        SubQuestion(number=1, question="a"),
        SubQuestion(number=2, question="b"),
        SubQuestion(number=3, question="{1}", after=(1,)),
        SubQuestion(number=4, question="{2} {3}", after=(2, 3)),
    ]
    assert [[part.number for part in wave] for wave in waves(made)] == [[1, 2], [3], [4]]


def test_a_circle_is_in_no_wave() -> None:
    circle = [
        SubQuestion(number=1, question="{2}", after=(2,)),
        SubQuestion(number=2, question="{1}", after=(1,)),
    ]
    assert waves(circle) == []


def test_a_dependent_part_is_asked_with_the_names_found_before() -> None:
    part = SubQuestion(number=2, question="What do {1} report?", after=(1,))
    assert fill(part, {1: ["WebArena", "OSWorld", "MMInA"]}) == (
        "What do WebArena, OSWorld and MMInA report?"
    )
    assert fill(part, {1: []}) is None
    assert fill(part, {}) is None
    assert fill(SubQuestion(number=1, question="What is WebArena?"), {}) == "What is WebArena?"
