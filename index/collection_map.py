"""Draw a map of the collection: papers as points in the plane, and clusters with names.

Clusters are named by the words and word pairs that distinguish them, weighed by the z-score of the
log-odds ratio with an informative Dirichlet prior (Monroe, Colaresi and Quinn, "Fightin' Words",
Political Analysis 16(4), 2008, equations 16 and 22). It counts papers, not occurrences, so that no
paper that repeats its own name names the cluster.
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, zip_longest
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field
from threadpoolctl import threadpool_limits

from index.lexical import STOP_WORDS, packed, stem
from index.papers import Paper
from index.text import clean_text

FILE_NAME = "map.npz"
Floats = NDArray[np.float64]
Term = tuple[str, ...]  # the stems of one word or of two neighbours
_Ints = NDArray[np.int64]
_LEAST_TO_GROUP = 20  # fewer papers form one group, along their principal components
_NEIGHBOURS = 5  # nearest papers among which a new paper is placed
_DIGITS = 4
# Words of every field, one form for each stem, which tell a reader nothing about a group.
_GENERIC = (
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


class Point(BaseModel, frozen=True):
    """A paper's position on the map."""

    id: str
    x: float = Field(ge=0, le=1)
    y: float = Field(ge=0, le=1)
    cluster: int = Field(ge=0, description="The number of its cluster.")


class Cluster(BaseModel, frozen=True):
    """A named group of papers that are near each other on the map."""

    number: int = Field(ge=0)
    name: str = Field(description="Its first terms; no two clusters have the same.")
    terms: tuple[str, ...] = Field(description="What distinguishes it, the best first.")
    size: int = Field(ge=1, description="Papers.")


class CollectionMap(BaseModel, frozen=True):
    """The positions of an index's papers, in the order of their ids, and the clusters by number."""

    points: tuple[Point, ...]
    clusters: tuple[Cluster, ...]


@dataclass(frozen=True, eq=False)
class Layout:
    """A map of P papers, as a generation stores it."""

    places: Floats  # the position of each paper, shape (P, 2), from 0 to 1
    groups: NDArray[np.int64]  # the number of each paper's cluster, shape (P,)
    clusters: tuple[Cluster, ...]
    changed: int = 0  # number of papers added or removed since the map was drawn

    def of(self, ids: Sequence[str]) -> CollectionMap:
        """Return the map of the papers with these ids, in the order of the layout."""
        rows = zip(ids, self.places.tolist(), self.groups.tolist(), strict=True)
        points = (Point.model_construct(id=i, x=x, y=y, cluster=group) for i, (x, y), group in rows)
        return CollectionMap.model_construct(points=tuple(points), clusters=self.clusters)

    def save(self, folder: Path) -> None:
        """Write the map into a generation's folder."""
        clusters = packed([json.dumps([cluster.model_dump() for cluster in self.clusters])])
        arrays = vars(self) | {"changed": np.asarray(self.changed), "clusters": clusters}
        np.savez(folder / FILE_NAME, allow_pickle=False, **arrays)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        with np.load(folder / FILE_NAME) as stored:
            every = tuple(map(Cluster.model_validate, json.loads(stored["clusters"].tobytes())))
            changed = int(stored["changed"]) if "changed" in stored else 0
            return cls(stored["places"], stored["groups"], every, changed)


def map_collection(papers: Sequence[Paper], vectors: NDArray[np.float32]) -> Layout:
    """Project and group P papers by their unit vectors, shape (P, d), the same way each time.

    By t-SNE (van der Maaten and Hinton, JMLR 9, 2008) from the principal components, or those alone
    for fewer than 20 or more than 3,000 papers, and k-means, whose number of clusters is chosen by
    their silhouette (Rousseeuw, 1987).
    """
    if not papers:
        return Layout(np.empty((0, 2)), np.empty(0, dtype=np.int64), ())
    with threadpool_limits(1):  # sums over several threads differ from run to run
        components = _principal_components(vectors)
        if len(papers) < _LEAST_TO_GROUP or not components.any():
            places, groups = components[:, :2], np.zeros(len(papers), dtype=np.int64)
        else:
            places, groups = _lay_out(components), _cluster(components[:, :10])
    # Centred in the unit square, scaled alike along both axes.
    low, high = places.min(axis=0), places.max(axis=0)
    span = float((high - low).max()) or 1.0
    places = ((places - (low + high) / 2) / span + 0.5).clip(0, 1).round(_DIGITS)
    sizes = np.bincount(groups).tolist()
    step = 1 + (len(papers) - 1) // 6000  # 6,000 papers are enough to name clusters
    named = _name(papers[::step], groups[::step].tolist(), len(sizes))
    clusters = (
        Cluster(number=at, name=", ".join(terms[:3]) or f"group {at + 1}", terms=terms, size=size)
        for at, (terms, size) in enumerate(zip(named, sizes, strict=True))
    )
    return Layout(places, groups, tuple(clusters))


def carry_on(before: Layout, rows: _Ints, vectors: NDArray[np.float32]) -> Layout | None:
    """Update the map of a collection that changed little: places, clusters and names stay.

    `rows` are the P papers' rows on the old map, -1 of a new one; `vectors` has the shape (P, d).
    Return None if the map must be drawn anew: it had too few papers for clusters, more than a
    quarter of them came or went since it was drawn, or a cluster has no paper left.
    """
    new, kept = np.flatnonzero(rows < 0), np.flatnonzero(rows >= 0)
    changed = before.changed + max(len(new), len(before.groups) - len(kept))
    if len(before.groups) < _LEAST_TO_GROUP or changed > 0.25 * len(rows):
        return None
    places, groups = before.places[rows], before.groups[rows]
    for some in np.split(new, range(256, len(new), 256)):
        cosines = vectors[some] @ vectors[kept].T
        nearest = kept[np.argpartition(-cosines, _NEIGHBOURS, axis=1)[:, :_NEIGHBOURS]]
        places[some] = places[nearest].mean(axis=1).round(_DIGITS)
        groups[some] = [Counter(row).most_common(1)[0][0] for row in groups[nearest].tolist()]
    sizes = np.bincount(groups, minlength=len(before.clusters)).tolist()
    if not all(sizes):
        return None
    clusters = (c.model_copy(update={"size": sizes[c.number]}) for c in before.clusters)
    return Layout(places, groups, tuple(clusters), changed)


def _principal_components(vectors: NDArray[np.float32]) -> Floats:
    """Project vectors, shape (P, d), onto their principal axes: shape (P, c), 2 ≤ c ≤ 50."""
    # Imported here, as below: scikit-learn takes a second, and few processes draw a map.
    from sklearn.decomposition import PCA

    if len(vectors) < 2:
        return np.zeros((len(vectors), 2))
    pca = PCA(min(50, *vectors.shape), svd_solver="covariance_eigh")
    found = pca.fit_transform(vectors.astype(np.float64))
    found[np.abs(found) < 1e-9] = 0.0
    return np.pad(found, ((0, 0), (0, max(0, 2 - found.shape[1]))))


def _lay_out(components: Floats) -> Floats:
    """Place papers in the plane, shape (P, 2), by their principal components."""
    if len(components) > 3000:  # t-SNE of more takes too long
        return components[:, :2]
    from sklearn.manifold import TSNE

    start = components[:, :2] / np.std(components[:, 0]) * 1e-4
    perplexity = min(30.0, len(components) / 4)
    # Twice as many iterations bring no point nearer to its neighbours.
    tsne = TSNE(perplexity=perplexity, init=start, max_iter=500, random_state=0, n_jobs=1)
    return np.asarray(tsne.fit_transform(components), dtype=np.float64)


def _cluster(components: Floats) -> NDArray[np.int64]:
    """Return the cluster of each paper, shape (P,); the largest cluster is 0."""
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score

    rounded = components.round(6)  # more digits would make equal vectors differ
    distinct = len(np.unique(rounded, axis=0))
    # Less than 8 clusters of a large collection are whole fields, more than 12 look alike.
    fewest = max(2, min(8, len(rounded) // 15))
    most = min(12, len(rounded) // 10, distinct - 1)
    sample = slice(None, None, 1 + (len(rounded) - 1) // 1000)
    found: list[tuple[float, _Ints]] = []
    for count in range(fewest, most + 1):
        groups = KMeans(count, n_init=4, random_state=0).fit_predict(rounded).astype(np.int64)
        if len(np.unique(groups[sample])) > 1:
            found.append((float(silhouette_score(rounded[sample], groups[sample])), groups))
    if not found:
        return np.zeros(len(rounded), dtype=np.int64)
    best = max(score for score, _ in found)
    # Of the numbers of clusters that score nearly best, the smallest.
    groups = next(groups for score, groups in found if score >= best - 0.05 * abs(best))
    by_size = np.argsort(-np.bincount(groups), kind="stable")
    return np.argsort(by_size)[groups]


def _name(papers: Sequence[Paper], groups: Sequence[int], count: int) -> list[tuple[str, ...]]:
    """Return at most six terms that distinguish each group of papers most, best first."""
    titles = [paper.display_title for paper in papers]
    texts = [f"{t}. {clean_text(p.abstract)}" for t, p in zip(titles, papers, strict=True)]
    named = _papers_with(({term for term, _ in _terms(title)} for title in titles), groups, count)
    # A term that occurs in no title is seldom a topic.
    known = ({term for term, _ in _terms(text) if term in named} for text in texts)
    counts = _papers_with(known, groups, count)
    terms = list(named)
    sizes = np.bincount(groups, minlength=count)
    in_titles = np.asarray([named[term] for term in terms]).reshape(-1, count)
    in_papers = np.asarray([counts[term] for term in terms]).reshape(-1, count)
    scores = _z_scores(in_titles, sizes) + _z_scores(in_papers, sizes)
    # A term in fewer papers names a paper, not a group; one in many papers needs only one title.
    shared = in_papers >= np.maximum(np.minimum(2, sizes), 0.12 * sizes)
    titled = (in_titles > 1) | ((in_titles == 1) & (in_papers >= 0.3 * sizes))
    is_clear = scores >= (2.0 if count > 1 else 0.0)  # standard deviations
    fit = is_clear & shared & titled
    best: list[dict[Term, float]] = [{} for _ in range(count)]
    for at, group in enumerate(scores.argmax(axis=1).tolist()):
        if fit[at, group]:
            best[group][terms[at]] = float(scores[at, group])
    chosen = [_choose(top, {t: counts[t][group] for t in top}) for group, top in enumerate(best)]
    forms: dict[Term, Counter[str]] = {term: Counter() for top in chosen for term in top}
    for term, form in chain.from_iterable(map(_terms, texts)):
        if term in forms:
            forms[term][form] += 1
    return [tuple(_usual_form(forms[term]) for term in top) for top in chosen]


def _usual_form(forms: Counter[str]) -> str:
    """Return a term's usual form, without the capitals with which sentences and titles begin."""
    counts: Counter[str] = Counter()
    for form, times in forms.items():
        lower = " ".join(word[0].lower() + word[1:] for word in form.split())
        counts[lower if lower in forms else form] += times
    return max(counts, key=lambda form: (counts[form], form))


def _papers_with(
    terms: Iterable[Set[Term]], groups: Sequence[int], count: int
) -> dict[Term, list[int]]:
    papers: dict[Term, list[int]] = defaultdict(lambda: [0] * count)
    for found, group in zip(terms, groups, strict=True):
        for term in found:
            papers[term][group] += 1
    return papers


def _z_scores(counts: _Ints, sizes: _Ints) -> Floats:
    """Return the z-score of each of T terms being more frequent in a group, shape (T, groups)."""
    total, everyone = counts.sum(axis=1, keepdims=True), sizes.sum()
    share = total / everyone
    if len(sizes) == 1:
        return np.asarray(share)  # the most frequent terms name a single group
    # Half a paper keeps the odds finite for a term that all papers have.
    prior = 10.0  # its weight, in papers: that a group has a term as often as all papers do
    yes, no = prior * share, prior * (1 - share) + 0.5
    others, rest = total - counts, everyone - sizes
    here, elsewhere = (counts + yes) / (sizes - counts + no), (others + yes) / (rest - others + no)
    ratio = np.log(here) - np.log(elsewhere)
    return np.asarray(ratio / np.sqrt(1 / (counts + yes) + 1 / (others + yes)))


def _choose(scores: dict[Term, float], papers: dict[Term, int]) -> list[Term]:
    """Choose a group's best terms, no stem twice; a frequent pair replaces a word in it."""
    ranked = sorted(scores, key=lambda term: (-scores[term], term))
    pairs = [term for term in ranked if len(term) == 2]
    chosen: list[Term] = []
    used: set[str] = set()
    for term in ranked:
        if not used & {*term}:
            longer = (pair for pair in pairs if {*term} < {*pair} and not used & {*pair})
            better = (pair for pair in longer if papers[pair] >= 0.4 * papers[term])
            chosen.append(next(better, term))
            used.update(chosen[-1])
    return chosen[:6]


@lru_cache(maxsize=65_536)
def _stem(word: str) -> str:
    return stem("".join(filter(str.isalnum, word.lower())))


_GENERIC_STEMS = frozenset(map(_stem, _GENERIC))


@lru_cache(maxsize=65_536)
def _may_be_part(word: str) -> bool:
    lower = word.lower()
    return len(lower) > 2 and any(map(str.isalpha, lower)) and lower not in STOP_WORDS


def _terms(text: str) -> Iterator[tuple[Term, str]]:
    """Yield each word that could name a group, and each pair it begins, as stems and written."""
    for run in _BREAK.split(text):
        words = _WORD.findall(run)
        for word, after in zip_longest(words, words[1:], fillvalue=""):
            first = _stem(word)
            if _may_be_part(word) and first not in _GENERIC_STEMS:
                yield (first,), word
                # A generic word may end a pair: "language models" says more than "language".
                if _may_be_part(after) and _stem(after) != first:
                    yield (first, _stem(after)), f"{word} {after}"
