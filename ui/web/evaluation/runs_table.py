"""The tables of runs: one for each kind, sortable in the page, and those that cannot be read."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from eval.statistics import Interval
from eval.tables import decimal, interval
from ui.web.evaluation.catalogue import Entry
from ui.web.render import escape

COLUMNS = {
    "answers": ("right", "nugget_recall", "citation_precision", "abstained_rightly"),
    "retrieval": ("hit@1", "nDCG@10", "R@10", "MRR"),
}
"""The figures in the table of each kind of run; the first is the one with its interval drawn."""

_HEADINGS = {"answers": "Answers", "retrieval": "Retrieval"}
_FIRST_SHOWN = 25


def runs_html(entries: Sequence[Entry], root: Path, store: Path | None = None) -> str:
    """Every run of `entries`, the newest first; how to make one, if there is none.

    Args:
        entries: In the order to show them.
        root: The folder they are in, as people may name it.
        store: The index to ask, if the command has to name it.
    """
    if not entries:
        return _empty(root, store)
    tables = "".join(
        _table(kind, [e for e in entries if e.state == "finished" and e.kind == kind])
        for kind in COLUMNS
    )
    return tables + _others([entry for entry in entries if entry.state != "finished"])


def words(name: str) -> str:
    """A figure's name as people read it."""
    return name.replace("_", " ")


def when(entry: Entry) -> str:
    """When a run began, in UTC."""
    return f"{entry.started:%Y-%m-%d %H:%M}" if entry.started else "–"


def _table(kind: str, entries: Sequence[Entry]) -> str:
    if not entries:
        return ""
    figures = COLUMNS[kind]
    heads = "".join(
        _head(label, sorted_by_now=label == "Started", numeric=place > 2)
        for place, label in enumerate(
            ("Run", "Started", "System", "Questions", *map(words, figures))
        )
    )
    rows = "".join(_row(entry, figures) for entry in entries)
    more = (
        '<button type="button" class="aqa-evaluation-more" data-all>'
        f"Show all {len(entries):,}</button>"
        if len(entries) > _FIRST_SHOWN
        else ""
    )
    return (
        f'<h3>{_HEADINGS[kind]}</h3><table class="aqa-evaluation-runs" data-sortable>'
        f"<caption>{len(entries):,} run{'s' * (len(entries) != 1)}; times in UTC, figures with"
        f" their 95 % intervals</caption><thead><tr>{heads}</tr></thead>"
        f"<tbody>{rows}</tbody></table>{more}"
    )


def _head(label: str, *, sorted_by_now: bool, numeric: bool) -> str:
    order = ' aria-sort="descending"' if sorted_by_now else ""
    kind = ' class="aqa-evaluation-number"' if numeric else ""
    return (
        f'<th scope="col"{order}{kind}><button type="button" data-sort>{escape(label)}'
        '<span aria-hidden="true"></span></button></th>'
    )


def _row(entry: Entry, figures: Sequence[str]) -> str:
    folder, _, name = entry.name.rpartition("/")
    below = f"<small>{escape(folder)}/</small>" if folder else ""
    cells = "".join(
        _figure(entry.figure(figure), drawn=place == 0) for place, figure in enumerate(figures)
    )
    started = entry.started.isoformat() if entry.started else ""
    return (
        f'<tr><th scope="row" data-value="{escape(entry.name)}"><button type="button" '
        f'data-run="{escape(entry.name)}">{escape(name)}</button>{below}</th>'
        f'<td data-value="{started}">{when(entry)}</td>'
        f'<td data-value="{escape(entry.system)}">{escape(entry.system)}'
        f"<small>on {escape(entry.dataset)}</small></td>"
        f'<td data-value="{entry.questions}">{entry.questions:,}</td>{cells}</tr>'
    )


def _figure(figure: Interval | None, *, drawn: bool) -> str:
    if figure is None:
        return '<td data-value="">–</td>'
    bar = interval_bar(figure) if drawn else ""
    return (
        f'<td data-value="{figure.mean!r}">{bar}<b>{decimal(figure.mean)}</b> '
        f"<small>{interval(figure, 2)}</small></td>"
    )


def interval_bar(figure: Interval) -> str:
    """A share with its interval on a line from 0 to 1; the numbers stand beside it."""
    low, mean, high = (100 * min(max(x, 0), 1) for x in (figure.low, figure.mean, figure.high))
    return (
        '<span class="aqa-evaluation-bar" aria-hidden="true">'
        f'<i style="left:{low:.1f}%;width:{high - low:.1f}%"></i><b style="left:{mean:.1f}%"></b>'
        "</span>"
    )


def _others(entries: Sequence[Entry]) -> str:
    if not entries:
        return ""
    rows = "".join(
        f"<li><strong>{escape(entry.name)}</strong> <span>{escape(entry.state)}</span> "
        f"{escape(entry.problem)}</li>"
        for entry in entries
    )
    return f'<h3>Not in the tables</h3><ul class="aqa-evaluation-others">{rows}</ul>'


def _empty(root: Path, store: Path | None) -> str:
    option = f" --store {shlex.quote(str(store))}" if store else ""
    folder = shlex.quote(str(root))
    commands = "\n".join(
        (
            f"abstractqa eval synthesize --n 50{option} --out {folder}/questions",
            f"abstractqa eval answers {folder}/questions/questions.jsonl"
            f" --store {folder}/questions/store --out {folder}/first",
        )
    )
    here = escape(str(root))
    return (
        f'<div class="aqa-evaluation-empty"><p>There are no runs in <code>{here}</code>'
        " yet. A run asks a file of questions and measures every answer. Make questions from your"
        " own papers, and have them answered:</p>"
        f'<pre tabindex="0"><code>{escape(commands)}</code></pre>'
        "<p>Then press “Read the runs again”.</p></div>"
    )
