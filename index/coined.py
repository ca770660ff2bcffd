"""What a paper calls itself: the head of its title, and names that it introduces."""

import re
from dataclasses import dataclass

from index.folding import is_shaped, without_ending
from index.lexical import STOP_WORDS

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
