"""Which papers may answer: the panel where a reader chooses, and what was chosen."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import gradio as gr

from index.errors import InputError
from rag.schema import Filters
from ui.web.chat.chips import chips_html, without
from ui.web.chat.question import problem_html
from ui.web.events import sent

if TYPE_CHECKING:
    from rag import Assistant

LONGEST_TITLE = 200


@dataclass(frozen=True)
class FilterFields:
    """The components of the panel."""

    digests: gr.Dropdown
    since: gr.Textbox
    until: gr.Textbox
    title: gr.Textbox
    chips: gr.HTML

    @property
    def inputs(self) -> list[Any]:
        """What `read` takes, in its order."""
        return [self.digests, self.since, self.until, self.title]


def build_filters(assistant: "Assistant") -> tuple[gr.Dropdown, gr.Textbox, gr.Textbox, gr.Textbox]:
    """The fields, inside the panel that is open."""
    digests = gr.Dropdown(
        digest_choices(assistant),
        elem_id="aqa-chat-digests",
        label="Digests",
        info="Only papers of these; none chosen means all.",
        multiselect=True,
        value=[],
    )
    with gr.Row(elem_id="aqa-chat-dates"):
        since, until = (
            gr.Textbox(
                elem_id=f"aqa-chat-{name.lower()}",
                label=name,
                placeholder="2025-03-14",
                max_length=10,
                max_lines=1,
                min_width=120,
            )
            for name in ("From", "Until")
        )
    title = gr.Textbox(
        elem_id="aqa-chat-title",
        label="Text in the title",
        placeholder="benchmark",
        max_length=LONGEST_TITLE,
        max_lines=1,
    )
    return digests, since, until, title


def digest_choices(assistant: "Assistant") -> list[tuple[str, str]]:
    """The digests to choose from: (label, key), oldest first, as the index gives them."""
    digests = assistant.digests()
    labels = Counter(digest.label for digest in digests)
    names = [d.label if labels[d.label] == 1 else f"{d.label}, {d.name}" for d in digests]
    return [
        (f"{name} · {digest.papers} paper{'s' * (digest.papers != 1)}", digest.key)
        for name, digest in zip(names, digests, strict=True)
    ]


def read(digests: Sequence[str] | None, since: str, until: str, title: str) -> Filters:
    """What was chosen.

    Raises:
        InputError: a date is none, or no day is between the two.
    """
    first, last = _day(since, "From"), _day(until, "Until")
    if first and last and first > last:
        raise InputError(f"“From” ({first}) is after “Until” ({last}): change one of them")
    return Filters(
        digests=tuple(digests or ()),
        since=first,
        until=last,
        title=(title or "").strip()[:LONGEST_TITLE] or None,
    )


def chosen_html(digests: Sequence[str] | None, since: str, until: str, title: str) -> str:
    """What was chosen, as chips on the question box; dates of no use are told."""
    try:
        return chips_html(read(digests, since, until, title), again=False)
    except InputError as error:
        return problem_html(str(error))


def values(filters: Filters) -> tuple[list[str], str, str, str]:
    """What the fields show for filters."""
    return (
        list(filters.digests),
        filters.since.isoformat() if filters.since else "",
        filters.until.isoformat() if filters.until else "",
        filters.title or "",
    )


def removed(
    event: gr.EventData, digests: Sequence[str] | None, since: str, until: str, title: str
) -> tuple[list[str], str, str, str]:
    """The fields without the chip that was pressed."""
    told = sent(event)
    try:
        before = read(digests, since, until, title)
    except InputError:
        return list(digests or ()), "", "", title
    return values(without(before, str(told.get("kind")), str(told.get("value"))))


def _day(text: str | None, name: str) -> date | None:
    if not (text or "").strip():
        return None
    try:
        return date.fromisoformat(str(text).strip())
    except ValueError as error:
        raise InputError(f"{name}: “{text}” is not a date; write it like 2025-03-14") from error
