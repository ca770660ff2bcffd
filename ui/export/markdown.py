"""Answers and conversations as Markdown, in which no word of an abstract is markup."""

from collections.abc import Iterator

from index.text import clean_text
from rag.citations import escape
from rag.schema import Answer, AnswerSentence, Reference
from ui.archive.models import Conversation, Turn
from ui.export.cited import link
from ui.export.sentences import rewritten
from ui.export.wording import (
    NO_ANSWER,
    byline,
    doubt,
    filters_text,
    one_line,
    provenance,
    unanswered,
)


def answer_markdown(turn: Turn) -> str:
    """One question with its answer and the sentences that it cites."""
    return _document(_turn(turn, "#"))


def conversation_markdown(conversation: Conversation) -> str:
    """A conversation, a section a question."""
    blocks = [f"# {_plain(conversation.title)}"]
    for turn in conversation.turns:
        blocks += _turn(turn, "##")
    return _document(iter(blocks))


def _document(blocks: Iterator[str]) -> str:
    return "\n\n".join(blocks) + "\n"


def _turn(turn: Turn, heading: str) -> Iterator[str]:
    yield f"{heading} {_plain(turn.question)}"
    answer = turn.answer
    if answer and one_line(answer.standalone_question) != one_line(turn.question):
        yield f"*Understood as:* {_plain(answer.standalone_question)}"
    if filters := filters_text(turn.filters):
        yield f"*Only papers* {_plain(filters)}"
    if answer is None:
        if turn.partial:
            yield _plain(turn.partial)
        yield f"*{_plain(unanswered(turn))}*"
        return
    yield from _refusal(answer) if answer.status == "insufficient_evidence" else _answer(answer)
    if answer.notice:
        yield f"*{_plain(answer.notice)}*"
    if answer.references:
        yield f"{heading}# Sources"
        yield "\n\n".join(map(_source, answer.references))
    yield f"*{_plain(provenance(turn, answer))}*"


def _answer(answer: Answer) -> Iterator[str]:
    marked = rewritten(answer, _marked)
    yield marked or answer.text
    if marked is None and answer.doubts:
        yield "Not wholly borne out by the abstracts:"
        yield "\n".join(f"- {_plain(line)}" for line in answer.doubts)


def _marked(sentence: AnswerSentence, said: str, markers: str) -> str:
    against = doubt(sentence)
    return f"{said}{markers}" + (f" ⚠ *({_plain(against)})*" if against else "")


def _refusal(answer: Answer) -> Iterator[str]:
    yield f"**{NO_ANSWER}** {_plain(answer.reason or '')}".rstrip()
    if answer.nearest:
        yield "The nearest papers:"
        yield "\n".join(f"- {_plain(clean_text(near.title))}" for near in answer.nearest)


def _source(reference: Reference) -> str:
    paper = reference.paper
    address = link(paper)
    lines = [f"**\\[{reference.number}\\] {_plain(paper.display_title)}**"]
    lines += [_plain(said)] if (said := byline(paper)) else []
    lines += [f"<{address}>"] if address and not set(address) & set("<>") else []
    quotes = [f"> {_plain(clean_text(passage.text))}" for passage in reference.passages]
    return "  \n".join(lines) + "\n\n" + "\n>\n".join(quotes)


def _plain(text: str) -> str:
    """Text as Markdown that shows it, on one line."""
    return escape(one_line(text))
