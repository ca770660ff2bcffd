"""BibTeX, RIS and CSV say what is known of each paper; other programs, and our own, read them."""

import csv
import io
import re

import bibtexparser
import pytest
import rispy
from exporting import ANSWERED, BARE, CONVERSATION, HOSTILE, MOSS, PAPERS
from hypothesis import given, settings
from hypothesis import strategies as st
from pylatexenc.latex2text import LatexNodes2Text

from index.papers import Paper, derived_id
from index.readers import Problem, Upload, read
from index.readers.values import is_nothing
from index.text import clean_text
from ui.export import LISTS
from ui.export.bibliography import bibtex, cited_papers, keys, papers_csv, ris
from ui.tables import FORMULA_SIGNS

ON_STONE = "Mosses that grow on stone"


def entries(text: str) -> dict[str, dict[str, str]]:
    """The entries of a BibTeX file as a library reads them, by key."""
    library = bibtexparser.parse_string(text)
    assert library.failed_blocks == []
    assert library.comments == []
    return {
        entry.key: {"type": entry.entry_type, **{f.key: f.value for f in entry.fields}}
        for entry in library.entries
    }


def test_bibtex_has_every_field_that_is_known() -> None:
    assert entries(bibtex([MOSS])) == {
        "vaswani-etal-2017-moss": {
            "type": "inproceedings",
            "title": r"{Moss\textsuperscript{2}Net: A Study of Mosses \& Ferns in OSWorld}",
            "author": "Ada B. Lovelace and Jürgen van der Moß and {Moss and Fern Society}",
            "year": "2017",
            "booktitle": "Proceedings of the Conference on Mosses",
            "doi": "10.1000/moss_1",
            "url": "https://example.org/~moss/a_b?c=1&d=%20",
            "abstractqa-id": "vaswani-etal-2017-moss",
            "abstract": r"Mosses cost \$5 \& grow 10\% a\_year. We use \ensuremath{\alpha}"
            r" \ensuremath{\leq} 10\textsuperscript{5} spores here.",
            "note": "Found in: Mar 14, 2025, no. 3 in digest-2025-03-14.txt",
        }
    }
    # A paper of arXiv is known by its eprint and its year.
    (found,) = entries(bibtex([BARE])).values()
    assert (found["eprint"], found["archiveprefix"]) == ("2503.01234", "arXiv")
    assert (found["type"], found["year"]) == ("misc", "2025")
    assert found["title"] == "{Counting bogs in Chile}"
    (found,) = entries(bibtex([BARE.model_copy(update={"title": "αNet"})])).values()
    assert found["title"] == r"{{\ensuremath{\alpha}Net}}", "{\\ alone would lose the capital"


def test_what_a_title_holds_cannot_become_an_entry_or_a_command() -> None:
    (found,) = entries(bibtex([HOSTILE])).values()
    assert "@misc" in found["title"]
    assert r"\input" not in found["title"]
    # What LaTeX prints; the library that says so knows neither of these braces.
    value = found["title"].replace(r"\textbraceleft{}", r"\{").replace(r"\textbraceright{}", r"\}")
    printed = LatexNodes2Text(keep_comments=True).latex_to_text(value)
    shown = printed.replace("ˆ", "^").replace("˜", "~").split()
    assert " ".join(shown) == clean_text(HOSTILE.title)


@pytest.mark.parametrize(
    ("paper", "expected"),
    [
        (MOSS, "vaswani-etal-2017-moss"),
        (BARE, "counting2025bogs"),
        (BARE.model_copy(update={"authors": ("Ada de Vries",)}), "vries2025counting"),
        (BARE.model_copy(update={"authors": ("Łoś, Ana",), "year": 1999}), "os1999counting"),
        (Paper(id="2104.08663", title="日本", abstract="x"), "paper-[0-9a-f]{6}"),
        (Paper(id=derived_id(ON_STONE, ""), title=ON_STONE, abstract="x"), "mossesthat"),
    ],
)
def test_a_key_is_given_or_says_who_when_and_what(paper: Paper, expected: str) -> None:
    assert re.fullmatch(expected, *keys([paper]))


def test_keys_that_would_be_the_same_are_told_apart_whatever_their_order() -> None:
    twin = BARE.model_copy(update={"id": "aaaa"})
    first, second = keys([BARE, twin])
    assert first != second
    assert keys([twin, MOSS, BARE]) == [second, "vaswani-etal-2017-moss", first]


_PIECES = [
    *"{}%&#_\\$^~@\"',=<>|[]:-+\n\r\t\x00\u2028éαβ中Ⅳ²₁ﬁ",
    *("\\input{x}", "{{", "=cmd", "ER  - ", "TY  - X", "$x$", " and ", "A", "bC", "2024"),
    *("@article{a,", "\ud800"),
]
_TEXT = st.lists(st.sampled_from(_PIECES), max_size=12).map("".join)
_PAPERS = st.builds(
    Paper,
    id=_TEXT.filter(lambda text: "\ud800" not in text),
    title=_TEXT,
    abstract=_TEXT,
    authors=st.lists(_TEXT, max_size=3).map(tuple),
    year=st.none() | st.integers(1900, 2030),
    venue=st.none() | _TEXT,
    url=st.none() | _TEXT,
    doi=st.none() | _TEXT,
)


@settings(max_examples=150, deadline=None)
@given(st.lists(_PAPERS, max_size=3, unique_by=lambda paper: paper.id))
def test_any_papers_can_be_read_back_from_every_format(papers: list[Paper]) -> None:
    found = entries(bibtex(papers))
    assert len(found) == len({key.lower() for key in found}) == len(papers)
    for paper, entry in zip(papers, found.values(), strict=True):
        commands = set(re.findall(r"\\[a-zA-Z]+", entry.get("abstract", "")))
        assert not commands & {r"\input", r"\x"}
        assert entry.get("abstract", "").count("{") == entry.get("abstract", "").count("}")
        assert entry.get("year") == (str(paper.year) if paper.year else None)
    records = rispy.loads(ris(papers))
    for name in ("title", "abstract"):
        known = [clean_text(getattr(paper, name)).strip() for paper in papers]
        assert [record.get(name, "") for record in records] == known
    _, *rows = csv.reader(io.StringIO(papers_csv(papers), newline=""))
    titles = [clean_text(paper.title).removeprefix("'") for paper in papers]
    assert [row[0].removeprefix("'") for row in rows] == titles
    assert not any(cell.startswith(FORMULA_SIGNS) for row in rows for cell in row)


def test_ris_has_last_names_first_and_csv_a_line_a_paper_and_no_formula() -> None:
    first, second = rispy.loads(ris([MOSS, BARE]))
    assert first["authors"] == ["Lovelace, Ada B.", "van der Moß, Jürgen", "Society, Moss and Fern"]
    assert (first["type_of_reference"], second["type_of_reference"]) == ("CONF", "GEN")
    assert (first["doi"], first["secondary_title"]) == (MOSS.doi, MOSS.venue)
    text = papers_csv(PAPERS)
    first, second, third = csv.DictReader(io.StringIO(text, newline=""))
    assert first["authors"] == "Ada B. Lovelace; Jürgen van der Moß; Moss and Fern Society"
    assert first["digests"] == "Mar 14, 2025, no. 3 in digest-2025-03-14.txt"
    assert second["abstract"].startswith("'=cmd")
    assert second["authors"].startswith("'=HYPERLINK")
    assert (third["year"], third["title"]) == ("2025", "Counting bogs in Chile")
    assert text.count("\r\n") == 4


def test_the_cited_papers_come_in_the_order_of_their_first_citation() -> None:
    assert cited_papers(CONVERSATION.turns) == [MOSS, BARE, HOSTILE]
    assert cited_papers([ANSWERED, ANSWERED]) == [MOSS, BARE, HOSTILE]


SIGNS = "50% a&b x_1 #3 { } $5 ~2 C++ ≤ α \\ “so” =1+2 -x 'quoted' a,b a;b @home and naïve – 10^5"
plain = st.text(
    st.characters(categories=("Lu", "Ll", "Nd"), max_codepoint=0x24F), min_size=1, max_size=8
)
words = (
    st.lists(plain | st.sampled_from(SIGNS.split()), min_size=1, max_size=12)
    .map(" ".join)
    .filter(lambda text: clean_text(text) == text and any(map(str.isalnum, text)))
    .filter(lambda text: not is_nothing(text))
)
names = st.sampled_from(["Ada Byrd", "Cy van Dam", "José O'Brien-Núñez", "Plato", "M. Ek Jr."])


@st.composite
def known_papers(draw: st.DrawFn) -> Paper:
    title, abstract = draw(words), f"We say {draw(words)}"
    published = draw(st.sampled_from([None, "2024", "2024-03", "2024-03-05"]))
    arxiv = draw(st.sampled_from([None, "2403.01234"]))
    years = [int(published[:4])] if published else [2024] if arxiv else [None, 1999]
    year = draw(st.sampled_from(years))
    url = draw(st.sampled_from([None, "https://example.org/a?b=1&c=%20#d"]))
    url = url or (f"https://arxiv.org/abs/{arxiv}" if arxiv else None)
    return Paper(
        id=draw(st.sampled_from(["", "owl:1", "W42"])) or derived_id(title, abstract),
        title=title,
        abstract=abstract,
        authors=tuple(draw(st.lists(names, max_size=3, unique=True))),
        year=year,
        published=published or (str(year) if year else None),
        venue=draw(st.sampled_from([None, "Journal of Owls & Kettles", "Proceedings of OWL"])),
        url=url,
        doi=draw(st.sampled_from([None, "10.9999/owl_1.2(3)"])),
        arxiv=arxiv,
    )


@pytest.mark.parametrize("ending", ["bib", "ris", "csv", "jsonl"])
@settings(max_examples=150, deadline=None)
@given(paper=known_papers())
def test_what_was_exported_comes_back(ending: str, paper: Paper) -> None:
    content = LISTS[ending].papers([paper]).encode()
    found = list(read([Upload(f"x.{ending}", content)]))
    assert [each for each in found if isinstance(each, Problem)] == []
    (back,) = (each for each in found if isinstance(each, Paper))
    known = {"sources", "published"} if paper.arxiv else {"sources"}
    assert back.model_dump(exclude=known) == paper.model_dump(exclude=known)
