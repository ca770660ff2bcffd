"""The turn that is being written: its stages as they happen, and its text so far."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from rag.schema import Progress
from ui.archive.models import Turn
from ui.web.chat.chips import chips_html
from ui.web.chat.prose import partial_html
from ui.web.chat.question import question_html
from ui.web.render import escape

SECONDS_BETWEEN_UPDATES = 0.06
"""A growing text is drawn about 16 times a second at most."""
TITLES_SHOWN = 3


@dataclass
class Live:
    """What has happened of one turn so far."""

    turn: Turn
    stages: list[Progress] = field(default_factory=list)
    text: str = ""
    found: tuple[str, ...] = ()
    """Titles of the papers found, best first: a narrow screen has no room for their cards."""

    def step(self, stage: Progress) -> None:
        """A stage begins; one that says it anew takes the place of what it said before."""
        if self.stages and self.stages[-1].stage == stage.stage:
            self.stages.pop()
        self.stages.append(stage)

    @property
    def is_written(self) -> bool:
        """Whether a model writes it, so that its text comes in pieces over seconds."""
        return any(stage.stage == "write" for stage in self.stages)

    def html(self) -> str:
        """The turn as it is now."""
        turn = self.turn
        text = partial_html(self.text) if self.text else ""
        return (
            f'<article class="aqa-chat-turn aqa-chat-writing" data-turn="{turn.id}">'
            f'<header class="aqa-chat-asked"><h2>{question_html(turn.question)}</h2></header>'
            f"{chips_html(turn.filters, again=False)}"
            f'<div class="aqa-chat-stages" role="status">{stages_html(self.stages)}</div>'
            f"{'' if self.text else _found(self.found)}"
            f'<div class="aqa-chat-text">{text}</div></article>'
        )


def stages_html(stages: Sequence[Progress]) -> str:
    """What is being done, after what was done."""
    texts = [stage.text for stage in stages] or ["Reading the question"]
    *done, now = texts
    before = "".join(f"<span>{escape(text)}</span>" for text in done)
    return f"<p>{before}<strong>{escape(now)} …</strong></p>"


def _found(titles: Sequence[str]) -> str:
    if not titles:
        return ""
    more = len(titles) - TITLES_SHOWN
    shown = "; ".join(titles[:TITLES_SHOWN]) + (f"; and {more} more" if more > 0 else "")
    return f'<p class="aqa-chat-found">Found: {escape(shown)}</p>'
