"""What a researcher may ask next: short questions that are known to be answered.

They are made from what an answer stands on: what the abstracts of its papers state beside what was
quoted, the paper that comes nearest, others on the subject. Each is asked, without a model, before
it is suggested, and stays only if it brings evidence that the answer did not have.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, zip_longest
from typing import TYPE_CHECKING

from index.lexical import tokenize
from index.papers import Paper, letters
from index.passages import cut
from rag.names import title_name
from rag.own_work import own_from, speaks_of_others
from rag.schema import Answer, Filters
from rag.tables.columns import ColumnKind
from rag.tables.cues import CUES

if TYPE_CHECKING:
    from rag.assistant import Assistant

MOST_TRIED = 6
"""Questions asked at most to find those that are suggested: each takes some milliseconds."""
_PAPERS = 3
"""Papers of an answer, the first ones, that questions are made about."""
_SURE = 0.4
"""The worth of a cue from which it tells a result from a remark."""
_LONGEST_TITLE = 60
_NEIGHBOURS = 3
"""Papers nearest to one that are like it, if it is among theirs too."""
_FEWEST, _COMMON = 3, 0.15
"""Abstracts at least, and their share at most, that have a subject one asks for papers about."""

_ASPECTS: dict[ColumnKind, str] = {
    ColumnKind.RESULT: "What results does {} report?",
    ColumnKind.DATA: "What data does {} use?",
    ColumnKind.METRIC: "How is {} evaluated?",
    ColumnKind.METHOD: "How does {} work?",
    ColumnKind.LIMITATION: "What is still difficult, according to {}?",
    ColumnKind.CODE: "Is the code of {} available?",
}
"""What is asked about what an abstract states, what researchers ask most often first."""
_METHOD_OF_TITLE = "What does {} propose?"

_PLAIN = re.compile(r"[A-Z]?[a-z]+(?:-[A-Z]?[a-z]+)*")

Span = tuple[str, int, int]
"""A paper's id, and where a passage of its abstract begins and ends."""


@dataclass(frozen=True)
class _Candidate:
    text: str
    papers: frozenset[str]
    """Ids of papers that its answer has to cite."""
    kind: ColumnKind | None = None
    """What a passage that is new has to state."""
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
    near = [there[each.id] for each in answer.nearest if each.id in there]
    cited = [each.paper for each in answer.references if each.paper.id in there]
    known = _spans(answer)
    candidates = (
        _on_cited(assistant, there, cited, known)
        if answer.status == "answered"
        else _on_nearest(answer.standalone_question, near)
    )
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
        if _answers(candidate, reply, new):
            found.append(candidate.text)
            known |= new  # no two of them lead to the same passages alone
    return tuple(found)


def _answers(candidate: _Candidate, reply: Answer, new: set[Span]) -> bool:
    """Whether a reply brings what its question asks for, and brings it newly."""
    cited = {reference.paper.id for reference in reply.references}
    if len({paper for paper, _, _ in new}) < candidate.more or not candidate.papers <= cited:
        return False
    if candidate.kind is None:
        return True
    return any(
        _states(candidate.kind, at.text)
        for reference in reply.references
        for at in reference.passages
        if (reference.paper.id, at.start, at.end) in new
    )


def _spans(answer: Answer) -> set[Span]:
    return {(ref.paper.id, at.start, at.end) for ref in answer.references for at in ref.passages}


def _states(kind: ColumnKind, sentence: str) -> bool:
    """Whether a sentence surely states something of this kind about its own paper."""
    return not speaks_of_others(sentence) and any(
        cue.worth >= _SURE and cue.pattern.search(sentence) for cue in CUES[kind]
    )


def _on_cited(
    assistant: "Assistant",
    papers: Mapping[str, Paper],
    cited: Sequence[Paper],
    known: set[Span],
) -> Iterator[_Candidate]:
    """What may be asked after an answer: of its papers in turn, then others, then more of them."""
    alone = "this paper" if len(cited) == 1 else None  # then the question before says which
    aspects = [_aspects(paper, _called(paper) or alone, known) for paper in cited[:_PAPERS]]
    yield from islice(aspects[0], 1) if aspects else ()
    if others := _others(papers.values(), cited):
        yield others
    if compared := _compared(cited[:2] if len(cited) > 1 else _like(assistant, cited, papers)):
        yield compared
    for row in zip_longest(*aspects[1:], aspects[0] if aspects else ()):
        yield from filter(None, row)


def _on_nearest(question: str, near: Sequence[Paper]) -> Iterator[_Candidate]:
    """What may be asked where there was no answer: more of a paper it names, else what they are."""
    for paper in near:
        name = title_name(paper)
        if name and letters(name) in letters(question):
            yield from islice(_aspects(paper, _called(paper), set()), 2)
    for paper in near:
        if called := _called(paper):
            yield _Candidate(f"What is {called} about?", frozenset({paper.id}))


def _aspects(paper: Paper, called: str | None, known: set[Span]) -> Iterator[_Candidate]:
    """What an abstract states beside what was quoted, what nothing was quoted of first."""
    if called is None:
        return
    own = own_from(paper)
    passages = [passage for passage in cut(paper) if passage.start >= own]
    quoted = [p for p in passages if (paper.id, p.start, p.end) in known]
    others = [p for p in passages if p not in quoted]
    kinds = [kind for kind in _ASPECTS if any(_states(kind, each.text) for each in others)]
    kinds.sort(key=lambda kind: any(_states(kind, each.text) for each in quoted))
    for kind in kinds:
        asks = _ASPECTS[kind]
        if kind is ColumnKind.METHOD and not _is_name(paper):
            asks = _METHOD_OF_TITLE
        yield _Candidate(asks.format(called), frozenset({paper.id}), kind)


def _others(papers: Collection[Paper], cited: Sequence[Paper]) -> _Candidate | None:
    """Which other papers are on the subject, as the title of the first one cited says it.

    Of the phrases of the title that several abstracts share and not too many, the commonest.
    """
    if not cited:
        return None
    texts = [paper.abstract.casefold() for paper in papers]

    def count(phrase: str) -> int:
        return sum(phrase.casefold() in text for text in texts)

    counts = {phrase: count(phrase) for phrase in _phrases(cited[0])}
    most = max(_FEWEST, int(_COMMON * len(texts)))
    shared = [phrase for phrase, count in counts.items() if _FEWEST <= count <= most]
    if not shared:
        return None
    subject = max(shared, key=lambda phrase: counts[phrase])
    if 2 * count(f"{subject}s") > counts[subject]:
        subject += "s"
    return _Candidate(f"Which other papers are about {subject}?", frozenset(), more=2)


def _phrases(paper: Paper) -> list[str]:
    """What a title may call its subject: two or three words that no other word follows.

    The last word of such words is the noun: "model merging" of "adaptive model merging for …".
    """
    found: list[str] = []
    for segment in re.split(r"[:,;.!?()]|\s[-–—]+\s", paper.display_title):
        runs: list[list[str]] = [[]]
        for word in segment.split():
            runs[-1].append(word) if tokenize(word) else runs.append([])
        for run in runs:
            shown = [word.lower() if _PLAIN.fullmatch(word) else word for word in run]
            found += [" ".join(shown[-size:]) for size in (2, 3) if len(run) >= size]
    return found


def _like(
    assistant: "Assistant", cited: Sequence[Paper], papers: Mapping[str, Paper]
) -> list[Paper]:
    """The paper cited and one like it: each is among the papers nearest to the other."""
    for paper in cited[:1]:
        for hit in assistant.similar(paper.id, _NEIGHBOURS):
            back = assistant.similar(hit.paper.id, _NEIGHBOURS)
            if hit.paper.id in papers and paper.id in {other.paper.id for other in back}:
                return [paper, hit.paper]
    return []


def _compared(pair: Sequence[Paper]) -> _Candidate | None:
    if len(pair) < 2 or not all(map(_is_name, pair)):
        return None
    one, other = map(title_name, pair)
    return _Candidate(f"How do {one} and {other} differ?", frozenset(paper.id for paper in pair))


def _is_name(paper: Paper) -> bool:
    """Whether what a title begins with is a name, and not the beginning of a sentence."""
    name = title_name(paper)
    return name is not None and " " not in name


def _called(paper: Paper) -> str | None:
    """What a question calls a paper: its name, or else its title; None if that is too long."""
    name = title_name(paper)
    if name is not None and _is_name(paper):
        return name
    title = name or paper.display_title
    return f"“{title}”" if len(title) <= _LONGEST_TITLE else None
