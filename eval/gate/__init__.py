"""A fixed set of questions, and what each scored: a change that makes answers worse is caught."""
