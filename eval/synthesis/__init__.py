"""Questions made from the user's own papers, to measure on them."""

from eval.synthesis.synthesize import synthesize

__all__ = ["synthesize"]
