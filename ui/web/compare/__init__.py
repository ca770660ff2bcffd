"""The tab Compare: papers side by side, every cell a quote."""
