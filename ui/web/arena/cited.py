"""An answer with its sources right below it, compact: for answers that stand side by side."""

from collections.abc import Collection

from index.text import clean_text
from rag.digests import label
from rag.schema import Answer, Reference
from ui.web.chat.turn_html import answer_html, doubts_html
from ui.web.render import escape


def cited_html(answer: Answer, anchor: str, *, notice: bool = True) -> str:
    """The answer's text, its notice, and the papers it cites with what is cited of them.

    What is cited is shown only if it does not stand in the text anyway.

    Args:
        answer: Any answer; a refusal has its reason and the nearest papers instead.
        anchor: Unique on the page: the ids within begin with `aqa-source-<anchor>`.
        notice: Whether to say how the answer came about, which tells how it was made.
    """
    if answer.status != "answered":
        return _refusal(answer)
    text, marked = answer_html(answer, anchor)
    doubts = "" if marked else doubts_html(answer.doubts)
    told = f"<p>{escape(answer.notice)}</p>" if answer.notice and notice else ""
    notes = f'<div class="aqa-arena-notes">{doubts}{told}</div>' if doubts or told else ""
    said = {sentence.text for sentence in answer.sentences}
    sources = "".join(_source(reference, anchor, said) for reference in answer.references)
    listed = f'<ol class="aqa-arena-sources">{sources}</ol>' if sources else ""
    return f'<div class="aqa-arena-text">{text}</div>{notes}{listed}'


def _source(reference: Reference, anchor: str, said: Collection[str]) -> str:
    paper, id_ = reference.paper, f"aqa-source-{anchor}-{reference.number}"
    days = sorted({source.date for source in paper.sources if source.date})
    where = " · ".join(label("", day) for day in days)
    quoted = [(passage.start, clean_text(passage.text)) for passage in reference.passages]
    quotes = "".join(
        f'<blockquote id="{id_}-{start}">{escape(words)}</blockquote>'
        for start, words in quoted
        if not any(words in sentence for sentence in said)
    )
    return (
        f'<li id="{id_}" tabindex="-1"><p><span class="aqa-arena-number">{reference.number}</span> '
        f"<strong>{escape(paper.display_title)}</strong>"
        f"{f' <span>{escape(where)}</span>' if where else ''}</p>{quotes}</li>"
    )


def _refusal(answer: Answer) -> str:
    reason = f"<p>{escape(answer.reason)}</p>" if answer.reason else ""
    nearest = "".join(f"<li>{escape(clean_text(near.title))}</li>" for near in answer.nearest)
    listed = f"<p>The nearest papers:</p><ul>{nearest}</ul>" if nearest else ""
    return (
        '<div class="aqa-arena-refusal"><p><strong>The abstracts do not say.</strong></p>'
        f"{reason}{listed}</div>"
    )
