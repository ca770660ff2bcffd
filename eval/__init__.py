"""How good is it: retrieval and answers, measured."""
