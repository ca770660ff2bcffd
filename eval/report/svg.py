"""From a matplotlib figure to SVG that stands inside a page.

It brings no fonts, and no colours but those of the data, so that it reads on a light page and on a
dark one; its ids are its own.
"""

import hashlib
import io
import re
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from markupsafe import Markup

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.typing import RcKeyType

INK = "#010203"
"""Stands for the page's own text colour; replaced by `currentColor`."""

WIDTH = 4.6
"""Inches; the text is 10 points, so that it can be read when the plot is a phone's width."""

_STYLE: "dict[RcKeyType, object]" = {
    "svg.fonttype": "none",  # text stays text: it is found, read aloud, and takes the page's font
    "svg.hashsalt": "abstractqa",  # the same plot, the same ids
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same widths on every machine
    "text.parse_math": False,  # a dollar in a question's type is a dollar
    "font.size": 10,
    "figure.titlesize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "legend.fontsize": 10,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}
_NO_DATE = dict.fromkeys(("Date", "Creator", "Format", "Type"))
_LONGEST_LABEL = 34


def inline_svg(draw: Callable[["Figure"], None], title: str, label: str, height: float) -> Markup:
    """Draw a figure and give it as an `<svg>` element: the same bytes for the same data.

    Args:
        draw: Draws on an empty figure; takes `INK` for all that is not data.
        title: Its heading.
        label: What it shows, in words, for those who do not see it.
        height: Inches.
    """
    # Half a second to import, and only reports need it.
    import matplotlib
    from matplotlib.figure import Figure

    written = io.StringIO()
    with matplotlib.rc_context(_STYLE), warnings.catch_warnings():
        # Only the width of such a letter is guessed; the page has the font.
        warnings.filterwarnings("ignore", r"Glyph .* missing from font")
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        figure.suptitle(title, x=0.01, horizontalalignment="left", fontweight="bold")
        draw(figure)
        figure.savefig(written, format="svg", transparent=True, metadata=_NO_DATE)
    return _inlined(written.getvalue(), f"{title}. {label}")


def short(text: str) -> str:
    """Words from data as a label: one line, not too long, nothing that SVG cannot hold."""
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return line if len(line) <= _LONGEST_LABEL else line[: _LONGEST_LABEL - 1] + "…"


def _inlined(svg: str, label: str) -> Markup:
    root = ElementTree.fromstring(svg)  # noqa: S314 - matplotlib wrote it, a line ago
    for parent in list(root.iter()):
        for child in list(parent):
            # matplotlib's style sheet would hold for the whole page.
            if child.tag.endswith("}metadata") or child.find("{*}style") is not None:
                parent.remove(child)
    names = _names(root, hashlib.sha256(f"{label}\n{svg}".encode()).hexdigest()[:8])
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        element.text, element.tail = (element.text or "").strip(), ""
        attributes = {key.rpartition("}")[2]: value for key, value in element.attrib.items()}
        element.attrib = {
            key: names.get(value, "") if key == "id" else _attribute(value, names)
            for key, value in attributes.items()
            if (key != "id" or value in names) and not value.startswith("rotate(-0 ")
        }
    root.attrib = {
        "xmlns": "http://www.w3.org/2000/svg",
        "viewBox": root.attrib["viewBox"],
        "class": "plot",
        "role": "img",
        "aria-label": label,
        "font-family": "system-ui, sans-serif",
        "stroke-linejoin": "round",
    }
    return Markup(ElementTree.tostring(root, encoding="unicode"))  # noqa: S704 - labels are escaped


def _names(root: ElementTree.Element, own: str) -> dict[str, str]:
    """New ids, of this plot alone, for those that something refers to; the rest are not kept."""
    values = [value for element in root.iter() for value in element.attrib.values()]
    referred = dict.fromkeys(re.findall(r"#([\w.]+)", " ".join(values)))
    held = {element.get("id") for element in root.iter()}
    return {old: f"p{own}-{i}" for i, old in enumerate(name for name in referred if name in held)}


def _attribute(value: str, names: dict[str, str]) -> str:
    value = re.sub(r" ?font-family: 'DejaVu Sans';", "", value).replace(INK, "currentColor")
    value = re.sub(r"#([\w.]+)", lambda match: f"#{names.get(match[1], match[1])}", value)
    value = re.sub(r"\d+\.\d{3,}", lambda match: f"{float(match[0]):.2f}", value)
    return " ".join(value.split())
