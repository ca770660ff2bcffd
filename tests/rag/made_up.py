"""Made-up papers, and the promises that every answer keeps."""

import re
from datetime import date

from index.papers import Paper, Source
from rag.citations import unescape
from rag.schema import Answer


def paper(
    key: str, title: str, abstract: str, *, source: str = "made-up.txt", day: date | None = None
) -> Paper:
    return Paper(
        id=key,
        title=title,
        abstract=abstract,
        sources=(Source(name=source, date=day, position=1),),
    )


KITES = paper("kites", "KiteNet: Flying Far", "KiteNet keeps 12 kites in the air.")
BOATS = paper("boats", "BoatNet: Floating Far", "BoatNet keeps 7 boats on the water.")
EMPTY = paper("empty", "On nothing", "")


def markers(text: str) -> list[int]:
    """The reference markers of an answer's markdown in order; `\\[1\\]` is plain text."""
    return [int(number) for number in re.findall(r"\[(\d+)\]", re.sub(r"\\.", "", text))]


def titles(answer: Answer) -> list[str]:
    """The titles of the papers cited, by number."""
    return [reference.paper.display_title for reference in answer.references]


def first_sentence(answer: Answer) -> str:
    """What an answer says first; why not, if it says nothing."""
    return answer.sentences[0].text if answer.sentences else f"(refused: {answer.reason})"


def without_times(answer: Answer) -> Answer:
    """The answer without the one part that differs from run to run."""
    return answer.model_copy(update={"timings_ms": {}})


def keeps_the_promises(answer: Answer) -> None:
    """Check the invariants of the public contract."""
    used = list(dict.fromkeys(markers(answer.text)))
    assert used == list(range(1, len(used) + 1)), "numbered by first use"
    assert [reference.number for reference in answer.references] == used
    listed = {r.number: {(p.start, p.end) for p in r.passages} for r in answer.references}
    cited: dict[int, set[tuple[int, int]]] = {number: set() for number in listed}
    for sentence in answer.sentences:
        for citation in sentence.citations:
            cited[citation.reference].add((citation.start, citation.end))
        assert bool(sentence.citations) == (sentence.support != "unchecked")
    assert cited == listed
    for reference in answer.references:
        abstract = reference.paper.abstract
        for passage in reference.passages:
            assert 0 <= passage.start < passage.end <= len(abstract)
            assert abstract[passage.start : passage.end] == passage.text
    if answer.status == "insufficient_evidence":
        assert answer.reason
        assert answer.reason in unescape(answer.text)
        assert not answer.sentences
        assert not answer.references
    else:
        assert answer.reason is None
        assert answer.text
    assert {near.id for near in answer.nearest}.isdisjoint(
        reference.paper.id for reference in answer.references
    )
    assert Answer.model_validate_json(answer.model_dump_json()) == answer
