"""The map of the collection as an SVG picture: a point a paper, a colour and a shape a cluster."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from index.collection_map import Cluster, CollectionMap, Point
from index.papers import Paper
from ui.web.corpus.catalogue import Catalogue
from ui.web.corpus.table import address
from ui.web.render import escape

WIDTH = 440
MOST_LINKS = 2_000
"""Papers; with more of them the points are drawn together, and a click finds the nearest one."""

_MARGIN = 18
_LEAST_HEIGHT, _MOST_HEIGHT = 240, 440
_RADIUS = 4.6
_COLOURS = 8
"""Of the style sheet; then the same again in another shape."""
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

    def distance(self, point: Point, x: float, y: float) -> float:
        """How far a point is drawn from a place in the picture."""
        there = self.place(point)
        return math.hypot(there[0] - x, there[1] - y)


def nearest(map_: CollectionMap, x: float, y: float) -> str | None:
    """The id of the paper drawn nearest to a place in the picture, if one is near it."""
    frame = Frame.around(map_.points)
    near = min(map_.points, key=lambda point: frame.distance(point, x, y))
    return near.id if frame.distance(near, x, y) <= 4 * _RADIUS else None


def map_html(catalogue: Catalogue) -> str:
    """The picture and its legend, which lists the clusters and narrows the table to one."""
    map_ = catalogue.map
    if map_ is None or not map_.points:
        return ""
    return (
        '<section class="aqa-corpus-map"><h3 id="aqa-corpus-map-title">Map</h3>'
        f"<figure>{_picture(catalogue, map_)}"
        '<p class="aqa-corpus-tip" aria-hidden="true" hidden></p></figure>'
        '<p class="aqa-corpus-none">Papers with like abstracts lie near each other.</p>'
        f"<ul>{''.join(_legend(cluster) for cluster in map_.clusters)}</ul></section>"
    )


def _picture(catalogue: Catalogue, map_: CollectionMap) -> str:
    frame = Frame.around(map_.points)
    many = len(map_.points) > MOST_LINKS
    points = _together(map_, frame) if many else _apart(catalogue, map_, frame)
    told = (
        f"{len(map_.points):,} papers in {len(map_.clusters)}"
        f" cluster{'s' * (len(map_.clusters) != 1)}; the list below names them,"
        " and the table has every paper"
    )
    return (
        f'<svg viewBox="0 0 {WIDTH} {frame.height}" role="group" data-aqa-map'
        f' aria-label="{told}">{points}'
        f'<g class="aqa-corpus-names" aria-hidden="true">{_names(map_, frame)}</g></svg>'
    )


def _apart(catalogue: Catalogue, map_: CollectionMap, frame: Frame) -> str:
    """A link each; the arrow keys lead from one to the next, so that Tab passes them at once."""
    links = []
    for number, point in enumerate(map_.points):
        paper: Paper = catalogue.papers[catalogue.rows[point.id]]
        title = escape(paper.display_title)
        links.append(
            f'<a href="{escape(address(point.id))}" data-aqa-paper="{escape(point.id)}"'
            f' data-cluster="{point.cluster}" class="{_colour(point.cluster)}" aria-label="{title}"'
            f' tabindex="{-1 if number else 0}">{_shape(*frame.place(point), point.cluster)}</a>'
        )
    return "".join(links)


def _together(map_: CollectionMap, frame: Frame) -> str:
    """One path a cluster: tens of thousands of elements would make the page slow."""
    strokes: dict[int, list[str]] = {}
    for point in map_.points:
        x, y = frame.place(point)
        strokes.setdefault(point.cluster, []).append(f"M{x:.1f} {y:.1f}h0")
    return "".join(
        f'<path class="aqa-corpus-dots {_colour(cluster)}" data-cluster="{cluster}"'
        f' d="{"".join(moves)}"></path>'
        for cluster, moves in sorted(strokes.items())
    )


def _colour(cluster: int) -> str:
    return f"aqa-corpus-c{cluster % _COLOURS}"


def _shape(x: float, y: float, cluster: int) -> str:
    """A circle; for the clusters beyond the colours a diamond, then a square."""
    r = _RADIUS
    kind = cluster // _COLOURS % 3
    if kind == 0:
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r}"></circle>'
    if kind == 1:
        d = f"{r * 1.3:.1f}"
        return f'<path d="M{x:.1f} {y - r * 1.3:.1f}l{d} {d}-{d} {d}-{d}-{d}z"></path>'
    return f'<rect x="{x - r:.1f}" y="{y - r:.1f}" width="{2 * r}" height="{2 * r}"></rect>'


def _names(map_: CollectionMap, frame: Frame) -> str:
    """The clusters' names, each above most of its cluster, none over another."""
    taken: list[tuple[float, float, float]] = []
    labels = []
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
                labels.append(f'<text x="{x:.1f}" y="{at:.1f}">{escape(name)}</text>')
                break
    return "".join(labels)


def _short(cluster: Cluster) -> str:
    """As many of a cluster's terms as a label has room for, at least the first."""
    name = cluster.terms[0] if cluster.terms else cluster.name
    for term in cluster.terms[1:]:
        if len(longer := f"{name}, {term}") > _LONGEST_LABEL:
            break
        name = longer
    return name


def _legend(cluster: Cluster) -> str:
    sign = _shape(7, 7, cluster.number)
    return (
        f'<li><button type="button" data-aqa-cluster="{cluster.number}" aria-pressed="false">'
        f'<svg class="{_colour(cluster.number)}" viewBox="0 0 14 14" aria-hidden="true">'
        f"{sign}</svg>"
        f'<span class="aqa-corpus-what">{escape(cluster.name)}</span>'
        f'<span class="aqa-corpus-many">{cluster.size:,}<span class="aqa-corpus-unseen">'
        f" paper{'s' * (cluster.size != 1)}</span></span></button></li>"
    )
