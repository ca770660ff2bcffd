"""A comparison table as HTML: every cell a button that shows its quote where it stands.

The table keeps its roles in words, since narrow windows lay it out as cards, and browsers take the
roles of a table from its layout.
"""

from index.papers import Paper
from rag.digests import label
from rag.schema import Passage
from rag.tables.table import NOT_STATED, Cell, Table
from ui.tables import shown
from ui.web.chat.cards import links, marked_abstract
from ui.web.render import escape

LONGEST_SHOWN = 220
"""Code points of a quote in its cell; the whole of it is in the panel that the cell opens."""


def table_html(made: Table) -> str:
    """The table with what a reader should know of it, or the reason why there is none."""
    if not made.rows:
        return _note("Nothing to compare", made.reason or "", "aqa-compare-none")
    count = len(made.rows)
    caption = f"{count} paper{'s' * (count != 1)}, {_how(made)}"
    columns = "".join(
        f'<th scope="col" role="columnheader">{escape(name)}</th>' for name in made.columns
    )
    rows = "".join(_row(made, at) for at in range(count))
    notice = f'<p class="aqa-compare-notice">{escape(made.notice)}</p>' if made.notice else ""
    return (
        f'<h2 tabindex="-1" id="aqa-compare-heading">{escape(made.question)}</h2>{notice}'
        '<div class="aqa-compare-box" role="region" aria-labelledby="aqa-compare-heading" '
        'tabindex="0"><table role="table">'
        f"<caption>{caption}. Point at a quote, or press it, to see it in its abstract.</caption>"
        f'<thead role="rowgroup"><tr role="row"><th scope="col" role="columnheader">Paper</th>'
        f'{columns}</tr></thead><tbody role="rowgroup">{rows}</tbody></table></div>'
    )


def waiting_html(text: str) -> str:
    """What is being done."""
    return f'<p class="aqa-compare-waiting" role="status">{escape(text)} …</p>'


def problem_html(problem: str) -> str:
    """A mistake that the visitor can mend."""
    return _note("", problem[:1].upper() + problem[1:], "aqa-compare-problem")


def stopped_html() -> str:
    """After a stop."""
    return _note("Stopped", "No table was made.", "aqa-compare-none")


def empty_html(examples: list[str]) -> str:
    """Before the first table: what one can compare, as subjects to press."""
    if not examples:
        return ""
    buttons = "".join(
        f'<button type="button" class="aqa-compare-example" data-question="{escape(example)}">'
        f"{escape(example)}</button>"
        for example in examples
    )
    return (
        f'<p class="aqa-compare-lead">For example:</p><div class="aqa-compare-examples">{buttons}'
        "</div>"
    )


def _how(made: Table) -> str:
    if made.mode == "generative":
        return f"quotes chosen by {escape(made.model or 'the chat model')}"
    return "quotes chosen by rule"


def _row(made: Table, at: int) -> str:
    row = made.rows[at]
    cells = "".join(
        f'<td role="cell" data-column="{escape(cell.column)}">'
        f"{_cell(row.paper, cell, f'aqa-compare-{at}-{place}')}</td>"
        for place, cell in enumerate(row.cells)
    )
    title = escape(row.paper.display_title)
    source = f'<span class="aqa-compare-source">{escape(_where(row.paper))}</span>'
    return f'<tr role="row"><th scope="row" role="rowheader">{title}{source}</th>{cells}</tr>'


def _cell(paper: Paper, cell: Cell, anchor: str) -> str:
    """A quote as a button with the panel that it opens, or that there is none."""
    if cell.text is None or cell.start is None or cell.end is None:
        return f'<span class="aqa-compare-unstated">{NOT_STATED}</span>'
    text = shown(cell)
    if len(text) > LONGEST_SHOWN:
        text = f"{text[:LONGEST_SHOWN].rsplit(' ', 1)[0]} …"
    passage = Passage(start=cell.start, end=cell.end, text=cell.text)
    web = "".join(
        f' · <a href="{escape(address)}" target="_blank" rel="noopener noreferrer">{name}</a>'
        for name, address in links(paper)
    )
    return (
        f'<button type="button" class="aqa-compare-quote" aria-expanded="false" '
        f'aria-controls="{anchor}" aria-describedby="{anchor}-source">{escape(text)}</button>'
        f'<div class="aqa-compare-panel" id="{anchor}" popover="manual" role="group" '
        f'aria-label="The quote in its abstract"><p class="aqa-compare-abstract" tabindex="0">'
        f'{marked_abstract(paper.abstract, [passage], anchor)}</p><p class="aqa-compare-from">'
        f'<span id="{anchor}-source">{escape(paper.display_title)}, {escape(_where(paper))}</span>'
        f"{web}</p></div>"
    )


def _where(paper: Paper) -> str:
    """The digests a paper is in, in words."""
    return (
        "; ".join(dict.fromkeys(label(s.name, s.date, s.dated) for s in paper.sources))
        or "no digest"
    )


def _note(heading: str, text: str, style: str) -> str:
    strong = f"<strong>{escape(heading)}.</strong> " if heading else ""
    return f'<p class="aqa-compare-note {style}" role="status">{strong}{escape(text)}</p>'
