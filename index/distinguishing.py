"""The words and pairs of words that tell some groups of papers from the rest.

A term's weight in a group is the z-score of its log-odds ratio with an informative Dirichlet
prior (Monroe, Colaresi and Quinn, "Fightin' Words", Political Analysis 16(4), 2008, equations 16
and 22), counted in papers and not in occurrences, so that one paper that repeats its own name
does not name the group. Terms are compared by their stems and shown as the papers write them.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from functools import lru_cache
from itertools import chain, zip_longest

import numpy as np
from numpy.typing import NDArray

from index.lexical import STOP_WORDS, stem
from index.papers import Paper
from index.text import clean_text

Term = tuple[str, ...]
"""The stems of one word or of two neighbours."""
_Counts = NDArray[np.int64]
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

    A term is given to the one group that it distinguishes most. Those of a single group are the
    terms that most of its papers have.

    Args:
        papers: The collection.
        groups: The group of each paper, from 0 to `count` - 1.
        count: How many groups there are.

    Returns:
        For each group at most `MOST_TERMS` terms; fewer, or none, where too few qualify.
    """
    titles = [_runs(paper.display_title) for paper in papers]
    texts = [
        [*title, *_runs(clean_text(paper.abstract))]
        for title, paper in zip(titles, papers, strict=True)
    ]
    named = _papers_with(map(_terms, titles), groups, count)
    # A term that no title has is seldom what papers are about.
    said = _papers_with((_terms(text) & named.keys() for text in texts), groups, count)
    terms = list(named)
    sizes = np.bincount(groups, minlength=count)
    in_titles = np.asarray([named[term] for term in terms]).reshape(-1, count)
    in_papers = np.asarray([said[term] for term in terms]).reshape(-1, count)
    scores = _z_scores(in_titles, sizes) + _z_scores(in_papers, sizes)
    shared = in_papers >= np.maximum(np.minimum(_LEAST_PAPERS, sizes), _LEAST_SHARE * sizes)
    able = (in_titles > 1) | ((in_titles == 1) & (in_papers >= _LARGE_SHARE * sizes))
    best: list[dict[Term, float]] = [{} for _ in range(count)]
    for at, (term, group) in enumerate(zip(terms, scores.argmax(axis=1).tolist(), strict=True)):
        is_clear = count == 1 or scores[at, group] >= _LEAST_SCORE
        if is_clear and (shared & able)[at, group]:
            best[group][term] = float(scores[at, group])
    chosen = [_chosen(own, {t: said[t][group] for t in own}) for group, own in enumerate(best)]
    forms = _forms(texts, {term for own in chosen for term in own})
    return [tuple(forms[term] for term in own) for own in chosen]


def _papers_with(
    terms: Iterable[AbstractSet[Term]], groups: Sequence[int], count: int
) -> dict[Term, list[int]]:
    """How many papers of each group have a term, by the term."""
    papers: dict[Term, list[int]] = defaultdict(lambda: [0] * count)
    for own, group in zip(terms, groups, strict=True):
        for term in own:
            papers[term][group] += 1
    return papers


def _z_scores(counts: _Counts, sizes: _Counts) -> NDArray[np.float64]:
    """How surely each of T terms is more frequent in a group than elsewhere, shape (T, groups).

    Args:
        counts: Papers of each group that have a term, shape (T, groups).
        sizes: Papers of each group.
    """
    total, everyone = counts.sum(axis=1, keepdims=True), sizes.sum()
    share = total / everyone
    if len(sizes) == 1:
        return np.asarray(share)
    # Half a paper keeps the odds of a term that everyone has finite.
    yes, no = _PRIOR * share, _PRIOR * (1 - share) + 0.5
    there, rest = total - counts, everyone - sizes
    ratio = np.log((counts + yes) / (sizes - counts + no)) - np.log(
        (there + yes) / (rest - there + no)
    )
    return np.asarray(ratio / np.sqrt(1 / (counts + yes) + 1 / (there + yes)))


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
        chosen.append(next(better, term))
        said.update(chosen[-1])
    return chosen[:MOST_TERMS]


def _runs(text: str) -> list[list[str]]:
    """The words of a clean text between one punctuation mark and the next."""
    return [words for run in _BREAK.split(text) if (words := _WORD.findall(run))]


@lru_cache(maxsize=65_536)
def _stem(word: str) -> str:
    return stem(_ONLY_LETTERS.sub("", word.lower()))


@lru_cache(maxsize=1)
def _generic_stems() -> frozenset[str]:
    return frozenset(map(_stem, _GENERIC))


@lru_cache(maxsize=65_536)
def _may_be_part(word: str) -> bool:
    lower = word.lower()
    return len(lower) > 2 and any(map(str.isalpha, lower)) and lower not in STOP_WORDS


def _terms(runs: Iterable[Sequence[str]]) -> set[Term]:
    """Every word that could name a group, and the pairs that such words open.

    A generic word may end a pair: "language models" says more than "language".
    """
    found: set[Term] = set()
    for word, after in chain.from_iterable(zip_longest(run, run[1:]) for run in runs):
        first = _stem(word)
        if _may_be_part(word) and first not in _generic_stems():
            found.add((first,))
            if after is not None and _may_be_part(after) and _stem(after) != first:
                found.add((first, _stem(after)))
    return found


def _forms(texts: Sequence[Iterable[Sequence[str]]], terms: AbstractSet[Term]) -> dict[Term, str]:
    """How the texts write each term most often.

    A capital as sentences and titles begin with is dropped where the word is also written
    without it.
    """
    words = {word for runs in texts for run in runs for word in run}

    def shown(word: str) -> str:
        lower = word.lower()
        return lower if word[1:] == lower[1:] and lower in words else word

    firsts = {term[0] for term in terms}
    counted: dict[Term, Counter[str]] = defaultdict(Counter)
    for run in chain.from_iterable(texts):
        for word, after in zip_longest(run, run[1:]):
            if (first := _stem(word)) in firsts:
                counted[(first,)][shown(word)] += 1
                if after is not None and (first, _stem(after)) in terms:
                    counted[(first, _stem(after))][f"{shown(word)} {shown(after)}"] += 1
    return {
        term: max(counted[term].items(), key=lambda form: (form[1], form[0]))[0] for term in terms
    }
