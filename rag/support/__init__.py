"""Does what a sentence cites support it? One small interface, several checkers."""

from rag.support.verdict import UNCHECKED, AnswerChecker, Checker, Verdict, check, same_words

__all__ = ["UNCHECKED", "AnswerChecker", "Checker", "Verdict", "check", "same_words"]
