"""How answers are made: the settings that a reader may choose, kept in the browser."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

import gradio as gr
from pydantic import ValidationError

from index.errors import InputError
from rag.schema import MOST_SOURCES, Mode, Options, Strictness
from ui.export.wording import model_name
from ui.web.render import escape

if TYPE_CHECKING:
    from rag import Assistant

STORAGE = "abstractqa-chat-settings"
"""Under this key the browser keeps them; nothing in them is secret."""
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
_EXAMPLE_MODEL = "gpt-4.1-mini"
_EXAMPLE_LOCAL = "http://localhost:11434/v1"


@dataclass(frozen=True)
class SettingFields:
    """The components of the drawer."""

    mode: gr.Radio
    model: gr.Dropdown
    sources: gr.Slider
    strictness: gr.Radio

    @property
    def inputs(self) -> list[Any]:
        """What `read` takes, in its order."""
        return [self.mode, self.model, self.sources, self.strictness]


def build_drawer(assistant: "Assistant", *, may_set_model: bool) -> SettingFields:
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
        gr.HTML(
            no_model_html(),
            elem_id="aqa-chat-no-model",
            js_on_load=None,
            apply_default_css=False,
        )
    return SettingFields(mode, model, sources, strictness)


def no_model_html() -> str:
    """What to do to have answers written."""
    lines = [
        ("With a key of OpenAI:", f"ABSTRACTQA_CHAT_MODEL={_EXAMPLE_MODEL}\nOPENAI_API_KEY=sk-…"),
        (
            "With a server of your own (Ollama, vLLM, llama.cpp):",
            f"ABSTRACTQA_CHAT_MODEL=qwen3:4b\nOPENAI_BASE_URL={_EXAMPLE_LOCAL}",
        ),
    ]
    blocks = "".join(f"<p>{escape(head)}</p><pre>{escape(code)}</pre>" for head, code in lines)
    return (
        '<div class="aqa-chat-no-model"><p><strong>No chat model is configured, so answers are '
        "quotes.</strong> To have them written, put two lines into the file .env or the "
        f"environment, and start AbstractQA again.</p>{blocks}</div>"
    )


def model_choices(configured: str | None, listed: list[str]) -> list[tuple[str, str]]:
    """The models to choose from: (label, name)."""
    others = [name for name in listed if name != configured]
    first = f"{model_name(configured)} (configured)" if configured else "none"
    return [(first, NO_MODEL), *((model_name(name), name) for name in others)]


def read(mode: str, model: str | None, sources: float, strictness: str) -> tuple[Mode, Options]:
    """What was chosen.

    Raises:
        InputError: it is nothing that can be chosen.
    """
    if mode not in get_args(Mode):
        raise InputError(f"unknown mode {mode!r}: choose one of {', '.join(get_args(Mode))}")
    try:
        options = Options.model_validate(
            {
                "model": model or None,
                "sources": int(sources) or None,
                "strictness": strictness,
            }
        )
    except (ValidationError, ValueError, TypeError, OverflowError) as error:
        raise InputError("the settings of the chat cannot be used: choose them again") from error
    return mode, options  # type: ignore[return-value]  # it is one of them


def kept_model(stored: object, choices: Sequence[tuple[str, str]]) -> str:
    """The model that the browser kept, if it can still be chosen."""
    model = stored.get("model") if isinstance(stored, Mapping) else None
    return model if model in [name for _, name in choices] else NO_MODEL


def restoring() -> str:
    """The script that gives mode, sources and strictness as the browser kept them.

    It runs in the browser, at once: what a reader has chosen meanwhile stays.
    """
    allowed = {
        "mode": [value for _, value in _MODES],
        "sources": list(range(AS_NEEDED, MOST_SOURCES + 1)),
        "strictness": [value for _, value in _STRICT],
    }
    return (
        f"(kept) => Object.entries({json.dumps(allowed)}).map(([name, values]) =>"
        f" values.includes(kept?.[name]) ? kept[name] : {json.dumps(DEFAULTS)}[name])"
    )
