"""The page's own style and script: the shared files first, then those of each tab."""

from pathlib import Path

import gradio as gr
from gradio.themes.utils.fonts import Font

_HERE = Path(__file__).parent
_ICON = (
    '<link rel="icon" href="data:image/svg+xml,'
    "%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E"
    "%3Crect width='32' height='32' rx='7' fill='%231f4e79'/%3E"
    "%3Ctext x='16' y='22' font-family='Georgia,serif' font-size='17' fill='white' "
    "text-anchor='middle'%3E%5B1%5D%3C/text%3E%3C/svg%3E"
    '">'
)

# Not in a style sheet: Gradio changes the selectors there, and this is for its own elements too.
_STILL = (
    "<style>@media (prefers-reduced-motion: reduce) { *, *::before, *::after {"
    " animation-duration: 0.01ms !important; animation-iteration-count: 1 !important;"
    " transition-duration: 0s !important; scroll-behavior: auto !important; } }</style>"
)


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


def stylesheet() -> str:
    """Every style sheet of the page."""
    return "\n".join(_texts("*.css"))


def head() -> str:
    """The page's icon, its scripts, and no motion for those who want none."""
    return _ICON + _STILL + "".join(f"<script>{script}</script>" for script in _texts("*.js"))


def _texts(pattern: str) -> list[str]:
    paths = sorted(_HERE.rglob(pattern), key=lambda path: (len(path.parts), path))
    return [path.read_text(encoding="utf-8") for path in paths]
