"""Turns as Markdown, and the plain text around an answer that every format of exports uses."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import PurePath

from index.papers import Paper
from index.text import clean_text
from rag.citations import escape
from rag.digests import label
from rag.schema import Answer, AnswerSentence, Filters, Reference
from ui.archive import Conversation, Turn
from ui.export.bibliography import doi_address, found_in, web_address

_JUDGED = {"partly": "only partly supported", "unsupported": "not supported"}
_MARKERS = re.compile(r"(?: ?(?:\[\d+\])+)?")


def markdown(what: Conversation | Turn) -> str:
    """Return a question with its answer, or a conversation in sections, as escaped Markdown."""
    if isinstance(what, Turn):
        return "\n\n".join(_turn(what, "#")) + "\n"
    sections = (block for turn in what.turns for block in _turn(turn, "##"))
    return "\n\n".join([f"# {_plain(what.title)}", *sections]) + "\n"


def _turn(turn: Turn, heading: str) -> Iterator[str]:
    yield f"{heading} {_plain(turn.question)}"
    answer = turn.answer
    if understood := understood_as(turn):
        yield f"*Understood as:* {_plain(understood)}"
    if filters := filters_text(turn.filters):
        yield f"*Only papers* {_plain(filters)}"
    if answer is None:
        if turn.partial:
            yield _plain(turn.partial)
        yield f"*{_plain(unanswered(turn))}*"
        return
    yield from said(answer)
    if answer.notice:
        yield f"*{_plain(answer.notice)}*"
    if answer.references:
        yield f"{heading}# Sources"
        yield from map(source, answer.references)
    yield f"*{_plain(provenance(turn, answer))}*"


def said(answer: Answer) -> Iterator[str]:
    """Yield blocks of Markdown: the answer with its doubts, or why there is none."""
    if answer.status == "insufficient_evidence":
        heading = f"**{answer.heading}** " if answer.heading else ""
        yield f"{heading}{_plain(answer.reason or '')}"
        if answer.nearest:
            yield "The nearest papers:"
            yield "\n".join(f"- {_plain(clean_text(near.title))}" for near in answer.nearest)
        return

    def with_doubt(sentence: AnswerSentence, words: str, markers: str) -> str:
        reason = doubt(sentence)
        return f"{words}{markers}" + (f" ⚠ *({_plain(reason)})*" if reason else "")

    marked = rewritten(answer, with_doubt)
    yield marked or answer.text
    if marked is None and answer.doubts:
        yield "Not fully supported by the abstracts:"
        yield "\n".join(f"- {_plain(line)}" for line in answer.doubts)


def source(reference: Reference) -> str:
    """Return a paper and its cited sentences as Markdown."""
    paper = reference.paper
    address = link(paper)
    lines = [f"**\\[{reference.number}\\] {_plain(paper.display_title)}**"]
    lines += [_plain(by)] if (by := byline(paper)) else []
    lines += [f"<{address}>"] if address and not set(address) & set("<>") else []
    quotes = [f"> {_plain(clean_text(passage.text))}" for passage in reference.passages]
    return "  \n".join(lines) + "\n\n" + "\n>\n".join(quotes)


def _plain(text: str) -> str:
    """Return the text on one line, with its Markdown escaped."""
    return escape(one_line(text))


def translated(answer: Answer, table: Mapping[int, str]) -> Answer:
    """Return the answer with characters in its text and sentences replaced by `str.translate`."""
    sentences = tuple(
        sentence.model_copy(update={"text": sentence.text.translate(table)})
        for sentence in answer.sentences
    )
    return answer.model_copy(update={"text": answer.text.translate(table), "sentences": sentences})


def rewritten(answer: Answer, rewrite: Callable[[AnswerSentence, str, str], str]) -> str | None:
    """Return the answer's Markdown with each sentence and its markers replaced by `rewrite`.

    It takes a sentence, its words as they occur in the text, and the markers after them. Return
    None if a sentence is not in the text in one piece: a list can split one.
    """
    text, at = answer.text, 0
    pieces: list[str] = []
    for sentence in answer.sentences:
        words = escape(sentence.text)
        start = text.find(words, at)
        if start < 0:
            return None
        markers = _MARKERS.match(text, start + len(words))
        end = markers.end() if markers else start + len(words)
        pieces += text[at:start], rewrite(sentence, words, text[start + len(words) : end])
        at = end
    return "".join([*pieces, text[at:]])


def one_line(text: str) -> str:
    """Return `text` with every run of white space replaced by a single space."""
    return " ".join(text.split())


def understood_as(turn: Turn) -> str | None:
    """Return the standalone question that was answered; None if it is the question as asked."""
    understood = turn.answer.standalone_question if turn.answer else turn.question
    return understood if one_line(understood) != one_line(turn.question) else None


def doubt(sentence: AnswerSentence) -> str | None:
    """Return what the check found against a sentence; None if it is supported or unchecked."""
    judged = _JUDGED.get(sentence.support)
    if judged is None:
        return None
    return f"{judged}: {one_line(sentence.reason)}" if sentence.reason else judged


def digest_name(key: str) -> str:
    """Return a digest's name for people: its date, if it has one."""
    try:
        return label("", date.fromisoformat(key[:10]))
    except ValueError:
        return one_line(key)


def filters_text(filters: Filters) -> str | None:
    """Describe the filters: "in Mar 14, 2025; from 2025-03-01"; None if all papers pass."""
    joined = " and ".join if filters.every_digest else ", ".join
    parts = (
        f"in {joined(map(digest_name, filters.digests))}" if filters.digests else None,
        f"from {filters.since}" if filters.since else None,
        f"until {filters.until}" if filters.until else None,
        f"with “{one_line(filters.title)}” in the title" if filters.title else None,
        f"chosen by hand ({len(filters.papers)})" if filters.papers else None,
    )
    return "; ".join(filter(None, parts)) or None


def unanswered(turn: Turn) -> str:
    """Return the reason why a turn has no answer."""
    if turn.problem:
        return one_line(turn.problem)
    if turn.partial is None:
        return "There is no answer yet."
    return f"The answer was stopped{'' if turn.partial else ' before its first word'}."


def byline(paper: Paper) -> str:
    """Return the authors, the venue, the year and the digests of a paper."""
    names = ", ".join(map(clean_text, paper.authors))
    where = ", ".join(filter(None, (clean_text(paper.venue or ""), str(paper.year or ""))))
    return ". ".join(filter(None, (names, where, found_in(paper))))


def link(paper: Paper) -> str | None:
    """Return the web address of a paper: its URL if that is http(s), otherwise its DOI's."""
    return web_address(paper) or doi_address(paper)


def provenance(turn: Turn, answer: Answer) -> str:
    """Say when, how and from which index an answer was made."""
    is_answered = answer.status != "insufficient_evidence"
    how = ", quoted from the abstracts" if answer.references else ""
    if answer.model:
        how = f", written by {model_name(answer.model)}"
    when = f"{label('', turn.asked.date())}, {turn.asked:%H:%M} UTC"
    made = f"Answered {when}{how}." if is_answered else f"Asked {when}."
    papers = f"{answer.index.papers:,} paper{'s' * (answer.index.papers != 1)}"
    return f"{made} Index {answer.index.id}, {papers}."


def model_name(model: str) -> str:
    """Return a model's name for people: the file name, if a server names it by its path."""
    return PurePath(model).name if model.startswith("/") else model
