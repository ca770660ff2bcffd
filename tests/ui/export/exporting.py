"""Turns made by hand, of papers that hold every sign an export could trip over."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from web.chat_answers import answer, claim, refusal, span

from index.papers import Paper
from rag.citations import Block
from rag.schema import Filters, IndexInfo, NearPaper
from ui.archive import Conversation, Turn

WHEN = datetime(2025, 5, 2, 12, 30, tzinfo=UTC)
FILE = Path(__file__).parent / "papers.jsonl"
PAPERS = tuple(map(Paper.model_validate_json, FILE.read_text("utf-8").splitlines()))
MOSS, HOSTILE, BARE = PAPERS
COST = claim("Mosses cost money.", span(MOSS, "Mosses cost \\$5 & grow 10\\% a_year."))
DOUBT: dict[str, Any] = {"support": "partly", "why": "nothing says they are big"}
BIG = claim("Bogs [2] are *wet* and <big>.", span(BARE, "Bogs are wet."), **DOUBT)
SEVEN = claim("There are 7.", span(BARE, "We count 7 bogs."), span(HOSTILE, "=cmd|' /C calc'!A0"))
ANSWERED = Turn(
    asked=WHEN,
    question="And which <mosses> grow?\nTell *me*",
    filters=Filters(digests=("Mar 14", "Apr 22"), since=date(2025, 3, 1), title="moss_<b>"),
    vote="up",
    answer=answer(
        Block((COST, BIG, claim("Ferns sing.", support="unsupported")), title="Costs_of <it>"),
        Block((SEVEN,), bullet=True),
        question="And which <mosses> grow?\nTell *me*",
        standalone_question="Which mosses grow in bogs?",
        notice="One sentence was written again.",
        mode="generative",
        model="a-model",
        index=IndexInfo(id="i1", papers=3, encoder="e"),
    ),
)
NEAR = NearPaper(id="x", title="Moss$^{2}$ <i>", score=0.2)
NOTHING = refusal("No abstract has the name “Sings”.", nearest=(NEAR,))
REFUSED = Turn(asked=WHEN, question="Who sings?", answer=NOTHING)
STOPPED = Turn(asked=WHEN, question="How wet?", partial="Very **wet** [1] and <b>")
BROKEN = Turn(asked=WHEN, question="How dry?", problem="The index is missing: build it.")
CONVERSATION = Conversation(
    id="secret-id",
    title="Which <mosses> grow?",
    created=WHEN,
    updated=WHEN,
    turns=(ANSWERED, REFUSED, STOPPED, BROKEN),
)
