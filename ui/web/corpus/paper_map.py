"""The map of the collection as an SVG picture: a point a paper, a colour and a shape a cluster."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from index.collection_map import Cluster, CollectionMap, Point
from ui.web.corpus.paper_catalogue import Catalogue
from ui.web.markup import macros

HTML = macros("web/corpus/papers.html")
WIDTH = 440
MOST_LINKS = 2_000
"""Papers; with more of them the points are drawn together, and a click finds the nearest one."""

_MARGIN = 18
_LEAST_HEIGHT, _MOST_HEIGHT = 240, 440
_NEAR = 18
"""Units from a point that are near it."""
_LETTER = 7.8
_LINE = 15
"""Units that a letter and a line of a label take."""
_LONGEST_LABEL = 22


@dataclass(frozen=True)
class Frame:
    """Where the unit square of a map lies in the picture; one unit is as long both ways."""

    left: float
    top: float
    scale: float
    height: int

    @classmethod
    def around(cls, points: Sequence[Point]) -> "Frame":
        """The frame that the points fill."""
        xs, ys = [p.x for p in points], [p.y for p in points]
        wide, high = max(max(xs) - min(xs), 1e-3), max(max(ys) - min(ys), 1e-3)
        scale = min((WIDTH - 2 * _MARGIN) / wide, (_MOST_HEIGHT - 2 * _MARGIN) / high)
        height = max(_LEAST_HEIGHT, round(high * scale + 2 * _MARGIN))
        left = (WIDTH - wide * scale) / 2 - min(xs) * scale
        top = (height - high * scale) / 2 + max(ys) * scale
        return cls(left, top, scale, height)

    def place(self, point: Point) -> tuple[float, float]:
        """Where a point is drawn; y grows downwards."""
        return self.left + point.x * self.scale, self.top - point.y * self.scale


def nearest(map_: CollectionMap, x: float, y: float) -> str | None:
    """The id of the paper drawn nearest to a place in the picture, if one is near it."""
    frame = Frame.around(map_.points)
    far, near = min((math.dist(frame.place(p), (x, y)), p.id) for p in map_.points)
    return near if far <= _NEAR else None


def map_html(catalogue: Catalogue) -> Markup:
    """The picture and its legend, which lists the clusters and narrows the table to one."""
    map_ = catalogue.map
    if map_ is None or not map_.points:
        return Markup()
    frame = Frame.around(map_.points)
    are_links = len(map_.points) <= MOST_LINKS
    points = [
        (
            point,
            catalogue.papers[catalogue.rows[point.id]],
            HTML.sign(*frame.place(point), point.cluster),
        )
        for point in (sorted(map_.points, key=_place) if are_links else ())
    ]
    label = (
        f"{len(map_.points):,} papers in {len(map_.clusters)}"
        f" cluster{'s' * (len(map_.clusters) != 1)}; the list below names them,"
        " and the table has every paper"
    )
    strokes = [] if are_links else _strokes(map_, frame)
    clusters = [(cluster, HTML.sign(7, 7, cluster.number)) for cluster in map_.clusters]
    names = list(_names(map_, frame))
    html: Markup = HTML.map(WIDTH, frame.height, label, points, strokes, names, clusters)
    return html


def _place(point: Point) -> tuple[int, float, float]:
    """Where the arrow keys come to a point: group by group, from left to right."""
    return point.cluster, point.x, point.y


def _strokes(map_: CollectionMap, frame: Frame) -> list[tuple[int, str]]:
    """The points of each cluster as one path."""
    strokes: dict[int, list[str]] = {}
    for point in map_.points:
        x, y = frame.place(point)
        strokes.setdefault(point.cluster, []).append(f"M{x:.1f} {y:.1f}h0")
    return [(cluster, "".join(moves)) for cluster, moves in sorted(strokes.items())]


def _names(map_: CollectionMap, frame: Frame) -> Iterator[tuple[float, float, str]]:
    """The clusters' names, each above most of its cluster, none over another."""
    taken: list[tuple[float, float, float]] = []
    for cluster in map_.clusters:
        places = [frame.place(p) for p in map_.points if p.cluster == cluster.number]
        if not places:
            continue
        name = _short(cluster)
        half = len(name) * _LETTER / 2
        x = sorted(x for x, _ in places)[len(places) // 2]
        y = sorted(y for _, y in places)[len(places) // 6] - _LINE / 2
        x = min(max(x, half + 2), WIDTH - half - 2)
        for step in (0, -1, 1, -2, 2, -3, 3, -4, 4):
            at = min(max(y + step * _LINE, _LINE), frame.height - 4)
            if all(abs(at - b) >= _LINE - 1 or abs(x - a) >= half + h + 8 for a, b, h in taken):
                taken.append((x, at, half))
                yield x, at, name
                break


def _short(cluster: Cluster) -> str:
    """As many of a cluster's terms as a label has room for, at least the first."""
    name = cluster.terms[0] if cluster.terms else cluster.name
    for term in cluster.terms[1:]:
        if len(longer := f"{name}, {term}") > _LONGEST_LABEL:
            break
        name = longer
    return name
