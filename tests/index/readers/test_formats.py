"""Formats of reference managers and services, recognised by their content under any name."""

import json
from pathlib import Path

import pytest
from digest_papers import both, got
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from index.errors import AbstractQAError
from index.papers import Paper
from index.readers import FORMATS, READERS, Upload, read, read_files

REPOSITORY = Path(__file__).parents[3]
DOCUMENTS = ("LICENSE", "README.md", "CONTRIBUTING.md", "docs/architecture.md", "docs/security.md",
             "index/readers/digest.py")  # fmt: skip
TITLE = "Counting Owls at Night with Cheap Microphones"
ABSTRACT = "Counting owls by ear is slow. We place 12 microphones and find 91% of the calls."
EXPORTS = {
    path.stem: path.read_text(encoding="utf-8")
    for path in sorted((Path(__file__).parent / "exports").iterdir())
}
"""Two papers in each format; that of one is `TITLE`."""
XML = ("atom", "oai", "acl")
"""Of one paper each."""


@pytest.mark.parametrize("format_", EXPORTS)
@pytest.mark.parametrize("name", ["export", "export.bib"])
def test_each_format_is_read_under_any_name(format_: str, name: str) -> None:
    papers, problems = both(EXPORTS[format_], name)
    titles = [TITLE, "Why Kettles Sing Before They Boil"][: 1 if format_ in XML else 2]
    assert [paper.title for paper in papers] == titles
    assert [paper.abstract.strip() for paper in papers] == [ABSTRACT, "Kettles sing."][
        : len(titles)
    ]
    assert papers[0].authors in (("Ada Byrd", "Cy van Dam"), ("A. Byrd", "C. van Dam"))
    assert papers[0].year == 2024
    if format_ in XML:
        assert all(problem.is_warning for problem in problems)
        venue, arxiv = ("Proceedings of Owls", None) if format_ == "acl" else (None, "2403.01234")
        assert (papers[0].venue, papers[0].arxiv) == (venue, arxiv)
        return
    assert problems == []
    assert (papers[0].venue, papers[0].doi) == ("Journal of Owls", "10.9999/owl.1")
    assert both(EXPORTS[format_], format=format_)[0] == both(EXPORTS[format_])[0]
    (reading,) = read_files([Upload("x", EXPORTS[format_].encode())], {})
    assert reading.format.lower().startswith({"wos": "web"}.get(format_, format_))


def test_the_mail_address_in_a_feed_is_no_author() -> None:
    item = f"<title>{TITLE}</title><description>{ABSTRACT}</description>"
    author = "<author>ada@example.org (Ada Byrd)</author>"
    (paper,), _ = both(f'<rss version="2.0"><channel><item>{item}{author}</item></channel></rss>')
    assert (paper.title, paper.authors) == (TITLE, ())


@pytest.mark.parametrize(
    "content",
    ['<!ENTITY a "aaaa"><!ENTITY x "&a;&a;&a;">', '<!ENTITY x SYSTEM "file:///etc/passwd">'],
)
def test_entities_are_refused(content: str) -> None:
    records = "<records><record><title>&x;</title></record></records>"
    papers, problems = both(f'<?xml version="1.0"?><!DOCTYPE r [{content}]>{records}')
    assert papers == []
    assert any("entities" in problem.reason for problem in problems)


@pytest.mark.parametrize(
    "text",
    ["VI  - 14\nIS  - 2\n\nAU  - Byrd\n\n" * 30,
     "\n\n".join(f"Chapter {at}\n\n" + "It was a dark night. " * 900 for at in range(1)),
     "\n".join(f"import module_{at}\ndef function_{at}(x):\n    return x + {at}\n" for at in range(60)),
     "\n".join(f"2025-04-22 07:{at:02}:11,123 INFO server: request {at} took 12 ms" for at in range(60)),
     "\n\n".join(f"How to Set Timer {at}\n\nPress the button twice and wait for the green light to"
                 " appear before the water is poured in." for at in range(9)),
     json.dumps({"settings": {"colour": "red"}, "size": 3}),
     json.dumps({"title": TITLE, "sections": [{"title": "Introduction", "text": ABSTRACT}]}),
     *((REPOSITORY / name).read_text() for name in DOCUMENTS)],
    ids=["tags without records", "a story", "a program", "a log", "a manual", "settings", "sections", *DOCUMENTS],
)  # fmt: skip
def test_what_is_no_file_of_papers_gives_none_and_says_why(text: str) -> None:
    papers, problems = both(text, "x.txt")
    assert papers == []
    assert problems
    if '"sections"' in text:
        assert problems[0].reason == "abstract: missing or empty"
    assert all("\n" not in str(problem) and len(str(problem)) < 300 for problem in problems)


fragments = st.sampled_from(
    ["TY  - ", "AB  - ", "\nER  - \n", "PMID- 1\n", "@article{a,", "title = {", "}", "{", "[", "]",
     '"title":', '"abstract": ', "<html>", "<p>", "<title>", "</", "&lt;", "\n\n", "Title: ", "Apr 22",
     "\\\\\narXiv:", "From a 07:00 2025\n", "Date: ", "MIME-Version: 1.0\n", "title,abstract\n", ",", ";",
     "|", "\t", "%0 X\n%T ", "PT J\n", "TI ", "1. A. 2025;", "PMID: 1", "# ", "**", "> ", "\0", "\ud800",
     TITLE, ABSTRACT, "é", "\u200b", "<?xml?>", "<record>"]
)  # fmt: skip
texts = st.lists(fragments | st.text(max_size=20), max_size=25).map("".join)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(texts)
def test_no_text_raises_in_any_reader(text: str) -> None:
    data = text.encode("utf-8", "surrogatepass")
    for format_ in ("auto", *(reader.name for reader in READERS if reader.name in FORMATS)):
        try:
            for found in read([Upload("x", data)], format=format_):
                assert "\n" not in str(found) or isinstance(found, Paper)
                if isinstance(found, Paper):
                    found.model_dump_json().encode()
        except AbstractQAError:
            pass


@given(st.binary(max_size=300))
def test_no_bytes_raise(data: bytes) -> None:
    for start in (b"", b"PK\x03\x04", b"\x1f\x8b\x08\x00", b"\x28\xb5\x2f\xfd"):
        list(read([Upload("x", start + data)]))


def test_a_broken_bibtex_entry_is_told_in_our_words_alone(caplog: pytest.LogCaptureFixture) -> None:
    entry = "@article{a, title = {Owls}, abstract = {They hunt by night. They are quiet.}}"
    _, problems = both(f"{entry}\n@article{{b, title = {{Kites}}, abstract\n", "x.bib")
    assert [problem.reason for problem in problems] == ["a broken entry: its braces do not match"]
    assert caplog.records == []


def test_every_case_gives_the_papers_that_are_in_it(shared: Path) -> None:
    wrong: list[str] = []
    for line in (shared / "cases" / "files.jsonl").read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        found = list(read([shared / "cases" / case["file"]]))
        papers = [each for each in found if isinstance(each, Paper)]
        titles = {paper.title for paper in papers}
        if case["file"].endswith(("arxiv_mail.txt", "dig-pubmed_abstract.txt")):
            assert all((each.arxiv or each.pmid) and each.authors for each in papers)
            assert {each.year for each in papers} == {2025}
        if titles != set(case.get("titles", titles)) or len(papers) < case.get("papers", 1):
            wrong.append(case["file"])
    assert wrong == []


MAILED = (
    "\\\\\narXiv:2403.0123{n}\nDate: Fri, {n} Mar 2024 01:02:03 GMT   (9kb)\n\nTitle: Owls of Region {n}\n"
    "Authors: Ada Byrd (1), Bo Ek (2) ((1) Owl University, (2) Kite College)\nDOI: 10.9999/owl.{n}\n\\\\\n"
    "  We count owls in region {n}. There are\nnine.\n\\\\ ( https://arxiv.org/abs/2403.0123{n} ,  9kb)\n"
    + "-" * 78 + "\n"
)  # fmt: skip
MAILING = "".join(MAILED.format(n=n) for n in (1, 2, 3)).splitlines()


@pytest.mark.parametrize("count", range(4))
@pytest.mark.parametrize("first", range(9))
def test_a_mailing_without_some_marks_gives_each_paper_its_own_fields(
    first: int, count: int
) -> None:
    marks = [at for at, line in enumerate(MAILING) if line.startswith("\\\\")]
    lost = marks[first : first + count]
    kept = [line for at, line in enumerate(MAILING) if at not in lost]
    papers, problems = both("\n".join(kept), format="arxiv")
    assert len(papers) + len(problems) == 3
    assert len(problems) == sum(at in lost for at in marks[1::3])
    for paper in papers:
        n = paper.title[-1]
        assert (paper.arxiv, paper.doi) == (f"2403.0123{n}", f"10.9999/owl.{n}")
        assert (paper.published, paper.authors) == (f"2024-03-0{n}", ("Ada Byrd", "Bo Ek"))
        assert paper.abstract == f"We count owls in region {n}. There are\nnine."


def test_an_id_in_a_mailed_abstract_begins_no_paper_and_no_mark_is_one() -> None:
    text = MAILED.format(n=1).replace("\nnine.", "\narXiv:2403.09999.\n----- Nine -----") + "\\\\\n"
    papers, problems = both(text, format="arxiv")
    assert [paper.abstract for paper in papers] == [
        "We count owls in region 1. There are\narXiv:2403.09999.\n----- Nine -----"
    ]
    assert problems == []


def test_lines_of_ris_that_only_look_like_tags_go_on_with_the_text_above() -> None:
    lines = (
        "We count owls.\n3D-printed owls are heard.\nAI-driven design helps.\nA - B tests do not."
    )
    papers = got(f"TY  - JOUR\nTI  - {TITLE}\nAB  - {lines}\nER  - \n", "x.ris")
    assert [paper.abstract for paper in papers] == [lines.replace("\n", " ")]
