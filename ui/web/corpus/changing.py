"""Adding and removing papers in the tab; each handler checks its visitor and its input."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import gradio as gr

from index.errors import InputError
from index.plan import Preview
from index.readers import Upload
from ui.web.corpus.adding import Adding, Step
from ui.web.corpus.changes import Changes
from ui.web.corpus.drafts import Drafts, pasted, read_uploaded
from ui.web.corpus.looking import Looking, Update, line
from ui.web.corpus.recognised import (
    done,
    plural,
    preview_html,
    progress_html,
    result_html,
    wrong_html,
)
from ui.web.corpus.view import View
from ui.web.events import sent
from ui.web.render import escape
from ui.web.site import Site
from ui.web.visitors import visitor


def notice_html(text: str = "", *, undo: bool = False, wrong: bool = False) -> str:
    """What has just been done, with a way back; the element stays, so that it is read out."""
    button = '<button type="button" class="aqa-corpus-button" data-aqa-undo>Undo</button>'
    kind = " aqa-corpus-wrong" if wrong else ""
    inside = f"<span>{escape(text)}</span>{button * undo}" if text else ""
    return f'<div role="status" class="aqa-corpus-notice{kind}">{inside}</div>'


class Changing:
    """The handlers that change the index of one site, and show what has become of it."""

    def __init__(self, site: Site, looking: Looking) -> None:
        self._looking = looking
        self._drafts = Drafts()
        self._adding = Adding(site.settings)
        self._changes = Changes(site.settings.store, may_change=site.may_change)

    def read_files(self, files: "list[str] | None", year: str, request: gr.Request) -> Update:
        """Files that were chosen: what is in them.

        Returns:
            New values of (file box, draft, preview, add button, cancel button).
        """
        return (None, *self._previewed(lambda: read_uploaded(files or []), year, request))

    def read_text(self, text: str, name: str, year: str, request: gr.Request) -> Update:
        """Text that was pasted: what is in it; the values as `read_files`, without the file box."""
        today = f"pasted-{datetime.now(UTC):%Y-%m-%d}.txt"
        return self._previewed(lambda: pasted(text, name or today), year, request)

    def read_again(self, draft: str, year: str, request: gr.Request) -> Update:
        """The same files with another year; nothing if there are none."""
        if not draft:
            return (gr.skip(),) * 4
        return self._previewed(
            lambda: self._drafts.read(visitor(request), draft), year, request, draft
        )

    def _previewed(
        self,
        read: "Callable[[], tuple[Upload, ...]]",
        year: str,
        request: gr.Request,
        draft: str = "",
    ) -> Update:
        try:
            self._changes.check()
            uploads = read()
            found = self._adding.preview(uploads, _year(year))
        except Exception as error:  # noqa: BLE001 - told in the page
            return draft, wrong_html(line(error)), gr.Button(visible=False), gr.Button(visible=True)
        key = draft or self._drafts.keep(visitor(request), uploads)
        button = gr.Button(_what(found) or "Add", visible=bool(_what(found)))
        return key, preview_html(found), button, gr.Button(visible=True)

    def cancel(self, draft: str, request: gr.Request) -> Update:
        """Forget what was read; the values as `read_text`."""
        self._drafts.drop(visitor(request), draft)
        return "", "", gr.Button(visible=False), gr.Button(visible=False)

    def add(self, draft: str, year: str, request: gr.Request) -> Iterator[Update]:
        """Index what was read, telling how far it is.

        Yields:
            New values of (draft, preview, add button, cancel button, papers, overview, notice,
            changed).
        """
        same: Update = (gr.skip(),) * 4
        hidden = gr.Button(visible=False)
        try:
            self._changes.check()
            uploads = self._drafts.read(visitor(request), draft)
            yield gr.skip(), progress_html(None), hidden, hidden, *same
            for told in self._adding.add(uploads, _year(year)):
                if isinstance(told, Step):
                    yield gr.skip(), progress_html(told), gr.skip(), gr.skip(), *same
                    continue
                self._drafts.drop(visitor(request), draft)
                if told.generation == told.previous:
                    yield "", result_html(told), hidden, hidden, *same
                    return
                undo = told.previous is not None
                if undo:
                    self._changes.made(visitor(request), told.generation)
                notice = notice_html(done(told), undo=undo)
                drawn = self._looking.drawn(View(since="change" if told.new else None))
                yield "", result_html(told), hidden, hidden, *drawn, notice, told.generation
        except Exception as error:  # noqa: BLE001 - told in the page
            yield (
                gr.skip(),
                wrong_html(line(error)),
                gr.Button(visible=True),
                gr.Button(visible=True),
                *same,
            )

    def remove(self, event: gr.EventData, request: gr.Request) -> Update:
        """Remove papers.

        Returns:
            New values of (papers, overview, notice, changed).
        """
        given = sent(event)
        try:
            report = self._changes.remove(visitor(request), given.get("ids"))
            told = f"{plural(len(report.removed), 'paper')} removed."
            drawn = self._looking.drawn(View.read(given.get("view")))
            return *drawn, notice_html(told, undo=True), report.generation
        except Exception as error:  # noqa: BLE001 - told in the page
            return gr.skip(), gr.skip(), notice_html(line(error), wrong=True), gr.skip()

    def undo(self, event: gr.EventData, request: gr.Request) -> Update:
        """Take the visitor's last change back; the values as `remove`."""
        try:
            generation = self._changes.undo(visitor(request))
            drawn = self._looking.drawn(View.read(sent(event).get("view")))
            return *drawn, notice_html("Taken back."), generation
        except Exception as error:  # noqa: BLE001 - told in the page
            return gr.skip(), gr.skip(), notice_html(line(error), wrong=True), gr.skip()


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
