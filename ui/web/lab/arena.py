"""The arena of the lab: someone asks, two configurations answer blind, and votes make standings."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import gradio as gr

from eval.arena import VOTES, Winner, read_votes
from index.errors import AbstractQAError, InputError
from ui.web.events import ANSWERING, LIGHT, QUIET
from ui.web.lab.arena_html import battle_html, problem_html, standings_html, waiting_html
from ui.web.lab.battles import Battle, Battles
from ui.web.lab.contest import QUOTES, configurations, contest
from ui.web.site import Site
from ui.web.visitors import visitor

CHANCE = "By chance"

_INTRODUCTION = (
    '<p class="aqa-arena-lead">Two configurations answer your question, and you do not see which '
    "is which. Say which answer is better; the votes of everyone here make the standings.</p>"
)
_BUTTONS: tuple[tuple[str, Winner], ...] = (
    ("A is better", "left"),
    ("Tie", "tie"),
    ("Both bad", "both bad"),
    ("B is better", "right"),
)
_FAILED = "Something went wrong here; the terminal that runs AbstractQA says what"
_FOCUS = "() => document.getElementById('aqa-arena-undo')?.focus()"
_SAVE = '(text) => aqaSave("votes.jsonl", "application/x-ndjson", text)'

_log = logging.getLogger(__name__)

Update = tuple[Any, ...]
"""New values of (battle, its id, vote buttons, undo, standings)."""


class Arena:
    """The handlers. Names of configurations never come from the page but to choose them."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.battles = Battles(site.settings.data / VOTES)

    async def ask(
        self, question: str, first: str, second: str, request: gr.Request
    ) -> AsyncIterator[Update]:
        """Have two answer; both come at once, so that the pace tells nothing."""
        if not isinstance(question, str) or not question.strip():
            yield _without_battle(problem_html("write a question first"))
            return
        yield _without_battle(waiting_html(question))
        try:
            known = await asyncio.to_thread(configurations, self.site.assistant)
            names = [name for name in (first, second) if name != CHANCE]
            if any(name not in known for name in names):
                raise InputError("there is no such configuration; choose one of the list")
            chosen = [known[name] for name in names]
            pair, answers = await contest(self.site.assistant, question, known.values(), chosen)
            battle = self.battles.begin(visitor(request), question, pair, answers)
        except AbstractQAError as error:
            yield _without_battle(problem_html(str(error)))
            return
        except Exception:  # noqa: BLE001 - the page must say that it failed, whatever it was
            _log.exception("a battle failed")
            yield _without_battle(problem_html(_FAILED))
            return
        yield (*_shown(battle), gr.skip())

    def voting(self, winner: Winner) -> Callable[[str | None, gr.Request], Update]:
        """Make the handler of a vote: keep it, name the two, renew the standings."""

        def vote(id_: str | None, request: gr.Request) -> Update:
            return self._change(self.battles.vote, request, id_, winner)

        return vote

    def undo(self, id_: str | None, request: gr.Request) -> Update:
        """Take the vote on the battle that is shown back; it can be given anew."""
        return self._change(self.battles.undo, request, id_)

    def _change(
        self, change: Callable[..., Battle], request: gr.Request, id_: str | None, *more: Winner
    ) -> Update:
        try:
            return *_shown(change(visitor(request), id_ or "", *more)), self.standings()
        except AbstractQAError as error:
            return _without_battle(problem_html(str(error)))

    def standings(self) -> str:
        """The scores as they are now."""
        try:
            return standings_html(read_votes(self.battles.path))
        except InputError as error:
            return problem_html(str(error))

    def votes(self) -> str:
        """The votes that stand, as JSON Lines.

        Raises:
            gr.Error: this visitor may not have them, or the file is damaged.
        """
        if not self.site.may_export_votes:
            raise gr.Error("votes hold what others asked: only this machine may export them")
        try:
            return "".join(f"{v.model_dump_json()}\n" for v in read_votes(self.battles.path))
        except InputError as error:
            raise gr.Error(str(error), print_exception=False) from error

    def choices(self) -> tuple[gr.Dropdown, gr.Dropdown]:
        """Who can be chosen, for each of the two; asks the endpoint which models it has."""
        names = [CHANCE, *configurations(self.site.assistant)]
        return gr.Dropdown(choices=names), gr.Dropdown(choices=names)


def _without_battle(shown: str) -> Update:
    return shown, None, gr.Row(visible=False), gr.Button(visible=False), gr.skip()


def _shown(battle: Battle) -> tuple[Any, ...]:
    voted = battle.winner is not None
    return battle_html(battle), battle.id, gr.Row(visible=not voted), gr.Button(visible=voted)


def build(site: Site, opened: list[Any] | None) -> None:
    """The part, inside the tab that is being built; `opened` are the events that show it."""
    arena = Arena(site)
    plain: dict[str, Any] = {"js_on_load": None, "apply_default_css": False}
    battle_id = gr.State(None)
    with gr.Column(elem_id="aqa-arena"):
        gr.HTML(_INTRODUCTION, **plain)
        question, first, second = _asking()
        battle = gr.HTML("", elem_id="aqa-arena-battle", **plain)
        with gr.Row(elem_id="aqa-arena-votes", visible=False) as votes:
            buttons = [(gr.Button(label, size="md"), winner) for label, winner in _BUTTONS]
        stop = gr.Button("Stop", elem_id="aqa-arena-stop", size="sm")  # shown while both answer
        undo = gr.Button("Take the vote back", elem_id="aqa-arena-undo", visible=False, size="sm")
        standings = gr.HTML("", elem_id="aqa-arena-standings", **plain)
        if site.may_export_votes:
            export = gr.Button("Download the votes", elem_id="aqa-arena-export", size="sm")
            text = gr.Textbox(visible=False)
            export.click(arena.votes, None, text, **LIGHT).then(None, text, js=_SAVE, **QUIET)

    outputs = [battle, battle_id, votes, undo, standings]
    asking = question.submit(
        arena.ask, [question, first, second], outputs, trigger_mode="once", **ANSWERING
    )
    # Cancelling closes what chat models were still sending.
    stop.click(None, cancels=asking, **QUIET).then(
        lambda: _without_battle(""), None, outputs, **QUIET
    )
    for button, winner in buttons:
        button.click(arena.voting(winner), battle_id, outputs, trigger_mode="once", **QUIET).then(
            None, js=_FOCUS, **QUIET
        )
    undo.click(arena.undo, battle_id, outputs, trigger_mode="once", **QUIET)
    gr.on(opened, arena.standings, None, standings, **QUIET)
    gr.on(opened, arena.choices, None, [first, second], **QUIET)


def _asking() -> tuple[gr.Textbox, gr.Dropdown, gr.Dropdown]:
    """The box of the question, and who is to answer it."""
    question = gr.Textbox(
        elem_id="aqa-arena-box",
        label="A question for both",
        show_label=False,
        container=False,
        placeholder="Ask both …",
        submit_btn="Ask both",
        lines=1,
        max_lines=6,
        max_length=4_000,
    )
    names = [CHANCE, *(each.name for each in QUOTES)]
    with gr.Accordion("Choose who meets", open=False, elem_id="aqa-arena-choice"), gr.Row():
        first = gr.Dropdown(names, value=CHANCE, label="One of the two")
        second = gr.Dropdown(names, value=CHANCE, label="The other one")
    return question, first, second
