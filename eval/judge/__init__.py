"""A chat model that judges answers: one at a time with a critique, or two against each other.

After Auto-J (Li et al. 2023, "Generative Judge for Evaluating Alignment"). A judge is itself
measured: its verdicts are never reported without their agreement with the gold labels.
"""

from eval.judge.pairwise import Pair, Verdict, compare, verdict_figures
from eval.judge.prompts import Response, response
from eval.judge.single import Item, Rating, rate, rating_figures

__all__ = [
    "Item",
    "Pair",
    "Rating",
    "Response",
    "Verdict",
    "compare",
    "rate",
    "rating_figures",
    "response",
    "verdict_figures",
]
