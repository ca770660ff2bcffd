"""The Papers tab: show, mark, ask about, export, add and remove papers; undo.

The page's session state on the server holds the id of the last change and, for half an hour, the
files that were read but not yet added. Handlers check their input; those of `Changing` exist only
where changes are allowed.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import cached_property, wraps
from pathlib import Path
from time import time
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder

from index.build import build as index_papers
from index.build import remove
from index.encoder import Encoder, open_encoder
from index.errors import AbstractQAError, InputError
from index.papers import Paper
from index.plan import preview
from index.publish import undo
from index.readers import Upload
from index.sample import sample_files
from ui.archive.marks import Mark
from ui.export import LISTS
from ui.indexing import bring_to_chroma
from ui.web.corpus.paper_catalogue import Live, View
from ui.web.corpus.paper_html import HTML, overview_html, paper_html, table_html
from ui.web.markup import plural
from ui.web.site import LIGHT, QUIET, Site, html, scripted, sent, told
from ui.web.visitors import visitor

Update = tuple[Any, ...]

MOST_AT_ONCE = 10_000  # papers that one request may remove, mark or export
MOST_BYTES = 40_000_000  # added at a time; a digest has a few hundred kilobytes
_STAGES = {"read": "Reading", "words": "Indexing", "embed": "Encoding", "map": "Drawing the map"}
_PROGRESS = gr.Progress()


def by_title(papers: Iterable[Paper]) -> list[tuple[str, str]]:
    """Return the papers as choices of a dropdown: (title, id), sorted by title."""
    return sorted((paper.display_title, paper.id) for paper in papers)


class Looking:
    """The handlers that show, mark and export papers of one site; the browser keeps the view."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._live = Live(site.assistant)

    def show(self, event: gr.EventData, request: gr.Request) -> Update:
        """Return the requested view, and the overview if the browser has an outdated one."""
        given = sent(event)
        view = View.read(given.get("view"))
        try:
            catalogue = self._live.catalogue()
            is_fresh = given.get("drawn") == catalogue.key
            overview = gr.skip() if is_fresh else overview_html(catalogue)
            return self._papers(view, visitor(request)), overview
        except Exception as error:  # noqa: BLE001 - shown in the page
            return str(HTML.wrong(told(error), view)), gr.skip()

    def _papers(self, view: View, who: str) -> str:
        catalogue, marks = self._live.catalogue(), self._site.archive.marks.of(who)
        if view.paper is None:
            listing = self._live.listing(view, marks)
            return table_html(catalogue, view, listing, marks)
        paper = catalogue.by_id.get(view.paper)
        if paper is None:
            return str(HTML.missing(view))
        similar, mark = self._site.assistant.similar(paper.id), marks.get(paper.id, Mark())
        return paper_html(catalogue, view, paper, similar, mark, self._site.may_change)

    def mark(self, event: gr.EventData, request: gr.Request) -> Update:
        """Change the visitor's marks of papers; return new values of (papers, notice)."""
        given, who = sent(event), visitor(request)
        change = given.get("change")
        if not isinstance(change, dict):
            raise InputError("nothing was marked")
        ids = [paper.id for paper in self.chosen(event, who)]
        by_id = self._live.catalogue().by_id
        self._site.archive.marks.change(who, ids, change, there=by_id)
        return self._papers(View.read(given.get("view")), who), gr.skip()

    def chosen(self, event: gr.EventData, who: str) -> Sequence[Paper]:
        """Return the papers of an event, or all of its view; `InputError` if none or too many."""
        ids = sent(event).get("ids")
        papers: Sequence[Paper]
        if isinstance(ids, list):
            by_id = self._live.catalogue().by_id
            papers = [by_id[id_] for id_ in ids if isinstance(id_, str) and id_ in by_id]
        else:
            view, marks = View.read(sent(event).get("view")), self._site.archive.marks.of(who)
            papers, _ = self._live.found(view, marks)
        if not papers:
            raise InputError("none of these papers is in the index now: choose others")
        if len(papers) > MOST_AT_ONCE:
            raise InputError(f"at most {MOST_AT_ONCE:,} papers at a time: choose fewer")
        return papers

    def ask(self, event: gr.EventData, request: gr.Request) -> Update:
        """Open the chat for chosen papers, no id means all: values of (ids, question, tabs)."""
        ids = "\n".join(self._ids_of(event, request))
        return ids, sent(event).get("question") or gr.skip(), gr.Tabs(selected="chat")

    def compare(self, event: gr.EventData, request: gr.Request) -> Update:
        """Open the comparison of papers: return values of (question, papers, tabs)."""
        ids, choices = self._ids_of(event, request), by_title(self._site.assistant.papers())
        chosen = gr.Dropdown(choices=choices, value=ids, multiselect=True)
        return "", chosen, gr.Tabs(selected="compare")

    def _ids_of(self, event: gr.EventData, request: gr.Request) -> list[str]:
        """Return the ids of the papers that an event refers to; none if it refers to all."""
        given = sent(event)
        is_subset = isinstance(given.get("ids"), list) or View.read(given.get("view")).narrows
        try:
            return [p.id for p in (self.chosen(event, visitor(request)) if is_subset else ())]
        except AbstractQAError as error:
            raise gr.Error(told(error)) from error

    def export(self, event: gr.EventData, request: gr.Request) -> Update:
        """Write the papers of an event to a file; return new values of (download, notice)."""
        form = LISTS.get(str(sent(event).get("kind")))
        if form is None or form.papers is None:
            raise InputError(f"choose one of {', '.join(LISTS)}")
        papers = self.chosen(event, visitor(request))
        name = f"papers.{form.ending}"
        file = {"name": name, "type": form.media_type, "text": form.papers(papers)}
        file["at"] = str(time())  # an equal file is sent again
        return file, str(HTML.notice(f"{plural(len(papers), 'paper')} written to {name}."))

    def drawn(self, view: View, who: str) -> Update:
        """Draw the view from the current index; return values of (papers, overview)."""
        return self._papers(view, who), overview_html(self._live.catalogue())


class Changing:
    """The handlers that change the index of one site and show the result."""

    def __init__(self, site: Site, looking: Looking) -> None:
        self._site = site
        self._looking = looking

    @cached_property
    def _encoder(self) -> Encoder:
        settings = self._site.settings
        return open_encoder(settings.encoder, settings.secret_of_encoder)

    def read_files(self, files: "list[str] | None", year: str) -> Update:
        """Preview files: return values of (file box, draft, preview, add button, cancel button)."""
        return (None, *self._previewed(lambda: read_uploaded(files or []), year))

    def read_text(self, text: str, year: str) -> Update:
        """Preview pasted text; return the values of `read_files` without the file box."""
        return self._previewed(lambda: pasted(text), year)

    def read_again(self, draft: tuple[Upload, ...], year: str) -> Update:
        """Preview the same files with another year; change nothing if there are none."""
        return self._previewed(lambda: draft, year) if draft else (gr.skip(),) * 4

    def _previewed(self, read: "Callable[[], tuple[Upload, ...]]", year: str) -> Update:
        uploads: tuple[Upload, ...] = ()
        try:
            uploads = read()
            found = preview(uploads, self._site.settings.store, year=_year(year))
        except Exception as error:  # noqa: BLE001 - shown in the page
            hidden, cancel = gr.Button(visible=False), gr.Button(visible=True)
            return uploads, str(HTML.wrong(told(error))), hidden, cancel
        counts = {"add": found.new, "update": found.updated, "remove": len(found.removed)}
        does = (f"{verb} {plural(count, 'paper')}" for verb, count in counts.items() if count)
        label = ", ".join(does).capitalize()
        button = gr.Button(label or "Add", visible=bool(label))
        return uploads, str(HTML.preview(found)), button, gr.Button(visible=True)

    def cancel(self) -> Update:
        """Discard the files that were read; return the values of `read_text`."""
        return (), "", gr.Button(visible=False), gr.Button(visible=False)

    def sample(self, request: gr.Request, progress: gr.Progress = _PROGRESS) -> Update:
        """Index the bundled sample; return the values of `add`."""
        return self.add(sample_files(), "", request, progress)

    def add(
        self,
        files: Sequence[Path | Upload],
        year: str,
        request: gr.Request,
        progress: gr.Progress = _PROGRESS,
    ) -> Update:
        """Index the files that were read, and report the progress.

        Returns values of (draft, preview, add button, cancel button), then those of `remove`.
        """

        def show(stage: str, done: int, total: int) -> None:
            progress((done, total or None), desc=_STAGES[stage], unit="papers")

        try:
            if not files:
                raise InputError("the preview has expired: read the files or text again")
            settings = self._site.settings
            report = index_papers(
                files, settings.store, self._encoder, year=_year(year), progress=show
            )
            bring_to_chroma(settings)
        except Exception as error:  # noqa: BLE001 - shown in the page
            return (gr.skip(), str(HTML.wrong(told(error))), *(gr.skip(),) * 7)
        counts = {"added": report.new, "updated": report.updated, "removed": report.removed}
        changes = [f"{plural(count, 'paper')} {what}" for what, count in counts.items() if count]
        nothing = "Nothing changed: all of it is already in the index"
        outcome = f"{', '.join(changes) or nothing}."
        hidden = gr.Button(visible=False)
        shown = ((), str(HTML.result(outcome, report)), hidden, hidden)
        if report.generation == report.previous:
            return (*shown, *(gr.skip(),) * 5)
        last = report.generation if report.previous is not None else ""
        notice = str(HTML.notice(outcome, can_undo=bool(last)))
        view = View(since="change" if report.new else None)
        drawn = self._looking.drawn(view, visitor(request))
        return *shown, *drawn, notice, report.generation, last

    def remove(self, event: gr.EventData, request: gr.Request) -> Update:
        """Remove papers; return values of (papers, overview, notice, changed, last change)."""
        given, who = sent(event), visitor(request)
        if not isinstance(given.get("ids"), list):
            raise InputError("no papers were chosen")
        ids = [paper.id for paper in self._looking.chosen(event, who)]
        report = remove(ids, self._site.settings.store)
        drawn = self._looking.drawn(View.read(given.get("view")), who)
        removed = f"{plural(len(report.removed), 'paper')} removed."
        notice = str(HTML.notice(removed, can_undo=True))
        return *drawn, notice, report.generation, report.generation

    def undo(self, last: str, event: gr.EventData, request: gr.Request) -> Update:
        """Undo the last change of this page if it is still live; return the values of `remove`."""
        if not last:
            raise InputError("there is no change to undo")
        generation = undo(self._site.settings.store, expected=last)
        view = View.read(sent(event).get("view"))
        drawn = self._looking.drawn(view, visitor(request))
        return *drawn, str(HTML.notice("Undone.")), generation, ""


def _or_notice(handle: Callable[..., Update], outputs: list[Any], notice: gr.HTML) -> Any:
    """Return a handler that shows an error in the notice, and leaves the other outputs."""

    @wraps(handle)
    def handled(*given: Any) -> Update:
        try:
            return handle(*given)
        except Exception as error:  # noqa: BLE001 - shown in the page
            wrong = str(HTML.notice(told(error), is_wrong=True))
            return tuple(wrong if each is notice else gr.skip() for each in outputs)

    return handled


def read_uploaded(paths: Sequence[str]) -> tuple[Upload, ...]:
    """Read the files uploaded to Gradio's folder, and delete them; `InputError` for any other."""
    folder = Path(get_upload_folder()).resolve()
    files = [Path(path).resolve() for path in paths]
    if any(folder not in file.parents or not file.is_file() for file in files):
        raise InputError("a file did not arrive: choose it again")
    try:
        _check_size(sum(file.stat().st_size for file in files))
        return tuple(Upload(file.name, file.read_bytes()) for file in files)
    finally:
        for file in files:
            file.unlink(missing_ok=True)


def pasted(text: str) -> tuple[Upload, ...]:
    """Return pasted text as a file named by today's date; `InputError` if empty or too large."""
    if not text.strip():
        raise InputError("nothing was pasted: paste a digest, a listing, or records")
    content = text.encode("utf-8", "replace")
    _check_size(len(content))
    return (Upload(f"pasted-{datetime.now(UTC):%Y-%m-%d}.txt", content),)


def _check_size(size: int) -> None:
    if size > MOST_BYTES:
        instead = "add it in parts, or with the command abstractqa index"
        raise InputError(f"that is more than {MOST_BYTES // 1_000_000} MB: {instead}")


def _year(given: str) -> int | None:
    """Parse the year for dates without one; None if the field is empty."""
    text = given.strip()
    if not text:
        return None
    if not text.isdecimal():
        raise InputError(f"{text!r} is not a year: enter one like {datetime.now(UTC).year}")
    return int(text)


def build(site: Site, page: gr.Blocks, tabs: gr.Tabs) -> tuple[gr.HTML, Looking, gr.State]:
    """Lay out the tab in the open `gr.Tab`: return what shows papers, handlers, the generation.

    The first has the events `aqa_ask` and `aqa_compare`; the last changes after the index has.
    """
    looking = Looking(site)
    changed, last = gr.State(""), gr.State("")
    notice = scripted("aqa-corpus-notice", value=str(HTML.notice()))
    html(HTML.toolbar(LISTS, site.may_change), elem_id="aqa-corpus-tools")
    if not site.may_change:
        html(HTML.read_only())
    form = gr.Accordion("Add papers", open=False, visible=site.may_change, elem_id="aqa-corpus-add")
    with gr.Row(elem_id="aqa-corpus-main"):
        names = "show ask compare export mark remove undo sample".split()
        papers = scripted("aqa-corpus-papers", *map("aqa_{}".format, names), value="<span></span>")
        overview = scripted("aqa-corpus-overview", value="<span></span>")
    download = scripted("aqa-corpus-download", html_template="")
    shown = [papers, overview, notice, changed, last]
    if site.may_change:
        changing = Changing(site, looking)
        with form:
            found, with_progress = _build_adding(changing, shown)
        papers.aqa_sample(changing.sample, None, [*found, *shown], **with_progress)
        papers.aqa_remove(_or_notice(changing.remove, shown, notice), None, shown, **QUIET)
        papers.aqa_undo(_or_notice(changing.undo, shown, notice), last, shown, **QUIET)
    papers.aqa_show(looking.show, None, [papers, overview], **LIGHT)
    marked, exported = [papers, notice], [download, notice]
    papers.aqa_mark(_or_notice(looking.mark, marked, notice), None, marked, **LIGHT)
    papers.aqa_export(_or_notice(looking.export, exported, notice), None, exported, **LIGHT)

    def begin() -> tuple[Any, ...]:
        """Open this tab first if there are no papers."""
        is_empty = not site.assistant.info.papers
        may_add = is_empty and site.may_change
        opened = gr.Tabs(selected="corpus") if is_empty else gr.skip()
        return opened, str(HTML.begin() if may_add else HTML.notice()), gr.Accordion(open=may_add)

    page.load(begin, None, [tabs, notice, form], **LIGHT)
    return papers, looking, changed


def _build_adding(changing: Changing, shown: list[Any]) -> tuple[list[Any], dict[str, Any]]:
    """Build the form to add papers; return the parts of its preview, and settings of events."""
    with gr.Row(elem_id="aqa-corpus-form"):
        with gr.Column(scale=1, min_width=280):
            files = gr.File(
                label="Files", file_count="multiple", elem_id="aqa-corpus-files", height=150
            )
            html(HTML.told())
        with gr.Column(scale=1, min_width=280):
            text = gr.Textbox(
                label="Or paste a digest, a listing, or records",
                lines=4,
                max_lines=8,
                elem_id="aqa-corpus-text",
            )
            # Not a number field: an empty one sends 0.
            year = gr.Textbox(
                label="Year, if a date has none",
                placeholder="from other dates, or this year",
                max_length=4,
            )
            read = gr.Button("Read the pasted text", size="sm", elem_id="aqa-corpus-read-text")
    draft = gr.State((), time_to_live=30 * 60)  # the files wait so long to be added
    preview = html(elem_id="aqa-corpus-preview")
    with gr.Row(elem_id="aqa-corpus-decide"):
        add = gr.Button("Add", variant="primary", size="sm", visible=False, scale=0)
        cancel = gr.Button("Cancel", size="sm", visible=False, scale=0)
    found = [draft, preview, add, cancel]
    files.upload(changing.read_files, [files, year], [files, *found], **QUIET)
    read.click(changing.read_text, [text, year], found, **QUIET)
    year.change(changing.read_again, [draft, year], found, trigger_mode="always_last", **QUIET)
    cancel.click(changing.cancel, None, found, **LIGHT)
    with_progress: dict[str, Any] = {**QUIET, "show_progress": "full", "show_progress_on": preview}
    add.click(changing.add, [draft, year], [*found, *shown], **with_progress)
    return found, with_progress
