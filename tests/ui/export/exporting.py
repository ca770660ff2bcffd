"""Turns made by hand, of papers that hold every sign an export could trip over."""

from datetime import UTC, date, datetime
from typing import Any

from web.chat_answers import answer, claim, refusal, span

from index.papers import Paper, Source
from rag.citations import Block
from rag.schema import Filters, IndexInfo, NearPaper
from ui.archive import Conversation, Turn

WHEN = datetime(2025, 5, 2, 12, 30, tzinfo=UTC)
MOSS = Paper(
    id="vaswani-etal-2017-moss",
    title="Moss$^{2}$Net: A Study of Mosses & Ferns in OSWorld",
    abstract="Mosses cost \\$5 & grow 10\\% a_year. We use $\\alpha \\leq 10^{5}$ spores {here}.",
    authors=("Ada B. Lovelace", "Jürgen van der Moß", "Moss and Fern Society"),
    year=2017,
    venue="Proceedings of the Conference on Mosses",
    url="https://example.org/~moss/a_b?c=1&d=%20",
    doi="10.1000/moss_1",
    sources=(Source(name="digest-2025-03-14.txt", date=date(2025, 3, 14), position=3),),
)
HOSTILE = Paper(
    id="0123456789abcdef",
    title='} @misc{evil, title={<script>alert(1)</script>} % #1 "x" \\input{/etc/passwd}',
    abstract="=cmd|' /C calc'!A0\nER  - \nTY  - JOUR [1](http://evil.example) **bold** `code` <b>",
    authors=("=HYPERLINK(1)", "others"),
    url="javascript:alert(1)",
)
BARE = Paper(
    id="fedcba9876543210",
    title="Counting bogs in Chile",
    abstract="Bogs are wet. We count 7 bogs.",
    url="https://arxiv.org/abs/2503.01234v2",
)
PAPERS = (MOSS, HOSTILE, BARE)


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
REFUSED = Turn(
    asked=WHEN,
    question="Who sings?",
    answer=refusal(
        "No abstract has the name “Sings”.",
        nearest=(NearPaper(id="x", title="Moss$^{2}$ <i>", score=0.2),),
    ),
)
STOPPED = Turn(asked=WHEN, question="How wet?", partial="Very **wet** [1] and <b>")
BROKEN = Turn(asked=WHEN, question="How dry?", problem="The index is missing: build it.")
CONVERSATION = Conversation(
    id="secret-id",
    title="Which <mosses> grow?",
    created=WHEN,
    updated=WHEN,
    turns=(ANSWERED, REFUSED, STOPPED, BROKEN),
)
