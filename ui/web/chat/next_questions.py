"""Questions to press: what one can ask of these papers at first, and what next after an answer.

Each is asked, without a model, before it is offered: one that is not answered is not offered, and
one that follows an answer stays only if it brings evidence that the answer did not have.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice, zip_longest
from typing import TYPE_CHECKING

from index.folding import is_shaped
from index.papers import Paper, letters
from rag.schema import Answer, Filters
from ui.web.site import near_pairs

if TYPE_CHECKING:
    from rag import Assistant

MOST_EXAMPLES_TRIED = 8
"""Questions of one form that are asked until one has an answer: each takes a moment."""
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

_log = logging.getLogger(__name__)


def examples(assistant: "Assistant") -> list[str] | None:
    """An overview, what is new, a comparison and a list, as far as these papers answer them.

    Returns:
        Up to four questions; None if there are no papers.
    """
    papers = assistant.papers()
    if not papers:
        return None
    forms = (
        (["What is this collection about?"], 1),
        (_on_new(assistant, papers), 2),
        (_on_pairs(assistant, papers), 2),
        (_on_groups(assistant), 2),
    )
    found = (_first_answered(assistant, questions, least) for questions, least in forms)
    return [question for question in found if question]


def _on_new(assistant: "Assistant", papers: Sequence[Paper]) -> Iterator[str]:
    """What the newest digest brought, or which papers are the newest where years are known."""
    dated = [digest for digest in assistant.digests() if digest.date]
    if len(dated) > 1:
        yield f"What is new in the {dated[-1].label} digest?"
    if dated or any(paper.year for paper in papers):
        yield "What are the newest papers?"


def _on_pairs(assistant: "Assistant", papers: Sequence[Paper]) -> Iterator[str]:
    """Two papers that are near each other, and whose names are no common words."""
    heads = {paper.id: paper.head or "" for paper in papers}
    names = {id_: head for id_, head in heads.items() if is_shaped(head) and " " not in head}
    for one, other in near_pairs(assistant, names):
        yield f"How do {one} and {other} differ?"


def _on_groups(assistant: "Assistant") -> Iterator[str]:
    """The subjects of the largest groups of papers, those of more than one word first."""
    map_ = assistant.collection_map()
    terms = [cluster.terms for cluster in map_.clusters] if map_ else []
    longer = [next((term for term in each if " " in term), None) for each in terms]
    first = [each[0] for each in terms if each]
    for subject in dict.fromkeys((*filter(None, longer), *first)):
        yield f"Which papers are about {subject}?"


def _first_answered(assistant: "Assistant", questions: Iterable[str], least: int) -> str | None:
    """The first question that is answered, without a caution, from `least` papers or more."""
    for question in islice(questions, MOST_EXAMPLES_TRIED):
        try:
            answer = assistant.ask(question, mode="extractive")
        except Exception:  # noqa: BLE001 - the page must open; an example is a courtesy
            _log.exception("no example")
            return None
        if answer.status == "answered" and not answer.notice and len(answer.references) >= least:
            return question
    return None


def suggest(
    assistant: "Assistant", answer: Answer, filters: Filters | None = None, limit: int = 3
) -> tuple[str, ...]:
    """Questions that may follow an answer, at most `limit`, the most promising first.

    They are about the papers of the answer, or the nearest ones of a refusal: what else their
    abstracts state, others on their subject, how two of them differ. The same answer from the same
    index gets the same ones; without any if they cannot be found.

    Args:
        assistant: The one that answered.
        answer: An answer, or a refusal: then they are about the nearest papers.
        filters: Those that the next question will have too.
        limit: How many at most.
    """
    try:
        return tuple(islice(_answered(assistant, answer, filters), limit))
    except Exception:  # noqa: BLE001 - the answer is there; a suggestion is a courtesy
        _log.exception("no follow-up questions")
        return ()


Candidate = tuple[str, set[str]]
"""A question, and the ids of papers that its answer has to cite; without any, of two new ones."""


def _answered(assistant: "Assistant", answer: Answer, filters: Filters | None) -> Iterator[str]:
    there = {paper.id: paper for paper in assistant.papers(filters)}
    cited = [each.paper for each in answer.references if each.paper.id in there]
    near = [there[each.id] for each in answer.nearest if each.id in there]
    if answer.status == "answered":
        candidates = _on_cited(assistant, cited)
    else:
        candidates = _on_nearest(answer.standalone_question, near)
    history: list[Mapping[str, object]] = [
        {"role": "user", "content": answer.question},
        {"role": "assistant", "content": answer.text, "references": [p.id for p in cited]},
    ]
    known = _spans(answer)
    for question, wanted in islice(candidates, MOST_TRIED):
        reply = assistant.ask(question, history, filters, "extractive")
        new = _spans(reply) - known
        cites = {reference.paper.id for reference in reply.references}
        brings = {paper for paper, _, _ in new}
        if len(brings) >= (1 if wanted else 2) and wanted <= cites and not reply.notice:
            known |= new  # no two of them lead to the same passages alone
            yield question


def _spans(answer: Answer) -> set[tuple[str, int, int]]:
    """The passages of an answer: the paper's id, where it begins and ends in the abstract."""
    return {(ref.paper.id, at.start, at.end) for ref in answer.references for at in ref.passages}


def _on_cited(assistant: "Assistant", cited: Sequence[Paper]) -> Iterator[Candidate]:
    """What may be asked after an answer: of its papers in turn, then others, then more of them."""
    first, *others = [_aspects(paper) for paper in cited[:_PAPERS]] or [iter(())]
    yield from islice(first, 1)
    yield from _others(assistant, cited)
    named = [paper for paper in cited if _is_name(paper)][:2]
    if len(named) > 1:
        ids = {paper.id for paper in named}
        yield f"How do {named[0].head} and {named[1].head} differ?", ids
    for row in zip_longest(*others, first):
        yield from filter(None, row)


def _on_nearest(question: str, near: Sequence[Paper]) -> Iterator[Candidate]:
    """What may be asked where there was no answer: more of a paper it names, else what they are."""
    for paper in near:
        if paper.head and letters(paper.head) in letters(question):
            yield from islice(_aspects(paper), 2)
    for paper in near:
        if called := _called(paper):
            yield f"What is {called} about?", {paper.id}


def _aspects(paper: Paper) -> Iterator[Candidate]:
    if called := _called(paper):
        for asks in _ASPECTS:
            yield asks.format(called), {paper.id}


def _others(assistant: "Assistant", cited: Sequence[Paper]) -> Iterator[Candidate]:
    """Which papers are on the subject of the first paper cited, as the map names its group."""
    groups = assistant.collection_map()
    if not cited or not groups:
        return
    of = {point.id: point.cluster for point in groups.points}
    terms = {cluster.number: cluster.terms for cluster in groups.clusters}
    for term in terms.get(of.get(cited[0].id, -1), ())[:1]:
        yield f"Which other papers are about {term}?", set()


def _is_name(paper: Paper) -> bool:
    """Whether what a title begins with is a name, and not the beginning of a sentence."""
    return paper.head is not None and " " not in paper.head


def _called(paper: Paper) -> str | None:
    """What a question calls a paper: its name, or else its title; None if that is too long."""
    if _is_name(paper):
        return paper.head
    title = paper.head or paper.display_title
    return f"“{title}”" if len(title) <= _LONGEST_TITLE else None
