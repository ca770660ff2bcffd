"""The list of conversations in the sidebar, grouped by the day they were last used."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import groupby

from rag.digests import label
from ui.archive.models import Summary
from ui.web.chat.icons import icon
from ui.web.render import escape

_PENCIL, _BIN = icon("pencil"), icon("bin")


def listing_html(
    summaries: Sequence[Summary], current: str, searched: str = "", deleted: Summary | None = None
) -> str:
    """The conversations to choose from.

    Args:
        summaries: Newest first.
        current: The id of the one that is shown.
        searched: What was looked for.
        deleted: The one that was deleted last, if it can be brought back.
    """
    undo = (
        f'<p class="aqa-chat-deleted" role="status">Deleted: {escape(deleted.title)} '
        f'<button type="button" class="aqa-chat-tool" data-do="undelete" '
        f'data-id="{escape(deleted.id)}">Undo</button></p>'
        if deleted
        else ""
    )
    if not summaries:
        none = "No conversation has these words." if searched.strip() else "None yet."
        return f'{undo}<p class="aqa-chat-none">{none}</p>'
    return undo + "".join(
        f"<h3>{day}</h3><ul>{''.join(_item(each, current) for each in group)}</ul>"
        for day, group in groupby(summaries, key=lambda s: day_name(s.updated))
    )


def day_name(moment: datetime, today: date | None = None) -> str:
    """A day as people call it, in the time zone of the machine that serves the page."""
    day, now = moment.astimezone().date(), today or datetime.now().astimezone().date()
    if day == now:
        return "Today"
    return "Yesterday" if day == now - timedelta(days=1) else label("", day)


def _item(summary: Summary, current: str) -> str:
    title = escape(summary.title)
    here = ' aria-current="page"' if summary.id == current else ""
    return (
        f'<li data-id="{escape(summary.id)}"><button type="button" class="aqa-chat-open" '
        f'data-do="open"{here}>{title}</button>'
        f'<button type="button" class="aqa-chat-icon" data-do="rename" '
        f'aria-label="Rename: {title}" title="Rename">{_PENCIL}</button>'
        f'<button type="button" class="aqa-chat-icon" data-do="delete" '
        f'aria-label="Delete: {title}" title="Delete">{_BIN}</button></li>'
    )
