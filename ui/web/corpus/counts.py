"""How many papers each month and each digest has, as bars that are buttons."""

from collections.abc import Sequence

from ui.web.corpus.catalogue import Catalogue, Count
from ui.web.render import escape

_SHOWN = 12
"""Bars before the rest is folded away."""


def counts_html(catalogue: Catalogue) -> str:
    """The papers by month and by digest; a bar narrows the table to what it counts."""
    return _bars("By month", "month", catalogue.by_month) + _bars(
        "By digest", "digest", catalogue.by_digest
    )


def _bars(heading: str, what: str, counts: Sequence[Count]) -> str:
    if not counts:
        return ""
    most = max(count.papers for count in counts)
    lines = [_bar(what, count, most) for count in counts]
    rest = len(lines) - _SHOWN
    folded = (
        f"<details><summary>{rest:,} more</summary><ul>{''.join(lines[_SHOWN:])}</ul></details>"
        if rest > 0
        else ""
    )
    return (
        f'<section class="aqa-corpus-counts"><h3>{heading}</h3>'
        f"<ul>{''.join(lines[:_SHOWN])}</ul>{folded}</section>"
    )


def _bar(what: str, count: Count, most: int) -> str:
    share = round(100 * count.papers / most)
    return (
        f'<li><button type="button" data-aqa-{what}="{escape(count.key)}" aria-pressed="false">'
        f'<span class="aqa-corpus-what">{escape(count.label)}</span>'
        f'<span class="aqa-corpus-bar" aria-hidden="true">'
        f'<span style="width:{share}%"></span></span>'
        f'<span class="aqa-corpus-many">{count.papers:,}<span class="aqa-corpus-unseen">'
        f" paper{'s' * (count.papers != 1)}</span></span></button></li>"
    )
