"""The arena: its layout, and what happens when someone asks, votes, or takes a vote back."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import gradio as gr
from gradio.context import Context

from eval.arena import VOTES, Winner, read_votes
from index.errors import AbstractQAError, InputError
from ui.web.arena.battles import Battle, Battles
from ui.web.arena.configurations import QUOTES, Configuration, configurations
from ui.web.arena.contest import contest
from ui.web.arena.view import battle_html, problem_html, standings_html, waiting_html
from ui.web.events import ANSWERING, LIGHT, QUIET
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
    """The tab's handlers. Names of configurations never come from the page but to choose them."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.battles = Battles(site.settings.data / VOTES)
        self._known = {each.name: each for each in QUOTES}

    def known(self) -> dict[str, Configuration]:
        """What can meet now. The endpoint is asked which models it has, which may take seconds."""
        self._known = configurations(self.site.assistant)
        return self._known

    async def ask(
        self, question: str, first: str, second: str, request: gr.Request
    ) -> AsyncIterator[Update]:
        """Have two answer; both come at once, so that the pace tells nothing."""
        if not isinstance(question, str) or not question.strip():
            yield self._told("write a question first")
            return
        yield waiting_html(question), None, gr.Row(visible=False), _no_undo(), gr.skip()
        try:
            known = await asyncio.to_thread(self.known)  # may ask the endpoint
            chosen = [_known(known, name) for name in (first, second) if name != CHANCE]
            pair, answers = await contest(self.site.assistant, question, known.values(), chosen)
            battle = self.battles.begin(visitor(request), question, pair, answers)
        except AbstractQAError as error:
            yield self._told(str(error))
            return
        except Exception:  # noqa: BLE001 - the page must say that it failed, whatever it was
            _log.exception("a battle failed")
            yield self._told(_FAILED)
            return
        yield (*_shown(battle), gr.skip())

    def voting(self, winner: Winner) -> Callable[[str | None, gr.Request], Update]:
        """Makes the handler of a vote: it is kept, the two are named, the standings are new."""

        def vote(id_: str | None, request: gr.Request) -> Update:
            try:
                battle = self.battles.vote(visitor(request), id_ or "", winner)
            except AbstractQAError as error:
                return self._told(str(error))
            return *_shown(battle), self.standings()

        return vote

    def undo(self, id_: str | None, request: gr.Request) -> Update:
        """Take the vote on the battle that is shown back; it can be given anew."""
        try:
            battle = self.battles.undo(visitor(request), id_ or "")
        except AbstractQAError as error:
            return self._told(str(error))
        return *_shown(battle), self.standings()

    def stopped(self) -> Update:
        """What is shown instead of answers that were stopped."""
        return "", None, gr.Row(visible=False), _no_undo(), gr.skip()

    def standings(self) -> str:
        """The scores as they are now."""
        try:
            return standings_html(read_votes(self.battles.path), self._known)
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
        """Who can be chosen, for each of the two."""
        names = [CHANCE, *self.known()]
        return gr.Dropdown(choices=names), gr.Dropdown(choices=names)

    def _told(self, problem: str) -> Update:
        return problem_html(problem), None, gr.Row(visible=False), _no_undo(), gr.skip()


def _known(known: dict[str, Configuration], name: str) -> Configuration:
    if name not in known:
        raise InputError(f"there is no configuration {name!r}; choose one of the list")
    return known[name]


def _no_undo() -> gr.Button:
    return gr.Button(visible=False)


def _shown(battle: Battle) -> tuple[Any, ...]:
    voted = battle.winner is not None
    row, undo = gr.Row(visible=not voted), gr.Button(visible=voted)
    return battle_html(battle), battle.id, row, undo


def build(site: Site) -> None:
    """The tab, inside the page that is being built."""
    tab = Context.block
    arena = Arena(site)
    plain: dict[str, Any] = {"js_on_load": None, "apply_default_css": False}
    battle_id = gr.State(None)
    with gr.Column(elem_id="aqa-arena"):
        gr.HTML(_INTRODUCTION, **plain)
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
        with gr.Accordion("Choose who meets", open=False, elem_id="aqa-arena-choice"), gr.Row():
            first, second = (
                gr.Dropdown(
                    [CHANCE, *(each.name for each in QUOTES)], value=CHANCE, label=label,
                    elem_id=f"aqa-arena-{label.split()[0].lower()}",
                )
                for label in ("One of the two", "The other one")
            )  # fmt: skip
        battle = gr.HTML("", elem_id="aqa-arena-battle", **plain)
        with gr.Row(elem_id="aqa-arena-votes", visible=False) as votes:
            buttons = [(gr.Button(label, size="md"), winner) for label, winner in _BUTTONS]
        stop = gr.Button("Stop", elem_id="aqa-arena-stop", size="sm")  # shown while both answer
        undo = gr.Button("Take the vote back", elem_id="aqa-arena-undo", visible=False, size="sm")
        standings = gr.HTML("", elem_id="aqa-arena-standings", **plain)
        if site.may_export_votes:
            export = gr.Button("Download the votes", elem_id="aqa-arena-export", size="sm")
            text = gr.Textbox(visible=False)

    outputs = [battle, battle_id, votes, undo, standings]
    asking = question.submit(
        arena.ask, [question, first, second], outputs, trigger_mode="once", **ANSWERING
    )
    # Cancelling closes what chat models were still sending.
    stop.click(None, cancels=asking, **QUIET).then(arena.stopped, None, outputs, **QUIET)
    for button, winner in buttons:
        button.click(arena.voting(winner), battle_id, outputs, trigger_mode="once", **QUIET).then(
            None, js=_FOCUS, **QUIET
        )
    undo.click(arena.undo, battle_id, outputs, trigger_mode="once", **QUIET)
    if site.may_export_votes:
        export.click(arena.votes, None, text, **LIGHT).then(None, text, js=_SAVE, **QUIET)
    # Only for those who open the tab: others may have voted, the endpoint may have other models.
    opened = [tab.select] if isinstance(tab, gr.Tab) else None
    gr.on(opened, arena.standings, None, standings, **QUIET)
    gr.on(opened, arena.choices, None, [first, second], **QUIET)
