"""Datasets as they lie on disk, checked line by line."""

from eval.datasets.beir import Beir, load_beir
from eval.datasets.questions import Evidence, Message, Question, load_questions

__all__ = ["Beir", "Evidence", "Message", "Question", "load_beir", "load_questions"]
