"""Pairwise comparison: which of two answers is better, asked in both orders."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

from eval.judge.prompts import Response, pairwise_prompt
from eval.judge.replies import Choice, read_choice
from eval.judge.single import NO_REPLY
from rag.chat import Complete, ReplyError

Preference = Literal["first", "second", "tie"]

_GIVEN: Mapping[Choice, Preference] = {"1": "first", "2": "second", "tie": "tie"}
_SWAPPED: Mapping[Choice, Preference] = {"1": "second", "2": "first", "tie": "tie"}


@dataclass(frozen=True, slots=True)
class Pair:
    """Two answers to one question, and which is better by the gold labels, if they tell."""

    id: str
    question: str
    first: Response
    second: Response
    gold: Preference | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the judge said about the pair of this id, in the order given and then swapped."""

    id: str
    choices: tuple[Choice | None, Choice | None]
    """By place, so "1" is `first` in the order given and `second` in the swapped one; None if
    the reply decides nothing."""
    critiques: tuple[str, str]
    """The whole replies; or why there was none."""

    @property
    def preferences(self) -> tuple[Preference, Preference] | None:
        """Which answer either order prefers; None if one of the replies cannot be read."""
        given, swapped = self.choices
        return None if given is None or swapped is None else (_GIVEN[given], _SWAPPED[swapped])

    @property
    def preference(self) -> Preference | None:
        """The verdict: what both orders prefer, and a tie if they differ; None if unreadable."""
        if self.preferences is None:
            return None
        given, swapped = self.preferences
        return given if given == swapped else "tie"


def compare(pairs: Iterable[Pair], complete: Complete, *, at_once: int = 1) -> Iterator[Verdict]:
    """Judge each pair, in order; two requests a pair, otherwise as `eval.judge.rate`.

    Raises:
        ChatError: the judge cannot be asked.
    """

    def ask(question: str, first: Response, second: Response) -> tuple[Choice | None, str]:
        try:
            reply = complete(pairwise_prompt(question, first, second))
        except ReplyError:
            return None, NO_REPLY
        return read_choice(reply), reply

    def judged(pair: Pair) -> Verdict:
        given, why = ask(pair.question, pair.first, pair.second)
        swapped, why_swapped = ask(pair.question, pair.second, pair.first)
        return Verdict(pair.id, (given, swapped), (why, why_swapped))

    with ThreadPoolExecutor(at_once) as pool:
        yield from pool.map(judged, pairs)


def verdict_figures(
    pairs: Sequence[Pair], verdicts: Iterable[Verdict]
) -> Mapping[str, float | int | None]:
    """The figures of the verdicts, the judge's position bias, and its agreement with the gold.

    `inconsistent` is the share of the pairs whose verdict changes with the order, `first_place`
    the share of single decisions for the place shown first, ties left out: .5 is no bias.
    `agreement` is the share of the pairs with a gold preference (`preferred_gold` of them) where
    the verdict is the same; `kappa` is Cohen's (1960) over first, second and tie, which takes away
    what chance would give. Each is None of nothing; verdicts that cannot be read are in none.
    """
    given = {verdict.id: verdict for verdict in verdicts}
    judged = [(pair, given[pair.id]) for pair in pairs if pair.id in given]
    read = [(pair, verdict, verdict.preference) for pair, verdict in judged if verdict.preference]
    counts = Counter(preference for _, _, preference in read)
    orders = [verdict.preferences for _, verdict, _ in read]
    places = Counter(choice for _, verdict in judged for choice in verdict.choices)
    labelled = [(pair.gold, preference) for pair, _, preference in read if pair.gold]
    preferred = [gold == preference for gold, preference in labelled if gold != "tie"]
    return {
        "judged": len(read),
        "unreadable": len(judged) - len(read),
        "first": counts["first"],
        "second": counts["second"],
        "tie": counts["tie"],
        "inconsistent": _share(sum(len(set(order or ())) == 2 for order in orders), len(orders)),
        "first_place": _share(places["1"], places["1"] + places["2"]),
        "agreement": _share(sum(preferred), len(preferred)),
        "preferred_gold": len(preferred),
        "kappa": cohens_kappa(labelled),
        "labelled_gold": len(labelled),
    }


def cohens_kappa(labels: Sequence[tuple[str, str]]) -> float | None:
    """Agreement beyond chance, (observed - expected) / (1 - expected), in [-1, 1] (Cohen 1960).

    None of no labels, and where both raters give everything the same one label.
    """
    if not labels:
        return None
    ours, theirs = Counter(label for label, _ in labels), Counter(label for _, label in labels)
    expected = sum(ours[label] * theirs[label] for label in ours) / len(labels) ** 2
    observed = sum(one == other for one, other in labels) / len(labels)
    return None if expected == 1 else (observed - expected) / (1 - expected)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
