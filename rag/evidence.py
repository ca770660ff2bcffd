"""Which sentences of which papers answer a question.

Papers come from the names in the question and from the ranking; within a paper every sentence is
scored for each part of the question (`sentence_score`). Few sentences are kept, the best first.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from index.encoder import Encoder
from index.lexical import tokenize
from index.papers import Paper
from index.store import Index
from rag.names import asked_names, mentions, own_names, paper_tokens, subjects
from rag.parts import EVERY_PART, Parts
from rag.question import Kind, Question
from rag.retrieval import Floats, Ranking, passage_rows, query_tokens, rank
from rag.sentence_score import enumerated, leans, names_its_paper, score_sentences, share

WORTH = 0.6
"""A further sentence scores at least this share of the first one."""
WORTH_OF_OVERVIEW = 0.3
"""The same where the question is what something is: there more of the abstract fits."""
WORDS_OF_ONE = 92
"""Words of evidence, about, for an answer from one paper."""
WORDS_OF_SIDE = 70
"""Words of evidence, about, for each side of a comparison."""
WORDS_OF_CLOSE = 40
"""Words of evidence, about, of a paper that is only close."""
LISTED = 1.1
"""The relevance from which a paper is listed; a perfect fit has more than 2."""
TITLE_SHARE = 0.5
TEXT_SHARE = 0.3
NEAREST_SHARE = 0.5
FITS = 0.72
"""The least coverage and cosine together with which a paper is about a subject at all."""
LEAST_NEAREST = 0.25
"""The least cosine of a subject and the nearest sentence of a paper about it."""
ALL_COVERED = 0.95
CLEARLY_NEAR = 0.6
"""One paper of a list covers its subject, or has a sentence this near to it: half of the words
of "protein folding" do not make a paper about it."""
LONGEST_LIST = 20
CLOSE = 0.8
"""Papers with at least this share of the first one's score are close to it."""
_CANDIDATES = 10
_LISTABLE = 0.3
_TITLE_OF_SIDE = 0.4
_FAR_AHEAD = 0.3


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
    close: tuple[PaperEvidence, ...] = ()
    """The next papers of the ranking, for a reader who can tell which one answers."""


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
        parts: Parts = EVERY_PART,
    ) -> None:
        self._index = index
        self._encoder = encoder
        self._question = question
        self._ranking = ranking
        self._about = list(about)
        self._parts = parts
        rows = {index.papers[row].id: row for row in map(int, ranking.rows)}
        named = subjects(question.text, index.papers, index.lexical) if parts.names_first else ()
        self._named = [rows[paper.id] for paper in named if paper.id in rows]
        self._part_cosines: tuple[Floats, ...] | None = None

    def select(self) -> Evidence:
        """The evidence for the question; empty if no paper may answer."""
        kind = self._question.kind
        if not len(self._ranking.rows):
            return Evidence(kind, ())
        if kind is Kind.LIST and (self._question.lists_papers or not self._named):
            return Evidence(kind, self._listed())
        sides = self._sides() if kind is Kind.COMPARE else self._named_apart()
        if len(sides) > 1:
            found = (self._of_paper(paper, WORDS_OF_SIDE) for paper in sides)
            return Evidence(Kind.COMPARE, tuple(found))
        answering = sides[0] if sides else self._answering()
        return Evidence(Kind.FACT, (self._of_paper(answering, WORDS_OF_ONE),))

    def nearest(self, count: int) -> Evidence:
        """The best sentence of each of the first `count` papers, whether or not they fit."""
        rows = map(int, self._ranking.rows[:count])
        return Evidence(Kind.LIST, tuple(self._of_paper(row, 1) for row in rows))

    def close_to(self, evidence: Evidence, count: int) -> tuple[PaperEvidence, ...]:
        """The best papers of the ranking that are no part of the evidence, at most `count`.

        None beside papers that the question names or that earlier turns were about, and none
        beside those of a list or a comparison, which are chosen with more care.
        """
        if self._named or self._about or evidence.kind is not Kind.FACT:
            return ()
        taken = {found.paper for found in evidence.papers}
        rows = [int(row) for row in self._ranking.rows[: count + len(taken)]]
        others = [row for row in rows if row not in taken][:count]
        return tuple(self._of_paper(row, WORDS_OF_CLOSE) for row in others)

    def _named_apart(self) -> list[int]:
        """The papers a question names, if it names several and none of them mentions the rest."""
        named = self._named
        if len(named) < 2:
            return []
        names = asked_names(self._question.text, self._index.lexical)
        papers = [self._index.papers[row] for row in named]
        if any(all(mentions(paper, name) for name in names) for paper in papers):
            return []
        return named

    def _answering(self) -> int:
        """The paper asked about.

        A paper that the question names, or that mentions every name in it, goes before one that
        does not; between papers close to each other the one with the better sentence goes first.
        """
        scores = self._ranking.scores
        rows = self._about or [int(row) for row in self._ranking.rows[:_CANDIDATES]]
        names = asked_names(self._question.text, self._index.lexical)
        if self._parts.names_first and (names or self._named):
            named = [
                row for row in dict.fromkeys((*rows, *self._named))
                if all(mentions(self._index.papers[row], name) for name in names)
            ] if names else []  # fmt: skip
            preferred = [row for row in named if row in self._named] or self._named or named
            if preferred and rows[0] not in preferred:
                return preferred[0]
            if preferred:
                return rows[0]
        if not self._parts.better_sentence:
            return rows[0]
        first = max(float(scores[rows[0]]), 1e-6)
        close = [row for row in rows if scores[row] >= CLOSE * first] or rows[:1]
        merit = {row: float(scores[row]) / first + self._of_paper(row, 1).score for row in close}
        return max(close, key=lambda row: merit[row])

    def _listed(self) -> tuple[PaperEvidence, ...]:
        """Every paper that is about the subject, each with its one best sentence.

        If the question asks what is mentioned, these are the papers that mention it. Otherwise
        relevance counts: a paper's score as a share of the first one's, the share of a subject's
        rare words in its title and in all of it, and its nearest sentence.
        """
        papers, lexical = self._index.papers, self._index.lexical
        names: Sequence[str] = asked_names(self._question.text, lexical, common=_LISTABLE)
        if self._question.mentioned and not names:
            names = (self._question.mentioned,)
        if names:
            rows = [
                int(r) for r in self._ranking.rows if any(mentions(papers[r], n) for n in names)
            ]
            if rows or self._question.mentioned:
                return tuple(self._of_paper(row, 1) for row in rows[:LONGEST_LIST])
        relevance = self._relevance()
        chosen = [row for row, value in relevance.items() if value >= LISTED]
        return tuple(self._of_paper(row, 1) for row in chosen)

    def _relevance(self) -> dict[int, float]:
        """How well the papers that fit a list at all fit it, best papers first."""
        index, ranking = self._index, self._ranking
        subjects = self._question.subjects
        tokens = [query_tokens(index.lexical, subject, self._parts) for subject in subjects]
        weights = [{token: index.lexical.idf(token) for token in each} for each in tokens]
        cosines = np.max(
            [index.passage_vectors @ self._encoder.encode_query(subject) for subject in subjects],
            axis=0,
        )
        first = max(float(ranking.scores[ranking.rows[0]]), 1e-6)
        relevance: dict[int, float] = {}
        fits = False
        for row in map(int, ranking.rows[:LONGEST_LIST]):
            paper, rows = index.papers[row], passage_rows(index, row)
            title = set(tokenize(paper.display_title))
            covered = max(share(known, paper_tokens(paper)) for known in weights)
            nearest = float(cosines[rows.start : rows.stop].max()) if rows else 0.0
            if nearest >= LEAST_NEAREST and covered + nearest >= FITS:
                fits = fits or covered >= ALL_COVERED or nearest >= CLEARLY_NEAR
                relevance[row] = (
                    float(ranking.scores[row]) / first
                    + TITLE_SHARE * max(share(known, title) for known in weights)
                    + TEXT_SHARE * covered
                    + NEAREST_SHARE * nearest
                )
        return relevance if fits else {}

    def _sides(self) -> list[int]:
        """The papers of the sides of a comparison: one if it has both.

        Those that the question names or is about, if there are two. Otherwise of the ways to cut
        the question in two, the first at a word that compares ("vs", "compared with") counts, or
        else the one whose sides find the best two papers.
        """
        known = list(dict.fromkeys((*self._about, *self._named)))
        if len(known) > 1 or len(self._ranking.rows) < 2:
            return known
        first = int(self._ranking.rows[0])
        allowed = np.zeros(len(self._index.papers), dtype=np.bool_)
        allowed[self._ranking.rows[:_CANDIDATES]] = True
        best: tuple[float, list[int]] = (-np.inf, [int(r) for r in self._ranking.rows[:2]])
        for left, right, sure in _halves(self._question.text)[:4]:
            ranked = [
                rank(self._index, self._encoder, side, allowed, self._parts)
                for side in (left, right)
            ]
            rows = [int(ranking.rows[0]) for ranking in ranked]
            # "X's success rate vs plain GPT-4o": both in the paper on X
            if known and any(self._has_all(known[0], side) for side in ranked):
                return known
            if known and sure and not any(self._is_another(known[0], side) for side in ranked):
                return known
            far_ahead = sure and self._ranking.lead >= _FAR_AHEAD
            if far_ahead and all(self._has_all(first, side) for side in ranked):
                return [first]
            total = sum(float(r.scores[row]) for r, row in zip(ranked, rows, strict=True))
            if rows[0] != rows[1] and (sure or total > best[0]):
                best = (total, rows)
                if sure:
                    break
        return best[1]

    def _is_another(self, paper: int, side: Ranking) -> bool:
        """Whether a side of a comparison is a paper other than the one named on the other side."""
        best = int(side.rows[0])
        weights = {token: self._index.lexical.idf(token) for token in side.tokens}
        title = set(tokenize(self._index.papers[best].display_title))
        return best != paper and share(weights, title) >= _TITLE_OF_SIDE

    def _has_all(self, paper: int, side: Ranking) -> bool:
        """Whether a paper has all words of a side of a comparison, beside its own names."""
        names = tokenize(" ".join(own_names(self._index.papers[paper])))
        known = self._index.lexical.document_frequency
        words = {token for token in side.tokens if known.get(token)}
        return bool(words - set(names)) and words <= paper_tokens(self._index.papers[paper])

    def _cosines(self) -> tuple[Floats, ...]:
        """Cosines with every passage: of the whole question, then of its parts if several."""
        if self._part_cosines is None:
            whole, parts = self._question.asked, self._question.parts
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
            score_sentences(
                self._question,
                part,
                texts,
                cosines[rows.start : rows.stop],
                names,
                self._index.lexical,
                self._parts,
            )
            for part, cosines in zip(
                (self._question.asked, *self._question.parts), self._cosines(), strict=False
            )
        ]
        whole = np.mean(scored, axis=0) if len(scored) > 1 else scored[0]
        order = [int(np.argmax(scored[0])), *(int(np.argmax(part)) for part in scored[1:])]
        order.sort(key=lambda i: -whole[i])
        order += [int(i) for i in np.argsort(-whole, kind="stable")]
        worth = WORTH_OF_OVERVIEW if self._question.wants_meaning else WORTH
        chosen: list[int] = []
        spent = 0
        for i in dict.fromkeys(order):
            length = len(texts[i].split())
            if i in chosen:
                continue
            if chosen and (spent + length > words or whole[i] < worth * whole[order[0]]):
                continue
            leaning = not chosen and words > 1 and i > 0 and leans(texts[i])
            around = (*([i - 1] if leaning else []), *enumerated(texts, i))
            for at in (i, *around) if self._parts.neighbours else (i,):
                if at in chosen:
                    continue
                chosen.append(at)
                spent += len(texts[at].split())
            if spent >= words:
                break
        # The best one first, the others as the abstract has them: "Furthermore, …" stays behind.
        chosen = [chosen[0], *sorted(chosen[1:])]
        return PaperEvidence(paper, tuple(rows[i] for i in chosen), float(whole.max()))


_COMPARING = re.compile(
    r"\s*,?\s(?:vs\.?|versus|(?:as )?compare[sd]? (?:with|to)|as opposed to|than|whereas)\s+",
    re.IGNORECASE,
)
_OPENING = re.compile(r"(?:as )?compared (?:with|to) (?P<side>[^,]+), ", re.IGNORECASE)
_JOINING = re.compile(r"\s*(?:,?\s(?:and|with|to|from|or|while)|[,;:])\s+", re.IGNORECASE)


def _halves(text: str) -> list[tuple[str, str, bool]]:
    """The ways to cut a comparison into two sides, and whether the cut is at a comparing word."""
    cuts = [(cut, True) for cut in _COMPARING.finditer(text)]
    cuts += [(cut, False) for cut in _JOINING.finditer(text)]
    halves = [(text[: cut.start()], text[cut.end() :], sure) for cut, sure in cuts]
    if opening := _OPENING.match(text):  # "Compared with Y, how fast is X?"
        halves.insert(0, (opening["side"], text[opening.end() :], True))
    return [half for half in halves if tokenize(half[0]) and tokenize(half[1])]


def nearest_papers(index: Index, ranking: Ranking, limit: int) -> list[tuple[Paper, float]]:
    """The papers closest to a question with their scores, best first."""
    rows = [int(row) for row in ranking.rows[:limit]]
    return [(index.papers[row], float(ranking.scores[row])) for row in rows]


def naming_sentence(index: Index, paper: int) -> int | None:
    """The row of the sentence that says what a paper is: "We propose …", or else the first."""
    rows = passage_rows(index, paper)
    naming = (row for row in rows if names_its_paper(index.passages[row].text))
    return next(naming, rows[0] if rows else None)
