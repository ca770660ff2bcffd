"""Papers that are exported and indexed again are the same papers."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.papers import Paper, derived_id
from index.readers import Problem, Upload, read
from index.readers.values import is_nothing
from index.text import clean_text
from ui.export import LISTS

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
def papers(draw: st.DrawFn) -> Paper:
    title, abstract = draw(words), f"We say {draw(words)}"
    published = draw(st.sampled_from([None, "2024", "2024-03", "2024-03-05"]))
    arxiv = draw(st.sampled_from([None, "2403.01234"]))
    year = (
        int(published[:4]) if published else 2024 if arxiv else draw(st.sampled_from([None, 1999]))
    )
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
@given(paper=papers())
def test_what_was_exported_comes_back(ending: str, paper: Paper) -> None:
    write = LISTS[ending].papers
    assert write
    content = write([paper]).encode()
    found = list(read([Upload(f"x.{ending}", content)]))
    assert [each for each in found if isinstance(each, Problem)] == []
    (back,) = (each for each in found if isinstance(each, Paper))
    known = {"sources", "published"} if paper.arxiv else {"sources"}
    assert back.model_dump(exclude=known) == paper.model_dump(exclude=known)
