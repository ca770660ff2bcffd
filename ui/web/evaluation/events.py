"""What happens on the evaluation tab when someone opens a run, or compares two."""

import logging
from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from typing import Any

import gradio as gr

from index.errors import AbstractQAError, InputError
from rag.settings import Settings
from ui.web.evaluation.catalogue import Catalogue, Entry
from ui.web.evaluation.comparing import (
    CHANGES,
    Change,
    comparison_html,
    counts,
    questions_html,
)
from ui.web.evaluation.details import details_html
from ui.web.evaluation.plots import over_time
from ui.web.evaluation.question import question_html
from ui.web.evaluation.runs_table import COLUMNS, runs_html, when, words
from ui.web.render import escape
from ui.web.site import Site

_TOLD: dict[Change, str] = {"worse": "Worse", "better": "Better", "same": "Same"}
_ALL = "all"

_log = logging.getLogger(__name__)

Update = tuple[Any, ...]
"""New values of the components that an event names as its outputs."""


def note_html(text: str) -> str:
    """A quiet line that screen readers are told of."""
    return f'<p class="aqa-evaluation-note" role="status">{escape(text)}</p>'


def _problem(error: Exception) -> str:
    message = str(error)
    return (
        f'<p class="aqa-evaluation-problem" role="alert">{escape(message[:1].upper())}'
        f"{escape(message[1:])}.</p>"
    )


def _or_told(show: Callable[..., str]) -> Callable[..., str]:
    """A mistake that can be mended, or a run that changed meanwhile, is told in its place."""

    @wraps(show)
    def told(*arguments: Any) -> str:
        try:
            return show(*arguments)
        except AbstractQAError as error:
            return _problem(error)
        except (LookupError, TypeError, ValueError, AttributeError):
            _log.exception("a run could not be shown")
            return _problem(ValueError("a file of this run is not as this version writes it"))

    return told


class Evaluation:
    """The tab's handlers over one folder of runs."""

    def __init__(self, site: Site) -> None:
        self.catalogue = Catalogue(site.runs)
        usual = Settings.model_fields["store"].get_default(call_default_factory=True)
        self._store = None if site.settings.store == usual else site.settings.store
        self.details = _or_told(self._details)
        self.plot = _or_told(self._plot)
        self.listed = _or_told(self._listed)
        self.question = _or_told(self._question)

    def read(
        self, data: str | None, figure: str | None, before: str | None, after: str | None
    ) -> Update:
        """Everything that depends on which runs there are; what was chosen stays if it can."""
        entries = self.catalogue.entries()
        finished = [entry for entry in entries if entry.state == "finished"]
        sets = {entry.data: _data_label(entry) for entry in finished}
        data = data if data in sets else next(iter(sets), None)
        figures = _figures([entry for entry in finished if entry.data == data])
        figure = figure if figure in figures else next(iter(figures), None)
        names = [(_run_label(entry), entry.name) for entry in finished]
        known = {name for _, name in names}
        if before not in known or after not in known:
            before, after = _latest_pair(finished)
        return (
            runs_html(entries, self.catalogue.root, self._store),
            gr.Column(visible=bool(finished)),
            gr.Dropdown(choices=[(label, key) for key, label in sets.items()], value=data),
            gr.Dropdown(choices=[(words(name), name) for name in figures], value=figure),
            self.plot(data, figure),
            gr.Dropdown(choices=names, value=before),
            gr.Dropdown(choices=names, value=after),
        )

    def _details(self, name: object) -> str:
        return details_html(self.catalogue.run(str(name)), str(name))

    def of_data(self, data: str | None, figure: str | None) -> Update:
        """The figures that runs of these questions have, and the first one's course."""
        figures = _figures([entry for entry in self.catalogue.entries() if entry.data == data])
        figure = figure if figure in figures else next(iter(figures), None)
        choices = [(words(name), name) for name in figures]
        return gr.Dropdown(choices=choices, value=figure), self.plot(data, figure)

    def _plot(self, data: str | None, figure: str | None) -> str:
        entries = [
            entry
            for entry in self.catalogue.entries()
            if entry.data == data and figure and entry.figure(figure)
        ]
        if not entries or not figure:
            return note_html("No run of these questions has this figure.")
        return f'<div class="aqa-evaluation-plot">{over_time(entries, figure)}</div>'

    def compare(self, before: str | None, after: str | None) -> Iterator[Update]:
        """Two runs: every metric, then the questions that changed."""
        nothing = gr.Dropdown(), gr.Radio(), "", ""
        hidden = gr.Column(visible=False)
        yield note_html("Comparing …"), None, hidden, *nothing
        try:
            if not before or not after:
                raise InputError("choose two runs")
            compared = self.catalogue.compare(before, after)
            shown = comparison_html(compared)
        except AbstractQAError as error:
            yield _problem(error), None, hidden, *nothing
            return
        except (LookupError, TypeError, ValueError, AttributeError):
            _log.exception("two runs could not be compared")
            told = ValueError("a file of these runs is not as this version writes it")
            yield _problem(told), None, hidden, *nothing
            return
        metrics = [change.metric for change in compared.metrics]
        primary = compared.before.primary
        metric = primary if primary in metrics else next(iter(metrics), None)
        choices = [(words(name), name) for name in metrics]
        pair = before, after
        yield (
            shown,
            pair,
            gr.Column(visible=metric is not None),
            gr.Dropdown(choices=choices, value=metric),
            *self.by(pair, metric, None),
            "",
        )

    def by(
        self, pair: tuple[str, str] | None, metric: str | None, which: str | None
    ) -> tuple[Any, str]:
        """How many questions got better and worse by a metric, and those that `which` names."""
        if pair is None or metric is None:
            return gr.Radio(), ""
        try:
            found = counts(self.catalogue.compare(*pair), metric)
        except AbstractQAError as error:
            return gr.Radio(), _problem(error)
        # At first what went wrong, since that is what one has to look at.
        which = which or next((change for change in CHANGES if found[change]), _ALL)
        choices = [
            *((f"{_TOLD[change]} ({found[change]:,})", str(change)) for change in CHANGES),
            (f"All ({sum(found.values()):,})", _ALL),
        ]
        return gr.Radio(choices=choices, value=which), self.listed(pair, metric, which)

    def _listed(self, pair: tuple[str, str] | None, metric: str | None, which: str | None) -> str:
        if pair is None or metric is None:
            return ""
        kept: Sequence[Change] = [change for change in CHANGES if which in (change, _ALL)]
        return questions_html(self.catalogue.compare(*pair), metric, kept)

    def _question(self, pair: tuple[str, str] | None, id_: object) -> str:
        if pair is None:
            raise InputError("compare two runs first")
        return question_html(self.catalogue.compare(*pair), str(id_))


def _data_label(entry: Entry) -> str:
    return f"{entry.dataset}, {entry.questions:,} questions ({entry.kind})"


def _run_label(entry: Entry) -> str:
    folder, _, name = entry.name.rpartition("/")
    told = f"{name} · {entry.system} on {entry.dataset} · {when(entry)}"
    return f"{told} · {folder}" if folder else told


def _figures(entries: Sequence[Entry]) -> list[str]:
    """The figures that these runs have, those of the table first."""
    found = dict.fromkeys(name for entry in entries for name in entry.figures or {})
    first = [name for entry in entries[:1] for name in COLUMNS[entry.kind] if name in found]
    return list(dict.fromkeys((*first, *found)))


def _latest_pair(entries: Sequence[Entry]) -> tuple[str | None, str | None]:
    """The two newest runs of the same questions: the earlier one, the later one."""
    for place, later in enumerate(entries):
        for earlier in entries[place + 1 :]:
            if earlier.data == later.data:
                return earlier.name, later.name
    return None, None
