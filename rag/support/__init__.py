"""Does what a sentence cites support it? One small interface, several checkers."""

from rag.support.verbatim import check
from rag.support.verdict import UNCHECKED, Checker, Verdict

__all__ = ["UNCHECKED", "Checker", "Verdict", "check"]
