"""Select the evidence for a question by its kind: which papers to quote, and which sentences.

The papers are the one that answers, or those that are named; the sides of a comparison; all on a
subject; the typical ones of each theme; those similar to a paper; or those to read first.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from index.lexical import tokenize
from index.store import Index
from rag.evidence import ON_SUBJECT, WORDS, Evidence, PaperEvidence, leading, of_paper, summary
from rag.listing import likely, listed
from rag.query import Query
from rag.retrieval import Probe, Ranking, nearest_passages, nearest_to, rank
from rag.wording import Kind

WORDS_OF_SIDE = 60
"""Approximate maximum of words of evidence from each side of a comparison."""
SIDES = 4
"""Maximum number of papers that are compared, or quoted because the question names them."""
_CUT = re.compile(r"[.?!,;:]\s|\b(?:and|or|versus|vs\.?|than|while|with|to|from)\b", re.IGNORECASE)
"""Places at which a question may be split into the sides that it compares."""


def select(index: Index, query: Query, ranking: Ranking) -> Evidence:
    """Select the evidence for a question by its kind."""
    by_kind = {
        Kind.COMPARE: compared,
        Kind.PAPERS: from_papers,
        Kind.OVERVIEW: overview,
        Kind.SIMILAR: similar,
        Kind.CHOOSE: read_first,
    }
    return by_kind.get(query.kind, from_paper)(index, query, ranking)


def from_paper(index: Index, query: Query, ranking: Ranking) -> Evidence:
    """Select sentences of the one paper that a question is about, or of each that it names."""
    known = answering(query)
    row, share = (known[0], 1.0) if known else likely(index, query, ranking)[0]
    rows = known or (row,)
    if query.kind is Kind.ABOUT:
        found = tuple(summary(index, query, ranking, row) for row in rows)
    else:
        words = WORDS if len(rows) == 1 else WORDS_OF_SIDE
        found = tuple(of_paper(index, query, ranking, row, words) for row in rows)
    return Evidence(query.kind, found, share=share)


def answering(query: Query) -> Sequence[int]:
    """Return the rows of the papers to answer from: earlier or chosen ones, else those named."""
    return query.about or tuple(row for row in query.named if query.allowed[row])[:SIDES]


def nearest(index: Index, query: Query, ranking: Ranking) -> Evidence:
    """Select sentences of the likeliest papers if no single one is likely enough to answer.

    Take the first two if one of them is likely enough to answer, else a sentence of each of four.
    """
    first = likely(index, query, ranking)[:4]
    if sum(share for _, share in first[:2]) >= query.fitted.thresholds["two papers"]:
        found = (of_paper(index, query, ranking, row, WORDS_OF_SIDE) for row, _ in first[:2])
        return Evidence(query.kind, tuple(found))
    return Evidence(Kind.PAPERS, _one_each(index, query, ranking, (row for row, _ in first)))


def _one_each(
    index: Index, query: Query, ranking: Ranking, rows: Iterable[int]
) -> tuple[PaperEvidence, ...]:
    """Select the best sentence of each paper that has an abstract."""
    found = (of_paper(index, query, ranking, row, 1) for row in rows)
    return tuple(each for each in found if each.passages)


def from_papers(index: Index, query: Query, ranking: Ranking) -> Evidence:
    """Select all papers on the subject, each with its best sentence."""
    fitting = listed(index, query, ranking)
    found = _one_each(index, query, ranking, (row for row, _ in fitting[:20]))
    counted = query.wording.asks_how_many
    return Evidence(query.kind, found, count=len(fitting), fit=fitting[0][1], counted=counted)


def compared(index: Index, query: Query, ranking: Ranking) -> Evidence:
    """Select the papers that are compared, each with its sentences about the question."""
    rows = sides(index, query, ranking)
    words = WORDS_OF_SIDE if len(rows) > 1 else WORDS
    says = summary if query.known and query.only_names else of_paper
    found = tuple(says(index, query, ranking, row, words) for row in rows)
    share = 1.0 if query.known else likely(index, query, ranking)[0][1]
    return Evidence(query.kind, found, share=share)


def sides(index: Index, query: Query, ranking: Ranking) -> Sequence[int]:
    """Return the papers to compare: named or from earlier turns, else found for two parts.

    Without names, split the question at each possible place and search for both parts. Of the
    pairs found, and the first two of the whole question, take the pair with the highest sum.
    """
    known = list(dict.fromkeys((*query.about, *(r for r in query.named if query.allowed[r]))))
    if len(known) > 1:
        return known[:SIDES]
    first = [int(row) for row in ranking.rows[:2]]
    if known or len(first) < 2:
        return known or first
    whole = query.probe.text
    halves = [(whole[: cut.start()], whole[cut.end() :]) for cut in _CUT.finditer(whole)]
    best = (float(ranking.scores[first].sum()), first)
    for half in halves[:4]:
        if all(tokenize(text) for text in half):
            probes = [Probe.of(text, index, query.encoder, mended=False) for text in half]
            best = max(best, _pair(index, ranking, probes))
    return best[1]


def _pair(index: Index, ranking: Ranking, probes: Sequence[Probe]) -> tuple[float, list[int]]:
    """Return the best paper for each part, among the first of the whole, and their total score."""
    allowed = np.zeros(len(index.papers), dtype=np.bool_)
    allowed[ranking.rows[:10]] = True
    found = [rank(index, probe, allowed) for probe in probes]
    rows = [int(each.rows[0]) for each in found]
    if rows[0] == rows[1]:
        return (-np.inf, rows)
    return float(sum(each.scores[row] for each, row in zip(found, rows, strict=True))), rows


def overview(index: Index, query: Query, ranking: Ranking) -> Evidence:
    """Select the themes of all papers that may answer, or sentences of those on a subject."""
    if not query.has_subject:
        return themes(index, query)
    shares = listed(index, query, ranking)
    rows = [row for row, _ in shares]
    if shares[0][1] < ON_SUBJECT:  # no paper is on it, but sentences may be
        best = np.full(len(index.papers), -1.0, dtype=np.float32)
        np.maximum.at(best, index.owner, ranking.passages)
        rows = [int(row) for row in np.argsort(-best, kind="stable") if query.allowed[row]]
    found = _one_each(index, query, ranking, rows[:10])
    evidence = Evidence(query.kind, found, count=len(shares), fit=shares[0][1])
    return _in_groups(index, evidence)


def by_theme(index: Index, query: Query) -> list[list[int]]:
    """Return the papers that may answer by cluster, largest first, and the most typical first."""
    groups: dict[int, list[int]] = defaultdict(list)
    for row in map(int, np.flatnonzero(query.allowed)):
        groups[int(index.clusters[row])].append(row)
    sorted_groups = []
    for number in sorted(groups, key=lambda number: (-len(groups[number]), number)):
        vectors = index.paper_vectors[groups[number]]
        typical = np.argsort(-(vectors @ vectors.mean(axis=0)), kind="stable")
        sorted_groups.append([groups[number][int(at)] for at in typical])
    return sorted_groups


def themes(index: Index, query: Query, most: int = 8, of_theme: int = 2) -> Evidence:
    """Select the largest clusters of the papers that may answer, each with its typical papers."""
    papers: list[PaperEvidence] = []
    headings: list[tuple[str, int]] = []
    for members in by_theme(index, query)[:most]:
        chosen = members[:of_theme]
        quoted = [(row, at) for row in chosen if (at := leading(index, row)) is not None]
        papers += [PaperEvidence(row, (at,), at) for row, at in quoted]
        size = f"{len(members)} paper{'s' * (len(members) != 1)}"
        theme = _theme(index, int(index.clusters[members[0]]))
        headings.append((f"{theme} ({size}):", len(quoted)))
    return Evidence(query.kind, tuple(papers), groups=tuple(headings))


def _theme(index: Index, number: int) -> str:
    named = {each.number: each.name for each in index.map.clusters} if index.map else {}
    name = named.get(number, "all papers")
    return name[:1].upper() + name[1:]


def _in_groups(index: Index, evidence: Evidence) -> Evidence:
    """Group papers by their clusters on the map, largest first; leave few papers as they are."""
    if len(evidence.papers) < 4:
        return evidence
    numbers = [int(index.clusters[found.paper]) for found in evidence.papers]
    groups: dict[int, list[PaperEvidence]] = defaultdict(list)
    for number, found in zip(numbers, evidence.papers, strict=True):
        groups[number if numbers.count(number) > 1 else -1].append(found)
    if len(groups) < 2:
        return evidence
    order = sorted(set(groups), key=lambda number: (number < 0, -len(groups[number])))
    headings = [
        (f"{'Others' if number < 0 else _theme(index, number)}:", len(groups[number]))
        for number in order
    ]
    papers = [found for number in order for found in groups[number]]
    return replace(evidence, papers=tuple(papers), groups=tuple(headings))


def similar(index: Index, query: Query, ranking: Ranking) -> Evidence:
    """Select the papers most similar to those that are named, or else papers on the subject."""
    named = [*query.about, *query.named]
    if not named:
        return read_first(index, query, ranking, 6)
    vector = index.paper_vectors[named].mean(axis=0)
    rows = (row for row, _ in nearest_to(index, vector, query.allowed, named)[:6])
    found = [(row, nearest_passages(index, row, vector)) for row in rows]
    papers = (PaperEvidence(row, (at[0],), at[0]) for row, at in found if at)
    return Evidence(Kind.SIMILAR, tuple(papers))


def read_first(index: Index, query: Query, ranking: Ranking, count: int = 3) -> Evidence:
    """Select the papers that fit best, each with its best sentence.

    To recommend papers without a subject, select the most typical ones of the largest clusters.
    """
    if not query.has_subject and query.kind is Kind.CHOOSE:
        return replace(themes(index, query, count, 1), groups=())
    fitting = listed(index, query, ranking)
    rows = dict.fromkeys((*(row for row, _ in fitting[:count]), *map(int, ranking.rows[:count])))
    return Evidence(
        query.kind, _one_each(index, query, ranking, [*rows][:count]), fit=fitting[0][1]
    )
