"""The Lab tab: evaluation runs with their reports, and the arena, a blind vote on two answers.

Reports are those of `abstractqa eval`. A battle is in the page's session state on the server: until
the vote the browser gets nothing that shows which way of answering gave which answer.
"""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import permutations
from pathlib import Path
from typing import Any

import gradio as gr

from eval.feedback import VOTES, Vote, Winner, append, read_votes, scores
from eval.markdown import Cell, table
from eval.runs import METRICS, RECORD, REPORT, Run, load_run
from eval.statistics import Interval
from index.errors import InputError
from rag import Assistant
from rag.citations import escape
from rag.schema import Answer, AnswerMode, Options
from ui.export.answer_text import one_line, said, source
from ui.web.markup import macros, markdown
from ui.web.site import ANSWERING, QUIET, Site, box, html, told

HTML = macros("web/lab.html")
COLUMNS = {
    "answers": ("right", "nugget_recall", "citation_precision", "abstained_rightly"),
    "retrieval": ("hit@1", "nDCG@10", "R@10", "MRR"),
}  # the metrics in the table of each kind of run
HOW_TO_BEGIN = (
    "abstractqa eval synthesize --n 50 --out runs/questions\n"
    "abstractqa eval answers runs/questions/questions.jsonl --store runs/questions/store"
    " --out runs/first"
)
_BUTTONS: dict[Winner, str] = {
    "left": "A is better",
    "tie": "Tie",
    "both bad": "Both bad",
    "right": "B is better",
}


class Runs:
    """The evaluation runs in a folder, and the handlers that show them."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def found(self) -> tuple[dict[str, tuple[Run, list[Cell]]], dict[str, str]]:
        """Return by path the finished runs, newest first, with their rows, and others' problems."""
        finished: dict[str, tuple[Run, list[Cell]]] = {}
        others = {}
        for folder in _folders(self.root):
            name = folder.relative_to(self.root).as_posix()
            try:
                run = load_run(folder)
                finished[name] = run, _line(name, run)
            except Exception:  # noqa: BLE001 - damaged, or from another version
                is_whole = (folder / METRICS).exists()
                others[name] = "cannot be read: run it again" if is_whole else "is not finished"
        started = {name: str(run.record.get("started")) for name, (run, _) in finished.items()}
        names = sorted(finished, key=started.__getitem__, reverse=True)
        return {name: finished[name] for name in names}, others

    def read(self, chosen: str | None) -> tuple[Any, ...]:
        """Read the runs again; return values of (tables, row, dropdown), keeping the choice."""
        finished, others = self.found()
        tables = [
            (kind, markdown(table(["Run", "Started", "System", "Questions", *names], lines)))
            for kind, names in COLUMNS.items()
            if (lines := [line for run, line in finished.values() if run.kind == kind])
        ]
        names = list(finished)
        html = HTML.runs(tables, others.items()) if names or others else HTML.no_runs(HOW_TO_BEGIN)
        value = chosen if chosen in names else next(iter(names), None)
        return str(html), gr.Row(visible=bool(names)), gr.Dropdown(choices=names, value=value)

    def show(self, name: str | None) -> str:
        """Return the report that `abstractqa eval` wrote, in a frame that runs no script."""
        run, _ = self.found()[0].get(name or "", (None, []))  # a name never becomes a path
        if run is None:
            return str(HTML.problem("There is no such finished run; reload the runs"))
        try:
            report = (run.folder / REPORT).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return str(HTML.problem("The report of this run cannot be read: run it again"))
        return str(HTML.report(name, report))


def _folders(root: Path) -> Iterator[Path]:
    """Yield the folders with a record, up to four levels below `root`; do not look inside runs."""
    for here, folders, files in os.walk(root):
        depth = len(Path(here).relative_to(root).parts)
        if RECORD in files and depth:
            folders.clear()
            yield Path(here)
        elif depth >= 4:
            folders.clear()


def _line(name: str, run: Run) -> list[Cell]:
    data, stored = run.record["dataset"], run.metrics.get("intervals", {})
    return [
        escape(name),
        str(run.record.get("started", ""))[:16].replace("T", " "),
        escape(f"{run.system} on {data['name']}"),
        int(data.get("questions", data.get("queries", 0))),
        *(Interval(**stored[each]) if each in stored else None for each in COLUMNS[run.kind]),
    ]


def build(site: Site, tab: gr.Tab) -> None:
    """Lay out the tab inside itself, and connect its handlers."""
    with gr.Tabs(elem_id="aqa-lab-tabs"):
        with gr.Tab("Runs", elem_id="aqa-lab-runs-tab"):
            _build_runs(Runs(site.runs), tab)
        with gr.Tab("Arena", elem_id="aqa-arena-tab"):
            _build_arena(Arena(site), tab)


def _build_runs(runs: Runs, tab: gr.Tab) -> None:
    with gr.Column(elem_id="aqa-lab-runs"):
        html(HTML.lead())
        tables = html('<p role="status">Loading the runs …</p>')
        again = gr.Button("Reload the runs", elem_id="aqa-lab-again", size="sm")
        with gr.Row(visible=False, elem_id="aqa-lab-choice") as choice:
            run = gr.Dropdown(label="Report of", scale=3)
            show = gr.Button("Show", elem_id="aqa-lab-show", scale=0)
        report = html()
    outputs = [tables, choice, run]
    # Read when the tab is opened: there may be new runs, votes and models.
    tab.select(runs.read, run, outputs, **QUIET)
    again.click(runs.read, run, outputs, **QUIET)
    focus = "() => document.getElementById('aqa-lab-report-title')?.focus()"
    show.click(runs.show, run, report, trigger_mode="once", **QUIET).then(None, js=focus, **QUIET)


def ways(assistant: Assistant) -> dict[str, tuple[AnswerMode, Options]]:
    """Return the ways that can meet in a battle, by the names under which votes are counted."""
    found: dict[str, tuple[AnswerMode, Options]] = {
        "Quotes": ("extractive", Options()),
        "Quotes, strict": ("extractive", Options(strictness="strict")),
        "Quotes, lenient": ("extractive", Options(strictness="lenient")),
        "Quotes, 1 source": ("extractive", Options(sources=1)),
    }
    if model := assistant.chat_model:
        found[model] = "generative", Options()
        found[f"{model}, strict"] = "generative", Options(strictness="strict")
    return found


@dataclass(frozen=True, slots=True)
class Battle:
    """Two answers, left and right, to one question."""

    question: str
    names: tuple[str, str]
    answers: tuple[Answer, Answer]
    id: str = field(default_factory=lambda: secrets.token_urlsafe(16))


async def contest(assistant: Assistant, question: str) -> Battle:
    """Let two random ways answer, up to four times, until they differ; else an `InputError`."""
    known = ways(assistant)
    pairs = list(permutations(known, 2))
    for names in secrets.SystemRandom().sample(pairs, min(4, len(pairs))):
        asking = (assistant.aask(question, None, None, *known[name]) for name in names)
        one, other = await asyncio.gather(*asking)
        for name, answer in zip(names, (one, other), strict=True):
            if answer.status == "answered" and answer.mode != known[name][0]:
                raise InputError(f"{name} could not answer: {answer.notice}")
        if (one.text, one.reason, one.references) != (other.text, other.reason, other.references):
            return Battle(question, names, (one, other))
    raise InputError("all answers were the same, so there is no vote: ask another question")


class Arena:
    """The arena's handlers; each returns values of (HTML, battle, vote buttons, standings)."""

    def __init__(self, site: Site) -> None:
        self._assistant = site.assistant
        self.path = site.settings.data / VOTES  # the file of the votes

    async def ask(self, question: str) -> AsyncIterator[tuple[Any, ...]]:
        """Let two ways answer; show both at once, so that the speed reveals nothing."""
        yield str(HTML.waiting(one_line(question))), None, gr.Row(visible=False), gr.skip()
        try:
            battle = await contest(self._assistant, question)
        except Exception as error:  # noqa: BLE001 - shown in the page
            yield str(HTML.problem(told(error))), *(gr.skip(),) * 3
        else:
            yield battle_html(battle), battle, gr.Row(visible=True), gr.skip()

    def vote(self, battle: Battle | None, *, winner: Winner) -> tuple[Any, ...]:
        """Record a vote; a battle counts once, however often its vote is sent."""
        try:
            if battle is None:
                raise InputError("this battle is over: ask again to start another")
            if any(battle.id == vote.id for vote in read_votes(self.path)):
                raise InputError("this battle already has your vote: ask again to start another")
            left, right = battle.names
            now, index = datetime.now(UTC), battle.answers[0].index.id
            vote = Vote(id=battle.id, at=now, question=battle.question, left=left, right=right,
                        winner=winner, index=index)  # fmt: skip
            append(self.path, vote)
        except InputError as error:
            return str(HTML.problem(told(error))), *(gr.skip(),) * 3
        return battle_html(battle, winner), None, gr.Row(visible=False), self.standings()

    def standings(self) -> str:
        """Return the HTML of the current scores."""
        try:
            votes = read_votes(self.path)
        except InputError as error:
            return str(HTML.problem(told(error)))
        rows: list[list[Cell]] = []
        for each in scores(votes):
            interval = f"{each.low:.0f} – {each.high:.0f}"
            counts = (each.battles, each.wins, each.ties, each.losses)
            rows.append([escape(each.name), f"{each.score:.0f}", interval, *counts])
        head = ("Answers", "Score", "95 % interval", "Battles", "Won", "Tied", "Lost")
        return str(HTML.standings(markdown(table(head, rows)) if rows else ""))


def battle_html(battle: Battle, winner: Winner | None = None) -> str:
    """Return two answers side by side with their sources, and their names once there is a vote.

    Notices are left out: they would reveal the number of sources allowed, or the strictness.
    """
    panes = []
    for side, name, answer in zip("AB", battle.names, battle.answers, strict=True):
        text = "\n\n".join([*said(answer), *map(source, answer.references)])
        panes.append((side, name if winner else "", markdown(text)))
    return str(HTML.battle(one_line(battle.question), panes, _BUTTONS[winner] if winner else ""))


def _build_arena(arena: Arena, tab: gr.Tab) -> None:
    battle = gr.State(None)
    with gr.Column(elem_id="aqa-arena"):
        html(HTML.arena_lead())
        words, ask = ("A question for both", "Ask both …"), "Ask both"
        question = box("aqa-arena-box", *words, submit_btn=ask, max_lines=6, max_length=4_000)
        shown = html(elem_id="aqa-arena-battle")
        with gr.Row(elem_id="aqa-arena-votes", visible=False) as votes:
            buttons = {who: gr.Button(label, size="md") for who, label in _BUTTONS.items()}
        standings = html(elem_id="aqa-arena-standings")
    outputs = [shown, battle, votes, standings]
    question.submit(arena.ask, question, outputs, trigger_mode="once", **ANSWERING)
    for winner, button in buttons.items():
        vote: Callable[..., tuple[Any, ...]] = partial(arena.vote, winner=winner)
        button.click(vote, battle, outputs, trigger_mode="once", **QUIET)
    tab.select(arena.standings, None, standings, **QUIET)
