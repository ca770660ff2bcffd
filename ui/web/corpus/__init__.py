"""The Papers tab: browse, mark and export the indexed papers; add and remove papers."""
