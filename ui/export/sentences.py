"""The sentences of an answer, found again in its text."""

import re
from collections.abc import Callable, Mapping

from rag.citations import escape
from rag.schema import Answer, AnswerSentence

_MARKERS = re.compile(r"(?: ?(?:\[\d+\])+)?")

Rewrite = Callable[[AnswerSentence, str, str], str]
"""Takes a sentence, its words as they stand in the text, and the markers behind them."""


def translated(answer: Answer, table: Mapping[int, str]) -> Answer:
    """The answer with characters of its text and sentences replaced, as `str.translate` does."""
    sentences = tuple(
        sentence.model_copy(update={"text": sentence.text.translate(table)})
        for sentence in answer.sentences
    )
    return answer.model_copy(update={"text": answer.text.translate(table), "sentences": sentences})


def rewritten(answer: Answer, rewrite: Rewrite) -> str | None:
    """The answer's Markdown with each sentence, markers and all, replaced by what `rewrite` says.

    None if a sentence does not stand in the text as it is: a list can hold one in pieces.
    """
    text, at = answer.text, 0
    pieces: list[str] = []
    for sentence in answer.sentences:
        said = escape(sentence.text)
        start = text.find(said, at)
        if start < 0:
            return None
        markers = _MARKERS.match(text, start + len(said))
        end = markers.end() if markers else start + len(said)
        pieces += text[at:start], rewrite(sentence, said, text[start + len(said) : end])
        at = end
    return "".join([*pieces, text[at:]])
