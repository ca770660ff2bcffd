"""Records: their fields in any form, what is odd about them, and what makes one unusable."""

import json
from datetime import date

import pytest
from digest_papers import Found, both

from index.papers import Paper, derived_id

OWL = {"title": "Counting Owls at Night", "abstract": "We count owls. There are nine."}


def lines(*records: object) -> str:
    return "\n".join(json.dumps(record) for record in records)


def split(text: str) -> Found:
    papers, problems = both(text, "owls.jsonl", format="jsonl")
    if not papers and len(problems) > 1:
        problems = problems[:-1]  # that no paper was found
    return papers, problems


def only(record: object) -> Paper:
    papers, problems = split(lines(record))
    assert problems == []
    return papers[0]


def test_title_and_abstract_are_enough() -> None:
    paper = only(OWL)
    assert (paper.title, paper.abstract) == (OWL["title"], OWL["abstract"])
    assert paper.id == derived_id(paper.title, paper.abstract)
    (source,) = paper.sources
    assert (source.name, source.position, source.date) == ("owls.jsonl", 1, None)
    keys = ("id", "authors", "year", "date", "url", "doi", "venue")
    assert only(OWL | dict.fromkeys(keys)) == paper


def test_every_known_field_is_kept_and_others_ignored() -> None:
    paper = only(
        OWL | {"id": "owl:1", "authors": ["Ann Lee", {"name": "Bo Ek"}], "year": "2024",
               "date": "2024-05-06", "url": "https://x.org", "doi": "10.1/2", "venue": "OwlConf",
               "colour": "brown", "arxiv": "2405.01234v2", "pmid": 123}
    )  # fmt: skip
    assert (paper.id, paper.authors, paper.year) == ("owl:1", ("Ann Lee", "Bo Ek"), 2024)
    assert (paper.venue, paper.url, paper.doi) == ("OwlConf", "https://x.org", "10.1/2")
    assert (paper.arxiv, paper.pmid, paper.published) == ("2405.01234", "123", "2024-05-06")
    assert paper.sources[0].date == date(2024, 5, 6)


AUTHORS = [
    ([{"given": "Ann", "family": "Lee"}, {"firstName": "Bo", "lastName": "Ek"}], "Ann Lee|Bo Ek"),
    ([["Lee", "Ann", ""], ["Ek", "Bo", "Jr."]], "Ann Lee|Bo Ek Jr."),
    ([{"author": {"display_name": "Ann Lee"}}], "Ann Lee"), ("", ""), ([], ""),
    ("Ann Lee, Bo Ek, and Cy van Dam", "Ann Lee|Bo Ek|Cy van Dam"), ("Ann Sandler", "Ann Sandler"),
    ("Lee, Ann; Ek, Bo", "Ann Lee|Bo Ek"), ("Ann Lee and Bo Ek", "Ann Lee|Bo Ek"),
    (["Lee A.B."], "A. B. Lee"), ("Lee, A.B.; Ek, B.", "A. B. Lee|B. Ek"),
    ("Ann Lee, Bo Ek et al.", "Ann Lee|Bo Ek"), ("Lee, Ann and Ek, Bo", "Ann Lee|Bo Ek"),
    ("Ann Lee1,2, Bo Ek3*", "Ann Lee|Bo Ek"),
    *((f"Ann Lee (1), Bo Ek (1 and 2) ({where})", "Ann Lee|Bo Ek")
      for where in ("(1) Owl University, (2) Kite College (KC)", "1: Owl University, 2: Kite College")),
    ("Ann Lee (Owl University (Dept. of Kites), Lab 2) and Bo Ek", "Ann Lee|Bo Ek"),
]  # fmt: skip
DATES = [
    ("2023", "2023"), ("2023-05", "2023-05"), ("12 May 2023", "2023-05-12"), ("May 2023", "2023-05"),
    ("2023/05/12", "2023-05-12"), ("Mon, 2 Apr 2007 19:18:42 GMT", "2007-04-02"),
    (1683849600000, "2023-05-12"), ("14. März 2025", "2025-03-14"), ("3 mars 2025", "2025-03-03"),
    ("2025-03-03T10:11:12Z", "2025-03-03"), ({"date-parts": [[2023, 5]]}, "2023-05"),
    ("2024 Mar-Apr", "2024-03"), ("Spring 2024", "2024"), ("2025 Mar 3;12(3):10-19", "2025-03-03"),
]  # fmt: skip
IDS = [("doi", "10.1/2", "10.1/2"), ("doi", "https://doi.org/10.1/2", "10.1/2"),
       ("doi", "doi: 10.1/2", "10.1/2"), ("id", 42, "42"), ("id", 0, "0")]  # fmt: skip
SUBTITLES = [
    ("Owls", "A Study", "Owls: A Study"), (["Owls"], ["A Study"], "Owls: A Study"),
    ("Owls: A Study", "A study", "Owls: A Study"), ("Why Owls?", "A Study", "Why Owls? A Study"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "read"),
    [
        *(({field: written}, {field: read}) for field, written, read in IDS),
        *(({"authors": said}, {"authors": (*filter(None, read.split("|")),)}) for said, read in AUTHORS),
        *(({"title": title, "subtitle": sub}, {"title": read}) for title, sub, read in SUBTITLES),
        *(({"date": said}, {"published": read, "year": int(read[:4])}) for said, read in DATES),
    ],
)  # fmt: skip
def test_fields_in_any_form(change: dict[str, object], read: dict[str, object]) -> None:
    assert only(OWL | change).model_dump(include=read.keys()) == read


@pytest.mark.parametrize(
    "record",
    [{"Title": OWL["title"], "Summary": OWL["abstract"]},
     {"_id": "d7", "title": OWL["title"], "text": OWL["abstract"], "metadata": {}},
     {"title": [OWL["title"]], "abstract": [OWL["abstract"]]},
     {"paper": OWL, "upvotes": 3}, {"content": {key: {"value": said} for key, said in OWL.items()}},
     {"display_name": OWL["title"], "abstract_inverted_index": {
         word: [at for at, each in enumerate(OWL["abstract"].split()) if each == word]
         for word in OWL["abstract"].split()}}],
)  # fmt: skip
def test_records_of_any_service(record: dict[str, object]) -> None:
    paper = only(record)
    assert (paper.title, paper.abstract) == (OWL["title"], OWL["abstract"])


def test_a_summary_in_place_of_an_abstract_is_told() -> None:
    papers, problems = split(lines({"title": OWL["title"], "tldr": {"text": OWL["abstract"]}}))
    assert papers[0].abstract == OWL["abstract"]
    assert [(each.is_warning, "TL;DR" in each.reason) for each in problems] == [(True, True)]


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"title": None}, "title"), ({"title": "  "}, "title"), ({"title": "{}"}, "title"),
     ({"title": "t" * 1001}, "title"), ({"abstract": "word " * 9_000}, "abstract"),
     *(({"abstract": none}, "abstract: missing or empty")
       for none in ("nan", "N/A", "", "[No abstract available]", None))],
)  # fmt: skip
def test_a_record_without_title_or_abstract_is_told(change: dict[str, object], reason: str) -> None:
    papers, problems = split(lines(OWL | {"title": "Other Owls Are Here"}, OWL | change))
    assert len(papers) == 1
    assert [str(problem).startswith(f"owls.jsonl:2: {reason}") for problem in problems] == [True]
    assert len(str(problems[0])) < 200


@pytest.mark.parametrize(
    "change",
    [{"id": True}, {"id": 1.5}, {"id": "a\nb"}, {"id": "x" * 201}, {"authors": 3},
     {"authors": [{"likes": "owls"}]}, {"year": 10**4000}, {"year": 1e300}, {"year": "soon"},
     {"year": True}, {"year": 20245}, {"year": "²"}, {"date": "yesterday"},
     {"date": "2024-02-30"}, {"url": 3}, {"url": "see my page"}, {"doi": {"a": 1}},
     {"venue": {"a": 1}}],
)  # fmt: skip
def test_an_odd_field_costs_that_field_and_a_warning(change: dict[str, object]) -> None:
    papers, (problem,) = split(lines(OWL | change))
    assert [paper.title for paper in papers] == [OWL["title"]]
    assert problem.is_warning
    assert str(problem).startswith(f"owls.jsonl:1: {next(iter(change))}: ")
    assert "is ignored" in problem.reason
    assert len(str(problem)) < 200


@pytest.mark.parametrize(
    "broken",
    ['{"title": "x"', "not json", "3", "[]", '"a"', "[" * 100_000, '{"id": ' + "9" * 5000 + "}"],
)
def test_a_broken_third_line_does_not_stop_the_rest(broken: str) -> None:
    good = [json.dumps(OWL | {"title": f"Owls of Region {i}"}) for i in range(3)]
    papers, problems = split("\n".join([*good[:2], broken, good[2]]))
    assert [paper.sources[0].position for paper in papers] == [1, 2, 3]
    assert [(problem.line, problem.is_damage) for problem in problems] == [(3, True)]
    assert "\n" not in str(problems[0])
    assert len(str(problems[0])) < 200


@pytest.mark.parametrize("key", ["id", "authors", "year", "date", "url"])
def test_a_field_nested_however_deep_does_not_stop_the_rest(key: str) -> None:
    for depth in (*range(900, 1000), 50_000):
        assert any(split(json.dumps(OWL)[:-1] + f', "{key}": {"[" * depth}{"]" * depth}}}'))


def test_an_id_is_that_of_one_title() -> None:
    papers, problems = split(
        lines(OWL | {"id": "a"}, OWL | {"id": "a", "title": "counting owls at NIGHT"},
              OWL | {"id": "a", "title": "Counting Hawks"})
    )  # fmt: skip
    assert [paper.id for paper in papers][:2] == ["a", "a"]
    assert papers[2].id == derived_id(papers[2].title, papers[2].abstract)
    assert [(problem.line, "line 1" in problem.reason) for problem in problems] == [(3, True)]
