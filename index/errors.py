"""The errors that a user can meet: each says in one line what happened and what to do next."""


class AbstractQAError(Exception):
    """Base of every error this project raises on purpose; its text is one clear line."""


class InputError(AbstractQAError):
    """An input (a path, a question, an option) cannot be used."""


class StoreError(AbstractQAError):
    """The index on disk is missing, damaged, of another format, or cannot be written."""


class StoreBusyError(StoreError):
    """Another process is writing to this store."""


class DatabaseError(AbstractQAError):
    """The Chroma server cannot be reached, or refuses."""


class EncoderError(AbstractQAError):
    """The encoder cannot be loaded, or is not the one the index was built with."""


def first_line(error: BaseException) -> str:
    """Return the first line of another library's error, at most 160 characters of it."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:160]
