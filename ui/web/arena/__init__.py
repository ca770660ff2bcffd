"""The arena tab: two configurations answer side by side, blind, and visitors vote."""
