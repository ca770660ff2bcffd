"""From files to a published index: papers, passages, vectors."""
