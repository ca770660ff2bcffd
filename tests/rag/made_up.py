"""Made-up papers on a few subjects, and the promises that every answer keeps."""

import re
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

from index.papers import Paper, Source
from rag.assistant import Assistant
from rag.citations import unescape
from rag.schema import Answer

Open = Callable[[Sequence[Paper]], Assistant]
"""What indexes papers, and opens an assistant over them."""
JUNE, JULY = date(2024, 6, 3), date(2024, 7, 15)
DAYS = {"june": JUNE, "july": JULY, "march": date(2025, 3, 14), "april": date(2025, 4, 22)}


def paper(key: str, title: str, abstract: str, *, day: date | None = None) -> Paper:
    sources = (Source(name="made-up.txt", date=day, position=1),)
    return Paper(id=key, title=title, abstract=abstract, sources=sources)


KITES = paper("kites", "KiteNet: Flying Far", "KiteNet keeps 12 kites in the air.")
BOATS = paper("boats", "BoatNet: Floating Far", "BoatNet keeps 7 boats on the water.")
EMPTY = paper("empty", "On nothing", "")


def shelf(file: Path) -> tuple[Paper, ...]:
    """The papers of a file: id, places in digests and title, and below them the abstract."""
    papers: list[Paper] = []
    for entry in file.read_text(encoding="utf-8").strip().split("\n\n"):
        head, abstract = entry.split("\n", 1)
        key, places, title = head.split(" | ")
        sources = tuple(
            Source(name=f"{name}.txt", date=DAYS.get(name), position=int(position))
            for name, position in (place.split() for place in places.split(", "))
        )
        text = " ".join(abstract.split("\n"))
        papers.append(Paper(id=key, title=title, abstract=text, sources=sources))
    return tuple(papers)


CREDITS = {"authors": ("Ines Ambrosch", "Teo Valdrin"), "year": 2019, "venue": "J. of Baking"}
LIBRARY = tuple(
    each.model_copy(update=CREDITS) if each.id == "rye" else each
    for each in shelf(Path(__file__).parent / "library.txt")
)
"""Sixteen papers on five subjects: nine in each of two digests, three in both; one in neither,
with authors and a year; two of one name."""
NAMES = ("HiveScan", "WaggleNet", "CrackMap", "BridgeSong", "DoughCast", "CrustCam", "IceQuake")
"""Of one paper each."""


def markers(text: str) -> list[int]:
    """The reference markers of an answer's markdown in order; `\\[1\\]` is plain text."""
    return [int(number) for number in re.findall(r"\[(\d+)\]", re.sub(r"\\.", "", text))]


def titles(answer: Answer) -> list[str]:
    """The titles of the papers cited, by number."""
    return [reference.paper.display_title for reference in answer.references]


def cited(answer: Answer) -> list[str]:
    """The ids of the papers cited, by number."""
    return [reference.paper.id for reference in answer.references]


def turns(answer: Answer) -> list[dict[str, object]]:
    """The conversation in which the answer was given."""
    given = {"role": "assistant", "content": answer.text, "references": cited(answer)}
    return [{"role": "user", "content": answer.question}, given]


def without_times(answer: Answer) -> Answer:
    """The answer without the one part that differs from run to run."""
    return answer.model_copy(update={"timings_ms": {}})


def keeps_the_promises(answer: Answer) -> None:
    """Check the invariants of the public contract that its schema does not hold (test_schema)."""
    used = list(dict.fromkeys(markers(answer.text)))
    assert used == list(range(1, len(used) + 1)), "numbered by first use"
    for sentence in answer.sentences:
        if sentence.support != "unchecked":
            assert bool(sentence.citations) == (sentence.support != "unsupported")
    assert all(at.start < at.end for each in answer.references for at in each.passages)
    if answer.status == "insufficient_evidence":
        assert answer.reason
        assert answer.reason in unescape(answer.text)
        assert (answer.confidence, answer.sentences, answer.references) == (None, (), ())
    else:
        assert (answer.reason, answer.lacks) == (None, None)
        assert answer.text
    assert {near.id for near in answer.nearest}.isdisjoint(
        reference.paper.id for reference in answer.references
    )
    assert Answer.model_validate_json(answer.model_dump_json()) == answer
