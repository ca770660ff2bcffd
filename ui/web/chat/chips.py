"""Filters as chips: on the question box, where they will bind, and on an answer, where they did."""

from collections.abc import Iterator
from datetime import date

from rag.digests import label
from rag.schema import Filters
from ui.web.render import escape


def chips(filters: Filters) -> Iterator[tuple[str, str, str]]:
    """Each limit as (kind, value, what people call it)."""
    for digest in filters.digests:
        yield "digest", digest, _digest(digest)
    if filters.since:
        yield "since", filters.since.isoformat(), f"from {label('', filters.since)}"
    if filters.until:
        yield "until", filters.until.isoformat(), f"until {label('', filters.until)}"
    if filters.title and filters.title.strip():
        yield "title", filters.title, f"title has “{filters.title.strip()}”"


def chips_html(filters: Filters, *, again: bool) -> str:
    """The chips, each with a button that takes it away.

    Args:
        filters: What is to be shown.
        again: Whether taking one away asks the question again without it.
    """
    does = "without" if again else "unfilter"
    hint = "Ask again without" if again else "Remove the filter"
    items = "".join(
        f'<li><span>{escape(name)}</span><button type="button" data-do="{does}" '
        f'data-kind="{kind}" data-value="{escape(value)}" '
        f'aria-label="{hint}: {escape(name)}" title="{hint}">✕</button></li>'
        for kind, value, name in chips(filters)
    )
    return f'<div class="aqa-chat-chips"><p>Only:</p><ul>{items}</ul></div>' if items else ""


def without(filters: Filters, kind: str, value: str) -> Filters:
    """The filters without one of their limits; an unknown one changes nothing."""
    if kind == "digest":
        left = tuple(digest for digest in filters.digests if digest != value)
        return filters.model_copy(update={"digests": left})
    if kind in ("since", "until", "title"):
        return filters.model_copy(update={kind: None})
    return filters


def _digest(key: str) -> str:
    """A digest as people call it: by its date, if it has one."""
    try:
        return label("", date.fromisoformat(key[:10]))
    except ValueError:
        return key
