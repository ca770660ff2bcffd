"""Answers, conversations and the papers they cite, as files for other programs and for people."""

from ui.export.bibtex import bibtex
from ui.export.cited import cited_papers
from ui.export.files import BIBLIOGRAPHIC, KINDS, Exported, export
from ui.export.markdown import answer_markdown, conversation_markdown
from ui.export.page import answer_html, conversation_html
from ui.export.record import answer_json, conversation_json
from ui.export.ris import ris
from ui.export.spreadsheet import papers_csv

__all__ = [
    "BIBLIOGRAPHIC",
    "KINDS",
    "Exported",
    "answer_html",
    "answer_json",
    "answer_markdown",
    "bibtex",
    "cited_papers",
    "conversation_html",
    "conversation_json",
    "conversation_markdown",
    "export",
    "papers_csv",
    "ris",
]
