"""Three papers that digests are made of in the tests, and how a file is read there."""

import json
from pathlib import Path

from index.papers import Paper
from index.readers import Problem, Upload, read

PAPERS = json.loads((Path(__file__).parent / "digest_papers.json").read_text("utf-8"))
"""Of each: title, authors, arXiv id, abstract."""
TITLES = [title for title, *_ in PAPERS]
ABSTRACTS = [abstract for *_, abstract in PAPERS]


def each(layout: str, between: str = "\n\n") -> str:
    """The three papers, each in a layout."""
    return between.join(
        layout.format(n=at, title=title, authors=authors, id=id_, abstract=abstract,
                      TITLE=title.upper(), short=abstract[:150], first=authors.split(",")[0])
        for at, (title, authors, id_, abstract) in enumerate(PAPERS, start=1)
    )  # fmt: skip


def both(
    content: str | bytes, name: str = "x.txt", **how: object
) -> tuple[list[Paper], list[Problem]]:
    """The papers of a file, and its problems."""
    data = content if isinstance(content, bytes) else content.encode("utf-8", "replace")
    found = list(read([Upload(name, data)], **how))  # type: ignore[arg-type] # options by name
    papers = [each for each in found if isinstance(each, Paper)]
    return papers, [each for each in found if isinstance(each, Problem)]


def got(content: str | bytes, name: str = "x.txt", **how: object) -> list[Paper]:
    """The papers of a file of which nothing is left out."""
    papers, problems = both(content, name, **how)
    assert [problem for problem in problems if not problem.is_warning] == []
    return papers
