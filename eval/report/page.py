"""What every report is made of: one HTML file that needs nothing else, every word of data escaped.

Pieces are `Markup`: text that is put into one is escaped on the way.
"""

from collections.abc import Iterable, Mapping, Sequence

from markupsafe import Markup

from eval.report.numbers import Cell, Value, decimal, figure, interval, middle

_STYLE = Markup("""
:root { color-scheme: light dark; --good: #0a6b2d; --bad: #b3261e; --line: #8886; }
@media (prefers-color-scheme: dark) { :root { --good: #7bd88f; --bad: #ff9a90; } }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 64rem; padding: 1rem;
  overflow-wrap: anywhere; }
h1 { font-size: 1.4rem; line-height: 1.25; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(9.5rem, 1fr)); gap: .8rem;
  margin: 1rem 0; }
.tiles > div { border: 1px solid var(--line); border-radius: .5rem; padding: .6rem .8rem; }
.tiles dt { font-size: .9rem; } .tiles dd { margin: 0; font-variant-numeric: tabular-nums; }
.tiles strong { font-size: 1.5rem; line-height: 1.3; }
.plots { display: grid; gap: 1.5rem 2rem; margin-top: 2rem;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); }
.plot { width: 100%; max-width: 32rem; }
.sections { columns: 16rem; column-gap: 2.5rem; }
.sections > * { break-inside: avoid; margin-bottom: 1.2rem; }
.sections table { width: 100%; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { border-bottom: 1px solid var(--line); padding: .3rem 0 .3rem .9rem; text-align: right;
  overflow-wrap: normal; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
details { border-bottom: 1px solid var(--line); padding: .5rem 0; }
summary { cursor: pointer; }
.sides { display: grid; gap: 0 1.5rem; grid-template-columns: repeat(2, minmax(0, 1fr)); }
@media (max-width: 44rem) { .sides { grid-template-columns: minmax(0, 1fr); } }
h3 { font-size: .95rem; margin: .8rem 0 .2rem; }
.answer { white-space: pre-wrap; border-left: 3px solid var(--line); padding-left: .8rem; }
.good { color: var(--good); } .bad { color: var(--bad); }
.whole { white-space: nowrap; }
.dim { opacity: .78; font-size: .9rem; }
ul, ol { margin: .3rem 0; padding-left: 1.5rem; }
""")

OPEN = Markup(" open")
_TICK = Markup('<span class="good">✓</span>')
_CROSS = Markup('<span class="bad">✗</span>')

_PAGE = Markup("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<h1>{title}</h1>
{body}
</body>
</html>
""")


def page(title: str, parts: Iterable[str]) -> str:
    """A whole page; empty parts are left out."""
    body = Markup("\n").join(part for part in parts if part)
    return str(_PAGE.format(title=title, style=_STYLE, body=body))


def section(heading: str, *parts: str) -> Markup:
    """A heading and what is under it; nothing if that is nothing."""
    body = Markup("\n").join(part for part in parts if part)
    return Markup("<h2>{}</h2>\n{}").format(heading, body) if body else Markup()


def tiles(figures: Mapping[str, Value]) -> Markup:
    """The figures that matter most, large, each with its interval beneath."""
    shown = Markup().join(
        Markup("<div><dt>{}</dt><dd><strong>{}</strong> {}</dd></div>").format(
            words(name), figure(middle(value)), _interval(value)
        )
        for name, value in figures.items()
    )
    return Markup('<dl class="tiles">{}</dl>').format(shown) if shown else shown


def _interval(value: Value) -> Markup:
    if value is None or isinstance(value, float | int):
        return Markup()
    return Markup('<br><span class="dim">{} <span class="whole">n {}</span></span>').format(
        interval(value, 2 if abs(value.mean) < 10 else 1), figure(value.n)
    )


def plots(svgs: Sequence[Markup]) -> Markup:
    """Plots beside each other, one under the other where there is no room."""
    return (
        Markup('<div class="plots">{}</div>').format(Markup("\n").join(svgs)) if svgs else Markup()
    )


def sections(figures: Mapping[str, Mapping[str, Cell]]) -> Markup:
    """Every figure of a run, a small table a section."""
    tables = (
        table([name, ""], [[words(key), value] for key, value in values.items()])
        for name, values in figures.items()
        if values
    )
    return Markup('<div class="sections">{}</div>').format(Markup("\n").join(tables))


def table(headers: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Markup:
    """A table that scrolls in its own box where the page is narrow."""
    head = Markup().join(Markup("<th>{}</th>").format(words(header)) for header in headers)
    body = Markup().join(
        Markup("<tr>{}</tr>").format(
            Markup().join(Markup("<td>{}</td>").format(figure(cell)) for cell in row)
        )
        for row in rows
    )
    return Markup('<div class="scroll" tabindex="0"><table><tr>{}</tr>{}</table></div>').format(
        head, body
    )


def record(about: Mapping[str, object]) -> Markup:
    """What was run on what and with which versions, as `metrics.json` has it."""
    return Markup("<details><summary>How it was made</summary>{}</details>").format(_nested(about))


def _nested(value: object) -> Markup:
    if isinstance(value, Mapping):
        return Markup("<ul>{}</ul>").format(
            Markup().join(
                Markup('<li><span class="dim">{}</span> {}</li>').format(words(key), _nested(under))
                for key, under in value.items()
            )
        )
    return Markup("{}").format(decimal(value) if isinstance(value, float) else str(value))


def mark(good: bool) -> Markup:
    """A tick or a cross."""
    return _TICK if good else _CROSS


def marked_list(heading: str, items: Iterable[tuple[str, bool]]) -> Markup:
    """Lines with a tick or a cross each; nothing if there are none."""
    rows = Markup().join(Markup("<li>{} {}</li>").format(mark(good), text) for text, good in items)
    listed = Markup('<div><span class="dim">{}</span><ul>{}</ul></div>')
    return listed.format(heading, rows) if rows else rows


def words(name: str) -> str:
    """A figure's name as words."""
    return name if isinstance(name, Markup) else str(name).replace("_", " ")
