"""Who something is said of, where two texts are cited."""

from rag.support.attribution import borrowed_name

MIND = "MindSearch: It gathers pages from the web within three minutes."
WORLD = "OSWorld: It has tasks in real applications."


def test_a_name_that_only_the_other_text_has_is_borrowed() -> None:
    said = "OSWorld gathers pages from the web within three minutes."
    assert borrowed_name(said, [MIND, WORLD]) == "OSWorld"
    assert borrowed_name(said, [WORLD, MIND]) == "OSWorld"


def test_what_both_texts_say_something_of_is_not() -> None:
    both = "MindSearch gathers pages from the web, and OSWorld has tasks in applications."
    assert borrowed_name(both, [MIND, WORLD]) is None
    assert borrowed_name("MindSearch gathers pages within three minutes.", [MIND, WORLD]) is None


def test_one_text_alone_borrows_from_none_and_it_may_stand_for_a_name() -> None:
    said = "OSWorld gathers pages from the web within three minutes."
    assert borrowed_name(said, [MIND]) is None
    assert borrowed_name(said, ["It gathers pages from the web.", WORLD]) is None
