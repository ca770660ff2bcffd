"""Whether the abstracts can answer at all, and if not, why: in words a person can use."""

import re

import numpy as np

from index.lexical import stem, tokenize
from index.store import Index
from index.text import clean_text
from rag.evidence import Evidence
from rag.names import asked_names, mentions, paper_tokens, title_name
from rag.question import Kind, Question
from rag.retrieval import Ranking, passage_rows

LEAST_TOPICALITY = 0.23
"""Below this mean cosine with the nearest sentences a question is about something else."""
COVERED = 0.8
"""With this share of its rare words in one paper a question is about that paper all the same."""
KNOWN_PAPER = 0.3
"""With this lead the paper asked about is known, so what it lacks can be said."""
_NEAREST = 20
_NEAREST_SHARE = 0.02

_NUMBER = re.compile(
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|dozens?|hundreds?|thousands?"
    r"|millions?|billions?|single|several)\b",
    re.IGNORECASE,
)
_MONEY = re.compile(r"[$€£]\s?\d|\b(?:dollars?|usd|euros?)\b", re.IGNORECASE)


def topicality(ranking: Ranking) -> float:
    """How near a question is to what the abstracts are about, from -1 to 1.

    The mean cosine with the nearest 20 sentences of the index (2 % of them in a small one): one
    chance likeness does not make a question part of the subject, a neighbourhood does.
    """
    count = len(ranking.passages)
    if not count:
        return -1.0
    nearest = min(_NEAREST, max(3, int(_NEAREST_SHARE * count)), count)
    return float(np.sort(ranking.passages)[-nearest:].mean())


def _coverage(index: Index, ranking: Ranking) -> float:
    """The share of the question's words, weighted by rarity, that the first paper has."""
    weights = {token: index.lexical.idf(token) for token in ranking.tokens}
    total = sum(weights.values())
    if not total or not len(ranking.rows):
        return 0.0
    row = int(ranking.rows[0])
    has = paper_tokens(index.papers[row])
    return sum(weight for token, weight in weights.items() if token in has) / total


def insufficient(
    index: Index, question: Question, ranking: Ranking, evidence: Evidence
) -> str | None:
    """Why the abstracts cannot answer, as one sentence; None if they can."""
    if not len(ranking.rows):
        return "No abstract is left after the filters."
    if not ranking.tokens:
        return "The question has no words to search for."
    if topicality(ranking) < LEAST_TOPICALITY and _coverage(index, ranking) < COVERED:
        return "None of the abstracts is about this."
    if not any(found.passages for found in evidence.papers):
        return "The papers found have no abstract to quote."
    missing = _missing_name(index, question, evidence)
    if missing:
        return missing
    return _missing_number(index, question, ranking, evidence)


def _missing_name(index: Index, question: Question, evidence: Evidence) -> str | None:
    """A name that the question turns on and the paper found does not mention."""
    found = [index.papers[at.paper] for at in evidence.papers]
    for name in asked_names(question.text, index.lexical):
        if any(mentions(paper, name) for paper in found):
            continue
        if question.kind is not Kind.FACT or not any(
            mentions(paper, name) for paper in index.papers
        ):
            if not any(mentions(paper, name) for paper in index.papers):
                return f"No abstract mentions {name}."
            continue
        return (
            f"The abstract that fits best, “{clean_text(found[0].title)}”, does not mention {name}."
        )
    return None


def _missing_number(
    index: Index, question: Question, ranking: Ranking, evidence: Evidence
) -> str | None:
    """What "how many …" counts, where the one paper asked about gives no number of it."""
    counted = question.counted
    if counted is None or question.kind is not Kind.FACT or ranking.lead < KNOWN_PAPER:
        return None
    row = evidence.papers[0].paper
    sentences = [index.passages[at].text for at in passage_rows(index, row)]
    if counted == "dollars":
        given = any(_MONEY.search(sentence) for sentence in sentences)
    else:
        noun = stem(counted)
        given = any(
            _NUMBER.search(sentence) and noun in tokenize(sentence) for sentence in sentences
        )
    if given:
        return None
    paper = index.papers[row]
    name = title_name(paper) or clean_text(paper.title)
    return f"The abstract of “{name}” gives no number of {counted}."
