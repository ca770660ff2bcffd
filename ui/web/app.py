"""The web page: its layout and its events."""

from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.events import api
from gradio.themes.utils.fonts import Font

from ui.web.cards import panel_html
from ui.web.chat import Chat
from ui.web.page import EMPTY_CHAT, digest_choices, examples, header

if TYPE_CHECKING:
    from rag import Assistant

AT_ONCE = 8
"""Questions answered at the same time; more wait their turn."""
WAITING = 64
"""Questions that may wait; beyond that the page says it is busy."""


def theme() -> gr.themes.Base:
    """Gradio's plain theme with the system's own fonts, so that none is fetched."""
    return gr.themes.Base(
        primary_hue="blue",
        neutral_hue="slate",
        font=[Font("system-ui"), Font("sans-serif")],
        font_mono=[Font("ui-monospace"), Font("monospace")],
        radius_size="lg",
    ).set(
        body_background_fill="#fbfbf9",
        body_background_fill_dark="#14181e",
        input_background_fill="#ffffff",
        input_background_fill_dark="#1b2028",
        button_secondary_background_fill="transparent",
        button_secondary_background_fill_dark="transparent",
    )


def build(assistant: "Assistant") -> gr.Blocks:
    """The page over an open assistant, not yet served."""
    chat = Chat(assistant)
    page = gr.Blocks(title="AbstractQA", fill_width=True, analytics_enabled=False)
    with page:
        plain: dict[str, Any] = {"js_on_load": None, "apply_default_css": False}
        sections = gr.State([])
        heading = gr.HTML(header(assistant), **plain)
        with gr.Row(elem_id="aqa-main"):
            with gr.Column(scale=3, min_width=320, elem_id="aqa-chat-column"):
                messages = gr.Chatbot(
                    elem_id="aqa-chat",
                    show_label=False,
                    container=False,
                    height="auto",
                    layout="panel",
                    autoscroll=False,  # script.js stops at the question, not at the answer's end
                    buttons=[],
                    placeholder=EMPTY_CHAT,
                    examples=[{"text": question} for question in examples(assistant.papers())],
                    latex_delimiters=[],  # "$" in abstracts is money as often as mathematics
                    allow_tags=False,
                    feedback_options=None,
                )
                question = gr.Textbox(
                    elem_id="aqa-question",
                    label="Your question",
                    show_label=False,
                    container=False,
                    placeholder="Ask the abstracts …",
                    submit_btn="Ask",
                    lines=1,
                    max_lines=6,
                )
                with gr.Row(elem_id="aqa-tools"):
                    digests = gr.Dropdown(
                        digest_choices(assistant),
                        elem_id="aqa-digests",
                        label="Only from digests",
                        multiselect=True,
                        value=[],
                        scale=1,
                    )
                    new = gr.Button("New chat", elem_id="aqa-new", size="sm", scale=0)
            with gr.Column(scale=2, min_width=320, elem_id="aqa-side"):
                panel = gr.HTML(panel_html([]), elem_id="aqa-sources", **plain)

        quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        outputs = [question, messages, panel, sections]

        def example(shown: list[dict[str, Any]], chosen: list[str], event: gr.SelectData) -> Any:
            yield from chat.respond(event.value["text"], shown, chosen, [])

        answering: list[dict[str, Any]] = [
            question.submit(
                chat.respond,
                [question, messages, digests, sections],
                outputs,
                trigger_mode="always_last",  # a question asked meanwhile waits; it is not lost
                **quiet,
            ),
            messages.example_select(example, [messages, digests], outputs, **quiet),
            messages.retry(chat.retry, [messages, digests, sections], outputs, **quiet),
        ]
        # Cleared after the answer being written has stopped, which would come back otherwise.
        new.click(None, cancels=answering, **quiet).then(
            lambda: ("", [], panel_html([]), []), None, outputs, **quiet
        )
        # The index may have grown since the server started.
        page.load(
            lambda: (header(assistant), gr.Dropdown(choices=digest_choices(assistant))),
            None,
            [heading, digests],
            **quiet,
        )
        api(chat.ask, api_name="ask")
    page.queue(default_concurrency_limit=AT_ONCE, max_size=WAITING)
    return page
