"""What the page shows before the first question: its header, digests and examples."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from index.papers import Paper
from ui.web.render import escape

if TYPE_CHECKING:
    from rag import Assistant

EXAMPLES = 4
"""Example questions on the empty page."""

# Good questions, each with the beginning of a title without which it has no answer.
_KNOWN = Path(__file__).parent / "examples.tsv"
_LONGEST_NAME = 24


def header_html(papers: int, digests: int) -> str:
    """The page's heading: its name and what it can answer from."""
    counts = f"{papers:,} paper{'s' * (papers != 1)}"
    if digests:
        counts += f" · {digests:,} digest{'s' * (digests != 1)}"
    return (
        '<header class="aqa-header"><h1>AbstractQA</h1>'
        "<p>Ask the abstracts. Every sentence of an answer cites the one it rests on.</p>"
        f'<p class="aqa-counts">{counts}</p></header>'
    )


def examples(papers: Sequence[Paper]) -> list[str]:
    """Up to four questions that these papers can answer.

    Titles like "RT-H: Action Hierarchies" name something that one can ask about.
    """
    titles = [paper.display_title for paper in papers]
    known = (line.split("\t") for line in _KNOWN.read_text(encoding="utf-8").splitlines())
    questions = [q for q, start in known if any(title.startswith(start) for title in titles)]
    for title in titles:
        name, colon, _ = title.partition(":")
        if colon and len(name) <= _LONGEST_NAME and not any(name in q for q in questions):
            questions.append(f"What is {name}?")
    return questions[:EXAMPLES]


def digest_choices(assistant: "Assistant") -> list[tuple[str, str]]:
    """The digests to choose from: (label, key), newest last as the index gives them."""
    digests = assistant.digests()
    labels = Counter(digest.label for digest in digests)
    names = [d.label if labels[d.label] == 1 else f"{d.label}, {d.name}" for d in digests]
    return [
        (f"{name} · {digest.papers} papers", digest.key)
        for name, digest in zip(names, digests, strict=True)
    ]


def header(assistant: "Assistant") -> str:
    """The heading for the index as it is now."""
    return header_html(len(assistant.papers()), len(assistant.digests()))


EMPTY_CHAT = (
    f"<div class='aqa-empty'><p>{escape('What do you want to know from these papers?')}</p></div>"
)
"""Stands where the first answer will be."""
