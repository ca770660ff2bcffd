"""What was recognised in files to add, how far adding is, and what it did, as HTML."""

from collections.abc import Sequence

from index.build import BuildReport
from index.papers import Paper
from index.plan import Entry, Merge, Preview
from index.readers import Problem
from rag.digests import label
from ui.web.corpus.adding import Step
from ui.web.render import escape

_FORMATS = 10
"""Files whose formats are told."""
_SHOWN = 200
"""Papers and problems listed; a larger file is told by its numbers."""

_STAGES = {
    "read": "Reading",
    "words": "Indexing",
    "embed": "Embedding",
    "map": "Drawing the map",
}
_STATES = {
    "new": "new",
    "updated": "updated",
    "unchanged": "already there",
    "duplicate": "named twice",
}


def plural(count: int, noun: str) -> str:
    """A number with its noun: "1 paper", "12 papers"."""
    return f"{count:,} {noun}{'s' * (count != 1)}"


def preview_html(preview: Preview) -> str:
    """The papers that were recognised, and the lines that were rejected."""
    counted = {
        "new": preview.new,
        "updated": preview.updated,
        "already there": preview.unchanged,
        "named twice": preview.duplicate,
    }
    parts = ", ".join(f"{count:,} {what}" for what, count in counted.items() if count)
    told = f"{plural(len(preview.entries), 'paper')} recognised: {parts}."
    if preview.rejected:
        told += f" {plural(preview.rejected, 'line')} rejected."
    return (
        f'<div class="aqa-corpus-read"><p role="status"><strong>{told}</strong>'
        f" Nothing is written yet.</p><p>{escape(formats_told(preview.formats))}</p>"
        f"{_rejected(preview.problems)}{_merged(preview.merges)}"
        f"{_entries(preview.entries)}{_removed(preview.removed)}</div>"
    )


def formats_told(formats: Sequence[tuple[str, str]]) -> str:
    """The format of a single file or of pasted text; of several files, that of each."""
    if len(formats) == 1:
        return f"Format: {formats[0][1]}."
    told = "; ".join(f"{name} – {format_}" for name, format_ in formats[:_FORMATS])
    rest = len(formats) - _FORMATS
    return f"Formats: {told}{f'; and {rest:,} more' if rest > 0 else ''}."


def _entries(entries: Sequence[Entry]) -> str:
    rows = "".join(_entry(entry) for entry in entries[:_SHOWN])
    rest = len(entries) - _SHOWN
    more = f"<p>and {plural(rest, 'more paper')}</p>" if rest > 0 else ""
    return (
        '<div class="aqa-corpus-scroll" tabindex="0" role="region" aria-label="Papers recognised">'
        '<table class="aqa-corpus-table"><thead><tr><th scope="col">Title</th>'
        '<th scope="col" class="aqa-corpus-date">Date</th>'
        '<th scope="col" class="aqa-corpus-state">In the index</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>{more}</div>"
    )


def _entry(entry: Entry) -> str:
    last = entry.paper.sources[-1:]
    day = label("", last[0].date, last[0].dated) if last and last[0].date else "no date"
    return (
        f'<tr><th scope="row">{escape(entry.paper.display_title)}</th>'
        f'<td class="aqa-corpus-date">{day}</td>'
        f'<td class="aqa-corpus-state aqa-corpus-{entry.state}">{_STATES[entry.state]}</td></tr>'
    )


def _rejected(problems: Sequence[Problem]) -> str:
    lost = [problem for problem in problems if not problem.is_warning]
    odd = [problem for problem in problems if problem.is_warning]
    return _list("Rejected", lost) + _list("Read, but odd", odd)


def _merged(merges: Sequence[Merge]) -> str:
    return _list("More than once in these files", merges)


def _list(heading: str, things: Sequence[object]) -> str:
    if not things:
        return ""
    lines = "".join(f"<li>{escape(str(thing))}</li>" for thing in things[:_SHOWN])
    rest = len(things) - _SHOWN
    more = f"<li>and {rest:,} more</li>" if rest > 0 else ""
    return f'<div class="aqa-corpus-rejected"><h4>{heading}</h4><ul>{lines}{more}</ul></div>'


def _removed(papers: Sequence[Paper]) -> str:
    if not papers:
        return ""
    lines = "".join(f"<li>{escape(paper.display_title)}</li>" for paper in papers[:_SHOWN])
    return (
        '<div class="aqa-corpus-rejected"><h4>No longer named by these files, so removed</h4>'
        f"<ul>{lines}</ul></div>"
    )


def progress_html(step: Step | None) -> str:
    """A bar that says how far indexing is; None: it has just begun."""
    if step is None:
        return _bar("Reading the files", 0, 0)
    text = _STAGES[step.stage]
    if step.total:
        return _bar(f"{text}: {step.done:,} of {step.total:,}", step.done, step.total)
    return _bar(f"{text}: {step.done:,}" if step.done else text, 0, 0)


def _bar(text: str, done: int, total: int) -> str:
    share = round(100 * done / total) if total else 0
    value = f' aria-valuenow="{share}"' if total else ""
    return (
        f'<div class="aqa-corpus-read"><p>{text} …</p>'
        '<div class="aqa-corpus-progress" role="progressbar" aria-label="Adding papers"'
        f' aria-valuemin="0" aria-valuemax="100"{value}><span style="width:{share}%"></span></div>'
        "</div>"
    )


def result_html(report: BuildReport) -> str:
    """What adding did, and what it left out."""
    return (
        f'<div class="aqa-corpus-read"><p role="status"><strong>{done(report)}</strong>'
        f" The index has {plural(report.papers, 'paper')} now; it took {report.seconds:.1f} s."
        f"</p>{_rejected(report.problems)}</div>"
    )


def done(report: BuildReport) -> str:
    """What adding did, in one sentence."""
    did = [
        f"{plural(count, 'paper')} {what}"
        for count, what in (
            (report.new, "added"),
            (report.updated, "updated"),
            (report.removed, "removed"),
        )
        if count
    ]
    return (", ".join(did) or "Nothing changed: all of it is there already") + "."


def wrong_html(message: str) -> str:
    """What went wrong, in one line."""
    line = " ".join(message.split())
    said = escape(f"{line[:1].upper()}{line[1:]}")
    return f'<div class="aqa-corpus-read"><p role="alert" class="aqa-corpus-wrong">{said}</p></div>'
