"""Text as HTML that is safe to show: every word of a question, a model or an abstract."""

import html

TEMPLATE_SIGNS = str.maketrans({"{": "&#123;", "}": "&#125;", "$": "&#36;", "`": "&#96;"})
"""The page's HTML component can read its content as a template: these would be code there."""


def escape(text: str) -> str:
    """`text` as HTML that shows exactly it, inside an element or a quoted attribute."""
    return html.escape(text).translate(TEMPLATE_SIGNS)
