"""Single rating: a critique of one answer, then a number from 1 to 10."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from scipy.stats import mannwhitneyu, spearmanr

from eval.judge.prompts import Response, single_prompt
from eval.judge.replies import read_rating
from rag.chat import Complete, ReplyError

NO_REPLY = "(no reply that could be used)"


@dataclass(frozen=True, slots=True)
class Item:
    """One answer to be rated, and what is known about it."""

    id: str
    question: str
    response: Response
    quality: float | None = None
    """Of the gold labels, such as nugget recall; higher is better."""
    right: bool | None = None
    """By the gold labels."""


@dataclass(frozen=True, slots=True)
class Rating:
    """What the judge said about the item of this id."""

    id: str
    rating: float | None
    """In [1, 10]; None if the reply decides nothing."""
    critique: str
    """The whole reply; or why there was none."""


def rate(items: Iterable[Item], complete: Complete, *, at_once: int = 1) -> Iterator[Rating]:
    """Rate each item, in order; a rating comes as soon as it and those before it are there.

    Args:
        items: What to rate; those rated before, the caller leaves out.
        complete: The judge.
        at_once: Requests under way at a time, at least 1.

    Raises:
        ChatError: the judge cannot be asked. A single reply that is refused or empty
            (`ReplyError`) is a rating that cannot be read.
    """

    def rated(item: Item) -> Rating:
        try:
            reply = complete(single_prompt(item.question, item.response))
        except ReplyError:
            return Rating(item.id, None, NO_REPLY)
        return Rating(item.id, read_rating(reply), reply)

    with ThreadPoolExecutor(at_once) as pool:
        yield from pool.map(rated, items)


def rating_figures(
    items: Sequence[Item], ratings: Iterable[Rating]
) -> Mapping[str, float | int | None]:
    """The figures of the ratings and how they agree with the gold labels.

    `spearman` is the rank correlation with `Item.quality`, in [-1, 1] (Spearman 1904); `auroc`
    the chance that a right answer is rated higher than a wrong one, ties counting half, in [0, 1]
    (Hanley & McNeil 1982). Either is None where there is nothing to tell apart. `quality_gold`
    and `right_gold` are the ratings they stand on; those that cannot be read are in neither.
    """
    given = {rating.id: rating.rating for rating in ratings}
    rated = [(item, value) for item in items if (value := given.get(item.id)) is not None]
    values = [value for _, value in rated]
    qualities = [(value, item.quality) for item, value in rated if item.quality is not None]
    right = [value for item, value in rated if item.right is True]
    wrong = [value for item, value in rated if item.right is False]
    return {
        "rated": len(rated),
        "unreadable": sum(item.id in given for item in items) - len(rated),
        "mean": sum(values) / len(values) if values else None,
        "spearman": _spearman(qualities),
        "quality_gold": len(qualities),
        "auroc": _auroc(right, wrong),
        "right_gold": len(right) + len(wrong),
    }


def _spearman(pairs: Sequence[tuple[float, float]]) -> float | None:
    ratings, qualities = [rating for rating, _ in pairs], [quality for _, quality in pairs]
    if len(set(ratings)) < 2 or len(set(qualities)) < 2:
        return None
    return float(spearmanr(ratings, qualities).statistic)


def _auroc(right: Sequence[float], wrong: Sequence[float]) -> float | None:
    if not right or not wrong:
        return None
    return float(mannwhitneyu(right, wrong).statistic) / (len(right) * len(wrong))
