"""HTML from Jinja templates beside the code: files of macros, which Python calls by their names.

Every word of a question, a model or an abstract that a template shows is escaped, but what is
`Markup` already.
"""

import html
from collections.abc import Callable
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from jinja2.ext import Extension
from markdown_it import MarkdownIt
from markupsafe import Markup

TEMPLATE_SIGNS = str.maketrans({"{": "&#123;", "}": "&#125;", "$": "&#36;", "`": "&#96;"})
"""The page's HTML component can read its content as a template: these would be code there."""


def escape(text: str) -> str:
    """`text` as HTML that shows exactly it, inside an element or a quoted attribute."""
    return html.escape(text).translate(TEMPLATE_SIGNS)


def plural(count: int, noun: str) -> str:
    """A number with its noun: "1 paper", "12 papers"."""
    return f"{count:,} {noun}{'s' * (count != 1)}"


class _JoinedLines(Extension):
    """Join a template's lines: no space stands between tags but what is written within a line."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:  # noqa: ARG002 - Jinja's signature
        """The template as one line, without what it is indented by."""
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

_MARKDOWN = MarkdownIt("zero").enable(
    ["table", "blockquote", "list", "emphasis", "newline", "escape"]
)


def macros(template: str, *functions: Callable[..., object]) -> Any:
    """The macros of a template in `ui`, as functions that give HTML; they may call `functions`."""
    named = {function.__name__: function for function in functions}
    return _TEMPLATES.get_template(template, globals=named).module


def markdown(text: str) -> Markup:
    """Markdown as HTML, with tables; raw HTML, links and images in it stay text."""
    return Markup(_MARKDOWN.render(text).translate(TEMPLATE_SIGNS))  # noqa: S704 - escaped
