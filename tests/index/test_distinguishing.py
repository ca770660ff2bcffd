"""The terms that name groups of papers."""

from hypothesis import given
from hypothesis import strategies as st

from index.collection_map import MOST_TERMS, distinguishing_terms
from index.papers import Paper


def paper(title: str, abstract: str = "We propose a novel model and show results.") -> Paper:
    return Paper(id=title, title=title, abstract=abstract)


KITES = [
    paper(f"{kind} kites for the sky", "The kites fly. Reinforcement learning steers the kites.")
    for kind in ("Box", "Delta", "Sled", "Rokkaku")
]
BOATS = [
    paper(f"{kind} boats on Rivers", "These boats float. Reinforcement learning steers each boat.")
    for kind in ("Rowing", "Sailing", "Paper", "Ferry")
]


def test_a_group_is_named_by_what_the_others_do_not_have() -> None:
    kites, boats = distinguishing_terms([*KITES, *BOATS], [0] * 4 + [1] * 4, 2)
    assert kites[0] == "kites"
    assert boats[0] == "boats"
    assert not {"reinforcement learning", "learning", "model"} & {*kites, *boats}


def test_a_pair_stands_for_its_words_where_they_go_together() -> None:
    group = [paper(f"Continual learning, part {n}") for n in "abcd"]
    other = [paper(f"Hungry cats in part {n}") for n in "abcd"]
    terms, _ = distinguishing_terms([*group, *other], [0] * 4 + [1] * 4, 2)
    assert terms[0] == "Continual learning"
    assert "learning" not in terms


def test_a_paper_that_repeats_its_own_name_does_not_name_the_group() -> None:
    loud = paper(
        "KiteNet", "KiteNet is KiteNet, and KiteNet beats all but KiteNet. It flies kites."
    )
    terms, _ = distinguishing_terms([loud, *KITES, *BOATS], [0] * 5 + [1] * 4, 2)
    assert "KiteNet" not in terms


@given(st.lists(st.tuples(st.text(), st.text(), st.integers(0, 2)), min_size=1, max_size=12))
def test_any_text_gives_a_few_terms_a_group(rows: list[tuple[str, str, int]]) -> None:
    papers = [
        Paper(id=str(n), title=title, abstract=text) for n, (title, text, _) in enumerate(rows)
    ]
    groups = [group for *_, group in rows] + [0, 1, 2]
    papers += [paper("Spare one"), paper("Spare two"), paper("Spare three")]
    found = distinguishing_terms(papers, groups, 3)
    assert len(found) == 3
    assert all(len(terms) <= MOST_TERMS and all(terms) for terms in found)
