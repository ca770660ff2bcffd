"""Do the spans that an answer cites lie where they should? Pure functions."""

from collections.abc import Mapping, Sequence

from eval.datasets import Evidence
from index.papers import Paper, letters
from index.text import clean
from rag.schema import Answer, Reference


def evidence_cited(
    evidence: Evidence, by_title: Mapping[str, Paper], references: Mapping[str, Reference]
) -> bool | None:
    """Whether a cited passage of the quote's paper overlaps the quote.

    Both mappings are keyed by `letters(title)`. None if the paper is not in the index or the
    quote not in its abstract, so that a wrong quote is not the answer's fault.
    """
    key = letters(evidence.paper)
    span = quote_span(evidence.quote, by_title[key].abstract) if key in by_title else None
    if span is None:
        return None
    start, end = span
    passages = references[key].passages if key in references else ()
    return any(passage.start < end and start < passage.end for passage in passages)


def begins_with_evidence(evidence: Sequence[Evidence], answer: Answer) -> bool | None:
    """Whether the first citation of an answer lies on one of the quotes; None without either."""
    cited = next((s.citations[0] for s in answer.sentences if s.citations), None)
    if cited is None or not evidence:
        return None
    paper = next(r.paper for r in answer.references if r.number == cited.reference)
    title = letters(paper.title)
    quotes = (each.quote for each in evidence if letters(each.paper) == title)
    spans = filter(None, (quote_span(quote, paper.abstract) for quote in quotes))
    return any(cited.start < end and start < cited.end for start, end in spans)


def quote_span(quote: str, abstract: str) -> tuple[int, int] | None:
    """Where a quote stands in the stored abstract: code points, `end` exclusive, or None.

    A quote that is not there letter for letter is looked for in the cleaned forms of both.
    """
    start = abstract.find(quote)
    if start >= 0:
        return start, start + len(quote)
    cleaned, wanted = clean(abstract), clean(quote).text
    start = cleaned.text.find(wanted) if wanted else -1
    return cleaned.stored_span(start, start + len(wanted)) if start >= 0 else None


def span_errors(answer: Answer, by_id: Mapping[str, Paper]) -> tuple[str, ...]:
    """What is wrong with the cited spans, one line each; empty if every one is verbatim.

    A passage is verbatim if `abstract[start:end] == text` holds in the *indexed* paper of its
    id; a citation, which carries no text, if it lies inside a passage of its reference.
    """
    errors: list[str] = []
    for reference in answer.references:
        indexed = by_id.get(reference.paper.id)
        for passage in reference.passages:
            span = f"passage [{passage.start}, {passage.end}) of [{reference.number}]"
            if indexed is None:
                errors.append(f"{span}: paper {reference.paper.id} is not in the index")
            elif indexed.abstract[passage.start : passage.end] != passage.text or not passage.text:
                errors.append(f"{span} is not what the abstract says there")
    passages = {reference.number: reference.passages for reference in answer.references}
    for sentence in answer.sentences:
        for citation in sentence.citations:
            start, end = citation.start, citation.end
            inside = (p.start <= start < end <= p.end for p in passages.get(citation.reference, ()))
            if not any(inside):
                errors.append(
                    f"citation [{start}, {end}) of [{citation.reference}] is in no passage of it"
                )
    return tuple(errors)
