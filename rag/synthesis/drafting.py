"""Write answers with a chat model from whole abstracts, grounding each sentence as it arrives.

A text about many papers is written from one note on each, and keeps the notes' citations.
"""

from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import repeat

from index.store import Index
from rag.chat import Asking, ChatError, ReplyError, numbered_lines, tokens_of
from rag.citations import Block, Claim, compose, joined, quote
from rag.evidence import leading
from rag.query import Query
from rag.retrieval import passage_rows
from rag.schema import Delta, Event, Progress, Strictness
from rag.support import Checker, JudgeChecker, same_words
from rag.synthesis import prompts
from rag.synthesis.prompts import ONE_EACH, Sheet, lay_out
from rag.synthesis.statements import Grounder, in_context, papers_mentioning, read_statements
from rag.wording import Kind

_DECLINES = (
    "sorry", "unable", "i'm sorry", "i am sorry", "i'm unable", "i am unable",
    "i cannot", "i can't", "i won't", "i must decline",
)  # fmt: skip
"""How a reply begins in which the model declines to answer."""

Written = tuple[list[Block], str | None]
"""The blocks that a model wrote, and a notice for the reader."""


class NoAnswerError(ReplyError):
    """The model replied that the abstracts do not answer the question."""


@dataclass(frozen=True)
class Draft:
    """Writes the answer to a question, and checks each sentence as soon as it arrives."""

    index: Index
    query: Query
    asking: Asking
    local: Checker
    judge: JudgeChecker | None
    """Decides on grounded sentences after the local check."""
    max_tokens: int
    quotes: Mapping[int, Claim]
    """The best sentence of each paper of the evidence, by the paper's row."""

    @property
    def strictness(self) -> Strictness:
        """What happens to failed claims: left out (strict), rewritten, or kept marked (lenient)."""
        return self.query.request.options.strictness

    def fails(self, claim: Claim) -> bool:
        """Return whether a claim failed its check; if strict, undecided is not enough to cite."""
        support = claim.verdict.support if claim.verdict else "supported"
        is_strict = self.strictness == "strict" and support != "supported"
        return support == "unsupported" or (is_strict and bool(claim.spans))

    def drops(self, claim: Claim) -> bool:
        """Return whether a claim is left out of the answer."""
        return self.strictness == "strict" and self.fails(claim)

    def arrange(self, claims: Sequence[Claim]) -> list[Block]:
        """Arrange claims as paragraphs under headings, or as bullets under their papers' titles."""
        blocks: list[Block] = []
        for claim in claims:
            bullet = self.query.kind in ONE_EACH and len({s.paper.id for s in claim.spans}) == 1
            title = claim.spans[0].paper.display_title if bullet else claim.heading
            last = blocks[-1] if blocks else None
            if last and last.bullet == bullet and (title == last.title if bullet else not title):
                blocks[-1] = Block((*last.claims, claim), last.title, bullet)
            else:
                blocks.append(Block((claim,), title, bullet))
        return blocks

    def write(self, sheet: Sheet) -> Generator[Event, None, Written]:
        """Write the answer from a sheet; return it, and a notice of what it lacks.

        Raises NoAnswerError if the model replies that the abstracts do not answer, and ChatError
        if it cannot be asked, declines, or writes nothing usable.
        """
        yield Progress(stage="write", text="Writing")
        grounder = Grounder(sheet, self.query.encoder, self.local)
        claims, has_no_answer, was_cut = yield from self._read(grounder)
        limit = f"the limit of {self.max_tokens} tokens (ABSTRACTQA_ANSWER_TOKENS)"
        first = claims[0].text if claims and not claims[0].spans else ""
        if first.lower().replace("’", "'").startswith(_DECLINES):
            raise ReplyError(f"the model declined: “{first}”")
        kept = (yield from self._settle(claims, grounder)) if claims else []
        if not any(claim.spans for claim in kept):
            if has_no_answer:
                raise NoAnswerError("the model found no answer in the abstracts")
            if was_cut and not claims:
                raise ReplyError(f"the answer was cut off at {limit}")
            raise ReplyError("nothing that the model wrote could be found in the abstracts")
        if self.query.kind in ONE_EACH and self.strictness == "normal":
            kept = self._with_quotes(kept)
        count = sum(claim.verdict is None for claim in kept)
        quoted = f"Quotes replace sentences that failed their check ({count})." if count else None
        cut = f"The answer was cut off at {limit}." if was_cut else None
        return self.arrange(kept), joined(quoted, cut)

    def _read(self, grounder: Grounder) -> Generator[Event, None, tuple[list[Claim], bool, bool]]:
        """Stream the reply; return its claims, whether it found no answer, and was cut off."""
        asking, has = self.asking, grounder.sheet.has
        structured = "response_format" not in asking.model.refused
        messages = prompts.writing(self.query, grounder.sheet, structured)
        options = {"response_format": prompts.STRUCTURE} if structured else {}
        text, shown = "", ""
        # Until its first reply is complete, what a model writes may be a thought.
        is_known = asking.model.streams_thoughts is not None
        with asking.stream(messages, max_tokens=self.max_tokens, **options) as stream:
            for text in stream:
                begun, _ = read_statements(text, has, whole=False)
                claims = grounder.ground_all(begun)
                is_answer = is_known or text.startswith("{")
                if new := self._new_text(claims, shown, is_answer=is_answer):
                    shown += new
                    yield Delta(text=new)
            was_cut = stream.reply.cut
        statements, has_no_answer = read_statements(text, has)
        last = statements[-1].text.rstrip("\"”’」』）')]") if statements else ""
        if was_cut and last and not last.endswith((".", "!", "?", "。", "！", "？", "…")):
            statements.pop()  # the reply ended in the middle of this sentence
        claims = grounder.ground_all(statements)
        if new := self._new_text(claims, shown, is_answer=True):
            yield Delta(text=new)
        return claims, has_no_answer, was_cut

    def _new_text(self, claims: Sequence[Claim], shown: str, *, is_answer: bool) -> str:
        """Return the new part of the answer's text; "" if it does not continue the `shown` text."""
        kept = [c for c in claims if (c.spans or is_answer) and not self.drops(c)]
        whole = compose(self.arrange(kept)).text
        return whole[len(shown) :] if whole.startswith(shown) else ""

    def _settle(
        self, claims: list[Claim], grounder: Grounder
    ) -> Generator[Event, None, list[Claim]]:
        """Check all claims, have failed ones rewritten once, and drop those that may not stay."""
        cited = sum(len(claim.spans) for claim in claims)
        yield Progress(stage="check", text=f"Checking {cited} citation{'s' * (cited != 1)}")
        settled: dict[int, Claim | None] = {}
        settled.update(enumerate(grounder.check_again(claims, self.judge)))
        failing = {at: claims[at] for at, each in settled.items() if each and self.fails(each)}
        # If more fail, the whole reply is doubtful.
        if 0 < len(failing) <= 6 and self.strictness == "normal":
            count = f"{len(failing)} sentence{'s' * (len(failing) != 1)}"
            yield Progress(stage="repair", text=f"Rewriting {count}")
            settled |= self._rewrite(failing, grounder)
        return [claim for claim in settled.values() if claim and not self.drops(claim)]

    def _with_quotes(self, claims: Sequence[Claim]) -> list[Claim]:
        """Replace each failed sentence on one paper by its quote, if the paper is not cited."""
        cited = {span.paper.id for claim in claims for span in claim.spans}
        found: list[Claim] = []
        for claim in claims:
            if len(claim.papers) != 1 or not self.fails(claim):
                found.append(claim)
            elif quoted := self.quotes.get(claim.papers[0]):
                paper = quoted.spans[0].paper.id
                found += [] if paper in cited else [quoted]
                cited.add(paper)
        return found

    def _rewrite(self, failing: Mapping[int, Claim], grounder: Grounder) -> dict[int, Claim | None]:
        """Have claims rewritten; return those that pass now, and None for dropped ones."""
        texts = [(claim.text, grounder.nearest(claim.text)) for claim in failing.values()]
        try:
            reply = self.asking.complete(prompts.repairing(texts), max_tokens=80 * len(texts))
        except ChatError:
            return {}  # the first version stays
        places = dict(enumerate(failing, 1))
        mended: dict[int, Claim | None] = {}
        fresh: dict[int, Claim] = {}
        for number, text in numbered_lines(reply):
            statements, _ = read_statements(text, lambda _: False)
            if number not in places:
                continue
            if text.strip(" .*\"'`").lower() == "drop":
                mended[places[number]] = None
            elif len(statements) == 1:
                fresh[places[number]] = grounder.ground(statements[0])
        claims = grounder.check_again([*fresh.values()], self.judge)
        for at, claim in zip(fresh, claims, strict=True):
            if claim.spans and not self.fails(claim):
                mended[at] = replace(claim, heading=failing[at].heading)
        return mended

    def complete(
        self, blocks: list[Block], rows: Sequence[int], notes: Mapping[int, Claim], why: str = ""
    ) -> Written:
        """Add the papers of `rows` that the text does not cite, each by its note or else a quote.

        A short overview stays as it is. The notice says how many are quoted, and why.
        """
        options, is_list = self.query.request.options, self.query.kind is Kind.OVERVIEW
        if is_list and options.length == "short" and blocks:
            return blocks, None
        cited = {span.paper.id for b in blocks for claim in b.claims for span in claim.spans}
        others: list[Block] = []
        for row in rows[: options.sources]:
            paper, claim = self.index.papers[row], notes.get(row) or self.quotes.get(row)
            if claim is None and (at := leading(self.index, row)) is not None:
                claim = quote(self.index, at)
            if claim and paper.id not in cited:
                others.append(Block((claim,), paper.display_title, bullet=is_list))
        count = sum(not block.claims[0].verdict for block in others)
        notice = f"Papers that the model did not cover are quoted ({count}){why}."
        heading = [Block((), "Further papers")] if is_list and blocks and others else []
        return [*blocks, *heading, *others], notice if count else None


MOST_PAPERS = 120
"""The most papers that a text is written about."""
BATCH = 10
"""The most abstracts in one request."""


def write_about(draft: Draft, rows: Sequence[int], budget: int) -> Generator[Event, None, Written]:
    """Write a text about many papers, read in batches of at most `budget` tokens of abstracts.

    Raises ChatError if the model wrote a note on none of them.
    """
    sources = draft.query.request.options.sources
    chosen = rows[: sources or MOST_PAPERS]
    remaining = [row for row in chosen if passage_rows(draft.index, row)]
    sheets: list[Sheet] = []
    while remaining:
        sheets.append(lay_out(draft.index, remaining[:BATCH], budget))
        remaining = [row for row in remaining if row not in sheets[-1].papers]
    if len(sheets) > 1:
        tokens = sum(tokens_of(sheet.text) for sheet in sheets)
        cost = f"{round(tokens, -2):,} tokens{draft.asking.priced(tokens)}"
        plan = f"{len(chosen)} abstracts in {len(sheets) + 1} requests, about {cost}"
        yield Progress(stage="plan", text=plan)
    written: dict[int, Claim] = {}
    read = 0
    with ThreadPoolExecutor(4) as pool:
        found = pool.map(_write_notes, repeat(draft), sheets)
        try:
            for sheet in sheets:
                span = f"{read + 1}–{read + len(sheet.papers)}"
                yield Progress(stage="read", text=f"Reading abstracts {span} of {len(chosen)}")
                written |= next(found)
                read += len(sheet.papers)
        except BaseException:  # the caller gave up: stop the running requests, too
            draft.asking.cancel()
            raise
    problem = draft.asking.failure
    if not written:
        raise problem or ReplyError("the model wrote nothing that the abstracts support")
    notes = {row: written[row] for row in chosen if row in written}
    yield Progress(stage="write", text=f"Writing about {len(notes)} papers")
    why = f": {problem}" if problem else ""
    blocks, quoted = draft.complete(_write_from_notes(draft, notes), chosen, notes, why)
    cut = f"Only {len(chosen)} of the {len(rows):,} papers were read."
    is_cut = not sources and len(chosen) < len(rows)
    return blocks, joined(cut if is_cut else None, quoted)


def _write_notes(draft: Draft, sheet: Sheet) -> dict[int, Claim]:
    """Have a note written on each paper of a sheet; keep those that cite just their paper."""
    messages = prompts.contributions(draft.query.subject_text, sheet)
    try:
        reply = draft.asking.complete(messages, max_tokens=80 * len(sheet.papers))
    except ChatError:
        return {}  # these papers are quoted instead
    grounder = Grounder(sheet, draft.query.encoder, draft.local)
    rows = {draft.index.papers[row].id: row for row in sheet.papers}
    found: dict[int, Claim] = {}
    for statement in read_statements(reply, sheet.has)[0]:
        claim = grounder.ground(statement)
        cited = {rows[span.paper.id] for span in claim.spans}
        meant = {sheet.papers[address.paper - 1] for address in statement.addresses}
        if len(cited) == 1 and cited <= (meant or cited) and not draft.drops(claim):
            found.setdefault(cited.pop(), claim)
    return found


def _write_from_notes(draft: Draft, notes: Mapping[int, Claim]) -> list[Block]:
    """Write a text from notes; replace a sentence that its notes do not support by them."""
    rows = [*notes]
    titles = [draft.index.papers[row].display_title for row in rows]
    listed = [f"{title}: {notes[row].text}" for row, title in zip(rows, titles, strict=True)]
    messages = prompts.gathering(draft.query.standalone, listed)
    try:
        reply = draft.asking.complete(messages, max_tokens=draft.max_tokens)
    except ChatError:
        return []
    written: list[Claim] = []
    heading: str | None = None
    used: set[int] = set()
    for statement in read_statements(reply, lambda at: 1 <= at.paper <= len(rows))[0]:
        mentioning = papers_mentioning(draft.index, statement.text)
        cited_rows = [rows[at.paper - 1] for at in statement.addresses if at.sentence is None]
        cited_rows = [row for row in cited_rows if row in mentioning]
        spans = tuple(dict.fromkeys(span for row in cited_rows for span in notes[row].spans))
        verdict = draft.local.check(statement.text, [in_context(span) for span in spans])
        claims = [Claim(statement.text, spans, verdict)]
        if verdict.support != "supported" or same_words(statement.text, titles):
            claims = [notes[row] for row in cited_rows if row not in used]
        used.update(cited_rows)
        heading = statement.heading or heading
        for claim in claims:
            written.append(replace(claim, heading=heading))
            heading = None
    return draft.arrange(written)
