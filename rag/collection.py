"""Answers about many papers: themes, what recurs or is open, what is like a paper, what to read."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from index.store import Index
from rag.evidence import ON_SUBJECT, Evidence, PaperEvidence, leading, of_paper
from rag.listing import listed
from rag.query import Query
from rag.retrieval import Ranking, passage_rows
from rag.selection import CHOSEN
from rag.wording import Kind

MOST_THEMES = 8
OF_THEME = 2
"""Papers cited of each theme of a collection."""
MOST_GATHERED = 10
"""Papers cited of an overview of a subject."""
FEWEST_GATHERED = 4
SIMILAR = 6
_OTHERS = "others"


def overview(index: Index, query: Query, ranking: Ranking) -> Evidence:
    """The themes of all papers that may answer, or what those on a subject say of it."""
    if not query.has_subject:
        return themes(index, query)
    shares = listed(index, query, ranking)
    fitting = [row for row, _ in shares]
    rows = list(dict.fromkeys((*fitting, *map(int, ranking.rows[:FEWEST_GATHERED]))))
    if shares[0][1] < ON_SUBJECT:  # nothing is on it as a whole: sentences may be
        rows = _nearest_papers(index, query, ranking)
    elif len(fitting) >= FEWEST_GATHERED:
        rows = fitting
    found = [of_paper(index, query, ranking, row, 1) for row in rows[:MOST_GATHERED]]
    kept = tuple(each for each in found if each.passages)
    evidence = Evidence(query.kind, kept, count=len(fitting), fit=shares[0][1])
    return _in_groups(index, evidence)


def _nearest_papers(index: Index, query: Query, ranking: Ranking) -> list[int]:
    """The papers whose best sentences are nearest to the question, best first."""
    best = np.full(len(index.papers), -1.0, dtype=np.float32)
    np.maximum.at(best, index.owner, ranking.passages)
    order = np.argsort(-best, kind="stable")
    return [int(row) for row in order if query.allowed[row]][:MOST_GATHERED]


def themes(
    index: Index, query: Query, most: int = MOST_THEMES, of_theme: int = OF_THEME
) -> Evidence:
    """The largest groups of the papers that may answer, each with its most typical papers."""
    rows = np.flatnonzero(query.allowed)
    groups: dict[int, list[int]] = defaultdict(list)
    cluster = index.clusters.tolist()
    for row in map(int, rows):
        groups[cluster[row]].append(row)
    largest = sorted(groups, key=lambda number: (-len(groups[number]), number))[:most]
    papers: list[PaperEvidence] = []
    headings: list[tuple[str, int]] = []
    for number in largest:
        members = groups[number]
        vectors = index.paper_vectors[members]
        typical = np.argsort(-(vectors @ vectors.mean(axis=0)), kind="stable")
        chosen = [members[int(at)] for at in typical[:of_theme]]
        quoted = [(row, at) for row in chosen if (at := leading(index, row)) is not None]
        papers += [PaperEvidence(row, (at,), at, 0.0) for row, at in quoted]
        size = f"{len(members)} paper{'s' * (len(members) != 1)}"
        headings.append((f"{_theme(index, number)} ({size}):", len(quoted)))
    return Evidence(query.kind, tuple(papers), groups=tuple(headings))


def _theme(index: Index, number: int) -> str:
    named = {each.number: each.name for each in index.map.clusters} if index.map else {}
    name = named.get(number, "all papers")
    return name[:1].upper() + name[1:]


def _in_groups(index: Index, evidence: Evidence) -> Evidence:
    """The papers by their groups on the map, the largest first; as they are if they are few."""
    if len(evidence.papers) < FEWEST_GATHERED:
        return evidence
    cluster = index.clusters.tolist()
    sizes = Counter(cluster[found.paper] for found in evidence.papers)
    alone = {number for number, size in sizes.items() if size == 1}
    of = [-1 if cluster[f.paper] in alone else cluster[f.paper] for f in evidence.papers]
    numbers = sorted(set(of), key=lambda number: (number < 0, -of.count(number)))
    if len(numbers) < 2:
        return evidence
    papers = tuple(
        found
        for number in numbers
        for found, own in zip(evidence.papers, of, strict=True)
        if own == number
    )
    headings = tuple(
        (f"{'Others' if number < 0 else _theme(index, number)}:", of.count(number))
        for number in numbers
    )
    return replace(evidence, papers=papers, groups=headings)


def similar(index: Index, query: Query, ranking: Ranking) -> Evidence:
    """The papers nearest to those that are named, each with the sentence that is nearest.

    Without a named paper, those on the subject.
    """
    named = [*query.about, *query.named]
    if not named:
        return read_first(index, query, ranking, SIMILAR)
    vector = index.paper_vectors[named].mean(axis=0)
    cosines = index.paper_vectors @ vector
    order = [int(row) for row in np.argsort(-cosines, kind="stable") if query.allowed[row]]
    found = []
    for row in [row for row in order if row not in named][:SIMILAR]:
        rows = passage_rows(index, row)
        if rows:
            near = index.passage_vectors[rows.start : rows.stop] @ vector
            at = rows[int(np.argmax(near))]
            found.append(PaperEvidence(row, (at,), at, float(cosines[row])))
    return Evidence(Kind.SIMILAR, tuple(found))


def read_first(index: Index, query: Query, ranking: Ranking, count: int = CHOSEN) -> Evidence:
    """The papers that fit best, each with the sentence that says why.

    Without a subject to fit, the most typical ones of the largest groups.
    """
    if not query.has_subject and query.kind is Kind.CHOOSE:
        return replace(themes(index, query, count, 1), groups=())
    fitting: Sequence[tuple[int, float]] = listed(index, query, ranking)
    rows = [row for row, _ in fitting[:count]]
    rows = list(dict.fromkeys((*rows, *map(int, ranking.rows[:count]))))[:count]
    found = (of_paper(index, query, ranking, row, 1) for row in rows)
    kept = tuple(each for each in found if each.passages)
    return Evidence(query.kind, kept, fit=fitting[0][1])
