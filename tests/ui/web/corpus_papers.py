"""Made-up papers for the tests of the tab of the papers."""

import datetime as dt
import random
from collections.abc import Sequence

from index.collection_map import Cluster, CollectionMap, Point
from index.papers import Paper, Source

_WORDS = "kite river boat wind sail rope paper model agent task cloud stone bird road".split()


def paper(id_: str, title: str, abstract: str = "", *seen: tuple[str, str, int]) -> Paper:
    """A paper seen in (file, day, position); an empty day is none."""
    sources = tuple(
        Source(name=name, date=dt.date.fromisoformat(day) if day else None, position=position)
        for name, day, position in seen
    )
    return Paper(id=id_, title=title, abstract=abstract, sources=sources)


def many(count: int) -> list[Paper]:
    """So many papers of two and a half years, with abstracts of 160 words."""
    chance = random.Random(0)
    made = []
    for number in range(count):
        day = dt.date(2023, 1, 1) + dt.timedelta(days=chance.randrange(900))
        words = chance.choices(_WORDS, k=160)
        title = f"{' '.join(words[:8])} {number}"
        made.append(paper(f"{number:06}", title, " ".join(words), (f"{day}.txt", str(day), 1)))
    return made


def mapped(papers: Sequence[Paper], clusters: int = 3) -> CollectionMap:
    """A map on which the papers lie on a line, in clusters by turns."""
    last = max(1, len(papers) - 1)
    points = tuple(
        Point(id=paper.id, x=row / last, y=row % 7 / 7, cluster=row % clusters)
        for row, paper in enumerate(papers)
    )
    named = tuple(
        Cluster(number=n, name=f"name{n}, more", terms=(f"name{n}", "more"), size=len(papers))
        for n in range(clusters)
    )
    return CollectionMap(points=points, clusters=named)
