"""Files and folders as people name them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

from index.errors import InputError
from index.sources import free_name, source_name

_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that lies nowhere: what someone uploaded or pasted, with the name they gave it.

    Raises:
        InputError: the name is not that of a file in a folder.
    """

    name: str
    content: bytes

    def __post_init__(self) -> None:
        try:
            self.name.encode()
            is_name = PurePath(self.name).name == self.name != ".."
        except UnicodeEncodeError:
            is_name = False
        if not is_name or not self.name.strip() or len(self.name) > _LONGEST_NAME:
            shown = ascii(self.name[:100])
            raise InputError(f"{shown} is not the name of a file: give one like 'march.txt'")


@dataclass(frozen=True, slots=True)
class Found:
    """A file to read: where it lies, and the name its papers' sources get, unique in the run."""

    path: Path
    """Of an upload, its name."""
    name: str
    content: bytes | None = None
    """What an upload holds; None of a file on disk, which is read when its turn comes."""
    is_named: bool = True
    """Whether it was named itself, and not found in a folder."""

    @property
    def source(self) -> Path | bytes:
        """Where its bytes are to be had."""
        return self.path if self.content is None else self.content


def find_files(paths: Sequence[Path | Upload], leave_out: Path | None = None) -> list[Found]:
    """The files of `paths`: each file itself, each folder's files by name, hidden ones left out.

    A file named twice is taken once, under its first name. A file whose name another one has got
    before it is called by its folder too, an upload by a number.

    Args:
        paths: Files, folders and uploads.
        leave_out: A folder of which nothing is taken, though it may lie inside others.

    Raises:
        InputError: there is no path, a path is missing, or a folder holds no file.
    """
    if not paths:
        raise InputError("nothing to read: name a file or a folder of abstracts")
    found: dict[Path | Upload, Found] = {}
    names: set[str] = set()
    for path in paths:
        if isinstance(path, Upload):
            if path in found:
                continue
            name = free_name(None, source_name(PurePath(path.name)), names)
            found[path] = Found(Path(path.name), name, path.content)
            names.add(name)
            continue
        try:
            inside = list(_inside(path, leave_out)) if path.is_dir() else None
            exists = path.exists()
        except (OSError, ValueError) as error:  # a name too long, or with a NUL
            raise InputError(f"{str(path)[:100]!r} is not a path: {_why(error)}") from error
        if not exists:
            raise InputError(
                f"{source_name(path)} does not exist: name a file or a folder of abstracts"
            )
        if inside == []:
            raise InputError(f"no file in {source_name(path)}: name one that holds abstracts")
        for file in [Found(path, source_name(PurePath(path.name)))] if inside is None else inside:
            place = file.path.resolve()
            if place not in found:
                found[place] = replace(file, name=free_name(file.path, file.name, names))
                names.add(found[place].name)
    return list(found.values())


def _why(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _inside(folder: Path, leave_out: Path | None) -> Iterator[Found]:
    left_out = leave_out.resolve() if leave_out else None
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        is_hidden = any(part.startswith(".") for part in name.parts)
        if path.is_file() and not is_hidden and left_out not in path.resolve().parents:
            yield Found(path, source_name(name), is_named=False)
