"""Answers, conversations and the papers they cite, as files for other programs and for people."""

from ui.export.bibliography import bibtex
from ui.export.files import FORMATS, Exported, export

__all__ = ["FORMATS", "Exported", "bibtex", "export"]
