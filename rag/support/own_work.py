"""Which sentences of an abstract speak of the paper's own work, and which of what was before it."""

import re
from functools import lru_cache

from index.mentions import coined
from index.papers import Paper
from index.text import clean_text

_OWN = re.compile(
    r"\b(?:we|our|us|i|my|this (?:paper|work|study|report|article|survey))\b", re.IGNORECASE
)
_NAMING = re.compile(
    r"\b(?:propos|introduc|present|call|dub|nam|term)(?:es?|ed|bed)?\b"
    r"|\bwe (?:develop|build|create|design|describe|release)\b",
    re.IGNORECASE,
)
_OTHERS = re.compile(
    r"^(?:recent(?:ly)?|previous|prior|traditional|existing|while (?:previous|prior|existing)|most"
    r"|many|however,? (?:\w+ )?(?:existing|current|previous|prior|these|most)|in recent|despite"
    r"|although (?:existing|recent|previous)|current)\b"
    r"|\b(?:existing|previous|prior|current|earlier) (?:\w+ )?(?:methods|approaches|works?"
    r"|benchmarks|datasets|models|systems|studies|agents|literature|techniques|research)\b"
    r"[^.;]{0,50}\b(?:fail|lack|struggl|suffer|limit|only|cannot|rely|focus|require|are|is)\w*",
    re.IGNORECASE,
)


def own_names(paper: Paper) -> tuple[str, ...]:
    """What a paper calls itself and its parts: the head of its title, and what it introduces."""
    found = coined(paper.display_title, clean_text(paper.abstract))
    head = (found.head,) if found.head and found.is_titled else ()
    return tuple(dict.fromkeys((*head, *found.introduced)))


def speaks_of_others(text: str) -> bool:
    """Whether a sentence is about what others did, or what is still to be done about it."""
    return bool(_OTHERS.search(text))


@lru_cache(maxsize=4096)
def speaks_as_authors(text: str) -> bool:
    """Whether a sentence speaks of its paper by "we", "this paper" or what they propose."""
    return bool(_OWN.search(text)) or bool(_NAMING.search(text))
