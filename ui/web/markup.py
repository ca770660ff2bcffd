"""Render HTML with macros of Jinja templates, which escape all text that is not `Markup`."""

import html
from collections.abc import Callable
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from jinja2.ext import Extension
from markdown_it import MarkdownIt
from markupsafe import Markup

TEMPLATE_SIGNS = str.maketrans({"{": "&#123;", "}": "&#125;", "$": "&#36;", "`": "&#96;"})
"""Gradio's HTML component may read its content as a template, where these would be code."""


def escape(text: str) -> str:
    """Return `text` escaped for use inside an element or a quoted attribute."""
    return html.escape(text).translate(TEMPLATE_SIGNS)


def plural(count: int, noun: str) -> str:
    """Return a number with its noun: "1 paper", "12 papers"."""
    return f"{count:,} {noun}{'s' * (count != 1)}"


class _JoinedLines(Extension):
    """Join a template's lines, so that line breaks between tags leave no space."""

    def preprocess(self, source: str, *_: object) -> str:
        """Return the template as one line, without indentation."""
        return "".join(line.strip() for line in source.splitlines())


def _shown(value: object) -> Markup:
    if value is None:
        return Markup()
    return value if isinstance(value, Markup) else Markup(escape(str(value)))  # noqa: S704 - escaped


_TEMPLATES = Environment(
    autoescape=True,
    finalize=_shown,
    undefined=StrictUndefined,
    extensions=[_JoinedLines],
    loader=PackageLoader("ui", ""),
)

_RULES = ["table", "blockquote", "list", "emphasis", "newline", "escape"]
_MARKDOWN = MarkdownIt("zero").enable(_RULES)


def macros(template: str, *functions: Callable[..., object]) -> Any:
    """Load a template of `ui`; its macros are functions that return HTML and call `functions`."""
    named = {function.__name__: function for function in functions}
    return _TEMPLATES.get_template(template, globals=named).module


def markdown(text: str) -> Markup:
    """Render Markdown, with tables, as HTML; raw HTML, links and images in it stay text."""
    return Markup(_MARKDOWN.render(text).translate(TEMPLATE_SIGNS))  # noqa: S704 - escaped
