"""Answers about kites, for the tests of the chat."""

from datetime import date

from index.papers import Paper, Source
from rag.citations import Block, Claim, Span, compose, escape
from rag.schema import NO_ANSWER, Answer, IndexInfo, NearPaper, Support, Usage
from rag.support import Verdict

HOSTILE = '<img src=x onerror="alert(1)"> </div><script>x</script> {{x}} ${y} `z` [9](http://e.org)'
ABSTRACT = 'Kites fly at 37.8\\% of the cost. They~(kites) need wind. Ragnar\\"ok is a storm.'
COST = "Kites fly at 37.8\\% of the cost."
WIND = "They~(kites) need wind."


def paper(abstract: str = ABSTRACT, title: str = "Kites: A Survey", **fields: object) -> Paper:
    source = Source(name="march.txt", date=date(2025, 3, 14), position=7)
    given = {"id": "kites", "title": title, "abstract": abstract, "sources": (source,)}
    return Paper.model_validate(given | fields)


def span(whole: Paper, text: str) -> Span:
    start = whole.abstract.index(text)
    return Span(whole, start, start + len(text))


def claim(text: str, *spans: Span, support: Support = "supported", why: str | None = None) -> Claim:
    return Claim(text, spans, Verdict(support, None, why))


def answer(*blocks: Block | Claim, **fields: object) -> Answer:
    """An answer of these blocks; by default one sentence about what kites cost."""
    given = [each if isinstance(each, Block) else Block((each,)) for each in blocks]
    composition = compose(given or [Block((claim("Kites are cheap.", span(paper(), COST)),))])
    return Answer.model_validate(
        {
            "question": "What do kites cost?",
            "standalone_question": "What do kites cost?",
            "status": "answered",
            "mode": "extractive",
            "text": composition.text,
            "sentences": composition.sentences,
            "references": composition.references,
            "nearest": (),
            "usage": Usage(),
            "timings_ms": {},
            "index": IndexInfo(id="g", papers=1, encoder="e"),
        }
        | fields
    )


def refusal(reason: str = "Nothing is about <boats>.", **fields: object) -> Answer:
    near = (NearPaper(id="kites", title="Kites: A~Survey", score=0.2),)
    return answer(
        **{
            "status": "insufficient_evidence",
            "reason": reason,
            "text": escape(reason if "suggestions" in fields else f"{NO_ANSWER} {reason}"),
            "sentences": (),
            "references": (),
            "nearest": near,
        }
        | fields
    )
