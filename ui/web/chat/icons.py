"""Small drawings on buttons, as SVG in the page: no font is needed, and none is fetched."""

_PATHS = {
    "up": "M7 10v10H4V10zm0 0 4-7c1.5 0 2.3 1 2 2.5L12.3 9H18c1.3 0 2.2 1.200 1.8 2.4"
    "l-2 7c-.2.9-1 1.6-2 1.6H7",
    "down": "M17 14V4h3v10zm0 0-4 7c-1.5 0-2.300-1-2-2.5l.7-3.5H6c-1.3 0-2.2-1.200-1.8"
    "-2.4l2-7C6.4 4.7 7.2 4 8.2 4H17",
    "pencil": "M4 20l1-4L16 5l3 3L8 19zM14 7l3 3",
    "bin": "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13M10 11v5M14 11v5",
    "cross": "M6 6l12 12M18 6L6 18",
}


def icon(name: str) -> str:
    """A drawing; its button has a name for those who do not see it."""
    return (
        '<svg viewBox="0 0 24 24" width="18" height="18" fill="none" stroke="currentColor" '
        'stroke-width="1.6" stroke-linejoin="round" stroke-linecap="round" aria-hidden="true">'
        f'<path d="{_PATHS[name]}"/></svg>'
    )
