"""Turn files into a published index of papers, passages and vectors."""
