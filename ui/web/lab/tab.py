"""The lab tab: its two parts, each read when somebody opens the tab."""

from typing import Any

import gradio as gr
from gradio.context import Context

from ui.web.lab import arena, reports
from ui.web.site import Site


def build(site: Site) -> None:
    """The tab, inside the page that is being built."""
    tab = Context.block
    # Only for those who open the tab: there may be other runs, votes and models than before.
    opened: list[Any] | None = [tab.select] if isinstance(tab, gr.Tab) else None
    with gr.Tabs(elem_id="aqa-lab-tabs"):
        with gr.Tab("Runs", elem_id="aqa-lab-runs-tab"):
            reports.build(site, opened)
        with gr.Tab("Arena", elem_id="aqa-arena-tab"):
            arena.build(site, opened)
