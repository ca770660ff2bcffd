from handmade import FERNS, MOSS, ask

from eval.probes import by_name, with_typos
from index.papers import Paper


def test_a_typing_error_swaps_two_letters_inside_the_longest_word() -> None:
    asked = ask(MOSS, question="Which network is trained on ferns?")
    (mistyped,) = with_typos([asked])
    changed = [
        (one, other)
        for one, other in zip(asked.question.split(), mistyped.question.split(), strict=True)
        if one != other
    ]
    ((before, after),) = changed
    assert before in {"network", "trained"}
    assert after != before
    assert sorted(after) == sorted(before)
    assert (after[0], after[-1]) == (before[0], before[-1])
    assert mistyped.papers == asked.papers
    assert with_typos([asked]) == [mistyped]


def test_a_question_of_short_words_stays_as_it_is() -> None:
    asked = ask(MOSS, question="How wet?")
    assert with_typos([asked]) == [asked]


def test_papers_are_asked_about_by_the_name_their_title_begins_with() -> None:
    peat = Paper(id="p", title="PeatNet: Reading Water Tables", abstract="PeatNet reads.")
    found = by_name([peat, FERNS, peat.model_copy(update={"id": "q"}), peat])
    assert [question.id for question in found] == ["p", "q", "p"]
    assert found[0].question == "What is PeatNet?"
    assert "peatnet" in found[2].question
    assert found[0].papers == (peat.title,)
