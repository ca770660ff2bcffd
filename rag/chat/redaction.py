"""The key stays out of the logs of the libraries that send it."""

import logging
from collections.abc import Callable

_LIBRARIES = ("openai", "httpx", "httpcore")


class _WithoutKey(logging.Filter):
    def __init__(self, key: str) -> None:
        super().__init__()
        self._key = key

    def filter(self, record: logging.LogRecord) -> bool:
        said = record.getMessage()
        if self._key in said:
            record.msg, record.args = said.replace(self._key, "…"), ()
        return True


def keep_out_of_logs(key: str) -> Callable[[], None]:
    """Take the key out of what the libraries log from now on; returns how to end that.

    They leave out the header that carries it, but at level DEBUG they show the headers of replies,
    and an endpoint or a proxy may repeat there what it was sent.
    """
    hides = _WithoutKey(key)
    # A filter of a logger does not hold for those below it: each of them needs it.
    loggers = [
        logging.getLogger(name)
        for name in list(logging.root.manager.loggerDict)
        if name.partition(".")[0] in _LIBRARIES
    ]
    for logger in loggers:
        logger.addFilter(hides)

    def end() -> None:
        for logger in loggers:
            logger.removeFilter(hides)

    return end
