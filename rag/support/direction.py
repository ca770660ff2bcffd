"""Which way a sentence says something goes, and whether what it cites says the other way."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from index.lexical import stem
from rag.support.reading import Reading

# Families of words by which way they point; every inflected form counts. What is good and what is
# more point the same way, since a text that says one thing falls says so in either manner.
_UP = """
    abundant accelerate accurate activate activation advantage allow always augment beneficial
    benefit best better boost cause common contribute dependent dominant double earlier early
    effective efficient elevate enable enhance enlarge essential exceed excel expand expansion
    facilitate fast faster favorable frequent full gain good great greater grow growth heighten high
    higher important improve improvement increase induce induction large larger long longer maintain
    many maximize more most necessary outperform overestimate overexpress positive presence
    promote quick raise rapid require restore rise robust safe sensitive sensitivity significant
    stimulate strengthen strong stronger succeed successful superior support surpass trigger
    upregulate widen yes above after
"""
_DOWN = """
    abolish abrogate absence attenuate below block cheap cheaper compromise decelerate decline
    decrease deficient degrade delay delete deletion deplete deteriorate diminish disadvantage
    dispensable disrupt downregulate drop fail fall few fewer harm harmful hinder impair inaccurate
    inactivate independent ineffective inefficient inferior inhibit inhibition insensitive
    insignificant knockdown knockout lack late later least less lessen limit lose loss lost low
    lower lowest minimize negative never partial poor poorly prevent prevention protect protection
    protective rare reduce reduction resist resistance resistant restrict scarce shorten short
    shorter shrink slow slower small smaller suppress suppression unable underestimate underperform
    unfavorable unlikely unnecessary unsafe unsuccessful weak weaken weaker worse worsen worst under
    before halve
"""


def _ways() -> dict[str, int]:
    up = {stem(word): 1 for word in _UP.split()}
    down = {stem(word): -1 for word in _DOWN.split()}
    return up | down


_WAYS = _ways()


# An opposite of these is of their own kind: what is faster may well reduce something.
_KINDS = {
    stem(word): kind
    for kind, words in (
        ("speed", "accelerate decelerate delay fast faster quick rapid slow slower"),
        ("order", "after before earlier early late later"),
        ("extent", "long longer short shorter"),
    )
    for word in words.split()
}
_HEDGES = frozenset({"more", "less", "fewer", "greater", "higher", "lower"})
_BOUNDS = frozenset({"above", "below", "under", "most", "least", "exceeding"})
_REACH = 3
_ALIKE, _NEARER = 0.4, 0.12


@dataclass(frozen=True, slots=True)
class Sides:
    """A word of a sentence that points up or down, and the nearest words of either side."""

    word: str
    same: float
    """Cosine with the cited word nearest in meaning that points the same way; 0 without one."""
    opposite: float
    """The same of those that point the other way."""
    contrary: str
    """The cited word that says the opposite of the same thing, or empty: one of its kind, with
    one of the next words in common, of cosine .4 or more and .12 above `same`."""


def sides(sentence: Reading, cited: Sequence[Reading]) -> list[Sides]:
    """Each word of a sentence that points up or down, set against what it cites.

    Meanings are taken in context, so that "higher accuracy" is nearer to "lower accuracy" than
    to "lower cost".
    """
    places = [(each, at) for each in cited for at in range(len(each.words))]
    ways = np.array(
        [0 if _is_hedge(each, at) else _WAYS.get(each.stems[at], 0) for each, at in places]
    )
    meanings = np.concatenate([each.meanings for each in cited])
    found: list[Sides] = []
    for at, said in enumerate(sentence.stems):
        way = _WAYS.get(said, 0)
        if not way or _is_hedge(sentence, at):
            continue
        near = meanings @ sentence.meanings[at]
        same = float(near[ways == way].max(initial=0))
        opposite = float(near[ways == -way].max(initial=0))
        least = max(_ALIKE, same + _NEARER)
        contrary = [
            places[row]
            for row in np.flatnonzero((ways == -way) & (near >= least)).tolist()
            if _said_of_the_same(sentence, at, *places[row])
        ]
        word = contrary[0][0].words[contrary[0][1]] if contrary else ""
        found.append(Sides(sentence.words[at], same, opposite, word))
    return found


def _is_hedge(reading: Reading, at: int) -> bool:
    """Whether a word belongs to a number: "less than 40", "under 0.6"; `numbers` compares those."""
    following = reading.words[at + 1 : at + 3]
    if reading.words[at] in _HEDGES and following[:1] == ("than",):
        return following[1:] != () and following[1][0].isdigit()
    return reading.words[at] in _BOUNDS and following != () and following[0][0].isdigit()


def _said_of_the_same(one: Reading, at: int, other: Reading, there: int) -> bool:
    """Whether two words are of one kind, and stand before (or else after) a word in common."""
    if _KINDS.get(one.stems[at]) != _KINDS.get(other.stems[there]):
        return False
    what, of_other = _next(one, at), _next(other, there)
    if what and of_other:
        return not what.isdisjoint(of_other)
    return not (what | _before(one, at)).isdisjoint(of_other | _before(other, there))


def _next(reading: Reading, at: int) -> frozenset[str]:
    """The stems of the next words that carry meaning, up to three."""
    rows = [row for row in range(at + 1, len(reading.words)) if reading.rarity[row] > 0]
    return frozenset(reading.stems[row] for row in rows[:_REACH])


def _before(reading: Reading, at: int) -> frozenset[str]:
    rows = [row for row in range(at) if reading.rarity[row] > 0]
    return frozenset(reading.stems[row] for row in rows[-_REACH:])
