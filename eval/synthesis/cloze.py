"""Questions without a model: a salient number, name or term of a sentence left out.

The task is Taylor's ("Cloze procedure", 1953); asking it of sentences to test reading goes back to
Hermann et al. ("Teaching machines to read and comprehend", 2015). `eval.synthesis.clauses` words
the question.
"""

import re
from collections.abc import Iterator

from eval.synthesis.clauses import Gap, Kind, ask
from eval.synthesis.drafts import Draft
from index.lexical import LexicalIndex, tokenize
from index.papers import Paper, letters
from index.passages import Passage
from index.store import Index
from index.text import clean_text
from rag.retrieval import passage_rows
from rag.tables.cells import own_names

_TERM_SHARE = 0.01
"""A term left out is in no more than this share of the papers, or in two at most."""
_SHORTEST_NAME = 4
"""Letters; a shorter one is found in other words, and mostly an acronym of the field."""

_NUMBER = re.compile(
    r"(?<![\w.,/^+-])(?P<number>\d+(?:,\d{3})*(?:\.\d+)?)"
    r"(?P<unit> ?%| percent\b|[x×](?!\w))?(?![\w^/+-]|[.,:]\d|\)\s[a-z])"
)
_YEAR = re.compile(r"(?:19|20)\d\d")
_NEXT_WORD = re.compile(r" ([A-Za-z][\w-]*\w)")
_NAMED_BEFORE = re.compile(r"\s[A-Z][\w-]*[ -]$")
_NAMED_AFTER = re.compile(r" (?:[A-Z]|\d)")
# A web address, a compound ("GPT-based", "multi-GPU"), or what LaTeX left behind ("sim0.01").
_NO_NAME = re.compile(r".*/.*|.*-[a-z]+|[a-z]{2,}-.*|[^A-Z]*\.[^A-Z]*")
_NOUN = re.compile(r"(?:[ts]ion|ment|ness|ity|ism|ance|ence|ship|gram|graph|ology|metry)s?$")
_LONGER_WORD = re.compile(r"(?<![\w-])[a-z]{6,}(?![\w-])")


def cloze_drafts(index: Index, row: int) -> list[Draft]:
    """The questions that can be made of a paper, at most one a sentence, most salient first.

    Numbers and names come before other terms, rarer ones (by their idf in the index) before
    more frequent ones. `Draft.quote` is the whole sentence as stored.
    """
    paper = index.papers[row]
    names = _names_to_drop(paper, index.lexical)
    found: list[tuple[Gap, Draft]] = []
    for at in passage_rows(index, row):
        passage = index.passages[at]
        for gap in sorted(_gaps(passage, paper, index), key=_salience):
            if question := ask(passage.text, gap, names):
                quote = paper.abstract[passage.start : passage.end]
                found.append((gap, Draft(row, "cloze", question, quote, gap.nugget)))
                break
    return [draft for _, draft in sorted(found, key=lambda pair: _salience(pair[0]))]


def _salience(gap: Gap) -> tuple[bool, float]:
    return gap.kind is Kind.TERM, -gap.idf


def _gaps(passage: Passage, paper: Paper, index: Index) -> Iterator[Gap]:
    """What could be left out of a sentence: each stands in it once."""
    text, lexical = passage.text, index.lexical
    yield from _numbers(text, lexical)
    names = dict.fromkeys(name.text for name in index.names.read(text) if name.proper)
    for name in names:
        if len(letters(name)) >= _SHORTEST_NAME and not _NO_NAME.fullmatch(name):
            yield from _word(Kind.NAME, text, name, lexical)
    abstract = clean_text(paper.abstract)
    most = max(2, _TERM_SHARE * lexical.size)
    for word in dict.fromkeys(_LONGER_WORD.findall(text)):
        frequencies = [lexical.document_frequency.get(token, 0) for token in tokenize(word)]
        # A term of the paper: few others have it, and this one says it again.
        is_rare = 0 < max(frequencies, default=0) <= most
        if _NOUN.search(word) and is_rare and abstract.count(word) > 1:
            yield from _word(Kind.TERM, text, word, lexical)


def _numbers(text: str, lexical: LexicalIndex) -> Iterator[Gap]:
    for match in _NUMBER.finditer(text):
        number, unit = match["number"], (match["unit"] or "").strip()
        before, after = text[: match.start()], _NEXT_WORD.match(text, match.end())
        if _NAMED_BEFORE.search(before) or _YEAR.fullmatch(number) or text.count(number) > 1:
            continue
        plain = number.replace(",", "")
        if unit in {"%", "percent"}:
            nugget = tuple(f"{number}{sign}" for sign in ("%", " %", " percent"))
        elif len(plain) > 2:
            nugget = tuple(dict.fromkeys((number, plain)))
        elif len(plain) > 1 and after:
            # Alone, two digits would be found in any longer number.
            nugget = (f"{number} {after[1]}",)
        else:
            continue
        yield Gap(Kind.NUMBER, *match.span("number"), nugget, lexical.idf(plain))


def _word(kind: Kind, text: str, word: str, lexical: LexicalIndex) -> Iterator[Gap]:
    places = list(re.finditer(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text))
    if len(places) != 1 or text.lower().count(word.lower()) != 1:
        return
    start, end = places[0].span()
    # In brackets behind its expansion, an acronym is no question; half a name is none either.
    if f"({word})" in text or _NAMED_AFTER.match(text, end) or _NAMED_BEFORE.search(text[:start]):
        return
    yield Gap(kind, start, end, (word,), max(map(lexical.idf, tokenize(word)), default=0.0))


def _names_to_drop(paper: Paper, lexical: LexicalIndex) -> tuple[str, ...]:
    """What the paper alone calls itself: a question that has it is found by it alone.

    An acronym that the abstract explains in brackets is mostly a term of its subject: it stays.
    """
    abstract = clean_text(paper.abstract)
    return tuple(
        name
        for name in own_names(paper)
        if len(name.split()) == 1
        and any(lexical.document_frequency.get(token) == 1 for token in tokenize(name))
        and (name == paper.head or f"({name})" not in abstract)
    )
