"""Puts `handmade` on the path of every test of measuring."""
