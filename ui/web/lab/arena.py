"""The arena of the lab: two configurations answer a question blind, and votes make standings.

A battle is in the state of the visitor's page, on the server: until the vote the page is told
neither who answered nor anything that would tell it.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import combinations
from typing import TYPE_CHECKING, Any

import gradio as gr

from eval.feedback import (
    MIDDLE,
    SCALE,
    VOTES,
    Vote,
    Winner,
    append,
    read_votes,
    scores,
)
from eval.markdown import Cell, table
from index.errors import InputError
from rag.citations import escape
from rag.schema import Answer, AnswerMode, Options
from ui.export.answer_text import one_line, said, source
from ui.web.chat.chat_settings import PLAIN
from ui.web.events import ANSWERING, QUIET, told
from ui.web.markup import macros, markdown
from ui.web.site import Site

if TYPE_CHECKING:
    from rag import Assistant

HTML = macros("web/lab/lab.html")
_BUTTONS: dict[Winner, str] = {
    "left": "A is better",
    "tie": "Tie",
    "both bad": "Both bad",
    "right": "B is better",
}
_SCORES = (
    "Bradley–Terry scores by maximum likelihood, with a weak prior. A tie counts as half a win"
    f" of each, and so does “both bad”. {SCALE:.0f} points are odds of 10 to 1; the mean is"
    f" {MIDDLE:.0f}. Where two intervals overlap much, the votes do not tell the two apart."
    " Scores of those that no chain of battles joins do not compare."
)
_MODELS = 20
"""Models of an endpoint that can be chosen; some list hundreds."""
_PAIRS = 4
"""Pairs that are drawn until their answers differ."""

_chance = secrets.SystemRandom()

Update = tuple[Any, ...]
"""New values of (what is shown, battle, vote buttons, undo, standings)."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """One way of answering, under the name that its votes are counted by."""

    name: str
    mode: AnswerMode
    options: Options = field(default_factory=Options)
    is_drawn: bool = True
    """Whether it meets others by chance. Other models of the endpoint do not: it may list what
    cannot chat, or costs more."""


Pair = tuple[Configuration, Configuration]

QUOTES = (
    Configuration("Quotes", "extractive"),
    Configuration("Quotes, strict", "extractive", Options(strictness="strict")),
    Configuration("Quotes, lenient", "extractive", Options(strictness="lenient")),
    Configuration("Quotes, 1 source", "extractive", Options(sources=1)),
    Configuration("Quotes, 3 sources", "extractive", Options(sources=3)),
)


@dataclass(frozen=True, slots=True)
class Battle:
    """Two answers, left and right, to one question."""

    question: str
    pair: Pair
    answers: tuple[Answer, Answer]
    winner: Winner | None = None
    """None before the vote."""
    id: str = field(default_factory=lambda: secrets.token_urlsafe(16))

    def vote(self, winner: Winner | None) -> Vote:
        """The line that is kept of a vote."""
        left, right = (each.name for each in self.pair)
        now, index = datetime.now(UTC), self.answers[0].index.id
        return Vote(id=self.id, at=now, question=self.question, left=left, right=right,
                    winner=winner, index=index)  # fmt: skip


def configurations(assistant: "Assistant") -> dict[str, Configuration]:
    """The configurations by name: quotes, then what each model of the endpoint writes."""
    found = {each.name: each for each in QUOTES}
    for place, model in enumerate(assistant.chat_models()[:_MODELS]):
        strict = Options(model=model, strictness="strict")
        for name, options in ((model, Options(model=model)), (f"{model}, strict", strict)):
            found[name] = Configuration(name, "generative", options, is_drawn=place == 0)
    return found


async def contest(
    assistant: "Assistant",
    question: str,
    known: Iterable[Configuration],
    chosen: Sequence[Configuration] = (),
) -> Battle:
    """Let two answer, left and right by chance; pairs are drawn until their answers differ.

    Cancelling it closes what chat models were still sending.

    Args:
        assistant: Who answers.
        question: What both are asked.
        known: What pairs are drawn from.
        chosen: At most two that have to be in the pair.

    Raises:
        InputError: the question cannot be asked, one of the two could not answer as it should, or
            all answers are the same, which leaves nothing to vote on.
    """
    answers: dict[str, Answer] = {}
    for pair in _pairs([each for each in known if each.is_drawn], chosen):
        await _answer(
            assistant, question, [each for each in pair if each.name not in answers], answers
        )
        left, right = (answers[each.name] for each in pair)
        if _visible(left) != _visible(right):
            return Battle(question, pair, (left, right))
    raise InputError(
        f"all {len(answers)} configurations gave the same answer, so there is nothing to vote on:"
        " ask another question"
    )


def _pairs(drawn: Sequence[Configuration], chosen: Sequence[Configuration]) -> Iterator[Pair]:
    """Pairs that have all that were chosen, in either order."""
    every = combinations(dict.fromkeys((*chosen, *drawn)), 2) if len(chosen) < 2 else [chosen[:2]]
    pairs = [pair for pair in every if set(chosen) <= set(pair)]
    for first, second in _chance.sample(pairs, min(len(pairs), _PAIRS)):
        yield (first, second) if _chance.random() < 0.5 else (second, first)


async def _answer(
    assistant: "Assistant",
    question: str,
    asked: Sequence[Configuration],
    answers: dict[str, Answer],
) -> None:
    """Have configurations answer at the same time."""
    tasks = [
        asyncio.create_task(assistant.aask(question, mode=each.mode, options=each.options))
        for each in asked
    ]
    try:
        found = await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
    for configuration, answer in zip(asked, found, strict=True):
        if answer.status == "answered" and answer.mode != configuration.mode:
            raise InputError(f"{configuration.name} could not answer: {answer.notice}")
        answers[configuration.name] = answer


def _visible(answer: Answer) -> tuple[object, ...]:
    """What a reader sees of an answer."""
    return answer.status, answer.text, answer.reason, answer.references


class Arena:
    """The handlers. Names of configurations never come from the page but to choose them."""

    def __init__(self, site: Site) -> None:
        self._assistant = site.assistant
        self.path = site.settings.data / VOTES
        """The file of the votes."""

    async def ask(self, question: str, names: list[str]) -> AsyncIterator[Update]:
        """Have two answer; both come at once, so that the pace tells nothing."""
        if not question.strip():
            yield _without_battle(str(HTML.problem("Write a question first")))
            return
        yield _without_battle(str(HTML.waiting(one_line(question))))
        try:
            known = await asyncio.to_thread(configurations, self._assistant)
            if len(names) > 2 or any(name not in known for name in names):
                raise InputError("there is no such configuration; choose up to two of the list")
            chosen = [known[name] for name in names]
            battle = await contest(self._assistant, question, known.values(), chosen)
        except Exception as error:  # noqa: BLE001 - told in the page
            yield _without_battle(str(HTML.problem(told(error))))
        else:
            yield *_shown(battle), gr.skip()

    def voting(self, winner: Winner | None) -> Callable[[Battle | None], Update]:
        """Make the handler of a vote, or without a winner of taking it back.

        The file of the votes has one vote a battle, however often it is sent.
        """

        def vote(battle: Battle | None) -> Update:
            try:
                if battle is None:
                    raise InputError("this battle is over: ask again to see another one")
                append(self.path, battle.vote(winner))
                return *_shown(replace(battle, winner=winner)), self.standings()
            except InputError as error:
                return str(HTML.problem(told(error))), *(gr.skip(),) * 4

        return vote

    def standings(self) -> str:
        """The scores as they are now."""
        try:
            return standings_html(read_votes(self.path))
        except InputError as error:
            return str(HTML.problem(told(error)))

    def choices(self) -> gr.Dropdown:
        """Who can be chosen; asks the endpoint which models it has."""
        return gr.Dropdown(choices=list(configurations(self._assistant)))


def _without_battle(shown: str) -> Update:
    return shown, None, gr.Row(visible=False), gr.Button(visible=False), gr.skip()


def _shown(battle: Battle) -> tuple[Any, ...]:
    voted = battle.winner is not None
    return battle_html(battle), battle, gr.Row(visible=not voted), gr.Button(visible=voted)


def battle_html(battle: Battle) -> str:
    """Two answers side by side with what they cite; who gave them is told once there is a vote.

    Notices are left out: they name how many sources were allowed, or how strict it was to be.
    """
    panes = [
        (
            side,
            configuration.name if battle.winner else "",
            battle.winner == winner,
            markdown("\n\n".join([*said(answer), *map(source, answer.references)])),
        )
        for side, winner, configuration, answer in zip(
            "AB", ("left", "right"), battle.pair, battle.answers, strict=True
        )
    ]
    vote = _BUTTONS[battle.winner] if battle.winner else ""
    return str(HTML.battle(one_line(battle.question), panes, vote))


def standings_html(votes: Sequence[Vote]) -> str:
    """The table of scores of the votes that stand, and what should be known of it."""
    if not votes:
        return str(HTML.standings("", ()))
    head = ("Configuration", "Score", "95 % interval", "Battles", "Won", "Tied", "Lost")
    rows: list[list[Cell]] = [
        [escape(each.name), f"{each.score:.0f}", f"{each.low:.0f} – {each.high:.0f}",
         each.battles, each.wins, each.ties, each.losses]
        for each in scores(votes)
    ]  # fmt: skip
    return str(HTML.standings(markdown(table(head, rows)), (_SCORES,)))


def build(site: Site, opened: list[Any] | None) -> None:
    """The part, inside the tab that is being built; `opened` are the events that show it."""
    arena = Arena(site)
    battle = gr.State(None)
    with gr.Column(elem_id="aqa-arena"):
        gr.HTML(str(HTML.arena_lead()), **PLAIN)
        question, chosen = _asking()
        shown = gr.HTML("", elem_id="aqa-arena-battle", **PLAIN)
        with gr.Row(elem_id="aqa-arena-votes", visible=False) as votes:
            buttons = {who: gr.Button(label, size="md") for who, label in _BUTTONS.items()}
        stop = gr.Button("Stop", elem_id="aqa-arena-stop", size="sm")  # shown while both answer
        undo = gr.Button("Take the vote back", elem_id="aqa-arena-undo", visible=False, size="sm")
        standings = gr.HTML("", elem_id="aqa-arena-standings", **PLAIN)

    outputs = [shown, battle, votes, undo, standings]
    asking = question.submit(
        arena.ask, [question, chosen], outputs, trigger_mode="once", **ANSWERING
    )
    # Cancelling closes what chat models were still sending.
    stop.click(None, cancels=asking, **QUIET).then(
        lambda: _without_battle(""), None, outputs, **QUIET
    )
    focus = "() => document.getElementById('aqa-arena-undo')?.focus()"
    for winner, button in buttons.items():
        button.click(arena.voting(winner), battle, outputs, trigger_mode="once", **QUIET).then(
            None, js=focus, **QUIET
        )
    undo.click(arena.voting(None), battle, outputs, trigger_mode="once", **QUIET)
    gr.on(opened, arena.standings, None, standings, **QUIET)
    gr.on(opened, arena.choices, None, chosen, **QUIET)


def _asking() -> tuple[gr.Textbox, gr.Dropdown]:
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
    chosen = gr.Dropdown(
        [each.name for each in QUOTES],
        value=[],
        multiselect=True,
        max_choices=2,
        elem_id="aqa-arena-choice",
        label="Who meets: two, one, or whom chance draws",
    )
    return question, chosen
