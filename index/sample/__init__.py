"""A digest of recent papers in our own words, so that a newcomer sees it work."""
