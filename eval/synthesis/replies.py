"""From what a chat model replied to a question, or to the reason why there is none."""

import re
from difflib import SequenceMatcher

from rapidfuzz import fuzz

from eval.metrics.answers import nuggets_found
from eval.metrics.spans import quote_span
from eval.synthesis.drafts import Draft, Reason
from index.papers import Paper, letters

_FEWEST_WORDS, _MOST_WORDS, _MOST_ANSWER_WORDS = 5, 40, 12
_FEWEST_ANSWER_LETTERS = 3
"""Or digits; anything shorter is found in any answer."""
_TITLE_WORDS = 4
"""A title of fewer words is a name, which a question may have."""
_TITLE_LIKENESS = 90.0

# Three labelled parts, in Markdown or JSON as well: models add what they are used to.
_LABEL = re.compile(
    r"(?:^|[{,]\s*)[\s\"*#\d.)-]*(question|answer|sentence)[\"*\s]*[:：][\"*\s]*",
    re.IGNORECASE | re.MULTILINE,
)
_QUOTES = " \t\n\"“”'‘’*`"
_ARTICLE = re.compile(r"^(?:the|an?) ", re.IGNORECASE)


def read_reply(reply: str, paper: Paper, row: int) -> Draft | Reason:
    """The question in a reply, or what is wrong with it.

    Args:
        reply: What the model wrote; `eval.synthesis.prompts` says what it was asked for.
        paper: The paper it was shown.
        row: The paper's row in `index.papers`.
    """
    parts = _parts(reply)
    if parts.keys() != {"question", "answer", "sentence"}:
        return Reason.UNREADABLE
    question, sentence = parts["question"], parts["sentence"]
    if not question.endswith(("?", "？")):
        return Reason.NO_QUESTION
    if not _FEWEST_WORDS <= len(question.split()) <= _MOST_WORDS:
        return Reason.LENGTH
    if _copies(question, paper.title):
        return Reason.COPIES_TITLE
    span = quote_span(sentence, paper.abstract)
    if span is None:
        return Reason.SENTENCE_NOT_FOUND
    answer = _copied(parts["answer"], sentence)
    if answer is None:
        return Reason.ANSWER_NOT_FOUND
    if len(letters(answer)) < _FEWEST_ANSWER_LETTERS or len(answer.split()) > _MOST_ANSWER_WORDS:
        return Reason.LENGTH
    if any(nuggets_found([[answer]], question)):
        return Reason.GIVES_ANSWER
    quote = paper.abstract[slice(*span)]
    return Draft(row, "synthetic", question, quote, (answer,))


def _parts(reply: str) -> dict[str, str]:
    """The first value of each label: what stands before the next one, on one line."""
    _, *pieces = _LABEL.split(reply)
    parts: dict[str, str] = {}
    for label, value in zip(pieces[::2], pieces[1::2], strict=True):
        line = " ".join(value.split())
        parts.setdefault(label.lower(), line.rstrip(" }],`").strip(_QUOTES))
    return {label: value for label, value in parts.items() if value}


def _copied(answer: str, sentence: str) -> str | None:
    """The longest run of words that the answer has from the sentence, if it is most of it.

    A weak model copies with a word of its own before or after.
    """
    said, words = [letters(word) for word in answer.split()], sentence.split()
    shown = [letters(word) for word in words]
    run = SequenceMatcher(None, shown, said, autojunk=False).find_longest_match()
    if run.size * 2 <= len(said):
        return None
    copied = " ".join(words[run.a : run.a + run.size])
    return _ARTICLE.sub("", copied.strip(f"{_QUOTES},;:()."))


def _copies(question: str, title: str) -> bool:
    if len(title.split()) < _TITLE_WORDS:
        return False
    return fuzz.partial_ratio(letters(title), letters(question)) >= _TITLE_LIKENESS
