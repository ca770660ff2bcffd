"""The lab tab: measured runs and their reports, and an arena where visitors vote blind."""
