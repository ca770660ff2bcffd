"""Files as users have them, with what is right of each: no paper is lost, none is made up."""

import json
from pathlib import Path

import pytest

from index.papers import Paper
from index.readers import read


def test_every_case_gives_the_papers_that_are_in_it(shared: Path) -> None:
    wrong: list[str] = []
    for line in (shared / "cases" / "files.jsonl").read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        found = list(read([shared / "cases" / case["file"]]))
        papers = [each for each in found if isinstance(each, Paper)]
        titles = {paper.title for paper in papers}
        if titles != set(case.get("titles", titles)) or len(papers) < case.get("papers", 1):
            wrong.append(case["file"])
    assert wrong == []


@pytest.mark.parametrize("name", ["arxiv_mail.txt", "dig-pubmed_abstract.txt"])
def test_records_of_services_keep_what_is_known_of_papers(shared: Path, name: str) -> None:
    found = [*read([shared / "cases" / "files" / name])]
    papers = [paper for paper in found if isinstance(paper, Paper)]
    assert len(papers) == 3
    for paper in papers:
        assert paper.arxiv or paper.pmid
        assert paper.authors
        assert paper.year == 2025
