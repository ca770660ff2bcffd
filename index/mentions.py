"""What papers call themselves, and where the names of a collection stand.

Names are gathered once, in two passes over its papers. The first notes what looks like a name
anywhere and what the papers call themselves: the head of a title, and names that it introduces.
The second finds those names that are spelled in several atoms, in whatever way.
"""

import re
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from index.folding import (
    LONGEST,
    Atoms,
    Link,
    content_words,
    fold,
    is_shaped,
    joined,
    key_of,
    without_ending,
)
from index.lexical import STOP_WORDS
from index.papers import Paper
from index.text import clean_text

PLAIN = " "
"""Begins the key of an ordinary word: lower case, or capitalised only where every word is."""
PHRASE = "  "
"""Begins the key of several atoms in lower case that join into a name."""

_NO_LETTER = re.compile(r"[\W_]+")
_OPENERS = frozenset('.?!:"“\n')
_WITHIN = frozenset({"of", "the", "and", "for", "to", "in", "with", "a"})
_LONGEST_KEY = 48
_MOST_SPELLED, _MOST_INTRODUCED, _MOST_TITLED = (1, 0.0), (5, 0.03), (10, 0.1)
_ANY = (0, 1.0)
"""Papers, as a number or a share, beyond which an acronym is the field's and no paper's own:
one that a paper spells out, one that it introduces, and one that its title begins with."""
_LONGEST_HEAD = 5
_HEAD = re.compile(r"(.+?)(?:: | [–—-] |—)(?=\S)")
_NAME = r"[^\W\d_a-z](?:[\w.+/-]*[\w+])?"
_NAMES = rf"{_NAME}(?: (?!The\b){_NAME}){{0,2}}(?!\w|, [A-Z])"
_CALLED = re.compile(
    rf"\b(?:[Nn]amed|[Cc]alled|[Dd]ubbed|[Tt]ermed|[Cc]oined)(?: as)?[,:]? [\"“‘']?({_NAMES})"
)
_VERB = r"\b(?:[Pp]ropos|[Ii]ntroduc|[Pp]resent|[Dd]evelop|[Rr]eleas|[Dd]escrib)[a-z]*,? "
_INTRODUCED = re.compile(rf"{_VERB}(?:(?:an?|the|our|as) )?[\"“‘']?({_NAMES}|[\w.+/-]*[\w+])")
_PROPOSED = re.compile(rf"(?:{_VERB}|\b(?:called|named|dubbed) )")
_BEFORE_ITS_WORDS = 2
"""Words such as "a new" between the verb and the words that an acronym abbreviates."""
_BRACKETED = re.compile(r"\(([^()]{2,40})\)")


def opens(gap: str) -> bool:
    """Whether a word after `gap` is capitalised anyway: it begins a sentence."""
    return not _OPENERS.isdisjoint(gap)


def _no_rows() -> "array[int]":
    return array("i")  # a list of as many numbers would take nine times the memory


@dataclass(frozen=True, slots=True)
class Coined:
    """The names of one paper, as they stand in it."""

    head: str | None
    """What stands before the colon of the title, or a short title as a whole."""
    is_titled: bool
    """Whether the head stands before a colon."""
    introduced: tuple[str, ...]
    """Names that its abstract introduces, or that stand in brackets in its title."""
    spelled: tuple[str, ...]
    """Acronyms in brackets whose words, or which themselves, its title has: perhaps its own."""


NOTHING = Coined(None, False, (), ())


@dataclass
class Mentions:
    """What was gathered; rows are places in the sequence of papers, ascending in every list."""

    rows: dict[str, "array[int]"] = field(default_factory=lambda: defaultdict(_no_rows))
    """Key of a name, or of a word with `PLAIN` or `PHRASE` before it → the papers that have it."""
    forms: dict[str, str] = field(default_factory=dict)
    """Key of a name by shape or of a paper's own → how it is written."""
    own: dict[str, list[int]] = field(default_factory=dict)
    """Key of a name → the papers that call themselves so."""
    called: list[str] = field(default_factory=list)
    """What each paper calls itself, or ""."""
    titles: list[str] = field(default_factory=list)
    """The atoms of each title, joined by spaces."""
    trigrams: "array[int]" = field(default_factory=lambda: array("Q"))
    """Of titles that were known before: what `index.folding.trigrams` gives, above the row."""
    coinages: list[Coined] = field(default_factory=list)
    """What each paper coins."""
    several: set[str] = field(default_factory=set)
    """Keys of what looks like a name somewhere, or is coined: other papers may spell it apart."""
    loose: set[str] = field(default_factory=set)
    """Those of them that are written with a comma."""


def gather(papers: Sequence[Paper], before: Mentions | None, new: Sequence[int]) -> Mentions:
    """Gather the names of a collection.

    Args:
        papers: In the order of their rows.
        before: What was gathered of those papers that are known, with their rows as they are now.
            What is gathered is added to it.
        new: The rows of the others.
    """
    mentions = before or Mentions(titles=[""] * len(papers), coinages=[NOTHING] * len(papers))
    several = set[str]()
    texts = [_note_singles(papers[row], row, several, mentions) for row in new]
    several.discard("")
    unheard = several - mentions.several
    mentions.several |= several
    beginnings = _beginnings(mentions.several) if texts else set()
    for row, text in zip(new, texts, strict=True):
        for key in _joined(Atoms.of(text), mentions.several, mentions.loose, beginnings):
            mentions.rows[key].append(row)
    if before:
        beginnings = _beginnings(unheard)
        wanted = _may_spell(unheard, mentions.rows)
        for row in sorted(wanted.keys() - set(new)):
            if _has_letters(papers[row], wanted[row]):
                atoms = Atoms.of(_text_of(papers[row]))
                for key in _joined(atoms, unheard, mentions.loose, beginnings):
                    mentions.rows[key].append(row)
        added = {*new, *wanted}
        for key, rows in mentions.rows.items():
            if rows[-1] in added:
                mentions.rows[key] = array("i", sorted(rows))
    _settle(mentions)
    return mentions


def _text_of(paper: Paper) -> str:
    return fold(f"{clean_text(paper.title)}\n{clean_text(paper.abstract)}")


def _note_singles(paper: Paper, row: int, several: set[str], mentions: Mentions) -> str:
    """The first pass over a paper; keys of names of several atoms are added to `several`.

    Returns:
        The folded text.
    """
    coinage = coined(clean_text(paper.title), clean_text(paper.abstract))
    for form in forms_of(coinage):
        several.add(key := key_of(form))
        mentions.forms[key] = form
        if Link.LOOSE in Atoms.of(fold(form)).links:
            mentions.loose.add(key)
    text = _text_of(paper)
    atoms = Atoms.of(text)
    titled = next((at for at, gap in enumerate(atoms.gaps, 1) if "\n" in gap), 0)
    for key in _single(atoms, titled, several, mentions.forms):
        mentions.rows[key].append(row)
    mentions.titles[row] = " ".join(atoms.keys[:titled])
    mentions.coinages[row] = coinage
    return text


def forms_of(coinage: Coined) -> Iterator[str]:
    """What a paper may call itself, as it is written."""
    return filter(None, (*coinage.spelled, *coinage.introduced, coinage.head))


def _beginnings(keys: Iterable[str]) -> set[str]:
    return {
        key[:size] for key in keys if len(key) <= _LONGEST_KEY for size in range(1, len(key) + 1)
    }


def _may_spell(keys: Iterable[str], rows: Mapping[str, Iterable[int]]) -> dict[int, set[str]]:
    """The papers that have words a key begins and ends with, and the letters to seek there."""

    def having(parts: Iterable[str]) -> set[int]:
        kinds = (kind + part for part in parts for kind in ("", PLAIN))
        return set[int]().union(*(rows.get(key, ()) for key in kinds))

    found: dict[int, set[str]] = defaultdict(set)
    for key in keys:
        if len(key) <= _LONGEST_KEY:
            begins = having(key[:size] for size in range(1, len(key)))
            # Numbers are nobody's word: of "GPT 4" the word before its number is looked for.
            worded = key.rstrip("0123456789.-") or key
            ends = having(worded[at:] for at in range(worded == key, len(worded)))
            for row in begins & ends:
                found[row].add(_letters(key))
    return found


def _has_letters(paper: Paper, keys: Iterable[str]) -> bool:
    """Whether the letters and digits of a paper, one after the other, have a key."""
    run = _letters(f"{paper.title}\n{paper.abstract}")
    return any(key in run for key in keys)


def _letters(text: str) -> str:
    """The letters and digits of a text, in small letters without accents."""
    return _NO_LETTER.sub("", fold(text)).casefold()


def _single(atoms: Atoms, titled: int, several: set[str], forms: dict[str, str]) -> set[str]:
    """The keys of a paper's single atoms; names of more atoms are added to `several`."""
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
    """Where the capitalised words that begin at `first` end: "Tree of Thoughts"."""
    end = at = first + 1
    while at < len(atoms.keys) and at - first < LONGEST and atoms.links[at - 1] == Link.SPACED:
        if atoms.texts[at][0].isupper():
            end = at + 1
        elif atoms.texts[at] not in _WITHIN:
            break
        at += 1
    return end


def _joined(atoms: Atoms, several: set[str], loose: set[str], beginnings: set[str]) -> set[str]:
    """The names in `several` that a text spells in more than one atom; `loose` have commas."""
    found: set[str] = set()
    keys, gaps = atoms.keys, atoms.gaps
    starts = [
        at for at, link in enumerate(atoms.links)
        if link and joined(keys[at], keys[at + 1], gaps[at]) in beginnings
    ]  # fmt: skip
    for first in starts:
        for end in range(first + 2, min(first + LONGEST, len(atoms.keys)) + 1):
            if not atoms.links[end - 2]:
                break
            key = atoms.key(first, end)
            if key not in beginnings:
                break
            is_loose = Link.LOOSE in atoms.links[first : end - 1]
            if key in (loose if is_loose else several) and atoms.is_whole(first, end):
                written = "".join(atoms.texts[first:end])
                is_name = any(c.isupper() or c.isdecimal() for c in written[1:])
                if is_name or content_words(atoms.keys[first:end]) > 1:
                    found.add(key if is_name else PHRASE + key)
    return found


def _settle(mentions: Mentions) -> None:
    """Decide which names are the papers' own, and what each calls itself."""
    coinages = mentions.coinages
    own: dict[str, list[int]] = defaultdict(list)
    kept: list[set[str]] = []
    mentions.called = []
    for row, coinage in enumerate(coinages):
        head = key_of(coinage.head or "")
        limits = {
            **dict.fromkeys(map(key_of, coinage.spelled), _MOST_SPELLED),
            **dict.fromkeys(map(key_of, coinage.introduced), _MOST_INTRODUCED),
        }
        limits[head] = _MOST_TITLED if head not in limits else _ANY
        names: set[str] = set()
        for key, (most, share) in limits.items():
            limit = max(most, share * len(coinages))
            if key and (" " in mentions.forms[key] or len(mentions.rows.get(key, ())) <= limit):
                own[key].append(row)
                names.add(key)
        kept.append(names)
    mentions.own = dict(own)
    for row, (coinage, names) in enumerate(zip(coinages, kept, strict=True)):
        if coinage.head and coinage.is_titled and _is_name(coinage.head, mentions):
            mentions.called.append(coinage.head)
            continue
        title = mentions.titles[row].replace(" ", "")
        in_title = [
            form for form in (*coinage.introduced, *coinage.spelled)
            if key_of(form) in names and re.sub(r"[-.]", "", key_of(form)) in title
        ]  # fmt: skip
        mentions.called.append(in_title[0] if in_title else "")


def _is_name(head: str, mentions: Mentions) -> bool:
    """Whether the head of a title is a name, rather than a phrase that others use, too."""
    if any(map(is_shaped, head.split())):
        return True
    key = key_of(head)
    rows = {row for kind in (PLAIN, PHRASE, "") for row in mentions.rows.get(kind + key, ())}
    return rows.issubset(mentions.own.get(key, ()))


def coined(title: str, abstract: str) -> Coined:
    """The names of a paper by its cleaned title and abstract."""
    found = _HEAD.match(title)
    head = (found[1] if found else title).strip(" \"'“”‘’")
    if not 0 < len(head.split()) <= _LONGEST_HEAD:
        head = ""
    introduced = [name for name in _BRACKETED.findall(title) if _is_acronym(name)]
    introduced += _CALLED.findall(abstract)
    introduced += [
        name for name in _INTRODUCED.findall(abstract) if any(map(is_shaped, name.split()))
    ]
    spelled: list[str] = []
    for bracket in _BRACKETED.finditer(abstract):
        if _is_acronym(bracket[1]):
            is_new = _is_proposed(
                bracket[1], abstract[max(0, bracket.start() - 200) : bracket.start()]
            )
            (introduced if is_new else spelled).append(bracket[1])
    return Coined(
        head or None,
        found is not None,
        tuple(name for name in dict.fromkeys(introduced) if name == without_ending(name)),
        tuple(name for name in dict.fromkeys(spelled) if _is_of_title(name, title)),
    )


def _is_acronym(bracketed: str) -> bool:
    return " " not in bracketed and is_shaped(bracketed)


def _bare(acronym: str) -> str:
    return re.sub(r"(?<=[A-Z0-9])s$", "", acronym)


def _is_proposed(acronym: str, before: str) -> bool:
    """Whether the words that an acronym abbreviates are what the sentence proposes.

    They are in "we propose a robust machine (RM)", not in "we propose a test of machines (M)".
    """
    verbs = [*_PROPOSED.finditer(before)]
    words = before[verbs[-1].end() :] if verbs else ""
    few = len(re.sub(r"\W", "", _bare(acronym))) + _BEFORE_ITS_WORDS
    return 0 < len(re.findall(r"[^\W_]+", words)) <= few and not re.search(r"[.!?]\s", words)


def _is_of_title(acronym: str, title: str) -> bool:
    """Whether a title has an acronym, or words that begin with its letters."""
    bare = _bare(acronym)
    if re.search(rf"(?<!\w){re.escape(bare)}(?!\w)", title):
        return True
    words = re.findall(r"[^\W_]+", title)
    letters = re.sub(r"\W", "", bare).lower()
    some = (words, [word for word in words if word.lower() not in STOP_WORDS])
    return len(letters) > 2 and any(
        letters in "".join(word[0] for word in kept).lower() for kept in some
    )
