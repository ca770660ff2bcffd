from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.names import Named, Names
from index.papers import Paper


def papers(*texts: tuple[str, str]) -> list[Paper]:
    """Papers of these titles and abstracts, in this order."""
    rows = enumerate(texts)
    return [Paper(id=f"{row:04}", title=title, abstract=text) for row, (title, text) in rows]


SHELF = papers(
    ("KettleBench: Boiling Water on Request", "We introduce KettleBench, which boils water."),
    ("HoME: Chores in a Simulated House", "HoME lets a machine tidy up."),
    ("Dropping Leaves in Autumn", "We propose Drop Autumn REmains (DARE). Few dare to try."),
    ("Model Gluing: A Survey", "Everything on model gluing is here."),
    ("Weights in Pairs", "A trick for model gluing that GPT-4 and GPT-3.5/GPT-4 do not need."),
    ("Pebbleland: Stones to Sort", "A game of many stones, seen at home by LLMs."),
    ("Counting the Quiet Owls of a Northern Forest by Night", "Owls were counted by LLMs."),
    ("One for Each: A Shared Spoon", "Spoons, with Llama 3 at the table."),
)
TABLE = Names.build(SHELF)


def of(name: str, text: str, table: Names = TABLE) -> Named | None:
    """What was read as `name` in a text, if it was."""
    return next((named for named in table.read(text) if named.text == name), None)


@pytest.mark.parametrize(
    ("one", "other"),
    [("Q-PEBL", "QPEBL"), ("StoneMatrix.AI", "StoneMatrix AI"), ("M$^{3}$Spoon", "M3Spoon"),
     ("KettleBench", "kettlebench"), ("Señorío-2", "Senorio2"), ("TeaPot™", "TeaPot"),
     ("QZP/IX", "QZPIX"), ("Lmur3", "Lmur 3"), ("KPMs", "KPM")],
)  # fmt: skip
def test_spellings_of_one_name_meet_in_both_directions(one: str, other: str) -> None:
    for written, asked in ((one, other), (other, one)):
        table = Names.build(papers((f"{written}: Spoons", "Spoons."), ("Forks", "Not spoons.")))
        named = table.read(f"Does a spoon of {asked} bend?")
        assert [found.own for found in named] == [(0,)], (written, asked)
        mentioning = Names.build(papers(("Forks", "None."), ("Cups", f"We fill {written} twice.")))
        found = [found.mentioned for found in mentioning.read(f"Does a spoon of {asked} bend?")]
        if any(c.isupper() or c.isdigit() for c in asked[1:]) and "/" not in asked:
            assert found == [(1,)], (written, asked)


COINED = [
    ("We propose a robust twin cup machine (R-TCM) for tea.", "RTCM"),
    ("In this work we present CupFuME, a stove.", "CupFuME"),
    ("A stove called Quarrel warms them.", "Quarrel"),
]
FIELD = [(f"Study {n}", "We ask large language models (LLMs), and an LLM.") for n in range(9)]


@pytest.mark.parametrize(
    ("texts", "name", "own", "mentioned"),
    [
        ([("Marks", "We see H3K56Ac."), ("More", "We see H3K56 alone.")], "H3K56", (), (0, 1)),
        ([("Marks", "We see H3K56Ac."), ("More", "We see H3K56 alone.")], "H3K56Ac", (), (0, 1)),
        ([("A", "GPT-4 is."), ("B", "GPT-4o is."), ("C", "GPT-40 is.")], "GPT-4", (), (0,)),
        ([("A", "GPT-4 is."), ("B", "GPT-4o is."), ("C", "GPT-40 is.")], "GPT-4o", (), (1,)),
        ([("SPOT: Cups", "Cups."), ("Forks", "Forks."), ("SPOT: Jars", "Jars.")], "SPOT",
         (0, 2), (0, 2)),
        ([("A Study (LLM)", "We propose an LLM."), *FIELD], "LLM", (), tuple(range(10))),
        *(([("Forks", "We use forks."), ("Warm Cups", text)], name, (1,), (1,))
          for text, name in COINED),
        ([("Twin Cup Machines", "These are twin cup machines (TCM).")], "TCM", (0,), (0,)),
        ([("Warm Cups (WACU) for Tea", "Cups.")], "WACU", (0,), (0,)),
    ],
)  # fmt: skip
def test_a_name_is_of_the_papers_that_coin_it_and_in_those_that_have_it(
    texts: list[tuple[str, str]], name: str, own: tuple[int, ...], mentioned: tuple[int, ...]
) -> None:
    found = of(name, f"What does {name} do?", Names.build(papers(*texts)))
    assert found == Named(name, 10, 10 + len(name), own, mentioned, True)


def test_a_phrase_that_others_use_is_a_topic_unless_it_is_written_as_a_name() -> None:
    assert TABLE.read("what is model gluing?") == ()
    for text in ("What is Model Gluing?", 'what is "model gluing"?'):
        (named,) = TABLE.read(text)
        assert (named.own, named.mentioned, named.proper) == ((3,), (3, 4), True)
    called = [TABLE.called(row) for row in (0, 1, 2, 3, 5, 6)]
    assert called == ["KettleBench", "HoME", None, None, "Pebbleland", None]
    table = Names.build(papers(("Tea with CupFuME at Last", "We introduce CupFuME.")))
    assert table.called(0) == "CupFuME"


@pytest.mark.parametrize(
    "text",
    ["counting the quiet owls of a northern forest by night",
     'which owls are in "quiet owls of a northern forest"?',
     "the paper counting the quiet owls of a northern forest, please"],
)  # fmt: skip
def test_a_title_or_a_long_part_of_one_names_the_paper(text: str) -> None:
    (named,) = TABLE.read(text)
    assert (named.own, named.mentioned, named.proper) == ((6,), (6,), True)


def test_a_name_that_no_paper_has_is_read_with_no_papers() -> None:
    for name in ("GPT-9", "Zorbl", "KettleBench-Z", "Llama 5", "XQZ"):
        assert of(name, f"How does {name} do?") == Named(name, 9, 9 + len(name), (), (), True)


@pytest.mark.parametrize(
    "text",
    ["In June 2024 or on Monday", "Is 7B or 4-bit or 3rd or top-5 or 10x best?", "WHAT IS IT?",
     "Which Of The Many Spoons Are Better?", "who dares to stay at home?", "we dare",
     "is there one for each of us?"],
)  # fmt: skip
def test_dates_quantities_and_ordinary_words_are_no_names(text: str) -> None:
    assert TABLE.read(text) == ()


WORDS = st.sampled_from(
    "KettleBench home HoME GPT-4 GPT-3.5/GPT-4 Llama 3 ﬁre M³ é e\u0301 quiet owls of a northern "
    "model Gluing, one for each. “ ” ( ) - / ' ’s ++ ^{3} \U0001f600 İ ß ™ \n 名前".split(" ")
)


@given(st.one_of(st.text(), st.lists(WORDS).map(" ".join), st.lists(WORDS).map("".join)))
def test_names_index_the_text_in_order_and_never_overlap(text: str) -> None:
    end = 0
    for named in TABLE.read(text):
        assert end <= named.start < named.end
        assert text[named.start : named.end] == named.text
        assert set(named.own) <= set(named.mentioned) <= set(range(len(SHELF)))
        assert [*named.mentioned] == sorted(named.mentioned)
        end = named.end


SPELLINGS = (Path(__file__).parent / "spellings.txt").read_text().strip().split("\n\n")
KNOWN = [(known.title, known.abstract) for known in SHELF]
GROWN = papers(*KNOWN, *(entry.split("\n") for entry in SPELLINGS))


@given(st.data())
@settings(max_examples=120, deadline=None)
def test_a_table_carried_on_is_the_table_built_anew(draw: st.DataObject) -> None:
    before = draw.draw(st.lists(st.sampled_from(GROWN), unique_by=lambda paper: paper.id))
    after = draw.draw(st.lists(st.sampled_from(GROWN), unique_by=lambda paper: paper.id))
    rows = {paper.id: row for row, paper in enumerate(before)}
    kept = np.asarray([rows.get(paper.id, -1) for paper in after], dtype=np.int64)
    carried, anew = Names.build(after, Names.build(before), kept), Names.build(after)
    every = range(len(after))
    assert [*map(carried.called, every)] == [*map(anew.called, every)]
    is_grown = {paper.id for paper in before} <= {paper.id for paper in after}
    for key in anew.postings.terms:
        assert carried.forms.get(key) == anew.forms.get(key) or not is_grown
        assert carried.having(key).tolist() == anew.having(key).tolist()
        assert carried.own(key) == anew.own(key)
    assert carried.trigrams.tolist() == anew.trigrams.tolist()
