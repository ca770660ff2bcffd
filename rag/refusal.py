"""Find and describe the true reason why the abstracts cannot answer a question."""

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING
from unicodedata import name as character_name

import numpy as np

from index.folding import is_english as is_word
from index.lexical import tokenize
from index.store import Index
from rag.citations import Outcome
from rag.digests import Digest, find_digests
from rag.fitted import record
from rag.query import Query
from rag.retrieval import Ranking
from rag.wording import Kind, subject_words

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

_SIGNS = ".,;:?!()/\"'“”‘’"
_AS_ENGLISH = {"en", "pcm", "zxx"}
"""English, Nigerian Pidgin, which looks like English, and no language (acronyms)."""


def no_papers(query: Query, ranking: Ranking, digests: Sequence[Digest]) -> str | None:
    """Say that a digest is unknown, or that no paper passes the filters; None if one does."""
    if unknown := query.scope.unknown:
        labels = ", ".join(digest.label for digest in digests) or "none"
        return f"There is no digest of {unknown}; available: {labels}."
    if len(ranking.rows):
        return None
    if not query.limits:
        return "There are no papers yet: add some first."
    return f"No abstract is left after the filters ({query.limits})."


def left_out(index: Index, query: Query) -> str | None:
    """Say which named papers do not pass the filters; None if all do."""
    names = [_quoted(index, row) for row in query.left_out]
    if not names:
        return None
    does = "does" if len(names) == 1 else "do"
    return f"{' and '.join(names)} {does} not pass the filters ({query.limits})."


def filtered_out(index: Index, query: Query, ranking: Ranking) -> str | None:
    """Say that the filters exclude the paper asked about, unless another paper comes near it."""
    named = [row for row in query.named if query.allowed[row]]
    excluded = left_out(index, query)
    if excluded and query.kind is Kind.COMPARE and len({*query.about, *named}) < 2:
        return excluded
    if query.named and not named:
        best = query.named[0]
    elif query.kind in (Kind.ANSWER, Kind.ABOUT):
        best = int(np.argmax(ranking.scores))
        first = float(ranking.scores[ranking.rows[0]])
        if query.allowed[best] or first >= 0.6 * float(ranking.scores[best]):
            return None  # another paper is near the best
    else:
        return None
    paper = _quoted(index, best)
    return f"The paper that fits best, {paper}, does not pass the filters ({query.limits})."


def of_digests(names: Sequence[str], digests: Sequence[Digest]) -> tuple[str, ...]:
    """Suggest questions that compare digests; () for fewer than two of them."""
    labels = [find_digests(name, digests)[0].label for name in names]
    if len(labels) < 2:
        return ()
    both = f"Which papers are in both the digest of {labels[0]} and the digest of {labels[-1]}?"
    only_one = (f"Which papers are only in the digest of {one}?" for one in (labels[-1], labels[0]))
    return (both, *only_one)


def unanswered(index: Index, query: Query, ranking: Ranking) -> Outcome:
    """Find the reason to give when the evidence is not likely enough to answer the question."""
    if not is_english(beside_names(query)):
        reason = "The question does not seem to be in English. Quotes can be found only by English"
        return Outcome(reason=f"{reason} questions: ask in English, or set up a chat model.")
    lacks = query.subject_phrase
    if absent := next((name for name in query.proper if not name.mentioned), None):
        lacks, suggestion = absent.text, index.names.nearest(absent.text)
        hint = f" Did you mean {suggestion}?" if suggestion else ""
        reason = f"No abstract mentions {lacks}.{hint}"
    elif query.chosen and len(query.known) > 1:
        reason = "The abstracts of the chosen papers do not state this."
    elif query.known:
        row = query.known[0]
        lacking = [n.text for n in query.proper if row not in n.mentioned and row not in n.own]
        lacks = next(iter(lacking), lacks)
        does_not = f"mention {lacks}" if lacking else "state this"
        reason = f"The abstract of {_quoted(index, row)} does not {does_not}."
    elif query.kind is not Kind.COMPARE and (unknown := _unknown(index, query.probe.text)):
        named = ", ".join(f"“{word}”" for word in unknown[:3])
        reason = f"No abstract has the word{'s' * (len(unknown) > 1)} {named}."
    elif query.probe.tokens:
        nearest = _quoted(index, int(ranking.rows[0]))
        reason = f"None of the abstracts states this; the nearest is that of {nearest}."
    else:
        return Outcome(reason="The question has no words to search for: ask about the papers.")
    return Outcome(reason=reason, lacks=lacks, searched=True)


def _unknown(index: Index, text: str) -> list[str]:
    """Return the words that clearly belong to a question's subject but occur in no paper."""
    spans = subject_words(text, record().models["subject"], 0.5)
    words = [text[start:end].strip(_SIGNS) for start, end in spans]
    known = index.lexical.document_frequency
    whole = [word for word in words if len(word) > 1 and any(map(str.isalpha, word))]
    return [w for w in whole if (tokens := tokenize(w)) and not any(t in known for t in tokens)]


def beside_names(query: Query) -> str:
    """Return the question without the names in it."""
    asked = query.request.asked
    for name in query.names:
        asked = asked.replace(name.text, " ")
    return asked


def is_latin(text: str) -> bool:
    """Return whether at least half of a text's letters are Latin or, as in formulas, Greek."""
    letters = [letter for letter in text if letter.isalpha()]
    latin = [
        letter for letter in letters if character_name(letter, "").startswith(("LATIN", "GREEK"))
    ]
    return 2 * len(latin) >= len(letters)


def is_english(text: str) -> bool:
    """Return whether a text is in English; in doubt, it is."""
    if not is_latin(text):
        return False
    words = [word.strip(_SIGNS).lower() for word in text.split()]
    if 4 * sum(is_word(word) for word in words) >= 3 * len(words):
        return True
    language, probability = _languages().classify(text)
    # Short texts seldom reach even this probability.
    return bool(language in _AS_ENGLISH or probability < 0.3)


@lru_cache(maxsize=1)
def _languages() -> "LanguageIdentifier":
    # Imported here: its table is needed only when a question is refused.
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def _quoted(index: Index, row: int) -> str:
    return f"“{index.names.called(row) or index.papers[row].display_title}”"
