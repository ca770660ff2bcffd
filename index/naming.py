"""Find the names of an index's table in a text, and mend typing errors by its words and names."""

import calendar
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from rapidfuzz import process
from rapidfuzz.distance import OSA

from index.folding import (
    ATOM,
    LONGEST,
    Atoms,
    Link,
    content_words,
    is_english,
    is_shaped,
    spellings,
    trigrams,
)
from index.lexical import STOP_WORDS, LexicalIndex, fold, tokenize
from index.mentions import PHRASE, PLAIN, opens

if TYPE_CHECKING:  # index.names imports this module
    from index.names import Names

Rows = tuple[int, ...]
_Span = tuple[int, int]
_DATES = frozenset(name.lower() for name in (*calendar.month_name, *calendar.day_name))
_QUOTES = "\"“”„«»‘’'`"


@dataclass(frozen=True, slots=True)
class Named:
    """A name in a text."""

    text: str
    start: int
    end: int  # code points of the text, `end` exclusive
    own: Rows  # the papers that it refers to: by their title, its head, or a name that they coin
    mentioned: Rows  # all papers whose title or abstract has it in some variant, including `own`
    proper: bool  # written as a name: by its shape, or capitalised inside the sentence


class Reading:
    """A text whose names are sought, with its atoms."""

    def __init__(self, text: str, names: "Names") -> None:
        self.text, self.names = text, names
        folded = [*map(fold, text)]
        starts = [at for at, kept in enumerate(folded) for _ in kept]
        self.atoms = Atoms.of(whole := "".join(folded))
        found = ATOM.finditer(whole)
        self.spans = [(starts[atom.start()], starts[atom.end(1) - 1] + 1) for atom in found]
        # If all letters are capitals, or most words begin with one, capitals mark no names.
        words = [word for word in self.atoms.texts if len(word) > 3 and not is_shaped(word)]
        self.is_titled = len(words) > 3 and sum(map(str.istitle, words)) > 0.7 * len(words)
        self.is_shouted = text.isupper() and len(self.atoms.keys) > 2

    def _named(self, first: int, end: int, own: Rows, mentioned: Rows, *, proper: bool) -> Named:
        start, stop = self.spans[first][0], self.spans[end - 1][1]
        return Named(self.text[start:stop], start, stop, own, mentioned, proper)

    def titles(self) -> Iterator[Named]:
        """Find titles, and long or quoted parts of them."""
        keys = self.atoms.keys
        hits = [self.names.titled(gram) for gram in trigrams(keys)]
        first = 0
        while first < len(hits):
            rows, at = hits[first], first
            while at + 1 < len(hits) and rows & hits[at + 1]:
                at += 1
                rows = rows & hits[at]
            if rows and self._is_title(first, at + 3, rows):
                own = tuple(sorted(rows))
                yield self._named(first, at + 3, own, own, proper=True)
            first = at + 1

    def _is_title(self, first: int, end: int, rows: set[int]) -> bool:
        words, content = end - first, content_words(self.atoms.keys[first:end])
        size = min(len(self.names.titles[row].split()) for row in rows)
        is_long = words >= size or (content >= 4 and (words >= 0.6 * size or words >= 7))
        return len(rows) < 4 and content > 1 and (is_long or self._is_quoted(first, end))

    def _is_quoted(self, first: int, end: int) -> bool:
        start, stop = self.spans[first][0], self.spans[end - 1][1]
        after = self.text[stop : stop + 2].lstrip(".,!?")[:1]
        return start > 0 and self.text[start - 1] in _QUOTES and bool(after) and after in _QUOTES

    def spelled(self) -> Iterator[Named]:
        """Find names of the table, and unknown names by their shape or their capitals."""
        for first in range(len(self.atoms.keys)):
            for end in self._ends(first):
                if self.atoms.is_whole(first, end) and (named := self._name_at(first, end)):
                    yield named

    def _ends(self, first: int) -> Iterable[int]:
        """Return where names that begin at the atom `first` may end."""
        atoms, end, begins = self.atoms, first + 1, self.names.postings.begins
        while end - first < LONGEST and atoms.links[end - 1] and begins(atoms.key(first, end)):
            end += 1
        run = atoms.run(first)[1]
        number = atoms.run(run)[1] if atoms.links[run - 1] == Link.SPACED else run
        return dict.fromkeys((*range(first + 1, end + 1), run, number))

    def _name_at(self, first: int, end: int) -> Named | None:
        """Return the atoms `[first, end)` as a name, None if they are none."""
        atoms, names = self.atoms, self.names
        keys, key = atoms.keys[first:end], atoms.key(first, end)
        if not any(c.isalpha() for c in key):
            return None
        written, links = atoms.surface(first, end), atoms.links[first : end - 1]
        own = names.owners(key, written)
        is_plain = all(word.islower() and word.isalpha() for word in atoms.texts[first:end])
        form = names.forms.get(key, "") if own else ""
        is_apart = Link.LOOSE in links and Link.LOOSE not in Atoms.of(fold(form)).links
        if is_apart or (is_plain and not own):
            return None
        is_word = set(links) <= {Link.GLUED}
        shaped = is_word and self._is_shaped(written)
        proper = shaped or self._is_quoted(first, end) or self._is_capitalised(first, end)
        proper = proper or (bool(own) and any(map(self._is_shaped, atoms.texts[first:end])))
        named = bool(own) and (proper or not self._is_ordinary(key, keys, own))
        is_empty = all(k in STOP_WORDS or k in _DATES or k.isdecimal() or len(k) < 2 for k in keys)
        if not named and (not proper or Link.SLASH in links or is_empty):
            return None
        # "DARE" is not "dare"; "Dare" may be.
        ordinary = not (shaped and end - first == 1 and is_english(key))
        mentioned = names.mentions(key, written, own, ordinary=ordinary)
        if mentioned or self._is_unknown_name(first, end, shaped=shaped):
            return self._named(first, end, own if named else (), mentioned, proper=proper)
        return None

    def _is_shaped(self, written: str) -> bool:
        return is_shaped(written) and not (self.is_shouted and written.isalpha())

    def _is_capitalised(self, first: int, end: int) -> bool:
        """Check that every word has a capital, and not only because it begins a sentence."""
        texts, keys = self.atoms.texts[first:end], self.atoms.keys[first:end]
        words = [text for text, key in zip(texts, keys, strict=True) if key not in STOP_WORDS]
        words = words or [texts[0], texts[-1]]  # "One for All"
        capitals = sum(word[0].isupper() for word in words)
        needed = max(1, sum(not word.isdecimal() for word in words))
        if self.is_titled or self.is_shouted or capitals < needed:
            return False
        is_inside = first > 0 and not opens(self.atoms.gaps[first - 1])
        is_name = not is_english(keys[0]) and self._count(self.atoms.key(first, end)) > 0
        return capitals > 1 or is_inside or is_name

    def _is_ordinary(self, key: str, keys: list[str], own: Rows) -> bool:
        """Check whether words that equal a name are more likely meant as ordinary words."""
        named = self._count(key)
        others = {row for kind in (PLAIN, PHRASE) for row in self.names.having(kind + key).tolist()}
        others.difference_update(own)
        if is_english(key):
            return named < 5 or len(others) * 10 > named
        if all(map(is_english, keys)):
            return content_words(keys) < 2 or bool(others)
        return len(others) > named

    def _count(self, key: str) -> int:
        return len(self.names.having(key))

    def _is_unknown_name(self, first: int, end: int, *, shaped: bool) -> bool:
        """Check whether a proper word, or a word and its number, is a name that no paper has."""
        atoms, keys = self.atoms, self.atoms.keys[first:end]
        begin, last = atoms.run(first)
        if begin != first or len("".join(keys)) < 2:
            return False
        if last == end:
            has_digit = any(c.isdigit() for c in "".join(keys))
            known = all(self._count(key) or self._count(PLAIN + key) for key in keys)
            return end - first == 1 or (shaped and (has_digit or not known))
        number = "".join(keys[last - first :])
        is_year = re.fullmatch(r"(?:19|20)\d\d", number) is not None
        if not number.isdecimal() or end != atoms.run(last)[1] or is_year:
            return False
        head = atoms.key(first, last)
        is_name = not is_english(head) or self._count(head) > self._count(PLAIN + head)
        return is_name and not self.text[self.spans[end - 1][1] :].lstrip().startswith("%")


_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_CODE_BEFORE = re.compile(r"[\w\\/@#=<>{}\[\]`.:'’&$^~-]\Z")
_CODE_AFTER = re.compile(r"[\w\\/@#=<>{}\[\]`(&$^~*+]|[.:'’-]\w")
# Fewest letters for mending one error in a word, two in a word, and two in a name.
_SHORTEST, _LONG, _VERY_LONG = 5, 8, 12


def mend(
    text: str, lexical: LexicalIndex, names: "Names", within: Sequence[_Span] | None = None
) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Mend the typing errors of a question, and spell its words as the abstracts do.

    Only a word that neither the index nor a dictionary has may change: into the nearest word of the
    abstracts, or the only near name of a paper. One edit is allowed from five letters on, two from
    eight (names: twelve), none in the first letter or a digit. British or American spelling is
    replaced, but is no error. Errors are mended in the spans `within` of `text`, in code points, by
    default everywhere. Return the new text, and the old and the new word of each mended error.
    """
    found = names.read(text)
    words = [
        match for match in _WORD.finditer(text)
        if all(match.end() <= named.start or named.end <= match.start() for named in found)
    ]  # fmt: skip
    spelled = {m.span(): other for m in words if (other := _spelled(m[0], lexical))}
    wrong = {
        (named.start, named.end): name for named in found
        if not named.mentioned and (name := _near_name(named.text, names))
        and named.text.lower() not in dictionary()
    }  # fmt: skip
    wrong |= _wrong_words(text, words, lexical, names)
    wrong = {
        (start, end): new for (start, end), new in wrong.items()
        if (start, end) not in spelled
        and (within is None or any(first < end and start < last for first, last in within))
    }  # fmt: skip
    code = {
        match.span() for match in words
        if _CODE_BEFORE.search(text[: match.start()]) or _CODE_AFTER.match(text, match.end())
    }  # fmt: skip
    changed = sorted((span, new) for span, new in (wrong | spelled).items() if span not in code)
    mends = tuple((text[slice(*span)], new) for span, new in changed if span in wrong)
    for (start, end), new in reversed(changed):
        text = text[:start] + new + text[end:]
    return text, mends


def _wrong_words(
    text: str, words: Sequence[re.Match[str]], lexical: LexicalIndex, names: "Names"
) -> dict[_Span, str]:
    """Return what each of the unknown words should be, by its span."""
    unknown = [match for match in words if not _is_known(match[0], lexical)]
    wrong: dict[_Span, str] = {}
    for match in () if _is_foreign(text, len(unknown)) else unknown:
        parts = match[0].split("-")
        new = "-".join(
            part if _is_known(part, lexical) else _near_word(part, names) or part for part in parts
        )
        new = new if new != match[0] else _near_name(new, names) or new
        if new != match[0]:
            wrong[match.span()] = new
    return wrong


def _spelled(word: str, lexical: LexicalIndex) -> str | None:
    """Return the abstracts' spelling of an English word that they only spell the other way."""
    known, tokens = lexical.document_frequency, tokenize(word)
    if not word.islower() or not tokens or tokens[0] in known:
        return None
    fits = (new for new in spellings(word) if (found := tokenize(new)) and found[0] in known)
    return next(fits, None)


def _is_known(word: str, lexical: LexicalIndex) -> bool:
    """Check that a word, or every part of a compound, is in the index or English."""
    known, tokens = lexical.document_frequency, tokenize(word)
    return not tokens or tokens[0] in known or all(
        len(part) < _SHORTEST or is_english(part) or not known.keys().isdisjoint(tokenize(part))
        or not dictionary().keys().isdisjoint((part, *spellings(part)))
        for part in fold(word).lower().split("-")
    )  # fmt: skip


@lru_cache(maxsize=1)
def dictionary() -> Mapping[str, int]:
    """Return 160,000 English words; the encoder's vocabulary, of 20,000, lacks many good ones."""
    from spellchecker import SpellChecker  # read only if a question has an unknown word

    words: Mapping[str, int] = SpellChecker(language="en").word_frequency.dictionary
    return words


def _is_foreign(text: str, unknown: int) -> bool:
    """Check whether a text is in another language, rather than full of errors."""
    words = [fold(word).lower() for word in _WORD.findall(text)]
    if len(words) < 3 or unknown < 2 or unknown * 2 < sum(len(word) > 3 for word in words):
        return False
    return unknown > 2 or not any(len(word) > 2 and word in STOP_WORDS for word in words)


def _near_word(word: str, names: "Names") -> str | None:
    """Return the nearest word of the abstracts, the most frequent of several, capitalised alike."""
    lower = fold(word).lower()
    limit, words = (1 if len(lower) < _LONG else 2), names.words(lower[0])
    near = process.extract(lower, words, scorer=OSA.distance, score_cutoff=limit, limit=None)
    # Another last letter makes another word, unless the last two letters are swapped.
    hits = [
        (distance, -len(names.having(PLAIN + new)), new) for new, distance, _ in near
        if len(new) != len(lower) or new[-1] == lower[-1] or new[-2:] == lower[:-3:-1]
    ]  # fmt: skip
    new = min(hits)[2] if hits else None
    return new and (new.upper() if word.isupper() else word[0] + new[1:])


def _near_name(name: str, names: "Names") -> str | None:
    """Return the only near name of a paper: `MechGPT` for `MechGTP`, not `LLaVA` for `LLaMA`."""
    near = names.near(name, own=True)
    if len(near) != 1:
        return None
    old, new = (re.sub(r"[\W_]", "", fold(text)).lower() for text in (name, near[0]))
    is_short = len(old) < _LONG and len(old) == len(new)
    if old[0] != new[0] or len(old) < _SHORTEST or (is_short and sorted(old) != sorted(new)):
        return None
    return near[0] if 0 < OSA.distance(old, new) <= (1 if len(old) < _VERY_LONG else 2) else None
