"""The map of a collection: every paper a point, and clusters with names."""

from collections import Counter
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hashing_encoder import HashingEncoder
from numpy.typing import NDArray

from index.build import build_papers
from index.collection_map import CollectionMap, map_collection
from index.papers import Paper
from index.store import Index

TOPICS = {
    "Kites": "Kites fly high in the wind.",
    "Boats": "A boat floats on the river.",
    "Ovens": "Ovens bake bread in the morning.",
    "Owls": "Owls hunt mice in the dark.",
}


def papers_on(topics: list[str], each: int) -> list[Paper]:
    return [
        Paper(id=f"{topic}-{n:03}", title=f"{topic}, part {n}", abstract=TOPICS[topic])
        for topic in topics
        for n in range(each)
    ]


def clouds(count: int, each: int) -> NDArray[np.float32]:
    """Unit vectors in `count` tight groups that are far from each other."""
    chance = np.random.default_rng(7)
    centres = np.eye(count, 32).repeat(each, axis=0)
    vectors = centres + chance.normal(scale=0.05, size=centres.shape)
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def drawn(papers: list[Paper], vectors: NDArray[np.float32]) -> CollectionMap:
    return map_collection(papers, vectors).of([paper.id for paper in papers])


def check(map_: CollectionMap, papers: list[Paper]) -> None:
    assert [point.id for point in map_.points] == [paper.id for paper in papers]
    sizes = Counter(point.cluster for point in map_.points)
    assert [cluster.number for cluster in map_.clusters] == [*range(len(sizes))]
    assert [cluster.size for cluster in map_.clusters] == [sizes[n] for n in range(len(sizes))]
    assert sorted(sizes.values(), reverse=True) == [cluster.size for cluster in map_.clusters]
    names = [cluster.name for cluster in map_.clusters]
    assert len({*names} - {""}) == len(names)


def test_groups_of_like_papers_become_named_clusters_apart_from_each_other() -> None:
    papers = papers_on(list(TOPICS), 15)
    map_ = drawn(papers, clouds(4, 15))
    check(map_, papers)
    assert map_ == drawn(papers, clouds(4, 15))
    assert len(map_.clusters) == 4
    of = {paper.id: point.cluster for paper, point in zip(papers, map_.points, strict=True)}
    for topic in TOPICS:
        numbers = {number for id_, number in of.items() if id_.startswith(topic)}
        assert len(numbers) == 1
        assert topic[:-1].lower() in map_.clusters[numbers.pop()].name.lower()
    places = np.array([[point.x, point.y] for point in map_.points])
    centres = places.reshape(4, 15, 2).mean(axis=1)
    spread = np.abs(places.reshape(4, 15, 2) - centres[:, None]).max()
    assert min(np.linalg.norm(a - b) for a, b in combinations(centres, 2)) > 2 * spread


@pytest.mark.parametrize("count", [0, 1, 2, 19])
def test_a_tiny_collection_is_one_cluster(count: int) -> None:
    papers = papers_on(["Kites"], count)
    map_ = drawn(papers, clouds(max(count, 1), 1)[:count])
    check(map_, papers)
    assert [cluster.size for cluster in map_.clusters] == ([count] if count else [])
    if count > 1:
        assert map_.clusters[0].name.startswith("Kites")
        assert len({(point.x, point.y) for point in map_.points}) > 1


def test_five_new_papers_join_the_groups_and_a_new_year_moves_nothing(tmp_path: Path) -> None:
    encoder = HashingEncoder()
    build_papers(papers_on(list(TOPICS), 15), tmp_path, encoder)
    before = Index.open(tmp_path).map
    strange = [
        Paper(id=name, title=name, abstract=f"{name} sing of tides.") for name in ("Larks", "Moons")
    ]
    known = [paper for paper in papers_on(["Boats", "Kites", "Owls"], 16) if "015" in paper.id]
    build_papers([*known, *strange], tmp_path, encoder)
    after = Index.open(tmp_path).map
    assert [cluster.name for cluster in after.clusters] == [c.name for c in before.clusters]
    assert len(after.points) == len(before.points) + 5
    assert {p.id: p for p in before.points}.items() <= {p.id: p for p in after.points}.items()
    build_papers([known[0].model_copy(update={"year": 2024})], tmp_path, encoder)
    assert Index.open(tmp_path).map == after


def test_a_map_is_drawn_anew_when_many_papers_came_in_small_steps(tmp_path: Path) -> None:
    topics, encoder = list(TOPICS), HashingEncoder()
    build_papers(papers_on(topics[:2], 20), tmp_path, encoder)
    assert len(Index.open(tmp_path).map.clusters) == 2  # type: ignore[union-attr] # None would fail
    others = papers_on(topics[2:], 20)
    for at in range(0, len(others), 4):
        build_papers(others[at : at + 4], tmp_path, encoder)
    layout = Index.open(tmp_path).layout
    assert len(layout.clusters) > 2
    assert 0 < layout.changed <= 20
