"""Adding and removing papers in the tab, and taking one's last change back.

What was read and not yet added is in the state of the visitor's page, on the server, for half an
hour; so is the last change. Each handler checks that papers may be changed, and what came.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import gradio as gr
from gradio.utils import get_upload_folder

from index.build import BuildReport, build, remove
from index.encoder import Encoder, open_encoder
from index.errors import InputError
from index.plan import Preview, State, preview
from index.publish import undo
from index.readers import Problem, Upload
from index.sample import sample_files
from rag.digests import label
from ui.indexing import bring_to_chroma
from ui.web.corpus.paper_catalogue import View
from ui.web.corpus.paper_map import HTML
from ui.web.corpus.papers_shown import Looking, Update, line, plural, wrong_html
from ui.web.events import sent
from ui.web.site import Site
from ui.web.visitors import visitor

MOST_FILES = 50
MOST_BYTES = 40_000_000
"""Of what is added at a time; a digest has some hundred kilobytes."""
SECONDS_KEPT = 30 * 60
"""How long it is kept until it is added."""
_SHOWN = 200
"""Papers listed of a file; a larger one is told by its numbers."""
_FORMATS = 10
"""Files whose formats are told."""

_STAGES = {"read": "Reading", "words": "Indexing", "embed": "Embedding", "map": "Drawing the map"}
_STATES = {
    "new": "new",
    "updated": "updated",
    "unchanged": "already there",
    "duplicate": "named twice",
}
_PROGRESS = gr.Progress()


class Changing:
    """The handlers that change the index of one site, and show what has become of it."""

    def __init__(self, site: Site, looking: Looking) -> None:
        self._site = site
        self._looking = looking

    @cached_property
    def _encoder(self) -> Encoder:
        settings = self._site.settings
        return open_encoder(settings.encoder, settings.secret_of_encoder)

    def _check(self) -> None:
        if not self._site.may_change:
            raise InputError("papers cannot be changed from this page")

    def read_files(self, files: "list[str] | None", year: str) -> Update:
        """Files that were chosen: what is in them.

        Returns:
            New values of (file box, draft, preview, add button, cancel button).
        """
        return (None, *self._previewed(lambda: read_uploaded(files or []), year))

    def read_text(self, text: str, name: str, year: str) -> Update:
        """Text that was pasted: what is in it; the values as `read_files`, without the file box."""
        today = f"pasted-{datetime.now(UTC):%Y-%m-%d}.txt"
        return self._previewed(lambda: pasted(text, name or today), year)

    def read_again(self, draft: tuple[Upload, ...], year: str) -> Update:
        """The same files with another year; nothing if there are none."""
        return self._previewed(lambda: draft, year) if draft else (gr.skip(),) * 4

    def _previewed(self, read: "Callable[[], tuple[Upload, ...]]", year: str) -> Update:
        uploads: tuple[Upload, ...] = ()
        try:
            self._check()
            uploads = read()
            found = preview(uploads, self._site.settings.store, year=_year(year))
        except Exception as error:  # noqa: BLE001 - told in the page
            hidden, cancel = gr.Button(visible=False), gr.Button(visible=True)
            return uploads, wrong_html(line(error)), hidden, cancel
        does = _what(found)
        button = gr.Button(does or "Add", visible=bool(does))
        return uploads, preview_html(found), button, gr.Button(visible=True)

    def cancel(self) -> Update:
        """Forget what was read; the values as `read_text`."""
        return (), "", gr.Button(visible=False), gr.Button(visible=False)

    def add(
        self,
        draft: tuple[Upload, ...],
        year: str,
        request: gr.Request,
        progress: gr.Progress = _PROGRESS,
    ) -> Update:
        """Index what was read, telling how far it is.

        Returns:
            New values of (draft, preview, add button, cancel button, papers, overview, notice,
            changed, last change).
        """
        return self._added(lambda: (draft, _year(year)), visitor(request), progress)

    def sample(self, request: gr.Request, progress: gr.Progress = _PROGRESS) -> Update:
        """Index the bundled sample; the values as `add`."""
        return self._added(lambda: (sample_files(), None), visitor(request), progress)

    def _added(
        self,
        read: "Callable[[], tuple[Sequence[Path | Upload], int | None]]",
        who: str,
        progress: gr.Progress,
    ) -> Update:
        try:
            self._check()
            files, year = read()
            if not files:
                raise InputError("what was read is not kept any more: read it again")
            report = build(
                files,
                self._site.settings.store,
                self._encoder,
                year=year,
                progress=lambda stage, done, total: progress(
                    (done, total or None), desc=_STAGES[stage], unit="papers"
                ),
            )
            bring_to_chroma(self._site.settings)
        except Exception as error:  # noqa: BLE001 - told in the page
            return (gr.skip(), wrong_html(line(error)), *(gr.skip(),) * 7)
        hidden = gr.Button(visible=False)
        lost, odd = _told(report.problems)
        told = ((), str(HTML.result(done(report), report, lost, odd)), hidden, hidden)
        if report.generation == report.previous:
            return (*told, *(gr.skip(),) * 5)
        last = report.generation if report.previous is not None else ""
        notice = str(HTML.notice(done(report), can_undo=bool(last)))
        drawn = self._looking.drawn(View(since="change" if report.new else None), who)
        return *told, *drawn, notice, report.generation, last

    def remove(self, event: gr.EventData, request: gr.Request) -> Update:
        """Remove papers.

        Returns:
            New values of (papers, overview, notice, changed, last change).
        """
        given, who = sent(event), visitor(request)
        try:
            self._check()
            if not isinstance(given.get("ids"), list):
                raise InputError("no papers were chosen")
            ids = [paper.id for paper in self._looking.chosen(event, who)]
            report = remove(ids, self._site.settings.store)
            drawn = self._looking.drawn(View.read(given.get("view")), who)
        except Exception as error:  # noqa: BLE001 - told in the page
            return _failed(error)
        removed = f"{plural(len(report.removed), 'paper')} removed."
        notice = str(HTML.notice(removed, can_undo=True))
        return *drawn, notice, report.generation, report.generation

    def undo(self, last: str, event: gr.EventData, request: gr.Request) -> Update:
        """Take back what this page changed last, if it is live still; the values as `remove`."""
        try:
            self._check()
            if not last:
                raise InputError("there is no change to take back")
            generation = undo(self._site.settings.store, expected=last)
            view = View.read(sent(event).get("view"))
            drawn = self._looking.drawn(view, visitor(request))
        except Exception as error:  # noqa: BLE001 - told in the page
            return _failed(error)
        return *drawn, str(HTML.notice("Taken back.")), generation, ""


def _failed(error: Exception) -> Update:
    notice = str(HTML.notice(line(error), is_wrong=True))
    return gr.skip(), gr.skip(), notice, gr.skip(), gr.skip()


def read_uploaded(paths: Sequence[str]) -> tuple[Upload, ...]:
    """The files that a browser sent to Gradio's folder, which are removed from there.

    Raises:
        InputError: there are too many, they are too large, or one is not in that folder.
    """
    folder = Path(get_upload_folder()).resolve()
    files = [Path(path).resolve() for path in paths]
    if any(folder not in file.parents or not file.is_file() for file in files):
        raise InputError("a file did not arrive: choose it again")
    try:
        if len(files) > MOST_FILES:
            raise InputError(f"at most {MOST_FILES} files at a time: choose fewer")
        _check_size(sum(file.stat().st_size for file in files))
        return tuple(Upload(file.name, file.read_bytes()) for file in files)
    finally:
        for file in files:
            file.unlink(missing_ok=True)


def pasted(text: str, name: str) -> tuple[Upload, ...]:
    """Pasted text as a file of this name.

    Raises:
        InputError: there is none, it is too long, or the name is none.
    """
    if not text.strip():
        raise InputError("nothing was pasted: paste a digest, a listing, or records")
    content = text.encode("utf-8", "replace")
    _check_size(len(content))
    return (Upload(name.strip(), content),)


def _check_size(size: int) -> None:
    if size > MOST_BYTES:
        raise InputError(
            f"that is more than {MOST_BYTES // 1_000_000} MB: add it in parts, or by the command"
            " abstractqa index"
        )


def preview_html(found: Preview) -> str:
    """The papers that were recognised, and the lines that were rejected."""
    counted: dict[State, int] = {
        "new": found.new,
        "updated": found.updated,
        "unchanged": found.unchanged,
        "duplicate": found.duplicate,
    }
    counts = [f"{count:,} {_STATES[state]}" for state, count in counted.items() if count]
    entries = []
    for entry in found.entries[:_SHOWN]:
        last = entry.paper.sources[-1:]
        day = label("", last[0].date, last[0].dated) if last and last[0].date else "no date"
        entries.append((entry, day, _STATES[entry.state]))
    lost, odd = _told(found.problems)
    return str(HTML.preview(found, entries, counts, formats_told(found.formats), lost, odd))


def formats_told(formats: Sequence[tuple[str, str]]) -> str:
    """The format of a single file or of pasted text; of several files, that of each."""
    if len(formats) == 1:
        return f"Format: {formats[0][1]}."
    named = "; ".join(f"{name} – {format_}" for name, format_ in formats[:_FORMATS])
    rest = len(formats) - _FORMATS
    return f"Formats: {named}{f'; and {rest:,} more' if rest > 0 else ''}."


def _told(problems: Sequence[Problem]) -> tuple[list[Problem], list[Problem]]:
    """The lines that were lost, and those that were read but are odd."""
    lost = [problem for problem in problems if not problem.is_warning]
    return lost, [problem for problem in problems if problem.is_warning]


def done(report: BuildReport) -> str:
    """What adding did, in one sentence."""
    counts = ((report.new, "added"), (report.updated, "updated"), (report.removed, "removed"))
    did = [f"{plural(count, 'paper')} {what}" for count, what in counts if count]
    return (", ".join(did) or "Nothing changed: all of it is there already") + "."


def _what(found: Preview) -> str:
    """What adding would do, for the button that does it; nothing if it would change nothing."""
    does = [
        (found.new, f"add {plural(found.new, 'paper')}"),
        (found.updated, f"update {found.updated:,}"),
        (len(found.removed), f"remove {len(found.removed):,}"),
    ]
    text = ", ".join(words for count, words in does if count)
    return text[:1].upper() + text[1:]


def _year(given: str) -> int | None:
    """The year of dates that have none; None if it is left empty."""
    text = given.strip()
    if not text:
        return None
    if not text.isdecimal():
        raise InputError(f"{text!r} is no year: write one like {datetime.now(UTC).year}")
    return int(text)
