"""How well a sentence answers a question: what it says, and the form it has.

Its cosine with the question counts, the share of the question's rare words it has, and what the
question asks for: a number, a reason, a name, a meaning.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from index.lexical import LexicalIndex, tokenize
from rag.parts import EVERY_PART, Parts
from rag.question import Kind, Question
from rag.retrieval import Floats, query_tokens

OVERLAP_WEIGHT = 0.3
NUMBER_BONUS = 0.2
REASON_BONUS = 0.2
NAME_BONUS = 0.1
LATER_BONUS = 0.05
"""For the last sentence of an abstract, in proportion for those before: results come late."""
BACKGROUND_MALUS = 0.1
CLOSING_MALUS = 0.5
LEANING_MALUS = 0.1
MEANING_BONUS = 0.2
ADDING_MALUS = 0.1

# Not the digits of a name ("GPT-4"), and not a list's "1)".
NUMBER = re.compile(
    r"(?<![\w.-])\d[\d.,]*(?![\d.,]*\))|\b(?:two|three|four|five|six|seven|eight|nine|ten"
    r"|dozens?|hundreds?|thousands?|millions?|billions?|half|twice|double|triple)\b",
    re.IGNORECASE,
)
_REASON = re.compile(
    r"\b(?:because|due to|since|thus|lead(?:s|ing)? to|caus\w+|therefore|owing|reasons?|issues?"
    r"|problems?|fail\w*|limit\w*|suffer\w*|challenges?|result(?:s|ing)? in|hence|so that)\b",
    re.IGNORECASE,
)
_NAMING = re.compile(
    r"\b(?:propose|proposes|introduce|introduces|present|presents|call|called|dub|dubbed|named"
    r"|term|termed|we (?:develop|build|create|design|describe|release)|this paper|this work)\b",
    re.IGNORECASE,
)
_DEFINING = re.compile(
    r"\b(?:which we (?:term|call)|we (?:term|call|define)|the term|refers? to|is (?:an?|the)\b"
    r"|are (?!\w+ed\b)|means? (?:that|to)|called|consists? of|comprises?)\b",
    re.IGNORECASE,
)
_ADDING = re.compile(
    r"(?:Besides|Furthermore|Moreover|In addition|Additionally|Also|Finally|Statistically|Notably"
    r"|Second|Third|Lastly|Similarly|Remarkably|Experiment(?:s|al)|Our (?:experiments|results)"
    r"|Extensive|Results|These results)\b"
)
_LEANING = re.compile(
    r"(?:As a result|As such|Therefore|Thus|Hence|Consequently|Accordingly|This|These|Those|Such"
    r"|Its?|They|Their|To (?:this end|do (?:this|so)|address (?:this|these)|overcome)|In this way"
    r"|For this|By doing so|Then|Here|Both|Second|Third)\b"
    r"(?! (?:paper|work|study|article|report|survey|review|essay))",
)
_POINTING = re.compile(
    r"\b(?:this|these|the above|such an?) (?:problem|challenge|issue|limitation|gap|question|goal"
    r"|difficult(?:y|ies))s?\b",
    re.IGNORECASE,
)
_CLOSING = re.compile(
    r"\b(?:codes?|data|datasets?|models?|weights|project page)\b.{0,60}"
    r"\b(?:available|released?|accessible|open-sourced?|(?:is|are|be) found)\b|https?://",
    re.IGNORECASE,
)
_ASKS_CLOSING = re.compile(
    r"\b(?:code|github|website|url|link|available|release[ds]?|open.?source|download|where can)\b",
    re.IGNORECASE,
)
_BACKGROUND = re.compile(
    r"(?:Recent|Previous|Prior|Traditional|Existing|While|Although|Despite|In recent|With the"
    r"|Large language|However|Yet|Most|Many|For (?:decades|centuries|a long time)|Over the"
    r"|The (?:last|recent|rise|advent))",
    re.IGNORECASE,
)


def score_sentences(
    question: Question,
    part: str,
    texts: Sequence[str],
    cosines: Floats,
    names: set[str],
    lexical: LexicalIndex,
    parts: Parts = EVERY_PART,
) -> Floats:
    """How well each sentence of a paper answers a part of a question, shape (len(texts),).

    Args:
        question: The whole question.
        part: The part of it that counts here.
        texts: The sentences, in the order of the abstract.
        cosines: The cosine of each with the part, shape (len(texts),).
        names: The tokens of the paper's own names: they say which paper is meant, not which
            sentence.
        lexical: How rare words are.
        parts: What counts beside the cosine.
    """
    asked = set(query_tokens(lexical, part, parts)) - names
    weights = {token: lexical.idf(token) for token in asked}
    wants_name = question.wants_name or question.kind is not Kind.FACT
    scores = cosines.astype(np.float32)
    for i, text in enumerate(texts):
        if parts.overlap:
            scores[i] += OVERLAP_WEIGHT * share(weights, tokenize(text))
        if question.wants_number and NUMBER.search(text):
            scores[i] += NUMBER_BONUS
        if wants_name and _NAMING.search(text):
            scores[i] += NAME_BONUS
        if question.wants_meaning:
            # "What is X?" has no other word than the name: then what counts is the form.
            if _DEFINING.search(text) or (not asked and _NAMING.search(text)):
                scores[i] += MEANING_BONUS
            scores[i] -= ADDING_MALUS * bool(_ADDING.match(text))
        if question.wants_reason:
            scores[i] += REASON_BONUS * bool(_REASON.search(text))
        if parts.form:
            scores[i] += _form(question, text, i / len(texts))
    return scores


def _form(question: Question, text: str, place: float) -> float:
    """What a sentence's form and its place in the abstract are worth, whatever it says.

    `place` is 0 for the first sentence and nears 1 for the last.
    """
    score = 0.0
    if not question.wants_reason:
        score += LATER_BONUS * place - BACKGROUND_MALUS * bool(_BACKGROUND.match(text))
    if question.kind is Kind.LIST:
        score -= LEANING_MALUS * leans(text)
    if _CLOSING.search(text) and not _ASKS_CLOSING.search(question.text):
        score -= CLOSING_MALUS
    return score


_ENUMERATED = re.compile(r"\(?(?:\d|[ivx]{1,4}|[a-e])\)")


def enumerated(texts: Sequence[str], at: int) -> list[int]:
    """The sentences "1) …", "2) …" that follow the one that announces them."""
    following: list[int] = []
    while at + 1 < len(texts) and _ENUMERATED.match(texts[at + 1]):
        at += 1
        following.append(at)
    return following


def leans(text: str) -> bool:
    """Whether a sentence needs the one before it: "As a result, …", "… for this problem"."""
    return bool(_LEANING.match(text) or _POINTING.search(text))


def names_its_paper(text: str) -> bool:
    """Whether a sentence says what its paper is: "We propose …"."""
    return bool(_NAMING.search(text))


def share(weights: Mapping[str, float], tokens: Iterable[str]) -> float:
    """The share of the weights whose tokens are among `tokens`, from 0 to 1."""
    total = sum(weights.values())
    return sum(weights.get(token, 0.0) for token in set(tokens)) / total if total else 0.0
