"""Which sentences of which papers answer a question.

Papers come from the ranking; within a paper every sentence is scored for each part of the
question: its cosine, plus the share of the question's rare words it has, plus what the question
asks for (a number, a reason, a name). Few sentences are kept, the best first.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from index.encoder import Encoder
from index.lexical import tokenize
from index.papers import Paper
from index.store import Index
from rag.names import asked_names, mentions, own_names, paper_tokens
from rag.question import Kind, Question
from rag.retrieval import Floats, Ranking, passage_rows, rank

OVERLAP_WEIGHT = 0.3
NUMBER_BONUS = 0.2
REASON_BONUS = 0.2
NAME_BONUS = 0.1
LATER_BONUS = 0.05
"""For the last sentence of an abstract, in proportion for those before: results come late."""
BACKGROUND_MALUS = 0.1
CLOSING_MALUS = 0.5

WORTH = 0.6
"""A further sentence scores at least this share of the first one."""
WORDS_OF_ONE = 92
"""Words of evidence, about, for an answer from one paper."""
WORDS_OF_SIDE = 70
"""Words of evidence, about, for each side of a comparison."""
LISTED = 0.8
"""The relevance from which a paper is listed; the first paper of a ranking has at least 1."""
TITLE_SHARE = 0.5
TEXT_SHARE = 0.3
LONGEST_LIST = 20
CLOSE = 0.8
"""Papers with at least this share of the first one's score are close to it."""
_CANDIDATES = 10
_LISTABLE = 0.3
_FAR_AHEAD = 0.3

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
    r"|term|termed|we develop|this paper|this work)\b",
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


@dataclass(frozen=True)
class PaperEvidence:
    """The sentences of one paper that answer, as rows of the index's passages, best first."""

    paper: int
    passages: tuple[int, ...]
    score: float
    """The score of the best sentence."""


@dataclass(frozen=True)
class Evidence:
    """What the answer may say, paper by paper, in the order to say it."""

    kind: Kind
    papers: tuple[PaperEvidence, ...]


class Selector:
    """Chooses evidence for one question from one ranking.

    `about` are the rows of the papers that earlier turns of the conversation were about.
    """

    def __init__(
        self,
        index: Index,
        encoder: Encoder,
        question: Question,
        ranking: Ranking,
        about: Sequence[int] = (),
    ) -> None:
        self._index = index
        self._encoder = encoder
        self._question = question
        self._ranking = ranking
        self._about = list(about)
        self._part_cosines: tuple[Floats, ...] | None = None

    def select(self) -> Evidence:
        """The evidence for the question; empty if no paper may answer."""
        if not len(self._ranking.rows):
            return Evidence(self._question.kind, ())
        if self._question.kind is Kind.LIST:
            return Evidence(Kind.LIST, self._listed())
        if self._question.kind is Kind.COMPARE and len(self._ranking.rows) > 1:
            papers = self._about if len(self._about) > 1 else self._sides()
            found = (self._of_paper(paper, WORDS_OF_SIDE) for paper in papers)
            return Evidence(Kind.COMPARE, tuple(found))
        return Evidence(Kind.FACT, (self._of_paper(self._answering(), WORDS_OF_ONE),))

    def _answering(self) -> int:
        """The paper asked about.

        A paper that mentions every name of the question goes before one that does not; between
        papers close to each other the one with the better sentence goes first.
        """
        scores = self._ranking.scores
        rows = self._about or [int(row) for row in self._ranking.rows[:_CANDIDATES]]
        names = asked_names(self._question.text, self._index.lexical)
        if names:
            named = [r for r in rows if all(mentions(self._index.papers[r], n) for n in names)]
            if named and named[0] != rows[0]:
                return named[0]
        first = max(float(scores[rows[0]]), 1e-6)
        close = [row for row in rows if scores[row] >= CLOSE * first] or rows[:1]
        merit = {row: float(scores[row]) / first + self._of_paper(row, 1).score for row in close}
        return max(close, key=lambda row: merit[row])

    def _listed(self) -> tuple[PaperEvidence, ...]:
        """Every paper that is about the subject, each with its one best sentence.

        If the question has a name, these are the papers that mention it. Otherwise a paper is
        about it if its score as a share of the first one's, raised by the share of the
        question's rare words in its title and in all of it, reaches `LISTED`.
        """
        scores, lexical = self._ranking.scores, self._index.lexical
        weights = {token: lexical.idf(token) for token in self._ranking.tokens}
        names = asked_names(self._question.text, lexical, common=_LISTABLE)
        if names:
            papers = self._index.papers
            rows = [
                int(r) for r in self._ranking.rows if any(mentions(papers[r], n) for n in names)
            ]
            if rows:
                return tuple(self._of_paper(row, 1) for row in rows[:LONGEST_LIST])
        first = max(float(scores[self._ranking.rows[0]]), 1e-6)
        chosen: list[int] = []
        for row in map(int, self._ranking.rows[:LONGEST_LIST]):
            title = tokenize(self._index.papers[row].display_title)
            relevance = (
                float(scores[row]) / first
                + TITLE_SHARE * _share(weights, title)
                + TEXT_SHARE * _share(weights, paper_tokens(self._index.papers[row]))
            )
            if relevance >= LISTED:
                chosen.append(row)
        return tuple(self._of_paper(row, 1) for row in chosen)

    def _sides(self) -> list[int]:
        """The papers of the two sides of a comparison.

        Of the ways to cut the question in two, the first at a word that compares ("vs",
        "compared with") counts, or else the one whose sides find the best two papers.
        """
        first = int(self._ranking.rows[0])
        allowed = np.zeros(len(self._index.papers), dtype=np.bool_)
        allowed[self._ranking.rows[:_CANDIDATES]] = True
        best: tuple[float, list[int]] = (-np.inf, [int(r) for r in self._ranking.rows[:2]])
        for left, right, sure in _halves(self._question.text)[:4]:
            ranked = [rank(self._index, self._encoder, side, allowed) for side in (left, right)]
            rows = [int(ranking.rows[0]) for ranking in ranked]
            if sure and self._ranking.lead >= _FAR_AHEAD and self._has_both(first, ranked):
                return [first]  # "X's success rate vs plain GPT-4o": both in the paper on X
            total = sum(float(r.scores[row]) for r, row in zip(ranked, rows, strict=True))
            if rows[0] != rows[1] and (sure or total > best[0]):
                best = (total, rows)
                if sure:
                    break
        return best[1]

    def _has_both(self, paper: int, sides: Sequence[Ranking]) -> bool:
        """Whether a paper has all words of both sides of a comparison."""
        return paper_tokens(self._index.papers[paper]).issuperset(
            token
            for side in sides
            for token in side.tokens
            if self._index.lexical.document_frequency.get(token)
        )

    def _cosines(self) -> tuple[Floats, ...]:
        """Cosines with every passage: of the whole question, then of its parts if several."""
        if self._part_cosines is None:
            whole, parts = self._question.text, self._question.parts
            self._part_cosines = tuple(
                self._ranking.passages
                if text == self._ranking.text
                else self._index.passage_vectors @ self._encoder.encode_query(text)
                for text in ((whole, *parts) if len(parts) > 1 else (whole,))
            )
        return self._part_cosines

    def _of_paper(self, paper: int, words: int) -> PaperEvidence:
        """The best sentences of a paper, about `words` words of them and at least one.

        First the best one for the whole question, then the best one for each part of it, then
        whatever is best for the whole.
        """
        rows = passage_rows(self._index, paper)
        if not rows:
            return PaperEvidence(paper, (), 0.0)
        texts = [self._index.passages[row].text for row in rows]
        names = set(tokenize(" ".join(own_names(self._index.papers[paper]))))
        scored = [
            self._score(part, cosines[rows.start : rows.stop], texts, names)
            for part, cosines in zip(
                (self._question.text, *self._question.parts), self._cosines(), strict=False
            )
        ]
        whole = np.mean(scored, axis=0) if len(scored) > 1 else scored[0]
        order = [int(np.argmax(scored[0])), *(int(np.argmax(part)) for part in scored[1:])]
        order.sort(key=lambda i: -whole[i])
        order += [int(i) for i in np.argsort(-whole, kind="stable")]
        chosen: list[int] = []
        spent = 0
        for i in dict.fromkeys(order):
            length = len(texts[i].split())
            if i in chosen:
                continue
            if chosen and (spent + length > words or whole[i] < WORTH * whole[order[0]]):
                continue
            for at in (i, *_enumerated(texts, i)):
                chosen.append(at)
                spent += len(texts[at].split())
            if spent >= words:
                break
        # The best one first, the others as the abstract has them: "Furthermore, …" stays behind.
        chosen = [chosen[0], *sorted(chosen[1:])]
        return PaperEvidence(paper, tuple(rows[i] for i in chosen), float(whole.max()))

    def _score(self, part: str, cosines: Floats, texts: Sequence[str], names: set[str]) -> Floats:
        """How well each sentence of a paper answers a part of the question.

        The tokens of the paper's own names say which paper is meant, not which sentence.
        """
        question, lexical = self._question, self._index.lexical
        asked = {lexical.correct(token) for token in tokenize(part)} - names
        weights = {token: lexical.idf(token) for token in asked}
        asks_closing = bool(_ASKS_CLOSING.search(question.text))
        wants_name = question.wants_name or question.kind is not Kind.FACT
        scores = cosines.astype(np.float32)
        for i, text in enumerate(texts):
            scores[i] += OVERLAP_WEIGHT * _share(weights, tokenize(text))
            if question.wants_number and NUMBER.search(text):
                scores[i] += NUMBER_BONUS
            if wants_name and _NAMING.search(text):
                scores[i] += NAME_BONUS
            if question.wants_reason:
                scores[i] += REASON_BONUS * bool(_REASON.search(text))
            else:
                scores[i] += LATER_BONUS * i / len(texts)
                scores[i] -= BACKGROUND_MALUS * bool(_BACKGROUND.match(text))
            if _CLOSING.search(text) and not asks_closing:
                scores[i] -= CLOSING_MALUS
        return scores


_ENUMERATED = re.compile(r"\(?(?:\d|[ivx]{1,4}|[a-e])\)")


def _enumerated(texts: Sequence[str], at: int) -> list[int]:
    """The sentences "1) …", "2) …" that follow the one that announces them."""
    following: list[int] = []
    while at + 1 < len(texts) and _ENUMERATED.match(texts[at + 1]):
        at += 1
        following.append(at)
    return following


_COMPARING = re.compile(
    r"\s*,?\s(?:vs\.?|versus|(?:as )?compared (?:with|to)|as opposed to|than|whereas)\s+",
    re.IGNORECASE,
)
_JOINING = re.compile(r"\s*(?:,?\s(?:and|with|to|from|or|while)|[,;:])\s+", re.IGNORECASE)


def _halves(text: str) -> list[tuple[str, str, bool]]:
    """The ways to cut a comparison into two sides, and whether the cut is at a comparing word."""
    cuts = [(cut, True) for cut in _COMPARING.finditer(text)]
    cuts += [(cut, False) for cut in _JOINING.finditer(text)]
    halves = ((text[: cut.start()], text[cut.end() :], sure) for cut, sure in cuts)
    return [half for half in halves if tokenize(half[0]) and tokenize(half[1])]


def _share(weights: Mapping[str, float], tokens: Iterable[str]) -> float:
    """The share of the weights whose tokens are among `tokens`, from 0 to 1."""
    total = sum(weights.values())
    return sum(weights.get(token, 0.0) for token in set(tokens)) / total if total else 0.0


def nearest_papers(index: Index, ranking: Ranking, limit: int) -> list[tuple[Paper, float]]:
    """The papers closest to a question with their scores, best first."""
    rows = [int(row) for row in ranking.rows[:limit]]
    return [(index.papers[row], float(ranking.scores[row])) for row in rows]


def naming_sentence(index: Index, paper: int) -> int | None:
    """The row of the sentence that says what a paper is: "We propose …", or else the first."""
    rows = passage_rows(index, paper)
    naming = (row for row in rows if _NAMING.search(index.passages[row].text))
    return next(naming, rows[0] if rows else None)
