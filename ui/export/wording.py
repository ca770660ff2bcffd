"""What an export says around an answer, in plain text."""

from pathlib import PurePath

from index.papers import Paper
from index.text import clean_text
from rag.digests import label
from rag.schema import Answer, AnswerSentence, Filters
from ui.archive.models import Turn
from ui.export.cited import found_in

NO_ANSWER = "The abstracts do not say."
_NOT_READY = "There is no answer yet."
_STOPPED = "The answer was stopped."
_NOTHING = "The answer was stopped before its first word."
_JUDGED = {"partly": "only in part borne out", "unsupported": "not borne out"}


def one_line(text: str) -> str:
    """`text` with every run of white space made a single space."""
    return " ".join(text.split())


def doubt(sentence: AnswerSentence) -> str | None:
    """What its check says against a sentence; None for one that it bears out."""
    judged = _JUDGED.get(sentence.support)
    if judged is None:
        return None
    return f"{judged}: {one_line(sentence.reason)}" if sentence.reason else judged


def filters_text(filters: Filters) -> str | None:
    """Which papers could answer: "digests Mar 14; from 2025-03-01"; None for all."""
    joined = " and ".join if filters.every_digest else ", ".join
    parts = (
        f"in {joined(map(one_line, filters.digests))}" if filters.digests else None,
        f"from {filters.since}" if filters.since else None,
        f"until {filters.until}" if filters.until else None,
        f"with “{one_line(filters.title)}” in the title" if filters.title else None,
    )
    return "; ".join(filter(None, parts)) or None


def unanswered(turn: Turn) -> str:
    """Why a turn has no answer, with what there is of it."""
    if turn.problem:
        return one_line(turn.problem)
    if turn.partial is None:
        return _NOT_READY
    return _STOPPED if turn.partial else _NOTHING


def byline(paper: Paper) -> str:
    """Who wrote a paper, where and when it came out, and where it was found."""
    names = ", ".join(map(clean_text, paper.authors))
    where = ", ".join(filter(None, (clean_text(paper.venue or ""), str(paper.year or ""))))
    return ". ".join(filter(None, (names, where, found_in(paper))))


def provenance(turn: Turn, answer: Answer) -> str:
    """When, how and from what an answer was made."""
    how = ", quoted from the abstracts" if answer.references else ""
    if answer.model:
        how = f", written by {model_name(answer.model)}"
    asked = "Answered"
    if answer.status == "insufficient_evidence":
        asked, how = "Asked", ""
    papers = "paper" if answer.index.papers == 1 else "papers"
    return (
        f"{asked} {label('', turn.asked.date())}, {turn.asked:%H:%M} UTC{how}."
        f" Index {answer.index.id}, {answer.index.papers:,} {papers}."
    )


def model_name(model: str) -> str:
    """What people call a model: its file, where a server names it by its place on the disk."""
    return PurePath(model).name if model.startswith("/") else model
