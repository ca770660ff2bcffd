"""Which sentences of an abstract speak of the paper's own work, and which of what was before it."""

import re
from collections.abc import Sequence
from functools import lru_cache

from index.papers import Paper
from index.text import clean_text
from rag.names import own_names
from rag.sentence_score import names_its_paper

_OWN = re.compile(
    r"\b(?:we|our|us|i|my|this (?:paper|work|study|report|article|survey))\b", re.IGNORECASE
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


def speaks_of_others(text: str) -> bool:
    """Whether a sentence is about what others did, or what is still to be done about it."""
    return bool(_OTHERS.search(text))


@lru_cache(maxsize=4096)
def own_from(paper: Paper) -> int:
    """Where an abstract begins to speak of the paper's own work, in code points of it as stored.

    That is its first sentence with "we", "this paper" or a name of its own; its beginning if there
    is none.
    """
    from index.passages import cut

    names = own_names(paper)
    for passage in cut(paper):
        if _speaks_of_itself(passage.text, names):
            return passage.start
    return 0


def speaks_as_authors(text: str) -> bool:
    """Whether a sentence speaks of its paper by "we", "this paper" or what they propose."""
    return bool(_OWN.search(text)) or names_its_paper(text)


def _speaks_of_itself(text: str, names: Sequence[str]) -> bool:
    named = any(re.search(rf"(?<!\w){re.escape(clean_text(name))}(?!\w)", text) for name in names)
    return named or speaks_as_authors(text)
