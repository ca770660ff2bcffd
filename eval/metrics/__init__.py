"""How good it was: retrieval, answers, citations, knowing, cost. Pure functions."""
