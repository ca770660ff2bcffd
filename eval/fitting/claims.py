"""Make true and false claims with what they cite, for the fit of the citation check.

They are sentences of real abstracts, reworded with their meaning kept, or edited so that it
changes. The kinds of edits come from the literature on unfaithful summaries (Kryscinski et al.,
EMNLP 2020; Pagnoni et al., NAACL 2021). The word lists (`edits.json`) are general English.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from index.papers import Paper
from index.passages import sentence_spans
from index.text import clean_text
from rag.support.numbers import names

_FILE = Path(__file__).parent / "edits.json"
_TABLES: dict[str, list[Any]] = json.loads(_FILE.read_text(encoding="utf-8"))
"""Words of general English, and patterns with their replacements, by the kind of edit."""
_NUMBER = re.compile(r"(?<![\w.-])\d[\d,]*(?:\.\d+)?(?![\w-]|\.\d)")
_DENIABLE = "|".join(_TABLES["deniable"])
_AUXILIARY = re.compile(rf"\b({_DENIABLE}|had|did|may|might|should)\b(?! not)")
_DENIED = re.compile(rf"\b({_DENIABLE}|did) not\b|\bcannot\b")
_JOINS = (" and ", " while ", ", whereas ", "; ")
_LEADS = re.compile(rf"^(?:{'|'.join(_TABLES['lead'])}),?\s+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Example:
    """A claim, the texts it cites, and whether they support it."""

    claim: str
    cited: tuple[str, ...]
    supported: bool
    kind: str
    group: str
    """The collection that it is from, which is left out as a whole."""


Made = tuple[str, tuple[str, ...], bool, str]
"""An example without its group."""
Edit = Callable[[str, Random], str | None]
"""Changes a sentence; None if the edit does not apply."""


def _pairs(listed: Sequence[str]) -> dict[str, list[str]]:
    """Map each word of the pairs `one/other` to its partners."""
    found: dict[str, list[str]] = {}
    for one, other in (pair.split("/") for pair in listed):
        found.setdefault(one, []).append(other)
        found.setdefault(other, []).append(one)
    return found


_OPPOSITE, _ALIKE = _pairs(_TABLES["opposite"]), _pairs(_TABLES["same"])


def made_examples(papers: Sequence[Paper], group: str, count: int) -> list[Example]:
    """Make about four examples, true and false, from each of `count` papers of a collection."""
    draw = Random(f"{group} 0")  # noqa: S311 - a draw, not a secret
    chosen = draw.sample(papers, min(count, len(papers)))
    pool = [name for paper in papers for name in names(clean_text(paper.title))]
    found: list[Example] = []
    for at, paper in enumerate(chosen):
        texts, other = _sentences(paper), chosen[at - 1]
        if len(texts) < 3:
            continue
        foreign = _sentences(other)
        made = _of_sentence(paper, texts, foreign, pool, draw)
        if at % 4 == 0 and foreign:
            made += _of_two((paper, texts), (other, foreign), draw)
        found += [Example(*each, group) for each in made]
    return found


def _sentences(paper: Paper) -> list[str]:
    abstract = clean_text(paper.abstract)
    texts = [" ".join(abstract[a:b].split()) for a, b in sentence_spans(abstract)]
    return [text for text in texts if 8 <= len(text.split()) <= 45]


def _of_sentence(
    paper: Paper, texts: Sequence[str], foreign: Sequence[str], pool: Sequence[str], draw: Random
) -> list[Made]:
    """Reword and edit a sentence, and join it with others of its paper and of a foreign one."""
    title, text = paper.display_title, draw.choice(texts)
    cited: tuple[str, ...] = (f"{title}: {text}",)
    if draw.random() < 0.3:  # more is cited than is needed
        cited += (f"{title}: {draw.choice(texts)}",)
    base = reworded(text, paper, draw)
    found: list[Made] = [(base, cited, True, "reworded")]
    if draw.random() < 0.5:
        found.append((text, cited, True, "verbatim"))
    found += islice(_edited(base, text, cited, pool, draw), 2)
    another = draw.choice(texts)
    if another != text and len(cited) == 1 and draw.random() < 0.5:
        found.append((reworded(another, paper, draw), cited, False, "else"))
        both = f"{base.rstrip('.')}{draw.choice(_JOINS)}{_lower(reworded(another, paper, draw))}"
        if draw.random() < 0.4:
            found.append((both, (*cited, f"{title}: {another}"), True, "both"))
        else:
            found.append((both, cited, False, "addition"))
    if foreign and draw.random() < 0.2:
        stranger = f"{paper.head or 'The paper'}: {_lower(draw.choice(foreign))}"
        found.append((stranger, cited, False, "stranger"))
    return found


def _edited(
    base: str, text: str, cited: tuple[str, ...], pool: Sequence[str], draw: Random
) -> Iterator[Made]:
    """Yield a sentence or its rewording with its meaning changed, by each edit that applies."""
    edits = [*EDITS.items(), ("name", lambda text, draw: renamed(text, pool, draw))]
    draw.shuffle(edits)
    for kind, edit in edits:
        changed = edit(base if draw.random() < 0.6 else text, draw)
        if changed and changed.lower() not in (base.lower(), text.lower()):
            yield changed, cited, False, kind


def _of_two(
    one: tuple[Paper, Sequence[str]], other: tuple[Paper, Sequence[str]], draw: Random
) -> list[Made]:
    """Make sentences about two papers: a true one, and one with the papers exchanged."""
    (a, a_texts), (b, b_texts) = one, other
    if not (a.head and b.head):
        return []
    x, y = draw.choice(a_texts), draw.choice(b_texts)
    cited = (f"{a.display_title}: {x}", f"{b.display_title}: {y}")
    join = draw.choice(_JOINS)

    def joined(first: str, second: str) -> str:
        left = f"{first}: {_lower(reworded(x, a, draw)).rstrip('.')}"
        return f"{left}{join}{second}: {_lower(reworded(y, b, draw))}"

    return [
        (joined(a.head, b.head), cited, True, "two papers"),
        (joined(b.head, a.head), cited, False, "exchanged"),
    ]


def reworded(text: str, paper: Paper, draw: Random) -> str:
    """Reword a sentence with its meaning kept: shorter, in the third person, with synonyms."""
    new = _LEADS.sub("", text) if draw.random() < 0.8 else text
    new = re.sub(r"\s*\([^()]{0,80}\)", "", new) if draw.random() < 0.6 else new
    subject = draw.choice((paper.head or "The paper", "The authors", "The paper"))
    new = re.sub(r"\bthis (?:paper|work|study)\b", subject, new, flags=re.IGNORECASE)
    for first, third in (("[Ww]e", subject), ("our", "their"), ("Our", "Their"), ("us", "them")):
        new = re.sub(rf"\b{first}\b", third, new)
    words = new.split(" ")
    for at, word in enumerate(words):
        core = word.strip(".,;:()").lower()
        if core in _ALIKE and draw.random() < 0.6:
            words[at] = re.sub(re.escape(core), draw.choice(_ALIKE[core]), word, flags=re.I)
    new = " ".join(words)
    head, comma, rest = new.partition(", ")
    if comma and draw.random() < 0.25 and 2 <= len(head.split()) <= 8 and len(rest.split()) > 5:
        new = f"{_upper(rest.rstrip('.'))}, {_lower(head)}."
    return _upper(new)


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:] if text[1:2].islower() else text


def _put(text: str, match: re.Match[str], new: str) -> str:
    return text[: match.start()] + new + text[match.end() :]


def _number(text: str, draw: Random) -> str | None:
    if found := list(_NUMBER.finditer(text)):
        match = draw.choice(found)
        value = float(match[0].replace(",", ""))
        near = (value + 1, value - 1, value * 1.1, value * 2, value / 2, value * 10, 100 - value)
        other = draw.choice([each for each in near if each > 0 and each != value])
        is_whole = "." not in match[0] or value > 1000
        spelt = f"{other:,.0f}" if is_whole else f"{other:.2f}".rstrip("0")
        return _put(text, match, spelt.rstrip("."))
    written = re.search(rf"\b({'|'.join(_TABLES['number'])})\b", text)
    others = [word for word in _TABLES["number"] if written and word != written[0]]
    return _put(text, written, draw.choice(others)) if written else None


def _denied(text: str, draw: Random) -> str | None:
    if denied := _DENIED.search(text):
        return _put(text, denied, denied[1] or "can")
    if auxiliaries := list(_AUXILIARY.finditer(text)):
        auxiliary = draw.choice(auxiliaries)
        return _put(text, auxiliary, f"{auxiliary[0]} not")
    verb = re.search(r"\b(\w{4,})s\b(?= (?:the|a|an|that|in|on|to|better|more)\b)", text)
    return _put(text, verb, f"does not {verb[1]}") if verb else None


def _opposite(text: str, draw: Random) -> str | None:
    places = [m for m in re.finditer(r"[A-Za-z]+", text) if m[0].lower() in _OPPOSITE]
    match = draw.choice(places) if places else None
    return _put(text, match, draw.choice(_OPPOSITE[match[0].lower()])) if match else None


def _roles(text: str, draw: Random) -> str | None:
    """Exchange two names or two numbers of a sentence."""
    numbers = [match[0] for match in _NUMBER.finditer(text)]
    for distinct in (list(dict.fromkeys(found)) for found in (names(text), numbers)):
        if len(distinct) >= 2:
            one, other = draw.sample(distinct, 2)
            if one not in other and other not in one:
                return text.replace(one, "\0").replace(other, one).replace("\0", other)
    return None


def renamed(text: str, pool: Sequence[str], draw: Random) -> str | None:
    """Replace a name of a sentence by one of another paper."""
    known = names(text)
    new = draw.choice(pool) if known and pool else ""
    if not new or new.lower() in text.lower():
        return None
    return text.replace(draw.choice(known), new)


def _by(kind: str) -> Edit:
    """Make an edit that replaces a pattern of a table."""

    def edit(text: str, draw: Random) -> str | None:
        fitting = [(p, new) for p, new in _TABLES[kind] if re.search(p, text, re.IGNORECASE)]
        if not fitting:
            return None
        pattern, new = draw.choice(fitting)
        return _upper(re.sub(pattern, new, text, count=1, flags=re.IGNORECASE))

    return edit


def _unit(text: str, draw: Random) -> str | None:
    units = [(rf"(?<![A-Za-z]){one}(?![A-Za-z])", other) for one, other in _TABLES["unit"]]
    fitting = [(pattern, other) for pattern, other in units if re.search(pattern, text)]
    return re.sub(*draw.choice(fitting), text, count=1) if fitting else None


EDITS: dict[str, Edit] = {
    "number": _number,
    "unit": _unit,
    "negation": _denied,
    "opposite": _opposite,
    "roles": _roles,
    "hedge": _by("hedge"),
    "scope": _by("scope"),
    "extent": _by("extent"),
    "cause": _by("cause"),
}
"""Edits that change the meaning of a sentence, by their kind."""
