"""The words and pairs of words that tell some groups of papers from the rest.

A term's weight in a group is the z-score of its log-odds ratio with an informative Dirichlet
prior (Monroe, Colaresi and Quinn, "Fightin' Words", Political Analysis 16(4), 2008, equations 16
and 22), counted in papers and not in occurrences, so that one paper that repeats its own name
does not name the group. Terms are compared by their stems and shown as the papers write them.
"""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from functools import cache
from itertools import chain, zip_longest

from index.lexical import STOP_WORDS, stem
from index.papers import Paper
from index.text import clean_text

Term = tuple[str, ...]
"""The stems of one word or of two neighbours."""

MOST_TERMS = 6
"""Terms of a group at most."""

_PRIOR = 10.0
"""Papers' worth of belief that a group has a term as often as all papers do."""

_LEAST_PAPERS = 2
_LEAST_SHARE = 0.12
"""Of a group's papers that a term has to be in: rarer ones name a paper, not a group."""

_LARGE_SHARE = 0.3
"""Of a group's papers; a term of so many need be in one title only."""

_LEAST_SCORE = 2.0
"""Standard deviations, of titles and of whole papers together."""

_PAIR_SHARE = 0.4
"""Of the papers with a word in a group; a pair that so many have says more than the word."""

# What abstracts of every field say of themselves, one form a stem. Where it is frequent in one
# group by chance, it still tells a reader nothing about the group.
_GENERIC = frozenset(
    """ability able abstract achieve across address advance aim allow although among analyse analyze
    approach art associated available based benchmark beyond capabilities challenge code common
    comprehensive conduct consistently contribution critical crucial current data dataset datum
    demonstrate design despite develop different due effect efficient enable end enhance ensure
    especially evaluate existing experiment experimental explore extensive field finally find
    first focus found framework fundamental furthermore future generally github good great help
    high higher highlight however https identify impact important improve include increase
    insight introduce investigate issue key large larger lead less leverage limitation low lower
    made main major make method model moreover multiple need new novel number observed obtain
    often open order outperform overall particular perform possible potential present previous
    prior problem process promising propose provide range recent remain require research
    respectively result reveal role second set several showed shown significant similar simple
    since single six small solution specific state strong studies substantial suggest superior
    support system task technique term third three toward two type unique unlike value various
    via well wide work year yet stateoftheart"""
    .split()
)  # fmt: skip
_WORD = re.compile(r"[^\W_]+(?:[-'’.][^\W_]+)*")
_BREAK = re.compile(r"[^\w\s'’.-]|[.'’-](?!\w)")
_ONLY_LETTERS = re.compile(r"[\W_]+")


def distinguishing_terms(
    papers: Sequence[Paper], groups: Sequence[int], count: int
) -> list[tuple[str, ...]]:
    """The terms that distinguish each group of papers from all others, best first.

    A term is given to one group only, the one that it distinguishes most. With a single group
    there is nothing to distinguish; its terms are then those that most of its papers have.

    Args:
        papers: The collection.
        groups: The group of each paper, from 0 to `count` - 1.
        count: How many groups there are.

    Returns:
        For each group at most `MOST_TERMS` terms; fewer, or none, where too few qualify.
    """
    words = _Words()
    titles = [words.runs(paper.display_title) for paper in papers]
    texts = [
        [*title, *words.runs(clean_text(paper.abstract))]
        for title, paper in zip(titles, papers, strict=True)
    ]
    named = _papers_with([words.terms(title) for title in titles], groups, count)
    # A term that no title has is seldom what papers are about.
    said = _papers_with([words.terms(text) & named.keys() for text in texts], groups, count)
    sizes = [groups.count(group) for group in range(count)]
    best: list[dict[Term, float]] = [{} for _ in range(count)]
    for term, has_title in named.items():
        able = [g for g in range(count) if _can_name(has_title[g], said[term][g], sizes[g])]
        if able:
            scores = [
                _z_score(has_title, sizes, group) + _z_score(said[term], sizes, group)
                for group in range(count)
            ]
            group = max(range(count), key=scores.__getitem__)
            if group in able and (count == 1 or scores[group] >= _LEAST_SCORE):
                best[group][term] = scores[group]
    chosen = [
        _chosen(best[group], {term: said[term][group] for term in best[group]})
        for group in range(count)
    ]
    forms = words.forms(texts, {term for terms in chosen for term in terms})
    return [tuple(forms[term] for term in terms) for terms in chosen]


def _papers_with(
    terms: Iterable[AbstractSet[Term]], groups: Sequence[int], count: int
) -> dict[Term, list[int]]:
    """How many papers of each group have a term, by the term."""
    papers: dict[Term, list[int]] = defaultdict(lambda: [0] * count)
    for own, group in zip(terms, groups, strict=True):
        for term in own:
            papers[term][group] += 1
    return papers


def _can_name(titles: int, papers: int, size: int) -> bool:
    """Whether a term is of a whole group, by its papers and titles that have it, and its size."""
    is_shared = papers >= max(min(_LEAST_PAPERS, size), _LEAST_SHARE * size)
    return is_shared and (titles > 1 or (titles == 1 and papers >= _LARGE_SHARE * size))


def _z_score(in_groups: Sequence[int], sizes: Sequence[int], group: int) -> float:
    """How surely a term is more frequent in a group than elsewhere, in standard deviations.

    Args:
        in_groups: Papers of each group that have the term.
        sizes: Papers of each group.
        group: The group that is compared with all others.
    """
    total, everyone = sum(in_groups), sum(sizes)
    if len(sizes) == 1:
        return total / everyone
    share = total / everyone
    # Half a paper keeps the odds of a term that everyone has finite.
    yes, no = _PRIOR * share, _PRIOR * (1 - share) + 0.5
    here, size = in_groups[group], sizes[group]
    there, rest = total - here, everyone - size
    ratio = math.log((here + yes) / (size - here + no)) - math.log(
        (there + yes) / (rest - there + no)
    )
    return ratio / math.sqrt(1 / (here + yes) + 1 / (there + yes))


def _chosen(scores: dict[Term, float], papers: dict[Term, int]) -> list[Term]:
    """The best terms of a group, no stem twice; a word gives way to a pair that says it better."""
    ranked = sorted(scores, key=lambda term: (-scores[term], term))
    pairs = [term for term in ranked if len(term) == 2]
    chosen: list[Term] = []
    said: set[str] = set()
    for term in ranked:
        if said & {*term}:
            continue
        better = (
            pair for pair in pairs
            if {*term} < {*pair} and not said & {*pair}
            and papers[pair] >= _PAIR_SHARE * papers[term]
        )  # fmt: skip
        best = next(better, term)
        chosen.append(best)
        said.update(best)
        if len(chosen) == MOST_TERMS:
            break
    return chosen


class _Words:
    """The words of a collection, each looked at once.

    A run is the words between one punctuation mark and the next.
    """

    def __init__(self) -> None:
        self._stems: dict[str, str] = {}
        """Of every word met."""
        self._able: set[str] = set()
        """Words that may be part of a term."""
        self._saying: set[str] = set()
        """Those of them that say something of a subject, not only of research."""

    def runs(self, text: str) -> list[list[str]]:
        """The runs of a clean text."""
        runs = [words for run in _BREAK.split(text) if (words := _WORD.findall(run))]
        for run in runs:
            for word in run:
                if word not in self._stems:
                    self._look_at(word)
        return runs

    def _look_at(self, word: str) -> None:
        lower = word.lower()
        stemmed = self._stems[word] = _stem(lower)
        has_letters = len(lower) > 2 and any(character.isalpha() for character in lower)
        if has_letters and lower not in STOP_WORDS:
            self._able.add(word)
            if stemmed not in _generic_stems():
                self._saying.add(word)

    def terms(self, runs: Iterable[Sequence[str]]) -> set[Term]:
        """Every word that could name a group, and the pairs that such words open.

        A generic word may end a pair: "language models" says more than "language".
        """
        found: set[Term] = set()
        for run in runs:
            for word, after in zip_longest(run, run[1:]):
                if word in self._saying:
                    first = self._stems[word]
                    found.add((first,))
                    if after in self._able and self._stems[after] != first:
                        found.add((first, self._stems[after]))
        return found

    def forms(
        self, texts: Iterable[Iterable[Sequence[str]]], terms: AbstractSet[Term]
    ) -> dict[Term, str]:
        """How the texts write each term most often.

        A capital as sentences and titles begin with is dropped where the word is also written
        without it.
        """
        firsts = {term[0] for term in terms}
        counted: dict[Term, Counter[str]] = defaultdict(Counter)
        for run in chain.from_iterable(texts):
            for word, after in zip_longest(run, run[1:]):
                first = self._stems[word]
                if first in firsts:
                    counted[(first,)][self._shown(word)] += 1
                    if after is not None and (first, self._stems[after]) in terms:
                        pair = f"{self._shown(word)} {self._shown(after)}"
                        counted[(first, self._stems[after])][pair] += 1
        return {
            term: max(counted[term].items(), key=lambda form: (form[1], form[0]))[0]
            for term in terms
        }

    def _shown(self, word: str) -> str:
        lower = word.lower()
        return lower if word[1:] == lower[1:] and lower in self._stems else word


def _stem(word: str) -> str:
    return stem(_ONLY_LETTERS.sub("", word.lower()))


@cache
def _generic_stems() -> frozenset[str]:
    return frozenset(map(_stem, _GENERIC))
