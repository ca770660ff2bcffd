"""A map of the collection: papers as points in the plane, and clusters with names.

It is computed from the vectors of whole abstracts when papers are indexed, and kept in the
generation. The same vectors give the same map, on one machine.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from threadpoolctl import threadpool_limits

from index.distinguishing import distinguishing_terms
from index.papers import Paper

FILE_NAME = "map.json"

_LEAST_TO_GROUP = 20
"""Papers; fewer are one group, laid out along their principal components."""

_MOST_FOR_TSNE = 3000
"""Papers; t-SNE of more takes longer than anybody waits for a map."""
_CARRIED, _AMID = 0.1, 5
"""The share of a large map that changes before it is drawn anew; neighbours of a new paper."""

_FEWEST_CLUSTERS = 8
"""In a large collection: its first two or three clusters are whole fields and tell nobody more."""

_MOST_CLUSTERS = 12
"""More colours and names than this are not told apart."""

_CLUSTER_SIZES = (15, 10)
"""Papers a cluster has on average at most and at least, where there are few."""

_NEARLY_BEST = 0.95
"""Of the best silhouette; the fewest clusters that reach it are chosen."""

_DIMENSIONS = 10
"""Principal components in which clusters are sought; in all of a vector's they are all weak."""

_MOST_COMPONENTS = 50
_AT_ONCE = 4096
"""Vectors that are looked at in double precision together."""

_EXACT_DIGITS = 6
"""Of components; beyond them, papers of the same vector would count as different."""

_SILHOUETTE_SAMPLE = 1000
"""Papers at most whose silhouettes are averaged: it takes the square of their number."""

_PERPLEXITY = 30.0
_ITERATIONS = 500
"""Of t-SNE: as many again move the points no nearer to their neighbours, and take as long."""

_SEED = 0
_NAME_TERMS = 3
_MOST_TO_NAME = 6000
"""Papers whose words are counted for the names; of more, every so many-th."""

_DIGITS = 4

Floats = NDArray[np.float64]


class Point(BaseModel):
    """A paper's place."""

    model_config = ConfigDict(frozen=True)

    id: str
    x: float = Field(ge=0, le=1)
    y: float = Field(ge=0, le=1)
    cluster: int = Field(ge=0, description="The number of its cluster.")


class Cluster(BaseModel):
    """A group of papers that are near each other."""

    model_config = ConfigDict(frozen=True)

    number: int = Field(ge=0)
    name: str = Field(description="Its first terms; no two clusters have the same.")
    terms: tuple[str, ...] = Field(description="What distinguishes it, the best first.")
    size: int = Field(ge=1, description="Papers.")


class CollectionMap(BaseModel):
    """Where the papers of an index lie, in the order of their ids, and in which clusters.

    Clusters are numbered from 0, the largest first. Distances are comparable along both axes.
    """

    model_config = ConfigDict(frozen=True)

    points: tuple[Point, ...]
    clusters: tuple[Cluster, ...]

    def save(self, folder: Path) -> None:
        """Write the map into a generation's folder."""
        (folder / FILE_NAME).write_text(self.model_dump_json(), encoding="utf-8")


def map_collection(papers: Sequence[Paper], vectors: NDArray[np.float32]) -> CollectionMap:
    """Project and group papers by their vectors.

    The projection is t-SNE (van der Maaten and Hinton, JMLR 9, 2008) that starts from the
    principal components; of fewer than 20 papers and of more than 3,000 it is those themselves.
    Clusters are those of k-means, as many as separate best by their silhouette (Rousseeuw, 1987).

    Args:
        papers: P papers.
        vectors: Their unit vectors, shape (P, d).
    """
    if not papers:
        return CollectionMap(points=(), clusters=())
    with threadpool_limits(1):  # sums over several threads differ from run to run
        components = _principal_components(vectors)
        if len(papers) < _LEAST_TO_GROUP or not components.any():
            places, groups = components[:, :2], np.zeros(len(papers), dtype=np.int64)
        else:
            places, groups = _laid_out(components), _grouped(components[:, :_DIMENSIONS])
    return _drawn(papers, _fitted(places), groups)


def carry_on(
    before: CollectionMap | None, papers: Sequence[Paper], vectors: NDArray[np.float32]
) -> CollectionMap | None:
    """The map of a large collection in which little changed: what was there stays where it was.

    A new paper lies amid the five that are nearest to it, in the cluster of most of them. `vectors`
    are the unit vectors of the P papers, shape (P, d).

    Returns:
        None where the map is to be drawn anew: there is none, the collection is small, or more than
        a tenth of it is new or gone.
    """
    if before is None or len(papers) <= _MOST_FOR_TSNE:
        return None
    places = {point.id: point for point in before.points}
    known = [places.get(paper.id) for paper in papers]
    new = [row for row, point in enumerate(known) if point is None]
    there = np.asarray([row for row, point in enumerate(known) if point], dtype=np.int64)
    most = len(papers) * _CARRIED
    if len(new) > most or len(before.points) - len(there) > most:
        return None
    points = list(known)
    for row, nearest in _nearest(vectors, new, there):
        amid = [point for at in nearest if (point := known[at])]
        clusters = Counter(point.cluster for point in amid)
        points[row] = Point(
            id=papers[row].id,
            x=round(float(np.mean([point.x for point in amid])), _DIGITS),
            y=round(float(np.mean([point.y for point in amid])), _DIGITS),
            cluster=clusters.most_common(1)[0][0],
        )
    drawn = tuple(point for point in points if point)
    sizes = Counter(point.cluster for point in drawn)
    if len(sizes) < len(before.clusters):
        return None
    clusters_now = (c.model_copy(update={"size": sizes[c.number]}) for c in before.clusters)
    return CollectionMap(points=drawn, clusters=tuple(clusters_now))


def _nearest(
    vectors: NDArray[np.float32], rows: Sequence[int], there: NDArray[np.int64]
) -> Iterator[tuple[int, list[int]]]:
    """Each of some rows with the rows among `there` that are nearest to it."""
    for at in range(0, len(rows), 256):
        some = list(rows[at : at + 256])
        cosines = vectors[some] @ vectors[there].T
        nearest = np.argpartition(-cosines, _AMID, axis=1)[:, :_AMID]
        yield from zip(some, there[nearest].tolist(), strict=True)


def _principal_components(vectors: NDArray[np.float32]) -> Floats:
    """The coordinates of vectors, shape (P, d), along their principal axes through the middle.

    Shape (P, c), c at most 50 and at least 2; every axis points to where its longest entry is.
    """
    mean = vectors.mean(axis=0, dtype=np.float64)
    parts = [vectors[at : at + _AT_ONCE] for at in range(0, len(vectors), _AT_ONCE)]
    if len(parts) == 1:
        # Double precision: the components of papers that are nearly the same stay apart.
        left, lengths, axes = np.linalg.svd(vectors - mean, full_matrices=False)
        lengths[lengths < 1e-9] = 0.0
        components: Floats = left * lengths
    else:  # of many by their covariance: it takes a tenth of the time, and no copy of them all
        covariance = sum((part - mean).T @ (part - mean) for part in parts)
        axes = np.linalg.eigh(covariance)[1].T[::-1][:_MOST_COMPONENTS]
        components = np.concatenate([(part - mean) @ axes.T for part in parts])
    peaks = axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)]
    components = (components * np.where(peaks < 0, -1.0, 1.0))[:, :_MOST_COMPONENTS]
    return np.pad(components, ((0, 0), (0, max(0, 2 - components.shape[1]))))


def _laid_out(components: Floats) -> Floats:
    """Places in the plane, shape (P, 2), of papers by their principal components."""
    if len(components) > _MOST_FOR_TSNE:
        return components[:, :2]
    # Imported here: scikit-learn takes a second, and few runs of a process draw a map.
    from sklearn.manifold import TSNE

    start = components[:, :2] / np.std(components[:, 0]) * 1e-4
    perplexity = min(_PERPLEXITY, len(components) / 4)
    tsne = TSNE(
        perplexity=perplexity, init=start, max_iter=_ITERATIONS, random_state=_SEED, n_jobs=1
    )
    return np.asarray(tsne.fit_transform(components), dtype=np.float64)


def _grouped(components: Floats) -> NDArray[np.int64]:
    """The cluster of each paper, shape (P,), the largest cluster 0."""
    from sklearn.cluster import KMeans  # here for the same reason as above
    from sklearn.metrics import silhouette_score

    rounded = components.round(_EXACT_DIGITS)
    distinct = len(np.unique(rounded, axis=0))
    fewest = max(2, min(_FEWEST_CLUSTERS, len(rounded) // _CLUSTER_SIZES[0]))
    most = min(_MOST_CLUSTERS, len(rounded) // _CLUSTER_SIZES[1], distinct - 1)
    sample = slice(None, None, 1 + (len(rounded) - 1) // _SILHOUETTE_SAMPLE)
    found: list[tuple[float, NDArray[np.int64]]] = []
    for count in range(fewest, most + 1):
        means = KMeans(count, n_init=4, random_state=_SEED)
        groups = means.fit_predict(rounded).astype(np.int64)
        if len(np.unique(groups[sample])) > 1:
            found.append((float(silhouette_score(rounded[sample], groups[sample])), groups))
    if not found:
        return np.zeros(len(rounded), dtype=np.int64)
    best = max(score for score, _ in found)
    least = best - (1 - _NEARLY_BEST) * abs(best)
    groups = next(groups for score, groups in found if score >= least)
    by_size = np.argsort(-np.bincount(groups), kind="stable")
    return np.argsort(by_size)[groups]


def _fitted(places: Floats) -> Floats:
    """Places moved and scaled, alike along both axes, into the middle of the unit square."""
    low, high = places.min(axis=0), places.max(axis=0)
    span = float((high - low).max()) or 1.0
    inside: Floats = (places - (low + high) / 2) / span + 0.5
    return inside.clip(0, 1).round(_DIGITS)


def _drawn(papers: Sequence[Paper], places: Floats, groups: NDArray[np.int64]) -> CollectionMap:
    sizes = np.bincount(groups).tolist()
    step = 1 + (len(papers) - 1) // _MOST_TO_NAME
    terms = distinguishing_terms(papers[::step], groups[::step].tolist(), len(sizes))
    points = (
        Point(id=paper.id, x=x, y=y, cluster=group)
        for paper, (x, y), group in zip(papers, places.tolist(), groups.tolist(), strict=True)
    )
    clusters = (
        Cluster(
            number=number,
            name=", ".join(terms[number][:_NAME_TERMS]) or f"group {number + 1}",
            terms=terms[number],
            size=size,
        )
        for number, size in enumerate(sizes)
    )
    return CollectionMap(points=tuple(points), clusters=tuple(clusters))
