"""Three papers that digests are made of in the tests, and how a file is read there."""

import json
from collections.abc import Sequence
from pathlib import Path

from index.papers import Paper
from index.readers import Problem, Upload, read

Found = tuple[list[Paper], list[Problem]]
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


def found(paths: Sequence[Path | Upload], **how: object) -> Found:
    """The papers of files, and their problems."""
    items = list(read(paths, **how))  # type: ignore[arg-type] # options by name
    papers = [each for each in items if isinstance(each, Paper)]
    return papers, [each for each in items if isinstance(each, Problem)]


def both(content: str | bytes, name: str = "x.txt", **how: object) -> Found:
    """The papers of a file, and its problems."""
    data = content if isinstance(content, bytes) else content.encode("utf-8", "replace")
    return found([Upload(name, data)], **how)


def got(content: str | bytes, name: str = "x.txt", **how: object) -> list[Paper]:
    """The papers of a file of which nothing is left out."""
    papers, problems = both(content, name, **how)
    assert [problem for problem in problems if not problem.is_warning] == []
    return papers
