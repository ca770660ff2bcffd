"""Puts `pages` on the path of every test of reports."""
