"""What the index has for the parts of a question that was planned into several."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from index.store import Index
from rag.evidence import Evidence
from rag.schema import SubQuestion
from rag.synthesis.planning import fill, waves


@dataclass(frozen=True)
class Part:
    """What was found for one part of a planned question."""

    question: SubQuestion
    evidence: Evidence


def find_parts(
    index: Index, plan: Sequence[SubQuestion], look_up: Callable[[str], Evidence | None]
) -> list[Part]:
    """Look each part of a plan up on its own; those that need no other one side by side.

    Args:
        index: The index that is searched.
        plan: The parts.
        look_up: Finds the evidence for one question; None if the index cannot answer it. A part
            without evidence, or that needs such a one, brings nothing.
    """
    found: dict[int, Part] = {}
    names: dict[int, tuple[str, ...]] = {}

    def of_part(part: SubQuestion) -> Part | None:
        text = fill(part, names)
        evidence = look_up(text) if text else None
        if not text or evidence is None:
            return None
        return Part(SubQuestion(number=part.number, question=text, after=part.after), evidence)

    for wave in waves(plan):
        with ThreadPoolExecutor(max_workers=len(wave)) as pool:
            for part, done in zip(wave, pool.map(of_part, wave), strict=True):
                if done is None:
                    continue
                found[part.number] = done
                rows = [at.paper for at in done.evidence.papers]
                names[part.number] = tuple(
                    index.names.called(row) or index.papers[row].display_title for row in rows
                )
    return [found[number] for number in sorted(found)]
