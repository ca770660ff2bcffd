"""Which sightings are of one paper."""

from datetime import date
from itertools import permutations

import pytest

from index.papers import Paper, Source, apart, derived_id, identify, merge_all
from index.plan import Batch, plan_run

LONG = "We count owls at night with twelve cheap microphones and find most of the calls."
OTHER = "This year the society met in June, and eleven talks were given on hawks."


def paper(title: str, abstract: str = LONG, id_: str = "", **known: object) -> Paper:
    given = id_ or derived_id(title, abstract)
    return Paper(id=given, title=title, abstract=abstract, **known)  # type: ignore[arg-type]


def groups(*papers: Paper) -> int:
    """How many papers these are, whatever their order."""
    found = {len(set(identify(order))) for order in permutations(papers)}
    assert len(found) == 1
    return found.pop()


@pytest.mark.parametrize(
    ("papers", "count"),
    [
        ([paper("Notes of the Society of Owls"), paper("Notes of the Society of Owls", OTHER)], 2),
        ([paper("A Study of Soup", "I find 3 soups."), paper("A Study of Soup", "I find 5.")], 2),
        ([paper("Soup Study, Part I"), paper("Soup Study, Part II", OTHER)], 2),
        ([paper("Owls of the North", doi="10.1/a"), paper("Owls of the North", doi="10.2/b")], 1),
        ([paper("Owls of the North"), paper("OWLS of the north", f"{LONG} Code is free.")], 1),
        ([paper("Owls of the North", f"{LONG[:60]} …"), paper("Owls of the North")], 1),
        ([paper("Owls: a draft", arxiv="2403.1"), paper("Owls, at last", arxiv="2403.1")], 1),
        ([paper("Owls at Night", doi="10.1/A"), paper("Owls at Night", OTHER, doi="10.1/a")], 1),
        ([paper("Owls at Night", doi="10.1/p"), paper("Kettles by Day", OTHER, doi="10.1/p")], 2),
        ([paper("Owls at Night", pmid="7"), paper("Owls at Night", LONG, "x", pmid="7")], 1),
        ([paper("Owls at Night", LONG, "x"), paper("Owls at Night", LONG, "y")], 2),
        ([paper("Owls at Night", LONG, "1"), paper("Kettles by Day", OTHER, "1")], 2),
    ],
)  # fmt: skip
def test_papers_are_told_apart(papers: list[Paper], count: int) -> None:
    assert groups(*papers) == count


def test_a_paper_of_the_index_keeps_its_id_when_another_of_its_title_comes() -> None:
    first, second = paper("Notes of the Society"), paper("Notes of the Society", OTHER)
    for known, other in ((first, second), (second, first)):
        ids = identify([other, known], {known.id: known})
        assert ids[1] == known.id
        assert ids[0] != known.id
        again = [
            each.model_copy(update={"id": id_})
            for each, id_ in zip((other, known), ids, strict=True)
        ]
        assert identify(again, {each.id: each for each in again}) == ids


def test_the_richer_record_and_all_sources_are_kept() -> None:
    source = [Source(name=name, position=1) for name in ("a", "b")]
    whole = paper("Owls of the North", authors=("Ann Lee", "Bo Ek"), sources=(source[0],))
    cut = paper(
        "Owls of the North", "We count owls at night with …", authors=("A Lee",), doi="10.1/x",
        published="2024-03", sources=(source[1],),
    )  # fmt: skip
    for order in ((whole, cut), (cut, whole)):
        (both,) = merge_all(order).values()
        assert (both.abstract, both.authors, both.doi) == (LONG, ("Ann Lee", "Bo Ek"), "10.1/x")
        assert both.published == "2024-03"
        assert set(both.sources) == set(source)


def test_without_merging_each_sighting_is_a_paper() -> None:
    twice = [paper("Owls", sources=(Source(name=name, position=1),)) for name in ("a", "b")]
    assert len(set(apart(twice))) == 2
    assert apart(twice) == apart(twice)


def test_a_digest_without_a_date_keeps_the_day_on_which_it_came() -> None:
    came = paper("Owls", sources=(Source(name="a", dated="added", position=1),))
    first = plan_run(Batch([came]), [], {}, today=date(2025, 3, 3))
    (stored,) = first.after.values()
    assert stored.sources[0].date == date(2025, 3, 3)
    again = plan_run(Batch([came]), [stored], {}, today=date(2025, 4, 4))
    assert again.after == first.after
    assert first.merges == ()
