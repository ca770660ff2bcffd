"""Does what a sentence cites support it? One small interface, several checkers."""

from rag.support.verbatim import check
from rag.support.verdict import UNCHECKED, AnswerChecker, Checker, Verdict

__all__ = ["UNCHECKED", "AnswerChecker", "Checker", "Verdict", "check"]
