"""A digest of recent papers in our own words, so that a newcomer sees it work."""

from pathlib import Path


def sample_files() -> list[Path]:
    """The files of the sample, oldest first."""
    return sorted(Path(__file__).parent.glob("*.txt"))
