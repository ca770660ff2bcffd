"""Which papers an answer is made of, by what is asked, and what each of them says.

One paper answers, or those that are named; the sides of a comparison; the papers on a subject; the
themes of the collection; what is like a paper; what to read first.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from index.lexical import tokenize
from index.store import Index
from rag.evidence import ON_SUBJECT, WORDS, Evidence, PaperEvidence, leading, of_paper, summary
from rag.listing import MOST, likely, listed
from rag.query import Query
from rag.retrieval import Probe, Ranking, nearest_to, passage_rows, rank
from rag.wording import Kind

WORDS_OF_SIDE = 60
"""Words of evidence at most, about, from each side of a comparison."""
SIDES = 4
"""Papers that are compared, or that a question may name, at most."""
THEMES, OF_THEME = 8, 2
"""Themes of a collection, and the papers cited of each."""
MOST_GATHERED, FEWEST_GROUPED = 10, 4
"""Papers cited of an overview of a subject, and those from which they stand in groups."""
SIMILAR, CHOSEN = 6, 3
"""Papers like one, and papers that are recommended."""
_CANDIDATES, _MOST_CUTS = 10, 4
_CUT = re.compile(r"[.?!,;:]\s|\b(?:and|or|versus|vs\.?|than|while|with|to|from)\b", re.IGNORECASE)
"""Where a question may be cut into what it compares."""


def select(index: Index, query: Query, ranking: Ranking) -> Evidence:
    """The evidence for a question, by its kind."""
    by_kind = {
        Kind.COMPARE: compared,
        Kind.PAPERS: from_papers,
        Kind.OVERVIEW: overview,
        Kind.SIMILAR: similar,
        Kind.CHOOSE: read_first,
    }
    return by_kind.get(query.kind, from_paper)(index, query, ranking)


def from_paper(index: Index, query: Query, ranking: Ranking) -> Evidence:
    """What the one paper that a question is about says; or each of several that it names."""
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
    """The rows of the papers that a question says it is to be answered from.

    Those of the turns before or the chosen ones if it is about them, else those that it names.
    """
    return query.about or tuple(row for row in query.named if query.allowed[row])[:SIDES]


def nearest(index: Index, query: Query, ranking: Ranking) -> Evidence:
    """What the papers say one of which may answer, where no single one is likely enough.

    Two of them, if it is one of these more likely than not; else the best sentence of each of four.
    """
    first = likely(index, query, ranking)[:4]
    if sum(share for _, share in first[:2]) >= query.fitted.thresholds["two papers"]:
        found = (of_paper(index, query, ranking, row, WORDS_OF_SIDE) for row, _ in first[:2])
        return Evidence(query.kind, tuple(found))
    return Evidence(Kind.PAPERS, _one_each(index, query, ranking, (row for row, _ in first)))


def _one_each(
    index: Index, query: Query, ranking: Ranking, rows: Iterable[int]
) -> tuple[PaperEvidence, ...]:
    """The best sentence of each paper that has an abstract."""
    found = (of_paper(index, query, ranking, row, 1) for row in rows)
    return tuple(each for each in found if each.passages)


def from_papers(index: Index, query: Query, ranking: Ranking, limit: int = MOST) -> Evidence:
    """Every paper on the subject, each with the sentence that says what it does for it."""
    fitting = listed(index, query, ranking)
    found = _one_each(index, query, ranking, (row for row, _ in fitting[:limit]))
    counted = query.wording.asks_how_many
    return Evidence(query.kind, found, count=len(fitting), fit=fitting[0][1], counted=counted)


def compared(index: Index, query: Query, ranking: Ranking) -> Evidence:
    """The sides of a comparison, each with what it says of what is compared."""
    rows = sides(index, query, ranking)
    words = WORDS_OF_SIDE if len(rows) > 1 else WORDS
    says = summary if query.known and query.only_names else of_paper
    found = tuple(says(index, query, ranking, row, words) for row in rows)
    is_known = bool(query.known)
    share = 1.0 if is_known else likely(index, query, ranking)[0][1]
    return Evidence(query.kind, found, share=share)


def sides(index: Index, query: Query, ranking: Ranking) -> Sequence[int]:
    """The papers that are compared: named or spoken of, else found for the parts of the question.

    Without names, the question is cut in two where it may be; of the pairs of papers that two
    parts find, and the first two of the whole, the pair with the highest scores in all is taken.
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
    for half in halves[:_MOST_CUTS]:
        if all(tokenize(text) for text in half):
            probes = [Probe.of(text, index, query.encoder, mended=False) for text in half]
            best = max(best, _pair(index, ranking, probes))
    return best[1]


def _pair(index: Index, ranking: Ranking, probes: Sequence[Probe]) -> tuple[float, list[int]]:
    """The best papers of two parts among the first of the whole, and their scores in all."""
    allowed = np.zeros(len(index.papers), dtype=np.bool_)
    allowed[ranking.rows[:_CANDIDATES]] = True
    found = [rank(index, probe, allowed) for probe in probes]
    rows = [int(each.rows[0]) for each in found]
    if rows[0] == rows[1]:
        return (-np.inf, rows)
    return float(sum(each.scores[row] for each, row in zip(found, rows, strict=True))), rows


def overview(index: Index, query: Query, ranking: Ranking) -> Evidence:
    """The themes of all papers that may answer, or what those on a subject say of it."""
    if not query.has_subject:
        return themes(index, query)
    shares = listed(index, query, ranking)
    fitting = [row for row, _ in shares]
    is_on_subject = shares[0][1] >= ON_SUBJECT  # else no paper is, but sentences may be
    rows = fitting if is_on_subject else _nearest_papers(index, query, ranking)
    found = _one_each(index, query, ranking, rows[:MOST_GATHERED])
    evidence = Evidence(query.kind, found, count=len(fitting), fit=shares[0][1])
    return _in_groups(index, evidence)


def _nearest_papers(index: Index, query: Query, ranking: Ranking) -> list[int]:
    """The papers whose best sentences are nearest to the question, best first."""
    best = np.full(len(index.papers), -1.0, dtype=np.float32)
    np.maximum.at(best, index.owner, ranking.passages)
    order = np.argsort(-best, kind="stable")
    return [int(row) for row in order if query.allowed[row]][:MOST_GATHERED]


def themes(index: Index, query: Query, most: int = THEMES, of_theme: int = OF_THEME) -> Evidence:
    """The largest groups of the papers that may answer, each with its most typical papers."""
    groups: dict[int, list[int]] = defaultdict(list)
    for row in map(int, np.flatnonzero(query.allowed)):
        groups[int(index.clusters[row])].append(row)
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
    if len(evidence.papers) < FEWEST_GROUPED:
        return evidence
    groups = [int(index.clusters[found.paper]) for found in evidence.papers]
    sizes = Counter(groups)
    groups = [number if sizes[number] > 1 else -1 for number in groups]
    order = sorted(set(groups), key=lambda number: (number < 0, -groups.count(number)))
    if len(order) < 2:
        return evidence
    papers = sorted(
        zip(groups, evidence.papers, strict=True), key=lambda each: order.index(each[0])
    )
    headings = tuple(
        (f"{'Others' if number < 0 else _theme(index, number)}:", groups.count(number))
        for number in order
    )
    return replace(evidence, papers=tuple(found for _, found in papers), groups=headings)


def similar(index: Index, query: Query, ranking: Ranking) -> Evidence:
    """The papers nearest to those that are named, each with the sentence that is nearest.

    Without a named paper, those on the subject.
    """
    named = [*query.about, *query.named]
    if not named:
        return read_first(index, query, ranking, SIMILAR)
    vector = index.paper_vectors[named].mean(axis=0)
    found = []
    for row, cosine in nearest_to(index, vector, query.allowed, named)[:SIMILAR]:
        if rows := passage_rows(index, row):
            near = index.passage_vectors[rows.start : rows.stop] @ vector
            at = rows[int(np.argmax(near))]
            found.append(PaperEvidence(row, (at,), at, cosine))
    return Evidence(Kind.SIMILAR, tuple(found))


def read_first(index: Index, query: Query, ranking: Ranking, count: int = CHOSEN) -> Evidence:
    """The papers that fit best, each with the sentence that says why.

    Without a subject to fit, the most typical ones of the largest groups.
    """
    if not query.has_subject and query.kind is Kind.CHOOSE:
        return replace(themes(index, query, count, 1), groups=())
    fitting = listed(index, query, ranking)
    rows = [row for row, _ in fitting[:count]]
    rows = list(dict.fromkeys((*rows, *map(int, ranking.rows[:count]))))[:count]
    return Evidence(query.kind, _one_each(index, query, ranking, rows), fit=fitting[0][1])
