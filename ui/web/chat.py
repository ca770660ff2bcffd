"""What happens when someone asks: history in, streamed messages and source cards out."""

import logging
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import gradio as gr

from index.errors import AbstractQAError
from rag.schema import Answer, Delta, Filters, Finished, Progress, Retrieved
from ui.web.cards import panel_html, section_html
from ui.web.render import (
    PROBLEM_CLASS,
    answer_html,
    partial_html,
    plain_text,
    problem_html,
    question_html,
)

if TYPE_CHECKING:
    from rag import Assistant

SECONDS_BETWEEN_UPDATES = 0.06
"""The page is redrawn about 16 times a second at most while an answer is written."""

Message = dict[str, Any]
Update = tuple[Any, Any, Any, Any]
"""New values of (question box, messages, panel, sections); `gr.skip()` leaves one alone."""

_log = logging.getLogger(__name__)


class Section(NamedTuple):
    """The source cards of one answer."""

    turn: int
    question: str
    cards: str
    references: tuple[str, ...] = ()
    """Ids of the papers it cites, number 1 first."""


def message_text(content: object) -> str:
    """The text of a message's content, which Gradio gives as a string or as a list of parts."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else [content]
    texts = [part.get("text", "") if isinstance(part, dict) else part for part in parts]
    return "\n".join(text for text in texts if isinstance(text, str) and text)


def conversation(
    messages: Sequence[Message], sections: Sequence[Section] = ()
) -> list[dict[str, object]]:
    """The chat so far for the assistant: roles and plain text, without failed turns.

    An answer brings the ids of the papers it cites, from its section or from the message itself,
    so that "the second paper" is the one with that number.
    """
    cited = {section.turn: list(section.references) for section in sections}
    turns: list[dict[str, object]] = []
    turn = 0
    for message in messages:
        turn += message.get("role") == "user"
        role, text = message.get("role"), message_text(message.get("content"))
        if role == "assistant" and f'class="{PROBLEM_CLASS}"' in text:
            if turns and turns[-1]["role"] == "user":
                turns.pop()
        elif role in {"user", "assistant"} and text:
            turns.append({"role": role, "content": plain_text(text)})
            references = message.get("references") or cited.get(turn)
            if role == "assistant" and references:
                turns[-1]["references"] = references
    return turns


def _message(role: str, content: str) -> Message:
    return {"role": role, "content": content}


class Chat:
    """The page's handlers over one open assistant. Holds no conversation: the page does."""

    def __init__(self, assistant: "Assistant") -> None:
        self.assistant = assistant

    def _section(self, answer: Answer, turn: int) -> Section:
        near = []
        if answer.nearest and not answer.references:
            papers = {paper.id: paper for paper in self.assistant.papers()}
            near = [papers[n.id] for n in answer.nearest if n.id in papers]
        references = tuple(reference.paper.id for reference in answer.references)
        return Section(turn, answer.question, section_html(answer, turn, near), references)

    def respond(
        self,
        question: str,
        messages: list[Message],
        digests: list[str] | None,
        sections: list[Section],
    ) -> Iterator[Update]:
        """Answer `question`, streaming; a mistake the user can mend becomes a message."""
        if not question.strip():
            yield gr.skip(), gr.skip(), gr.skip(), gr.skip()
            return
        turn = 1 + sum(message.get("role") == "user" for message in messages)
        asked = [*messages, _message("user", question_html(question))]

        def said(content: str) -> list[Message]:
            return [*asked, _message("assistant", content)]

        yield "", said(partial_html("")), gr.skip(), gr.skip()
        try:
            text, drawn = "", 0.0
            filters = Filters(digests=tuple(digests or ()))
            for event in self.assistant.stream(
                question, history=conversation(messages, sections), filters=filters
            ):
                if isinstance(event, Progress) and not text and drawn:
                    yield gr.skip(), said(partial_html("", event.text)), gr.skip(), gr.skip()
                elif isinstance(event, Retrieved):
                    drawn = time.monotonic()  # an answer that is there at once is drawn once
                elif isinstance(event, Delta):
                    text += event.text
                    if time.monotonic() - drawn >= SECONDS_BETWEEN_UPDATES:
                        yield gr.skip(), said(partial_html(text)), gr.skip(), gr.skip()
                        drawn = time.monotonic()
                elif isinstance(event, Finished):
                    section = self._section(event.answer, turn)
                    sections = [*sections, section]
                    panel = panel_html([(s.question, s.cards) for s in sections])
                    yield gr.skip(), said(answer_html(event.answer, turn)), panel, sections
        except AbstractQAError as error:
            yield question, said(problem_html(str(error))), gr.skip(), gr.skip()
        except Exception:  # noqa: BLE001 - the page must say that it failed, whatever it was
            _log.exception("a question failed")
            problem = "Something went wrong here; the terminal that runs AbstractQA says what."
            yield question, said(problem_html(problem)), gr.skip(), gr.skip()

    def retry(
        self,
        messages: list[Message],
        digests: list[str] | None,
        sections: list[Section],
        event: gr.RetryData,
    ) -> Iterator[Update]:
        """Ask the question of one turn again; what came after it goes."""
        index = event.index if isinstance(event.index, int) else event.index[0]
        while index > 0 and messages[index].get("role") != "user":
            index -= 1
        question = plain_text(message_text(messages[index].get("content")))
        before = messages[:index]
        turn = 1 + sum(message.get("role") == "user" for message in before)
        kept = [section for section in sections if section.turn < turn]
        yield from self.respond(question, before, digests, kept)

    def ask(
        self,
        question: str,
        history: list[dict[str, Any]] | None = None,
        digests: list[str] | None = None,
    ) -> dict[str, Any]:
        """Answer one question: the public endpoint.

        Args:
            question: At most 4,000 characters.
            history: Earlier messages, oldest first: [{"role": "user", "content": "…"}, …]; an
                answer's may have "references": ids or titles of the papers it cites, in order.
            digests: Names or dates of the digests that may answer; none means all.

        Returns:
            The answer, as `abstractqa ask --json` prints it.
        """
        try:
            answer = self.assistant.ask(
                question,
                history=conversation(history or []),
                filters=Filters(digests=tuple(digests or ())),
            )
        except AbstractQAError as error:
            raise gr.Error(str(error), print_exception=False) from error
        return answer.model_dump(mode="json")
