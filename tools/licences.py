"""Print the licence of each package that AbstractQA needs, a line a package."""

import re
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution


def needed(name: str, seen: set[str]) -> Iterator[Distribution]:
    """A package and all that it needs here, without extras; each once, `name` first."""
    key = re.sub(r"[-_.]+", "-", name).lower()
    if key in seen:
        return
    seen.add(key)
    try:
        found = distribution(name)
    except PackageNotFoundError:  # for another system or Python
        return
    yield found
    for requirement in found.requires or ():
        if "extra ==" not in requirement:
            yield from needed(re.split(r"[^\w.-]", requirement, maxsplit=1)[0], seen)


def licence(package: Distribution) -> str:
    """What a package says of its licence: an expression, its classifiers, or one line of text."""
    told = package.metadata
    classifiers = [
        each.rpartition(" :: ")[2]
        for each in told.get_all("Classifier") or ()
        if each.startswith("License ::")
    ]
    lines = (told.get("License") or "").strip().splitlines() or ["unknown"]
    return told.get("License-Expression") or ", ".join(classifiers) or lines[0]


if __name__ == "__main__":
    packages = sorted(needed("abstractqa", set()), key=lambda each: each.name.lower())
    for package in packages:
        sys.stdout.write(f"{package.name} {package.version}: {licence(package)}\n")
