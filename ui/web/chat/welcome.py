"""What stands in an empty conversation: what one can ask, as questions to press."""

from collections.abc import Sequence
from pathlib import Path

from index.papers import Paper
from ui.web.render import escape

EXAMPLES = 4
"""Example questions in an empty conversation."""

# Good questions, each with the beginning of a title without which it has no answer.
_KNOWN = Path(__file__).parent / "examples.tsv"
_LONGEST_NAME = 24


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


def welcome_html(papers: Sequence[Paper]) -> str:
    """The empty conversation."""
    if not papers:
        return (
            '<p class="aqa-chat-lead">There are no papers yet.</p>'
            "<p>Add some in the tab Papers; then ask about them here.</p>"
        )
    buttons = "".join(
        f'<button type="button" class="aqa-chat-example" data-do="ask">{escape(question)}</button>'
        for question in examples(papers)
    )
    return (
        '<p class="aqa-chat-lead">What do you want to know from these papers?</p>'
        f'<div class="aqa-chat-examples">{buttons}</div>'
    )
