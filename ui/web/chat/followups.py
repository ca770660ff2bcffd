"""What a researcher may ask next: short questions that are known to be answered.

They are about the papers of an answer, or the nearest ones of a refusal: what else their abstracts
state, others on their subject, how two of them differ. Each is asked, without a model, before it
is suggested, and stays only if it brings evidence that the answer did not have.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, zip_longest
from typing import TYPE_CHECKING

from index.papers import Paper, letters
from rag.schema import Answer, Filters

if TYPE_CHECKING:
    from rag.assistant import Assistant

MOST_TRIED = 6
"""Questions asked at most to find those that are suggested: each takes some milliseconds."""
_PAPERS = 3
"""Papers of an answer, the first ones, that questions are made about."""
_LONGEST_TITLE = 60
_ASPECTS = (
    "What results does {} report?",
    "How does {} work?",
    "What data does {} use?",
    "How is {} evaluated?",
    "Why is {} needed?",
)
"""What is asked about a paper, what researchers ask most often first."""

Span = tuple[str, int, int]
"""A paper's id, and where a passage of its abstract begins and ends."""


@dataclass(frozen=True)
class _Candidate:
    text: str
    papers: frozenset[str] = frozenset()
    """Ids of papers that its answer has to cite."""
    more: int = 1
    """Papers at least that new passages have to be of."""


def suggest(
    assistant: "Assistant", answer: Answer, limit: int = 3, filters: Filters | None = None
) -> tuple[str, ...]:
    """Questions that may follow an answer, at most `limit`, the most promising first.

    The same answer from the same index gets the same ones.

    Args:
        assistant: The one that answered.
        answer: An answer, or a refusal: then they are about the nearest papers.
        limit: How many at most.
        filters: Those that the next question will have too.

    Raises:
        InputError: a filter cannot be used.
    """
    there = {paper.id: paper for paper in assistant.papers(filters)}
    cited = [each.paper for each in answer.references if each.paper.id in there]
    near = [there[each.id] for each in answer.nearest if each.id in there]
    known = _spans(answer)
    if answer.status == "answered":
        candidates = _on_cited(assistant, cited)
    else:
        candidates = _on_nearest(answer.standalone_question, near)
    history: list[Mapping[str, object]] = [
        {"role": "user", "content": answer.question},
        {"role": "assistant", "content": answer.text, "references": [p.id for p in cited]},
    ]
    found: list[str] = []
    for candidate in islice(candidates, MOST_TRIED):
        if len(found) == limit:
            break
        reply = assistant.ask(candidate.text, history, filters, "extractive")
        new = _spans(reply) - known
        papers = {reference.paper.id for reference in reply.references}
        is_new = len({paper for paper, _, _ in new}) >= candidate.more
        if is_new and candidate.papers <= papers and not reply.notice:
            found.append(candidate.text)
            known |= new  # no two of them lead to the same passages alone
    return tuple(found)


def _spans(answer: Answer) -> set[Span]:
    return {(ref.paper.id, at.start, at.end) for ref in answer.references for at in ref.passages}


def _on_cited(assistant: "Assistant", cited: Sequence[Paper]) -> Iterator[_Candidate]:
    """What may be asked after an answer: of its papers in turn, then others, then more of them."""
    aspects = [_aspects(paper) for paper in cited[:_PAPERS]]
    yield from islice(aspects[0], 1) if aspects else ()
    yield from _others(assistant, cited)
    named = [paper for paper in cited if _is_name(paper)][:2]
    if len(named) > 1:
        ids = frozenset(paper.id for paper in named)
        yield _Candidate(f"How do {named[0].head} and {named[1].head} differ?", ids)
    for row in zip_longest(*aspects[1:], aspects[0] if aspects else ()):
        yield from filter(None, row)


def _on_nearest(question: str, near: Sequence[Paper]) -> Iterator[_Candidate]:
    """What may be asked where there was no answer: more of a paper it names, else what they are."""
    for paper in near:
        if paper.head and letters(paper.head) in letters(question):
            yield from islice(_aspects(paper), 2)
    for paper in near:
        if called := _called(paper):
            yield _Candidate(f"What is {called} about?", frozenset({paper.id}))


def _aspects(paper: Paper) -> Iterator[_Candidate]:
    if called := _called(paper):
        for asks in _ASPECTS:
            yield _Candidate(asks.format(called), frozenset({paper.id}))


def _others(assistant: "Assistant", cited: Sequence[Paper]) -> Iterator[_Candidate]:
    """Which papers are on the subject of the first paper cited, as the map names its group."""
    groups = assistant.collection_map()
    if not cited or not groups:
        return
    of = {point.id: point.cluster for point in groups.points}
    terms = {cluster.number: cluster.terms for cluster in groups.clusters}
    for term in terms.get(of.get(cited[0].id, -1), ())[:1]:
        yield _Candidate(f"Which other papers are about {term}?", more=2)


def _is_name(paper: Paper) -> bool:
    """Whether what a title begins with is a name, and not the beginning of a sentence."""
    return paper.head is not None and " " not in paper.head


def _called(paper: Paper) -> str | None:
    """What a question calls a paper: its name, or else its title; None if that is too long."""
    if _is_name(paper):
        return paper.head
    title = paper.head or paper.display_title
    return f"“{title}”" if len(title) <= _LONGEST_TITLE else None
