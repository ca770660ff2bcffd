"""Turns and answers as Markdown and as HTML, here and on the page.

All text of a question, a model or an abstract is escaped; raw HTML, links and images stay text.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from pathlib import PurePath

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markupsafe import Markup

from index.papers import Paper
from index.text import clean, clean_text
from rag.citations import escape as escape_markdown
from rag.digests import label
from rag.schema import MARKER, Answer, AnswerSentence, Filters, Passage, Reference
from ui.archive import Conversation, Turn
from ui.export.bibliography import doi_address, found_in, web_address
from ui.web.markup import TEMPLATE_SIGNS, escape, macros

_JUDGED = {"partly": "only partly supported", "unsupported": "not supported"}
_MARKERS = re.compile(r"(?: ?(?:\[\d+\])+)?")
# Private-use characters at the beginning of a sentence, at the end of its words, and at the end
# of its markers. Those that the text itself has are replaced first.
_BEGIN, _MIDDLE, _END = "\ue000", "\ue001", "\ue002"
_NO_SIGNS = {ord(sign): "\ufffd" for sign in (_BEGIN, _MIDDLE, _END)}


def markdown(what: Conversation | Turn) -> str:
    """Return a question with its answer, or a conversation in sections, as escaped Markdown."""
    if isinstance(what, Turn):
        return "\n\n".join(_turn(what, "#")) + "\n"
    sections = (block for turn in what.turns for block in _turn(turn, "##"))
    return "\n\n".join([f"# {_plain(what.title)}", *sections]) + "\n"


def _turn(turn: Turn, heading: str) -> Iterator[str]:
    yield f"{heading} {_plain(turn.question)}"
    answer = turn.answer
    if understood := understood_as(turn):
        yield f"*Understood as:* {_plain(understood)}"
    if filters := filters_text(turn.filters):
        yield f"*Only papers* {_plain(filters)}"
    if answer is None:
        if turn.partial:
            yield _plain(turn.partial)
        yield f"*{_plain(unanswered(turn))}*"
        return
    yield from said(answer)
    if answer.notice:
        yield f"*{_plain(answer.notice)}*"
    if answer.references:
        yield f"{heading}# Sources"
        yield from map(source, answer.references)
    yield f"*{_plain(provenance(turn, answer))}*"


def said(answer: Answer) -> Iterator[str]:
    """Yield blocks of Markdown: the answer with its doubts, or why there is none."""
    if answer.status == "insufficient_evidence":
        heading = f"**{answer.heading}** " if answer.heading else ""
        yield f"{heading}{_plain(answer.reason or '')}"
        if answer.nearest:
            yield "The nearest papers:"
            yield "\n".join(f"- {_plain(clean_text(near.title))}" for near in answer.nearest)
        return

    def with_doubt(sentence: AnswerSentence, words: str, markers: str) -> str:
        reason = doubt(sentence)
        return f"{words}{markers}" + (f" ⚠ *({_plain(reason)})*" if reason else "")

    marked = rewritten(answer, with_doubt)
    yield marked or answer.text
    if marked is None and answer.doubts:
        yield "Not fully supported by the abstracts:"
        yield "\n".join(f"- {_plain(line)}" for line in answer.doubts)


def source(reference: Reference) -> str:
    """Return a paper and its cited sentences as Markdown."""
    paper = reference.paper
    address = link(paper)
    lines = [f"**\\[{reference.number}\\] {_plain(paper.display_title)}**"]
    lines += [_plain(by)] if (by := byline(paper)) else []
    lines += [f"<{address}>"] if address and not set(address) & set("<>") else []
    quotes = [f"> {_plain(clean_text(passage.text))}" for passage in reference.passages]
    return "  \n".join(lines) + "\n\n" + "\n>\n".join(quotes)


def _plain(text: str) -> str:
    """Return the text on one line, with its Markdown escaped."""
    return escape_markdown(one_line(text))


def rewritten(answer: Answer, rewrite: Callable[[AnswerSentence, str, str], str]) -> str | None:
    """Return the answer's Markdown with each sentence and its markers replaced by `rewrite`.

    It takes a sentence, its words as they occur in the text, and the markers after them. Return
    None if a sentence is not in the text in one piece: a list can split one.
    """
    text, at = answer.text, 0
    pieces: list[str] = []
    for sentence in answer.sentences:
        words = escape_markdown(sentence.text)
        start = text.find(words, at)
        if start < 0:
            return None
        markers = _MARKERS.match(text, start + len(words))
        end = markers.end() if markers else start + len(words)
        pieces += text[at:start], rewrite(sentence, words, text[start + len(words) : end])
        at = end
    return "".join([*pieces, text[at:]])


def one_line(text: str) -> str:
    """Return `text` with every run of white space replaced by a single space."""
    return " ".join(text.split())


def understood_as(turn: Turn) -> str | None:
    """Return the standalone question that was answered; None if it is the question as asked."""
    understood = turn.answer.standalone_question if turn.answer else turn.question
    return understood if one_line(understood) != one_line(turn.question) else None


def doubt(sentence: AnswerSentence) -> str | None:
    """Return what the check found against a sentence; None if it is supported or unchecked."""
    judged = _JUDGED.get(sentence.support)
    if judged is None:
        return None
    return f"{judged}: {one_line(sentence.reason)}" if sentence.reason else judged


def digest_name(key: str) -> str:
    """Return a digest's name for people: its date, if it has one."""
    try:
        return label("", date.fromisoformat(key[:10]))
    except ValueError:
        return one_line(key)


def filters_text(filters: Filters) -> str | None:
    """Describe the filters: "in Mar 14, 2025; from 2025-03-01"; None if all papers pass."""
    joined = " and ".join if filters.every_digest else ", ".join
    parts = (
        f"in {joined(map(digest_name, filters.digests))}" if filters.digests else None,
        f"from {filters.since}" if filters.since else None,
        f"until {filters.until}" if filters.until else None,
        f"with “{one_line(filters.title)}” in the title" if filters.title else None,
        f"chosen by hand ({len(filters.papers)})" if filters.papers else None,
    )
    return "; ".join(filter(None, parts)) or None


def unanswered(turn: Turn) -> str:
    """Return the reason why a turn has no answer."""
    if turn.problem:
        return one_line(turn.problem)
    if turn.partial is None:
        return "There is no answer yet."
    return f"The answer was stopped{'' if turn.partial else ' before its first word'}."


def byline(paper: Paper) -> str:
    """Return the authors, the venue, the year and the digests of a paper."""
    names = ", ".join(map(clean_text, paper.authors))
    where = ", ".join(filter(None, (clean_text(paper.venue or ""), str(paper.year or ""))))
    return ". ".join(filter(None, (names, where, found_in(paper))))


def link(paper: Paper) -> str | None:
    """Return the web address of a paper: its URL if that is http(s), otherwise its DOI's."""
    return web_address(paper) or doi_address(paper)


def provenance(turn: Turn, answer: Answer) -> str:
    """Say when, how and from which index an answer was made."""
    is_answered = answer.status != "insufficient_evidence"
    how = ", quoted from the abstracts" if answer.references else ""
    if answer.model:
        how = f", written by {model_name(answer.model)}"
    when = f"{label('', turn.asked.date())}, {turn.asked:%H:%M} UTC"
    made = f"Answered {when}{how}." if is_answered else f"Asked {when}."
    papers = f"{answer.index.papers:,} paper{'s' * (answer.index.papers != 1)}"
    return f"{made} Index {answer.index.id}, {papers}."


def model_name(model: str) -> str:
    """Return a model's name for people: the file name, if a server names it by its path."""
    return PurePath(model).name if model.startswith("/") else model


def prose_html(
    answer: Answer,
    marker: Callable[[int, str], str],
    opening: Callable[[AnswerSentence], str],
    note: Callable[[AnswerSentence, int], str],
) -> tuple[Markup, bool]:
    """Return the text of an answer that is no refusal, as HTML.

    `marker` makes each marker from its number and its target, such as `1-37`, a mark of
    `marked_abstract`, or `1`, the reference; `opening` the opening tag of the `span` around the
    words of a sentence; `note` what follows a sentence, given its index from 0, and its markers.
    Also return whether there are openings and notes: not if the sentences do not occur in the text
    one after another.
    """
    sentences = tuple(
        each.model_copy(update={"text": each.text.translate(_NO_SIGNS)})
        for each in answer.sentences
    )
    text = answer.text.translate(_NO_SIGNS)
    plain = answer.model_copy(update={"text": text, "sentences": sentences})
    tagged = rewritten(plain, lambda _, words, markers: f"{_BEGIN}{words}{_MIDDLE}{markers}{_END}")
    targets = _targets(answer)

    def linked(number: int) -> str:
        return marker(number, next(targets.get(number, iter(())), str(number)))

    body = markdown_html(tagged or plain.text, linked)
    if tagged is None:
        return body, False
    pieces = str(body).replace(_MIDDLE, "</span>").split(_BEGIN)
    html = pieces[0]
    for number, (sentence, piece) in enumerate(zip(answer.sentences, pieces[1:], strict=True)):
        words, rest = piece.split(_END)
        html += f"{opening(sentence)}{words}{note(sentence, number)}{rest}"
    return Markup(html), True  # noqa: S704 - escaped above


def _targets(answer: Answer) -> dict[int, Iterator[str]]:
    """Return the targets of the markers of each reference, in the order of the text."""
    targets: dict[int, list[str]] = {}
    for sentence in answer.sentences:
        # A sentence has one marker per reference: it links to the first passage that is cited.
        for number, first in {c.reference: c for c in reversed(sentence.citations)}.items():
            targets.setdefault(number, []).append(f"{number}-{first.start}")
    return {number: iter(each) for number, each in targets.items()}


def markdown_html(text: str, marker: Callable[[int], str]) -> Markup:
    """Render the Markdown that answers use as HTML; `marker` makes the HTML of each marker."""
    html = str(_MARKDOWN.render(text, {"marker": marker}))
    return Markup(html.translate(TEMPLATE_SIGNS))  # noqa: S704 - escaped above


def _read_marker(state: StateInline, silent: bool) -> bool:
    """Parse one marker; a bracketed number in an abstract is escaped, so it is not one."""
    match = MARKER.match(state.src, state.pos)
    if match is None:
        return False
    if not silent:
        state.push("html_inline", "", 0).content = state.env["marker"](int(match[1]))
    state.pos = match.end()
    return True


_MARKDOWN = MarkdownIt("zero", {"breaks": True}).enable(["emphasis", "list", "newline", "escape"])
_MARKDOWN.inline.ruler.push("marker", _read_marker)


def marked_abstract(
    abstract: str, passages: Iterable[Passage], anchor: str, shown: Callable[[str], str] = escape
) -> Markup:
    """Return the cleaned abstract as HTML, with the characters of `passages` in `<mark>`.

    The id of a mark is `<anchor>-<start of the passage>`; `shown` makes the HTML of a piece.
    """
    cleaned = clean(abstract)
    spans = sorted((*cleaned.clean_span(p.start, p.end), p.start) for p in passages)
    pieces: list[str] = []
    at = 0
    for start, end, name in spans:
        begin = max(start, at)
        if begin < end:
            mark = f'<mark id="{anchor}-{name}">{shown(cleaned.text[begin:end])}</mark>'
            pieces += shown(cleaned.text[at:begin]), mark
            at = end
    return Markup("".join([*pieces, shown(cleaned.text[at:])]))  # noqa: S704 - escaped above


def page(what: Conversation | Turn) -> str:
    """Return a question or a conversation as a page that needs no other file and runs no script."""
    if isinstance(what, Conversation):
        return f"{_HTML.page(one_line(what.title), what.turns, True)}\n"
    return f"{_HTML.page(one_line(what.question), (what,), False)}\n"


def partial_text(text: str) -> Markup:
    """Return the text of a stopped answer, whose markers link nowhere."""
    return markdown_html(text, lambda cited: f"[{cited}]")


def marked_text(answer: Answer, number: int) -> tuple[Markup, bool]:
    """Return the text, whose markers link to their sentences, and whether it shows each doubt."""

    def opening(sentence: AnswerSentence) -> str:
        return '<span class="doubtful">' if doubt(sentence) else "<span>"

    def note(sentence: AnswerSentence, _: int) -> str:
        reason = doubt(sentence)
        return f' <small class="doubt">({escape(reason)})</small>' if reason else ""

    def marker(cited: int, target: str) -> str:
        return f'<a class="cite" href="#source-{number}-{target}">[{cited}]</a>'

    return prose_html(answer, marker, opening, note)


_HTML = macros(
    "export/page.html",
    *(byline, filters_text, link, one_line, provenance, unanswered, understood_as),
    *(clean_text, marked_abstract, marked_text, partial_text),
)
