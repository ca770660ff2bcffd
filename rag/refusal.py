"""Why the abstracts cannot answer, in words that are true and that a person can use."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING
from unicodedata import name as character_name

import numpy as np

from index.folding import is_english as is_word
from index.lexical import tokenize
from index.names import Named
from index.store import Index
from rag.digests import Digest, find_digests
from rag.fitted import record
from rag.query import Query
from rag.retrieval import Ranking
from rag.wording import Kind, subject_words

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

NEAR_THE_BEST = 0.6
"""A paper that passes the filters comes near the best of all from this share of its score."""
_SHOWN = 3
_SIGNS = ".,;:?!()/\"'“”‘’"
_TELLING = 0.3
"""The probability from which a text is in another language; short ones seldom reach it."""
_LATIN = ("LATIN", "GREEK")
_AS_ENGLISH = {"en", "pcm", "zxx"}
"""English, the pidgin that its words look like, and no language at all: acronyms."""


@dataclass(frozen=True)
class Shortfall:
    """Why the abstracts cannot answer."""

    reason: str
    """As a sentence or two, for a person."""
    lacks: str | None = None
    """What abstracts would have to speak of; None if more of them would not help."""


def nothing_left(limits: str) -> Shortfall:
    """That no paper passes the filters, and what they are; without any, that there is no paper."""
    if not limits:
        return Shortfall("There are no papers yet: add some first.")
    return Shortfall(f"No abstract is left after the filters{_in(limits)}.")


def no_other(limits: str) -> str:
    """That there is no paper but the one whose like is asked for."""
    return (
        f"No other paper is left after the filters{_in(limits)}."
        if limits
        else ("There is no other paper.")
    )


def left_out(index: Index, query: Query, limits: str) -> str | None:
    """That papers which are named do not pass the filters; None if all do."""
    names = [_call(index, row) for row in query.left_out]
    if not names:
        return None
    does = "does" if len(names) == 1 else "do"
    return f"{' and '.join(names)} {does} not pass the filters{_in(limits)}."


def filtered_out(index: Index, query: Query, ranking: Ranking, limits: str) -> Shortfall | None:
    """That the paper asked about is left out by the filters, if none that passes comes near it."""
    named = [row for row in query.named if query.allowed[row]]
    lack = left_out(index, query, limits)
    if lack and query.kind is Kind.COMPARE and len({*query.about, *named}) < 2:
        return Shortfall(lack)
    if query.named and not named:
        best = query.named[0]
    elif query.kind in (Kind.ANSWER, Kind.ABOUT):
        best = int(np.argmax(ranking.scores))
        first = float(ranking.scores[ranking.rows[0]])
        if query.allowed[best] or first >= NEAR_THE_BEST * float(ranking.scores[best]):
            return None
    else:
        return None
    passes = f"does not pass the filters{_in(limits)}"
    return Shortfall(f"The paper that fits best, {_call(index, best)}, {passes}.")


def of_digests(names: Sequence[str], digests: Sequence[Digest]) -> tuple[str, ...]:
    """What may be asked of digests that are to be compared; () for fewer than two of them."""
    labels = [find_digests(name, digests)[0].label for name in names]
    if len(labels) < 2:
        return ()
    both = f"Which papers are in both the digest of {labels[0]} and the digest of {labels[-1]}?"
    alone = (f"Which papers are only in the digest of {one}?" for one in (labels[-1], labels[0]))
    return (both, *alone)


def unanswered(index: Index, query: Query, ranking: Ranking) -> Shortfall:
    """The true reason why a question whose evidence is not likely enough gets no answer."""
    about = query.subject_phrase
    if not is_english(beside_names(query)):
        return Shortfall(
            "The question seems to be in another language than English. Quotes are found by"
            " English questions alone: ask in English, or set up a chat model."
        )
    if absent := _absent(query):
        near = index.names.nearest(absent.text)
        hint = f" Did you mean {near}?" if near else ""
        return Shortfall(f"No abstract mentions {absent.text}.{hint}", absent.text)
    known = query.known
    if known:
        if query.chosen and len(known) > 1:
            return Shortfall(
                "The abstracts of the papers that were chosen do not state this.", about
            )
        row = known[0]
        lacking = [n for n in query.proper if row not in n.mentioned and row not in n.own]
        if lacking:
            reason = f"The abstract of {_call(index, row)} does not mention {lacking[0].text}."
            return Shortfall(reason, lacking[0].text)
        return Shortfall(f"The abstract of {_call(index, row)} does not state this.", about)
    unknown = [] if query.kind is Kind.COMPARE else _unknown(index, query.probe.text)
    if unknown:
        named = ", ".join(f"“{word}”" for word in unknown[:_SHOWN])
        return Shortfall(f"No abstract has the word{'s' * (len(unknown) > 1)} {named}.", about)
    if query.probe.tokens:
        nearest = _call(index, int(ranking.rows[0]))
        return Shortfall(
            f"None of the abstracts states this; the nearest is that of {nearest}.", about
        )
    return Shortfall("The question has no words to search for: ask about the papers.")


def unclear(index: Index, name: Named) -> Shortfall:
    """That a name is that of several papers."""
    titles = "; ".join(index.papers[row].display_title for row in name.own[:_SHOWN])
    return Shortfall(f"“{name.text}” is the name of several papers: {titles}. Which one is meant?")


def _absent(query: Query) -> Named | None:
    """A name that no abstract has in any variant."""
    return next((name for name in query.proper if not name.mentioned), None)


def _unknown(index: Index, text: str) -> list[str]:
    """The words of a question that surely are of its subject and that no abstract has."""
    spans = subject_words(text, record().models["subject"], 0.5)
    words = [text[start:end].strip(_SIGNS) for start, end in spans]
    known = index.lexical.document_frequency
    whole = [word for word in words if len(word) > 1 and any(map(str.isalpha, word))]
    return [w for w in whole if (tokens := tokenize(w)) and not any(t in known for t in tokens)]


def beside_names(query: Query) -> str:
    """What was asked, without the names in it."""
    asked = query.request.asked
    for name in query.names:
        asked = asked.replace(name.text, " ")
    return asked


def is_latin(text: str) -> bool:
    """Whether at least half of the letters of a text are Latin or, as signs are, Greek."""
    letters = [letter for letter in text if letter.isalpha()]
    latin = [letter for letter in letters if character_name(letter, "").startswith(_LATIN)]
    return 2 * len(latin) >= len(letters)


def is_english(text: str) -> bool:
    """Whether a text is in English, as far as its words tell: in doubt it is."""
    if not is_latin(text):
        return False
    words = [word.strip(_SIGNS).lower() for word in text.split()]
    if 4 * sum(is_word(word) for word in words) >= 3 * len(words):
        return True
    language, probability = _languages().classify(text)
    return bool(language in _AS_ENGLISH or probability < _TELLING)


@lru_cache(maxsize=1)
def _languages() -> "LanguageIdentifier":
    # Imported here: its table is read when a question is refused, and only then.
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def _in(limits: str) -> str:
    return f" ({limits})" if limits else ""


def _call(index: Index, row: int) -> str:
    return f"“{index.names.called(row) or index.papers[row].display_title}”"
