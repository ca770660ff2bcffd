"""The parts of a comparison table: its rows, its columns, and what stands in its cells."""
