"""Whether the abstracts can answer at all, and if not, why: in words a person can use."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from index.lexical import tokenize
from index.papers import Paper
from index.store import Index
from index.text import clean_text
from rag.confidence import coverage
from rag.evidence import Evidence
from rag.missing import subject_phrase
from rag.names import asked_names, mentions, own_names, paper_tokens, subjects, title_name
from rag.question import ASKS_VENUE, ASKS_WHO, MONEY, VAGUE, Kind, Question
from rag.retrieval import Ranking, passage_rows, query_tokens
from rag.sentence_score import NUMBER

LEAST_TOPICALITY = 0.23
"""Below this mean cosine with the nearest sentences a question is about something else."""
COVERED = 0.8
"""With this share of its rare words in one paper a question is about that paper all the same."""
KNOWN_PAPER = 0.3
"""With this lead the paper asked about is known, so what it lacks can be said."""
NEAR_THE_BEST = 0.6
"""A paper that passes the filters comes near the best of all from this share of its score."""
LEAST_TOPICALITY_OF_ADVICE = 0.37
"""The same for questions that ask for advice or a service rather than for what is known."""
_SHORTEST_STEM = 3
_SHORT = 6
_NEAREST = 20
_NEAREST_SHARE = 0.02

_ADVICE = re.compile(
    r"\b(?:how (?:do|can|should|would|could) (?:i|we|my)|should i|^(?:can|could) you|help me"
    r"|write (?:me|a|an)|translate|recommend (?:me|a|an|some)|my \w+ (?:keeps?|is|does|won't)"
    r"|what(?:'s|s| is| are)? (?:a |the |some )?(?:best|good|cheapest|nicest)|where can i"
    r"|who (?:is|was|are) the (?:ceo|president|founder|owner))\b",
    re.IGNORECASE,
)
_OTHER_CREDITS = re.compile(
    r"\bfunded\b|\bwhen (?:was|were) .* (?:published|written|released)\b"
    r"|\b(?:author names?|names of the authors|affiliations?"
    r"|which (?:university|lab|institution|company))\b",
    re.IGNORECASE,
)
# "RAM", "IV": in a long question hardly what it turns on.
_EVERYDAY = re.compile(r"[A-Z]{2,3}")
_SMALL_TALK = re.compile(
    r"(?:thanks?(?: you)?|thx|hello|hi|hey|ok(?:ay)?|yes|no|bye|good (?:morning|evening)|help)"
    r"(?: \w+)?\W*$",
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


@dataclass(frozen=True)
class Shortfall:
    """Why the abstracts cannot answer."""

    reason: str
    """As one sentence, for a person."""
    lacks: str | None = None
    """What abstracts would have to speak of; None if more of them would not help."""
    far: bool = False
    """Whether it is only that they are far from the question, or lack a word of its subject."""


def insufficient(
    index: Index,
    question: Question,
    ranking: Ranking,
    evidence: Evidence,
    limits: str = "",
    *,
    distances: bool = True,
) -> Shortfall | None:
    """Why the abstracts cannot answer; None if they can.

    Args:
        index: The index that was searched.
        question: What is asked.
        ranking: The papers for it.
        evidence: What was selected from them.
        limits: In words, which papers may answer, if not all (`rag.scope.describe_limits`).
        distances: Whether to refuse where the abstracts are only far (`Shortfall.far`).
    """
    if not len(ranking.rows):
        return Shortfall(nothing_left(limits))
    if not ranking.tokens or _SMALL_TALK.match(question.text):
        return Shortfall("The question has no words to search for: ask about the papers.")
    if question.mentioned and not evidence.papers:
        return Shortfall(f"No abstract mentions {question.mentioned}.", question.mentioned)
    about = subject_phrase(question.text, index.lexical)
    named = subjects(question.text, index.papers, index.lexical)
    if distances and not named and _is_off_topic(index, question, ranking):
        return Shortfall("None of the abstracts is about this.", about, far=True)
    elsewhere = _answered_elsewhere(index, question, ranking, named)
    if elsewhere:
        passes = f"does not pass the filters{_in(limits)}"
        return Shortfall(f"The paper that fits best, {_call(elsewhere)}, {passes}.")
    if not evidence.papers:
        subject = question.subjects[0]
        called = subject if len(subject.split()) <= _SHORT else "this"
        return Shortfall(f"None of the abstracts is about {called}.", about, far=True)
    if not any(found.passages for found in evidence.papers):
        return Shortfall("The papers found have no abstract to quote.")
    missing = _missing_name(index, question, evidence)
    if missing or evidence.kind is not Kind.FACT:
        return missing
    first = index.papers[evidence.papers[0].paper]
    if any(asks.search(question.text) for asks in (ASKS_WHO, ASKS_VENUE, _OTHER_CREDITS)):
        unsaid = "does not name its authors, nor when and where it appeared"
        return Shortfall(f"The abstract of {_call(first)} {unsaid}.")
    known = first in named or ranking.lead >= KNOWN_PAPER
    missing = _missing_number(index, question, evidence) if known else None
    if missing or not distances or first not in named:
        return missing
    return _missing_subject(index, question, first, about)


def nothing_left(limits: str) -> str:
    """That no paper passes the filters, and what they are."""
    return f"No abstract is left after the filters{_in(limits)}."


def _in(limits: str) -> str:
    return f" ({limits})" if limits else ""


def _answered_elsewhere(
    index: Index, question: Question, ranking: Ranking, named: Sequence[Paper]
) -> Paper | None:
    """The paper asked about, if the filters leave it out and none of the others comes near."""
    allowed = {index.papers[int(row)].id for row in ranking.rows}
    if named and not any(paper.id in allowed for paper in named):
        return named[0]
    if question.kind is Kind.LIST:
        return None
    best = int(np.argmax(ranking.scores))
    first = float(ranking.scores[ranking.rows[0]])
    near = first >= NEAR_THE_BEST * float(ranking.scores[best])
    return None if index.papers[best].id in allowed or near else index.papers[best]


def _is_off_topic(index: Index, question: Question, ranking: Ranking) -> bool:
    names = asked_names(question.text, index.lexical)
    if any(mentions(index.papers[int(row)], name) for name in names for row in ranking.rows):
        return False
    near, covered = topicality(ranking), coverage(index, ranking, int(ranking.rows[0]))
    least = LEAST_TOPICALITY_OF_ADVICE if _ADVICE.search(question.text) else LEAST_TOPICALITY
    if not covered:  # not one of its words
        least = LEAST_TOPICALITY_OF_ADVICE
    return near < least and covered < COVERED


def _call(paper: Paper) -> str:
    return f"“{title_name(paper) or clean_text(paper.title)}”"


def _missing_name(index: Index, question: Question, evidence: Evidence) -> Shortfall | None:
    """A name that the question turns on and the papers found do not mention."""
    found = [index.papers[at.paper] for at in evidence.papers]
    for name in asked_names(question.text, index.lexical):
        if any(mentions(paper, name) for paper in found):
            continue
        if any(mentions(paper, name) for paper in index.papers):
            if evidence.kind is Kind.FACT:
                return Shortfall(
                    f"The abstract of {_call(found[0])} does not mention {name}.", name
                )
        elif len(tokenize(question.text)) <= _SHORT or not _EVERYDAY.fullmatch(name):
            return Shortfall(f"No abstract mentions {name}.", name)
    return None


def _missing_subject(
    index: Index, question: Question, paper: Paper, about: str | None
) -> Shortfall | None:
    """What a question about a named paper is about, where its abstract has no word of it.

    Either none of the question's words beside the paper's names is there, or not the noun that
    "which" or "what" asks for.
    """
    if question.wants_meaning or not paper.abstract:
        return None
    names = set(tokenize(" ".join(own_names(paper))))
    said = VAGUE.sub(" ", question.text)
    tokens = [token for token in query_tokens(index.lexical, said) if token not in names]
    has = paper_tokens(paper)
    missing = [token for token in tokens if not _shares([token], has)]
    if len(missing) > 1 and len(missing) == len(tokens):
        reason = f"The abstract of {_call(paper)} says nothing about that."
        return Shortfall(reason, about, far=True)
    if question.asked_for:
        noun = [token for token in tokenize(question.asked_for) if token not in names]
        if any(token in missing for token in noun):
            reason = f"The abstract of {_call(paper)} does not mention its {question.asked_for}."
            return Shortfall(reason, question.asked_for, far=True)
    return None


def _missing_number(index: Index, question: Question, evidence: Evidence) -> Shortfall | None:
    """What "how many …" counts, where the paper asked about gives no number of it."""
    counted = question.counted
    if counted is None:
        return None
    row = evidence.papers[0].paper
    sentences = [index.passages[at].text for at in passage_rows(index, row)]
    if counted == MONEY:
        given = any(_MONEY.search(sentence) for sentence in sentences)
    else:
        wanted = tokenize(counted)
        given = not wanted or any(
            NUMBER.search(sentence) and _shares(wanted, tokenize(sentence))
            for sentence in sentences
        )
    if given:
        return None
    amount = f"amount in {counted}" if counted == MONEY else f"number of {counted}"
    paper = index.papers[row]
    name = title_name(paper) or paper.display_title
    return Shortfall(
        f"The abstract of {_call(paper)} gives no {amount}.", f"the {amount} of {name}"
    )


def _shares(wanted: Iterable[str], tokens: Iterable[str]) -> bool:
    """Whether two lists share a token, or one begins another: "param" and "parameter"."""
    return any(
        a == b or (min(len(a), len(b)) >= _SHORTEST_STEM and (a.startswith(b) or b.startswith(a)))
        for a in wanted
        for b in tokens
    )
