"""The tab of the papers: what is in the index, and what comes in and goes out."""
