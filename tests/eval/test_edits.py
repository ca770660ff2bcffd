"""Edited sentences: what makes them false, what only rewords them."""

import pytest

from eval.edits import Edit, false_edits, rewordings

SOURCE = (
    "In this paper, we propose MindSearch (a framework), which outperforms 3 engines, "
    "and it does not need labels for any of them."
)
OTHER = "WebPlanner reduces the cost of four agents."


def texts(found: list[Edit], source: str = SOURCE) -> dict[str, str]:
    return {edit.kind: edit.text for edit in found if edit.source == source}


def test_a_false_edit_changes_one_thing() -> None:
    found = texts(false_edits([SOURCE, OTHER]))
    assert set(found) == {
        *("number", "name", "another paper", "negated", "affirmed", "denial cut", "opposite")
    }
    assert found["denial cut"] == "Need labels for any of them."
    assert " 3 engines" not in found["number"]
    assert "MindSearch" not in found["name"]
    assert "WebPlanner" in found["name"]
    assert "we do not propose" in found["negated"]
    assert "and it need labels" in found["affirmed"]
    assert "underperforms 3 engines" in found["opposite"]


def test_two_numbers_change_places() -> None:
    said = "It has 204 tasks by 1,442 authors."
    assert texts(false_edits([said], ["swapped numbers"]), said) == {
        "swapped numbers": "It has 1,442 tasks by 204 authors."
    }
    alike = ["It covers 30-40% of the four tasks, by 4 people."]
    assert all(" 30-40% " not in e.text for e in false_edits(alike, ["swapped numbers"]))
    assert false_edits(["It has 204 tasks by many authors."], ["swapped numbers"]) == []
    assert false_edits(["It has four tasks by 4 authors."], ["swapped numbers"]) == []


@pytest.mark.parametrize(
    ("said", "made"),
    [
        ("It runs for 3 minutes a day.", "It runs for 3 hours a day."),
        ("It gains 5.0% over the rest.", "It gains 5.0 points over the rest."),
        ("It needs 40 GB of memory.", "It needs 40 MB of memory."),
        ("It has 7 billion parameters in all.", "It has 7 million parameters in all."),
        ("It is 4× as fast as that.", "It is 4% as fast as that."),
    ],
)
def test_a_unit_becomes_another(said: str, made: str) -> None:
    assert texts(false_edits([said], ["unit"]), said) == {"unit": made}


def test_the_name_of_another_paper_comes_with_that_papers_sentence() -> None:
    (found, back) = false_edits([SOURCE, OTHER], ["another paper"])
    assert "we propose WebPlanner" in found.text
    assert (found.beside, back.beside) == (OTHER, SOURCE)
    assert false_edits([SOURCE], ["another paper"]) == []


@pytest.mark.parametrize(
    ("said", "made"),
    [
        ("It never touches the original training data.", "Touches the original training data."),
        ("Neither Quora nor MS MARCO is used at all.", "MS MARCO is used at all."),
    ],
)
def test_a_denial_is_cut_off(said: str, made: str) -> None:
    assert texts(false_edits([said], ["denial cut"]), said) == {"denial cut": made}


def test_number_words_become_other_number_words() -> None:
    found = texts(false_edits([OTHER], ["number"]), OTHER)["number"]
    assert "four" not in found
    assert found.startswith("WebPlanner reduces the cost of ")


def test_a_rewording_keeps_the_facts() -> None:
    found = texts(rewordings([SOURCE]))
    assert found["opening"].startswith("We propose MindSearch")
    assert found["passive"].startswith("MindSearch (a framework) is proposed")
    assert "(a framework)" not in found["brackets"]
    assert {"opening", "passive", "brackets", "synonym"} <= set(found)
    assert texts(rewordings([OTHER]), OTHER)["digits"] == "WebPlanner reduces the cost of 4 agents."


def test_a_last_clause_is_dropped_and_not_the_middle_of_one() -> None:
    said = "Agents can interact with pages, thereby finishing the task."
    assert texts(rewordings([said], ["clause"]), said) == {
        "clause": "Agents can interact with pages"
    }
    assert rewordings(["It is an approach in which agents act on pages."], ["clause"]) == []


def test_list_numbers_and_only_are_left_alone() -> None:
    assert false_edits(["(1) merging all of the shared knowledge"], ["number"]) == []
    assert "not only" not in " ".join(e.text for e in false_edits(["It is only fast and small."]))


@pytest.mark.parametrize("make", [false_edits, rewordings])
def test_the_same_sentences_give_the_same_edits_whatever_stands_beside_them(make) -> None:  # type: ignore[no-untyped-def]
    assert make([SOURCE, OTHER]) == make([SOURCE, OTHER])
    kinds = {"number", "negated", "synonym", "brackets"}
    alone = {k: v for k, v in texts(make([SOURCE])).items() if k in kinds}
    beside = {k: v for k, v in texts(make([OTHER, SOURCE])).items() if k in kinds}
    assert alone == beside


def test_another_seed_draws_otherwise() -> None:
    said = ["It covers 12 tasks, 30 tools, 45 users and 81 sites."]
    assert len({false_edits(said, ["number"], seed=seed)[0].text for seed in range(9)}) > 1
