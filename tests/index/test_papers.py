"""What a paper is, and which sightings are of one."""

from collections.abc import Iterable
from datetime import date
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.papers import Paper, Source, derived_id, identify, merge_as
from index.plan import Batch, plan_run

LONG = "Herding Cats with Lasers at Scale"
OTHER = "Why Dogs Prefer the Left Sofa"
OWLS = "We count owls at night with twelve cheap microphones and find most of the calls."
HAWKS = "This year the society met in June, and eleven talks were given on hawks."


def paper(title: str = LONG, abstract: str = OWLS, id_: str = "", **known: object) -> Paper:
    paper_id = id_ or derived_id(title, abstract)
    return Paper(id=paper_id, title=title, abstract=abstract, **known)  # type: ignore[arg-type] # by name


def source(name: str) -> Source:
    return Source(name=name, date=date(2025, 4, 1), position=1)


def merge_all(papers: Iterable[Paper]) -> dict[str, Paper]:
    sightings = list(papers)
    return merge_as(sightings, identify(sightings))


def test_an_id_is_of_the_letters_of_a_title_and_of_a_short_one_with_its_abstract() -> None:
    assert derived_id(LONG, "anything") == "aa335c4545b12c25"
    written = [r'M^{3}Purr: R\"ove  {Cats} of Z\"urich', "M³Purr: Röve cats of zürich",
               "M$^3$Purr:\nRöve Cats~of Zürich", "m3purr rove cats of ZURICH"]  # fmt: skip
    assert len({derived_id(title, "") for title in written}) == 1
    assert derived_id("Editorial", "Cats.") != derived_id("Editorial", "Dogs.")
    assert derived_id("Editorial", "Cats, ok.") == derived_id("editorial", "cats  ok")
    assert derived_id(LONG, "Cats.") == derived_id(LONG, "Dogs.")


sightings = st.builds(
    paper,
    st.sampled_from([LONG, LONG.lower(), OTHER, "Editorial", "Notes"]),
    st.sampled_from(["Cats follow dots.", "Dogs do not."]),
    st.sampled_from(["", "", "x", "y", derived_id(OTHER, "")]),
)


@given(st.lists(sightings, max_size=8).flatmap(lambda s: st.tuples(st.just(s), st.permutations(s))))
def test_the_order_of_sightings_changes_no_id_and_merging_again_nothing(
    orders: tuple[list[Paper], list[Paper]],
) -> None:
    first, second = map(merge_all, orders)
    assert set(first) == set(second)
    assert all(paper.id == id_ for id_, paper in first.items())
    assert merge_all(first.values()) == first


@pytest.mark.parametrize(
    ("papers", "count"),
    [
        ([paper("Notes of the Society of Owls"), paper("Notes of the Society of Owls", HAWKS)], 2),
        ([paper("A Study of Soup", "I find 3 soups."), paper("A Study of Soup", "I find 5.")], 2),
        ([paper("Soup Study, Part I"), paper("Soup Study, Part II", HAWKS)], 2),
        ([paper("Owls of the North", doi="10.1/a"), paper("Owls of the North", doi="10.2/b")], 1),
        ([paper("Owls of the North"), paper("OWLS of the north", f"{OWLS} Code is free.")], 1),
        ([paper("Owls of the North", f"{OWLS[:60]} …"), paper("Owls of the North")], 1),
        ([paper("Owls: a draft", arxiv="2403.1"), paper("Owls, at last", arxiv="2403.1")], 1),
        ([paper("Owls at Night", doi="10.1/A"), paper("Owls at Night", HAWKS, doi="10.1/a")], 1),
        ([paper("Owls at Night", doi="10.1/p"), paper("Kettles by Day", HAWKS, doi="10.1/p")], 2),
        ([paper("Owls at Night", pmid="7"), paper("Owls at Night", OWLS, "x", pmid="7")], 1),
        ([paper("Owls at Night", OWLS, "x"), paper("Owls at Night", OWLS, "y")], 2),
        ([paper("Owls at Night", OWLS, "1"), paper("Kettles by Day", HAWKS, "1")], 2),
    ],
)  # fmt: skip
def test_papers_are_told_apart(papers: list[Paper], count: int) -> None:
    assert {len(set(identify(order))) for order in permutations(papers)} == {count}


def test_a_paper_of_the_index_keeps_its_id_when_another_of_its_title_comes() -> None:
    first, second = paper("Notes of the Society"), paper("Notes of the Society", HAWKS)
    for known, other in ((first, second), (second, first)):
        ids = identify([other, known], {known.id: known})
        assert ids[1] == known.id
        assert ids[0] != known.id
        named = zip((other, known), ids, strict=True)
        again = [each.model_copy(update={"id": id_}) for each, id_ in named]
        assert identify(again, {each.id: each for each in again}) == ids


def test_the_richer_record_and_all_sources_are_kept() -> None:
    whole = paper("Owls of the North", authors=("Ann Lee", "Bo Ek"), sources=(source("a"),))
    cut = paper(
        "Owls of the North", "We count owls at night with …", authors=("A Lee",), doi="10.1/x",
        published="2024-03", sources=(source("b"),),
    )  # fmt: skip
    for order in ((whole, cut), (cut, whole)):
        (both,) = merge_all(order).values()
        assert (both.abstract, both.authors, both.doi) == (OWLS, ("Ann Lee", "Bo Ek"), "10.1/x")
        assert both.published == "2024-03"
        assert set(both.sources) == {source("a"), source("b")}


def test_a_digest_without_a_date_keeps_the_day_on_which_it_came() -> None:
    came = paper("Owls", sources=(Source(name="a", dated="added", position=1),))
    first = plan_run(Batch([came]), [], {}, today=date(2025, 3, 3))
    (stored,) = first.after.values()
    assert stored.sources[0].date == date(2025, 3, 3)
    again = plan_run(Batch([came]), [stored], {}, today=date(2025, 4, 4))
    assert again.after == first.after
    assert first.outcome(Batch([came])).merges == ()
