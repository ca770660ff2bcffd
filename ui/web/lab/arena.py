"""The arena of the lab: someone asks, two configurations answer blind, and votes make standings."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import gradio as gr
from markupsafe import Markup

from eval.arena import MIDDLE, SCALE, VOTES, Vote, Winner, groups, read_votes, scores
from index.errors import AbstractQAError, InputError
from index.text import clean_text
from rag.schema import Answer, Reference
from ui.web.chat.turn_html import answer_html, doubts_html
from ui.web.events import ANSWERING, LIGHT, QUIET
from ui.web.lab.battles import QUOTES, Battle, Battles, configurations, contest
from ui.web.markup import macros
from ui.web.site import Site
from ui.web.visitors import visitor

HTML = macros("web/lab/lab.html")
CHANCE = "By chance"
_WINNERS: dict[Winner, tuple[str, str]] = {
    "left": ("A is better", "You found A better."),
    "tie": ("Tie", "You found them equally good."),
    "both bad": ("Both bad", "You found both bad."),
    "right": ("B is better", "You found B better."),
}
"""The button of each vote, and what is said of it."""
_FAILED = "Something went wrong here; the terminal that runs AbstractQA says what"

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
            yield _without_battle(_problem("write a question first"))
            return
        yield _without_battle(str(HTML.waiting(_one_line(question))))
        try:
            known = await asyncio.to_thread(configurations, self.site.assistant)
            names = [name for name in (first, second) if name != CHANCE]
            if any(name not in known for name in names):
                raise InputError("there is no such configuration; choose one of the list")
            chosen = [known[name] for name in names]
            pair, answers = await contest(self.site.assistant, question, known.values(), chosen)
            battle = self.battles.begin(visitor(request), question, pair, answers)
        except AbstractQAError as error:
            yield _without_battle(_problem(str(error)))
            return
        except Exception:  # noqa: BLE001 - the page must say that it failed, whatever it was
            _log.exception("a battle failed")
            yield _without_battle(_problem(_FAILED))
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
            return _without_battle(_problem(str(error)))

    def standings(self) -> str:
        """The scores as they are now."""
        try:
            return standings_html(read_votes(self.battles.path))
        except InputError as error:
            return _problem(str(error))

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


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _problem(message: str) -> str:
    """A mistake the visitor can mend."""
    return str(HTML.problem(message[:1].upper() + message[1:]))


def battle_html(battle: Battle) -> str:
    """Two answers side by side; who gave them is told once there is a vote."""
    voted = battle.winner is not None
    panes = [
        (
            side,
            configuration.name if voted else "",
            battle.winner == winner,
            # A notice names how many sources were allowed, or how strict it was to be.
            sourced_html(answer, f"arena-{side.lower()}", notice=voted),
        )
        for side, winner, configuration, answer in zip(
            "AB", ("left", "right"), battle.pair, battle.answers, strict=True
        )
    ]
    status = (
        f"{_WINNERS[battle.winner][1]} Your vote counts in the standings below."
        if battle.winner
        else "Which answer is better? You will see who gave them after your vote."
    )
    return str(HTML.battle(_one_line(battle.question), panes, status))


def sourced_html(answer: Answer, anchor: str, *, notice: bool = True) -> Any:
    """The answer's text, its notice, and the papers it cites with what is cited of them.

    What is cited is shown only if it does not stand in the text anyway.

    Args:
        answer: Any answer; a refusal has its reason and the nearest papers instead.
        anchor: Unique on the page: the ids within begin with `aqa-source-<anchor>`.
        notice: Whether to say how the answer came about, which tells how it was made.
    """
    if answer.status != "answered":
        return HTML.refusal(answer.reason, [clean_text(near.title) for near in answer.nearest])
    text, is_marked = answer_html(answer, anchor)
    doubts = None if is_marked else Markup(doubts_html(answer.doubts))  # noqa: S704 - escaped
    said = [sentence.text for sentence in answer.sentences]
    sources = [
        (reference.number, reference.paper.display_title, _quotes(reference, said))
        for reference in answer.references
    ]
    return HTML.answer(text, doubts, answer.notice if notice else None, sources, anchor)


def _quotes(reference: Reference, said: Sequence[str]) -> list[tuple[int, str]]:
    passages = [(passage.start, clean_text(passage.text)) for passage in reference.passages]
    return [(at, words) for at, words in passages if not any(words in each for each in said)]


def standings_html(votes: Sequence[Vote]) -> str:
    """The table of scores of the votes that stand, and what should be known of it."""
    notes = [
        "Bradley–Terry scores by maximum likelihood, with a weak prior. A tie counts as half a win"
        f" of each, and so does “both bad”. {SCALE:.0f} points are odds of 10 to 1; the mean is"
        f" {MIDDLE:.0f}. Where two intervals overlap much, the votes do not tell the two apart."
    ]
    apart = groups(votes)
    if len(apart) > 1:
        named = "; ".join(" with ".join(sorted(group)) for group in apart)
        notes.append(
            f"No chain of battles joins these yet, so scores compare within a group only: {named}."
        )
    return str(HTML.standings(len(votes), scores(votes), notes))


def build(site: Site, opened: list[Any] | None) -> None:
    """The part, inside the tab that is being built; `opened` are the events that show it."""
    arena = Arena(site)
    plain: dict[str, Any] = {"js_on_load": None, "apply_default_css": False}
    battle_id = gr.State(None)
    with gr.Column(elem_id="aqa-arena"):
        gr.HTML(str(HTML.arena_lead()), **plain)
        question, first, second = _asking()
        battle = gr.HTML("", elem_id="aqa-arena-battle", **plain)
        with gr.Row(elem_id="aqa-arena-votes", visible=False) as votes:
            buttons = {who: gr.Button(label, size="md") for who, (label, _) in _WINNERS.items()}
        stop = gr.Button("Stop", elem_id="aqa-arena-stop", size="sm")  # shown while both answer
        undo = gr.Button("Take the vote back", elem_id="aqa-arena-undo", visible=False, size="sm")
        standings = gr.HTML("", elem_id="aqa-arena-standings", **plain)
        if site.may_export_votes:
            export = gr.Button("Download the votes", elem_id="aqa-arena-export", size="sm")
            text = gr.Textbox(visible=False)
            save = '(text) => aqaSave("votes.jsonl", "application/x-ndjson", text)'
            export.click(arena.votes, None, text, **LIGHT).then(None, text, js=save, **QUIET)

    outputs = [battle, battle_id, votes, undo, standings]
    asking = question.submit(
        arena.ask, [question, first, second], outputs, trigger_mode="once", **ANSWERING
    )
    # Cancelling closes what chat models were still sending.
    stop.click(None, cancels=asking, **QUIET).then(
        lambda: _without_battle(""), None, outputs, **QUIET
    )
    focus = "() => document.getElementById('aqa-arena-undo')?.focus()"
    for winner, button in buttons.items():
        button.click(arena.voting(winner), battle_id, outputs, trigger_mode="once", **QUIET).then(
            None, js=focus, **QUIET
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
