"""Ids and merging: the same paper is the same everywhere and in any order."""

from datetime import date
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from index.papers import ID_LENGTH, Paper, Source, derived_id, merge, merge_all

LONG = "Herding Cats with Lasers at Scale"
OTHER = "Why Dogs Prefer the Left Sofa"


def sighting(
    title: str = LONG, abstract: str = "Cats follow dots.", id_: str | None = None, **known: object
) -> Paper:
    paper_id = id_ or derived_id(title, abstract)
    return Paper(id=paper_id, title=title, abstract=abstract, **known)  # type: ignore[arg-type]


def source(name: str, day: int = 1, position: int = 1) -> Source:
    return Source(name=name, date=date(2025, 4, day), position=position)


def test_an_id_is_a_constant_of_the_title() -> None:
    assert derived_id(LONG, "anything") == "aa335c4545b12c25"
    assert len(derived_id(LONG, "")) == ID_LENGTH


def test_case_space_accents_and_latex_do_not_change_an_id() -> None:
    written = [r'M^{3}Purr: R\"ove  {Cats} of Z\"urich', "M³Purr: Röve cats of zürich",
               "M$^3$Purr:\nRöve Cats~of Zürich", "m3purr rove cats of ZURICH"]  # fmt: skip
    assert len({derived_id(title, "") for title in written}) == 1


def test_a_short_title_counts_with_the_opening_of_its_abstract() -> None:
    assert derived_id("Editorial", "Cats.") != derived_id("Editorial", "Dogs.")
    assert derived_id("Editorial", "Cats, ok.") == derived_id("editorial", "cats  ok")
    assert derived_id(LONG, "Cats.") == derived_id(LONG, "Dogs.")


def test_merging_keeps_newer_text_and_every_known_field() -> None:
    old = sighting(abstract="Old.", year=2024, venue="CatConf", sources=(source("b", 2),))
    new = sighting(abstract="New.", doi="10.1/2", sources=(source("a", 1),))
    both = merge(old, new)
    assert (both.abstract, both.year, both.venue, both.doi) == ("New.", 2024, "CatConf", "10.1/2")
    assert [s.name for s in both.sources] == ["a", "b"]


def test_an_id_that_was_given_wins_in_any_order() -> None:
    given_id, derived = sighting(id_="cat:1"), sighting(LONG.upper(), sources=(source("a"),))
    for order in permutations([given_id, derived]):
        merged = merge_all(order)
        assert list(merged) == ["cat:1"]
        assert merged["cat:1"].sources == (source("a"),)


def test_different_given_ids_stay_different_papers() -> None:
    for order in permutations([sighting(id_="b"), sighting(id_="a"), sighting(year=2020)]):
        merged = merge_all(order)
        assert set(merged) == {"a", "b"}
        assert (merged["a"].year, merged["b"].year) == (2020, None)


sightings = st.builds(
    sighting,
    st.sampled_from([LONG, LONG.lower(), OTHER, "Editorial", "Notes"]),
    st.sampled_from(["Cats follow dots.", "Dogs do not."]),
    st.sampled_from([None, None, "x", "y", derived_id(OTHER, "")]),
)


@given(st.lists(sightings, max_size=8).flatmap(lambda s: st.tuples(st.just(s), st.permutations(s))))
def test_the_order_of_sightings_does_not_change_ids(
    orders: tuple[list[Paper], list[Paper]],
) -> None:
    first, second = map(merge_all, orders)
    assert set(first) == set(second)
    assert all(paper.id == id_ for id_, paper in first.items())


@given(st.lists(sightings, max_size=8))
def test_merging_what_was_merged_changes_nothing(papers: list[Paper]) -> None:
    once = merge_all(papers)
    assert merge_all(once.values()) == once
