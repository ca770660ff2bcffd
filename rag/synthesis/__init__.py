"""Answers from evidence."""
