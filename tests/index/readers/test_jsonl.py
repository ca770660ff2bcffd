"""JSON lines: fields, aliases, and what makes a line unusable."""

import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.papers import Paper, derived_id
from index.readers import Problem
from index.readers.jsonl import read_jsonl

OWL = {"title": "Counting Owls at Night", "abstract": "We count owls. There are nine."}


def lines(*records: object) -> str:
    return "\n".join(json.dumps(record) for record in records)


def split(text: str) -> tuple[list[Paper], list[Problem]]:
    found = list(read_jsonl(text, "owls.jsonl"))
    papers = [item for item in found if isinstance(item, Paper)]
    return papers, [item for item in found if isinstance(item, Problem)]


def only(record: object) -> Paper:
    papers, problems = split(lines(record))
    assert problems == []
    return papers[0]


def test_title_and_abstract_are_enough() -> None:
    paper = only(OWL)
    assert (paper.title, paper.abstract) == (OWL["title"], OWL["abstract"])
    assert paper.id == derived_id(paper.title, paper.abstract)
    assert (paper.sources[0].name, paper.sources[0].position) == ("owls.jsonl", 1)
    assert paper.sources[0].date is None


def test_every_known_field_is_kept_and_others_ignored() -> None:
    paper = only(
        OWL | {"id": "owl:1", "authors": ["Ann Lee", {"name": "Bo Ek"}], "year": "2024",
               "date": "2024-05-06", "url": "https://x.org", "doi": "10.1/2", "venue": "OwlConf",
               "colour": "brown"}
    )  # fmt: skip
    assert paper.id == "owl:1"
    assert paper.authors == ("Ann Lee", "Bo Ek")
    assert (paper.year, paper.venue, paper.url) == (2024, "OwlConf", "https://x.org")
    assert (paper.doi, paper.sources[0].date) == ("10.1/2", date(2024, 5, 6))


@pytest.mark.parametrize("written", ["10.1/2", "https://doi.org/10.1/2", "doi: 10.1/2"])
def test_a_doi_is_kept_without_its_address(written: str) -> None:
    assert only(OWL | {"doi": written}).doi == "10.1/2"


def test_null_is_absent() -> None:
    keys = ("id", "authors", "year", "date", "url", "doi", "venue")
    assert only(OWL | dict.fromkeys(keys)) == only(OWL)


def test_numbers_are_ids_as_they_are_written() -> None:
    assert only(OWL | {"id": 42}).id == "42"
    assert only(OWL | {"id": 0}).id == "0"


@pytest.mark.parametrize(
    ("written", "read"),
    [("Lee, Ann; Ek, Bo", ("Lee, Ann", "Ek, Bo")), ("Ann Lee and Bo Ek", ("Ann Lee", "Bo Ek")),
     ("Ann Sandler", ("Ann Sandler",)), ("", ()), ([], ())],
)  # fmt: skip
def test_authors_in_one_string(written: object, read: tuple[str, ...]) -> None:
    assert only(OWL | {"authors": written}).authors == read


def test_beir_names_are_understood() -> None:
    paper = only({"_id": "d7", "title": OWL["title"], "text": OWL["abstract"], "metadata": {}})
    assert (paper.id, paper.abstract) == ("d7", OWL["abstract"])


@pytest.mark.parametrize(
    ("change", "field"),
    [({"title": None}, "title"), ({"title": "  "}, "title"), ({"title": 3}, "title"),
     ({"title": "{}"}, "title"), ({"title": "t" * 1001}, "title"), ({"abstract": ""}, "abstract"),
     ({"abstract": ["a"]}, "abstract"), ({"abstract": "word " * 9_000}, "abstract"),
     ({"id": ""}, "id"), ({"id": True}, "id"), ({"id": 1.5}, "id"), ({"id": "a\nb"}, "id"),
     ({"id": "x" * 201}, "id"), ({"authors": 3}, "authors"), ({"authors": [3]}, "authors"),
     ({"authors": [{"first": "Ann"}]}, "authors"), ({"year": 10**4000}, "year"),
     ({"year": 1e300}, "year"), ({"year": "soon"}, "year"),
     ({"year": True}, "year"), ({"year": 20245}, "year"), ({"year": [2024]}, "year"),
     ({"year": "²"}, "year"), ({"date": "yesterday"}, "date"), ({"date": "2024-02-30"}, "date"),
     ({"date": 20240506}, "date"), ({"url": 3}, "url"), ({"doi": {}}, "doi"),
     ({"venue": []}, "venue")],
)  # fmt: skip
def test_a_wrong_field_is_a_problem_that_names_file_line_and_field(
    change: dict[str, object], field: str
) -> None:
    papers, problems = split(lines(OWL | {"title": "Other Owls Are Here"}, OWL | change))
    assert len(papers) == 1
    assert [str(problem).startswith(f"owls.jsonl:2: {field}: ") for problem in problems] == [True]
    assert len(str(problems[0])) < 200
    assert problems[0].is_damage


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
def test_a_field_nested_however_deep_is_a_problem(key: str) -> None:
    for depth in (*range(850, 1050), 50_000):  # what is read may still be too deep to be shown
        line = json.dumps(OWL)[:-1] + f', "{key}": {"[" * depth}{"]" * depth}}}'
        papers, problems = split(line)
        assert (papers, len(problems)) == ([], 1)


def test_blank_lines_are_skipped_and_counted() -> None:
    papers, problems = split(f"\n  \n{json.dumps(OWL)}\n\nx\n")
    assert (len(papers), problems[0].line) == (1, 5)


@pytest.mark.parametrize("text", ["[\n {}\n]", '{\n "title": "x"\n}', '[{"title": "x"}]'])
def test_a_json_list_or_an_object_over_several_lines_is_one_problem(text: str) -> None:
    papers, problems = split(text)
    assert (papers, len(problems)) == ([], 1)
    assert "one object a line" in problems[0].reason


def test_an_id_is_that_of_one_title() -> None:
    papers, problems = split(
        lines(OWL | {"id": "a"}, OWL | {"id": "a", "title": "counting owls at NIGHT"},
              OWL | {"id": "a", "title": "Counting Hawks"})
    )  # fmt: skip
    assert [paper.id for paper in papers] == ["a", "a"]
    assert [(problem.line, "line 1" in problem.reason) for problem in problems] == [(3, True)]


def test_half_a_character_is_replaced() -> None:
    paper = only(OWL | {"abstract": "We \ud800 count.", "authors": ["A\udfff"], "id": "\ud801"})
    assert paper.abstract == "We \ufffd count."
    paper.model_dump_json().encode()


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@given(st.dictionaries(
    st.sampled_from(["id", "title", "abstract", "authors", "year", "date", "doi", "_id", "text"]),
    values,
))  # fmt: skip
def test_any_object_is_a_paper_or_a_problem(record: dict[str, object]) -> None:
    papers, problems = split(json.dumps(record))
    assert len(papers) + len(problems) == 1


@given(st.text())
def test_no_text_raises(text: str) -> None:
    split(text)
