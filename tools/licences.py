"""Print the licence of each package that AbstractQA needs, one package per line."""

import re
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution


def needed(name: str, seen: set[str]) -> Iterator[Distribution]:
    """Yield a package and all that it requires here, without extras; each once, `name` first."""
    key = re.sub(r"[-_.]+", "-", name).lower()
    if key in seen:
        return
    seen.add(key)
    try:
        found = distribution(name)
    except PackageNotFoundError:  # required on another system or Python
        return
    yield found
    for requirement in found.requires or ():
        if "extra ==" not in requirement:
            yield from needed(re.split(r"[^\w.-]", requirement, maxsplit=1)[0], seen)


def licence(package: Distribution) -> str:
    """Return the licence of a package: an expression, its classifiers, or one line of text."""
    metadata = package.metadata
    classifiers = [
        each.rpartition(" :: ")[2]
        for each in metadata.get_all("Classifier") or ()
        if each.startswith("License ::")
    ]
    lines = (metadata.get("License") or "").strip().splitlines() or ["unknown"]
    return metadata.get("License-Expression") or ", ".join(classifiers) or lines[0]


if __name__ == "__main__":
    packages = sorted(needed("abstractqa", set()), key=lambda each: each.name.lower())
    for package in packages:
        sys.stdout.write(f"{package.name} {package.version}: {licence(package)}\n")
