"""What a reader may choose: which papers may answer, and how answers are made.

The settings are kept in the browser.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

import gradio as gr
from pydantic import ValidationError

from index.errors import InputError
from rag.schema import MOST_SOURCES, Filters, Mode, Options, Strictness
from ui.export.answer_text import model_name
from ui.terminal import parse_day
from ui.web.chat.chat_template import HTML
from ui.web.events import sent

if TYPE_CHECKING:
    from rag import Assistant

PLAIN: dict[str, Any] = {"js_on_load": None, "apply_default_css": False}
STORAGE = "abstractqa-chat-settings"
"""Under this key the browser keeps the settings; nothing in them is secret."""
NO_MODEL = ""
"""The choice of the model that the settings of the server name."""
AS_NEEDED = 0
"""The number of sources that leaves it to the question."""
DEFAULTS: dict[str, Any] = {
    "mode": "auto",
    "model": NO_MODEL,
    "sources": AS_NEEDED,
    "strictness": "normal",
}
LONGEST_TITLE = 200

_MODES: list[tuple[str, Mode]] = [
    ("Automatic", "auto"),
    ("Quotes", "extractive"),
    ("Written", "generative"),
]
_STRICT: list[tuple[str, Strictness]] = [
    ("Strict", "strict"),
    ("Normal", "normal"),
    ("Lenient", "lenient"),
]


class SettingFields(NamedTuple):
    """The components of the drawer; `read_settings` takes their values in this order."""

    mode: gr.Radio
    model: gr.Dropdown
    sources: gr.Slider
    strictness: gr.Radio


def build_settings(assistant: "Assistant", *, may_set_model: bool) -> SettingFields:
    """The fields, inside the drawer that is open; where no model can be set here, how it is set."""
    mode = gr.Radio(
        _MODES,
        value="auto",
        label="Answers",
        info="Quotes are sentences of the abstracts. Written ones are a chat model's, each sentence"
        " checked. Automatic writes if there is a model.",
        elem_id="aqa-chat-mode",
    )
    model = gr.Dropdown(
        model_choices(assistant.chat_model, []),
        value=NO_MODEL,
        label="Model",
        info="Which model of the endpoint writes.",
        visible=assistant.chat_model is not None,
        elem_id="aqa-chat-model",
    )
    sources = gr.Slider(
        AS_NEEDED,
        MOST_SOURCES,
        value=AS_NEEDED,
        step=1,
        label="Sources at most",
        info="How many papers an answer may cite; 0 leaves it to the question.",
        elem_id="aqa-chat-most-sources",
        buttons=[],
    )
    strictness = gr.Radio(
        _STRICT,
        value="normal",
        label="Strictness",
        info="Strict leaves out what is not borne out wholly, and answers only from papers that fit"
        " well. Lenient shows more, and marks it.",
        elem_id="aqa-chat-strictness",
    )
    if assistant.chat_model is None and not may_set_model:
        gr.HTML(str(HTML.no_model()), elem_id="aqa-chat-no-model", **PLAIN)
    return SettingFields(mode, model, sources, strictness)


def model_choices(configured: str | None, listed: list[str]) -> list[tuple[str, str]]:
    """The models to choose from: (label, name)."""
    others = [name for name in listed if name != configured]
    first = f"{model_name(configured)} (configured)" if configured else "none"
    return [(first, NO_MODEL), *((model_name(name), name) for name in others)]


def read_settings(
    mode: str, model: str | None, sources: float, strictness: str
) -> tuple[Mode, Options]:
    """What was chosen.

    Raises:
        InputError: it is nothing that can be chosen.
    """
    if mode not in get_args(Mode):
        raise InputError(f"unknown mode {mode!r}: choose one of {', '.join(get_args(Mode))}")
    try:
        chosen = {"model": model or None, "sources": int(sources) or None, "strictness": strictness}
        return mode, Options.model_validate(chosen)  # type: ignore[return-value]  # it is one
    except (ValidationError, ValueError, TypeError, OverflowError) as error:
        raise InputError("the settings of the chat cannot be used: choose them again") from error


def kept_settings(*chosen: Any) -> dict[str, Any]:
    """What the browser keeps of the fields."""
    return dict(zip(SettingFields._fields, chosen, strict=True))


def kept_model(stored: object, choices: Sequence[tuple[str, str]]) -> str:
    """The model that the browser kept, if it can still be chosen."""
    model = stored.get("model") if isinstance(stored, Mapping) else None
    return model if model in [name for _, name in choices] else NO_MODEL


class FilterFields(NamedTuple):
    """The components of the panel; `read_filters` takes their values in this order."""

    digests: gr.Dropdown
    since: gr.Textbox
    until: gr.Textbox
    title: gr.Textbox
    papers: gr.Textbox
    """Hidden: the ids of the only papers that may answer, one a line."""


def build_filters(assistant: "Assistant") -> FilterFields:
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
    papers = gr.Textbox(elem_id="aqa-chat-papers", visible="hidden", label="papers")
    return FilterFields(digests, since, until, title, papers)


def digest_choices(assistant: "Assistant") -> list[tuple[str, str]]:
    """The digests to choose from: (label, key), oldest first, as the index gives them."""
    digests = assistant.digests()
    labels = Counter(digest.label for digest in digests)
    names = [d.label if labels[d.label] == 1 else f"{d.label}, {d.name}" for d in digests]
    return [
        (f"{name} · {digest.papers} paper{'s' * (digest.papers != 1)}", digest.key)
        for name, digest in zip(names, digests, strict=True)
    ]


def read_filters(digests: Sequence[str] | None, *texts: str | None) -> Filters:
    """What was chosen.

    Raises:
        InputError: a date is none, or no day is between the two.
    """
    since, until, title, papers = (str(text or "").strip() for text in texts)
    first = parse_day(since, "“From”") if since else None
    last = parse_day(until, "“Until”") if until else None
    if first and last and first > last:
        raise InputError(f"“From” ({first}) is after “Until” ({last}): change one of them")
    return Filters(
        digests=tuple(digests or ()),
        since=first,
        until=last,
        title=title[:LONGEST_TITLE] or None,
        papers=tuple(dict.fromkeys(papers.splitlines())),
    )


def without(filters: Filters, kind: str, value: str) -> Filters:
    """The filters without one of their limits; an unknown one changes nothing."""
    if kind == "digest":
        left = tuple(digest for digest in filters.digests if digest != value)
        return filters.model_copy(update={"digests": left})
    if kind in ("since", "until", "title", "papers"):
        return filters.model_copy(update={kind: getattr(Filters(), kind)})
    return filters


def removed(event: gr.EventData, *chosen: Any) -> tuple[Any, ...]:
    """The fields without the chip that was pressed."""
    told = sent(event)
    left = without(read_filters(*chosen), str(told.get("kind")), str(told.get("value")))
    days = (day.isoformat() if day else "" for day in (left.since, left.until))
    return list(left.digests), *days, left.title or "", "\n".join(left.papers)
