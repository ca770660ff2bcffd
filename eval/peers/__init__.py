"""Other systems side by side with ours: same papers, same encoder, same machine, same k."""
