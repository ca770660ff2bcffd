"""Gather the names that papers give themselves, and the papers that mention each name."""

import json
import re
from bisect import bisect_left
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from index.folding import (
    LONGEST,
    Atoms,
    Link,
    content_words,
    is_shaped,
    joined,
    key_of,
    singular,
    without_ending,
)
from index.lexical import STOP_WORDS, Found, fold
from index.papers import LONGEST_HEAD, Paper
from index.text import clean_text

PLAIN = " "  # prefix of an ordinary word's key: lower case, or capitalised only where every word is
PHRASE = "  "  # prefix of the key of several lower-case atoms that join into a name
_OPENERS = frozenset('.?!:"“\n')
LONGEST_KEY = 48
MENTIONED = 0
LIMITS = ((0, 0.0), (1, 0.0), (5, 0.03), (10, 0.1), (0, 1.0))
"""Most other papers, as a number or a share (the larger counts), that may mention a paper's name,
one row each: only mentioned, an acronym spelled out, introduced, the head of the title, and a head
that is also one of these, or a name of several words."""
_BEHIND_HEAD = (": ", " – ", " — ", " - ", "—")
_NAME = r"[^\W\d_a-z](?:[\w.+/-]*[\w+])?"
_NAMES = rf"{_NAME}(?: (?!The\b){_NAME}){{0,2}}(?!\w|, [A-Z])"
_CALLED = re.compile(
    rf"\b(?:[Nn]amed|[Cc]alled|[Dd]ubbed|[Tt]ermed|[Cc]oined)(?: as)?[,:]? [\"“‘']?({_NAMES})"
)
_VERB = r"\b(?:[Pp]ropos|[Ii]ntroduc|[Pp]resent|[Dd]evelop|[Rr]eleas|[Dd]escrib)[a-z]*,? "
_INTRODUCED = re.compile(rf"{_VERB}(?:(?:an?|the|our|as) )?[\"“‘']?({_NAMES}|[\w.+/-]*[\w+])")
_PROPOSED = re.compile(rf"(?:{_VERB}|\b(?:called|named|dubbed) )")
_BRACKETED = re.compile(r"\(([^()]{2,40})\)")


def opens(gap: str) -> bool:
    """Check whether a word after `gap` is capitalised because it begins a sentence."""
    return not _OPENERS.isdisjoint(gap)


class Coined(NamedTuple):
    """The names that one paper gives itself, as it writes them."""

    head: str | None  # the part of the title before a colon or dash, or a short title as a whole
    is_titled: bool  # whether the title has such a colon or dash
    introduced: tuple[str, ...]  # by the abstract, or in brackets in the title
    spelled: tuple[str, ...]  # acronyms in brackets that the title has or spells out

    @property
    def forms(self) -> tuple[str, ...]:
        """All names that the paper may give itself, as it writes them."""
        return (*self.spelled, *self.introduced, *filter(None, [self.head]))

    @property
    def kinds(self) -> dict[str, int]:
        """The row of `LIMITS` of each of those names, by key."""
        kinds = dict.fromkeys(map(key_of, self.spelled), 1)
        kinds |= dict.fromkeys(map(key_of, self.introduced), 2)
        head = key_of(self.head or "")
        kinds[head] = 4 if head in kinds else 3
        kinds |= {key_of(form): 4 for form in self.forms if " " in form}
        kinds.pop("", None)
        return kinds


@dataclass(eq=False)
class Gathering:
    """A collector of the names of new papers, which extends parts of a table (`index.names`)."""

    forms: dict[str, str]
    coined: set[str]  # the keys in `forms` that papers call themselves
    several: set[str]
    loose: set[str]
    found: Found = field(default_factory=Found)  # keys of words begin with `PLAIN` or `PHRASE`
    unheard: set[str] = field(default_factory=set)  # keys in `several` that are new to the table
    titles: dict[int, str] = field(default_factory=dict)  # as in the table, by row
    coinages: dict[int, str] = field(default_factory=dict)

    def note(self, paper: Paper, row: int) -> str:
        """Collect a paper's names and single atoms, the first pass; return its folded text."""
        coinage = coined(clean_text(paper.title), clean_text(paper.abstract))
        several: set[str] = set()
        for form in coinage.forms:
            several.add(key := key_of(form))
            # The first by code points, which is the same in whatever order papers come.
            self.forms[key] = min(form, self.forms[key]) if key in self.coined else form
            self.coined.add(key)
            if Link.LOOSE in Atoms.of(fold(form)).links:
                self.loose.add(key)
        self.found.add(row, coinage.kinds)
        atoms = Atoms.of(text := folded_text(paper))
        titled = next((at for at, gap in enumerate(atoms.gaps, 1) if "\n" in gap), 0)
        shaped: dict[str, str] = {}
        keys = _single(atoms, titled, several, shaped)
        for key, form in shaped.items():
            if key not in self.coined:
                self.forms[key] = min(form, self.forms.get(key, form))
        self.found.add(row, dict.fromkeys(keys, MENTIONED))
        self.titles[row] = " ".join(atoms.keys[:titled])
        self.coinages[row] = json.dumps(coinage, separators=(",", ":"))
        self.unheard |= several - self.several - {""}
        self.several |= several - {""}
        return text

    def note_spelled(
        self, text: str, row: int, keys: set[str], begins: Callable[[str], bool]
    ) -> None:
        """Find `keys` that a text spells in several atoms, the second pass; see `beginnings`."""
        atoms, found = Atoms.of(text), dict[str, int]()
        words, gaps, linked = atoms.keys, atoms.gaps, enumerate(atoms.links)
        for first in [
            at for at, link in linked if link and begins(joined(words[at], words[at + 1], gaps[at]))
        ]:
            for end in range(first + 2, min(first + LONGEST, len(atoms.keys)) + 1):
                if not atoms.links[end - 2] or not begins(key := atoms.key(first, end)):
                    break
                # With punctuation inside, only some are names.
                known = self.loose if Link.LOOSE in atoms.links[first : end - 1] else keys
                if key in known and atoms.is_whole(first, end):
                    written = "".join(atoms.texts[first:end])
                    is_name = any(c.isupper() or c.isdecimal() for c in written[1:])
                    if is_name or content_words(atoms.keys[first:end]) > 1:
                        found[key if is_name else PHRASE + key] = MENTIONED
        self.found.add(row, found)


def folded_text(paper: Paper) -> str:
    """Return the text in which a paper's names are sought: its title, a line feed, its abstract."""
    return fold(f"{clean_text(paper.title)}\n{clean_text(paper.abstract)}")


def beginnings(keys: Iterable[str], *, often: bool = True) -> Callable[[str], bool]:
    """Return a function that checks whether a key begins with a text, faster if called `often`."""
    short = [key for key in keys if len(key) <= LONGEST_KEY]
    if often:
        return {key[:size] for key in short for size in range(1, len(key) + 1)}.__contains__
    short.sort()

    def begins(prefix: str) -> bool:
        place = bisect_left(short, prefix)
        return place < len(short) and short[place].startswith(prefix)

    return begins


def _single(atoms: Atoms, titled: int, several: set[str], forms: dict[str, str]) -> set[str]:
    """Return the keys of a paper's single atoms; add names to `several` and their `forms`."""
    texts, keys, links, gaps = atoms.texts, atoms.keys, atoms.links, atoms.gaps
    words = set(texts)
    ordinary = {word for word in words if word.islower() and word.isalpha()}
    found = {PLAIN + word for word in ordinary}
    special = {word for word in words - ordinary if not word.isdecimal()}
    seen = 0
    for at in [at for at, text in enumerate(texts) if text in special]:
        text, key = texts[at], keys[at]
        opening = at < titled or not at or opens(gaps[at - 1])
        if is_shaped(text):
            found.add(key)
            several.add(key)
            forms.setdefault(key, text)
        elif text[0].isupper() and text.isalpha():
            found.add(PLAIN + key if opening else key)
        if text[0].isupper() and not opening and (end := _capitals(atoms, at)) - at > 1:
            several.add(atoms.key(at, end))
        if at < seen:
            continue
        first, end = atoms.run(at)
        seen = end
        if end - first > 1 and is_shaped(surface := atoms.surface(first, end)):
            several.add(key := atoms.key(first, end))
            forms.setdefault(key, surface)
        if links[end - 1] in {Link.SPACED, Link.SLASH} and keys[first] not in STOP_WORDS:
            pair = atoms.run(end)[1]
            is_number = links[end - 1] == Link.SPACED and keys[end][0].isdecimal()
            if is_number or (links[end - 1] == Link.SLASH and atoms.surface(first, pair).isupper()):
                several.add(atoms.key(first, pair))
    return found


def _capitals(atoms: Atoms, first: int) -> int:
    """Return where the capitalised words from `first` on end, as in "Tree of Thoughts"."""
    end = first + 1
    for at in range(first + 1, min(first + LONGEST, len(atoms.keys))):
        is_small = atoms.texts[at] in {"of", "the", "and", "for", "to", "in", "with", "a"}
        is_capital = atoms.texts[at][0].isupper()
        if atoms.links[at - 1] != Link.SPACED or not (is_capital or is_small):
            break
        end = at + 1 if is_capital else end
    return end


def coined(title: str, abstract: str) -> Coined:
    """Find the names that a paper gives itself in its cleaned title and abstract."""
    ends = [at for sign in _BEHIND_HEAD if (at := title.find(sign, 1)) > 0]
    head = title[: min(ends, default=None)].strip(" \"'“”‘’")
    introduced = [*filter(_is_acronym, _BRACKETED.findall(title)), *_CALLED.findall(abstract)]
    called = _INTRODUCED.findall(abstract)
    introduced += [name for name in called if any(map(is_shaped, name.split()))]
    spelled: list[str] = []
    for bracket in _BRACKETED.finditer(abstract):
        if _is_acronym(bracket[1]):
            before = abstract[max(0, bracket.start() - 200) : bracket.start()]
            (introduced if _is_proposed(bracket[1], before) else spelled).append(bracket[1])
    return Coined(
        head if 0 < len(head.split()) <= LONGEST_HEAD else None,
        bool(ends),
        tuple(name for name in dict.fromkeys(introduced) if name == without_ending(name)),
        tuple(name for name in dict.fromkeys(spelled) if _is_of_title(name, title)),
    )


def _is_acronym(bracketed: str) -> bool:
    return " " not in bracketed and is_shaped(bracketed)


def _is_proposed(acronym: str, before: str) -> bool:
    """Check that a sentence proposes what an acronym abbreviates: "we propose a robust machine"."""
    verbs = [*_PROPOSED.finditer(before)]
    words = before[verbs[-1].end() :] if verbs else ""
    most = len(re.sub(r"\W", "", singular(acronym))) + 2  # "a new"
    return 0 < len(re.findall(r"[^\W_]+", words)) <= most and not re.search(r"[.!?]\s", words)


def _is_of_title(acronym: str, title: str) -> bool:
    """Check whether a title has an acronym, or words that begin with its letters."""
    bare, words = singular(acronym), re.findall(r"[^\W_]+", title)
    letters = re.sub(r"\W", "", bare).lower()
    choices = (words, [word for word in words if word.lower() not in STOP_WORDS])
    is_spelled = any(letters in "".join(word[0] for word in some).lower() for some in choices)
    is_in_title = bool(re.search(rf"(?<!\w){re.escape(bare)}(?!\w)", title))
    return is_in_title or (len(letters) > 2 and is_spelled)
