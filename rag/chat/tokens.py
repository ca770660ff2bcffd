"""How many tokens a text is, to a given chat model."""

import os
import threading
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from index.encoder import HUB_TIMEOUT_SECONDS
from index.errors import InputError

# Each takes its time to import, and most questions count nothing.
if TYPE_CHECKING:
    from tiktoken import Encoding
    from tokenizers import Tokenizer

_ESTIMATE = "o200k_base"
"""The encoding that stands for a tokenizer that is not known; OpenAI's newest models use it."""
_CACHE = "TIKTOKEN_CACHE_DIR"
_FILE = "tokenizer.json"
_loading = threading.Lock()


def counter(model: str, tokenizer: str | None = None) -> Callable[[str], int]:
    """A function that counts tokens as a chat model does.

    Exact with the model's own tokenizer, or for a model of OpenAI's; otherwise an estimate with
    OpenAI's newest encoding. What a message costs beside its text (some tokens each) is not in it.

    Args:
        model: Its name as it is asked for.
        tokenizer: Its own, if known: a tokenizer.json, a folder that holds one, or the name of a
            model on the hub (from its cache, where there is one).

    Raises:
        InputError: `tokenizer` cannot be read.
    """
    if tokenizer:
        own = _own(tokenizer)
        return lambda text: len(own.encode(text, add_special_tokens=False).ids)
    encoding = _of_openai(model.rpartition("/")[2])
    # What looks like a special token in an abstract is text to us.
    return lambda text: len(encoding.encode(text, disallowed_special=()))


def _of_openai(model: str) -> "Encoding":
    """The encoding of a model of OpenAI's, or the one that stands for any other."""
    import tiktoken

    try:
        name = tiktoken.encoding_name_for_model(model)
    except KeyError:
        name = _ESTIMATE
    try:
        return _encoding(name)
    except OSError:  # one that is not bundled, and no network
        return _encoding(_ESTIMATE)


def _encoding(name: str) -> "Encoding":
    """An encoding, from LlamaIndex's files where they have it: tiktoken downloads its own."""
    import tiktoken

    package = find_spec("llama_index.core")
    bundled = Path((package and package.origin) or "").parent / "_static" / "tiktoken_cache"
    # The variable is the only way to name the folder; LlamaIndex sets it in the same manner.
    with _loading:
        before = os.environ.get(_CACHE)
        if before is None and bundled.is_dir():
            os.environ[_CACHE] = str(bundled)
        try:
            return tiktoken.get_encoding(name)
        finally:
            if before is None:
                os.environ.pop(_CACHE, None)


def _own(name: str) -> "Tokenizer":
    """The tokenizer of a file, a folder or a model on the hub."""
    from tokenizers import Tokenizer

    path = Path(name).expanduser()
    if path.is_dir():
        path /= _FILE
    elif not path.is_file():
        path = _on_hub(name)
    try:
        tokenizer = Tokenizer.from_file(str(path))
    # The library raises nothing more special.
    except Exception as error:
        raise InputError(
            f"tokenizer {name!r} cannot be read ({_first_line(error)}): give a {_FILE}, or leave"
            " ABSTRACTQA_CHAT_TOKENIZER empty"
        ) from error
    # Those of encoders say how long their input shall be.
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def _on_hub(name: str) -> Path:
    """The file of a model on the hub: from its cache, else fetched."""
    if name.startswith(("/", ".", "~")) or name.count("/") > 1 or name.endswith(".json"):
        raise InputError(f"no tokenizer at {name}: give a {_FILE} (ABSTRACTQA_CHAT_TOKENIZER)")
    from huggingface_hub import hf_hub_download, model_info

    try:
        return Path(hf_hub_download(name, _FILE, local_files_only=True))
    except (OSError, ValueError):
        pass  # not in the cache: ask the hub
    try:
        # One short question first: a download would retry for minutes where there is no network.
        model_info(name, timeout=HUB_TIMEOUT_SECONDS)
        return Path(hf_hub_download(name, _FILE))
    # Of whichever HTTP client the library has.
    except Exception as error:
        raise InputError(
            f"no tokenizer {name!r} on this machine, and the model hub did not give it"
            f" ({_first_line(error)}): check the name, or give a {_FILE}"
            " (ABSTRACTQA_CHAT_TOKENIZER)"
        ) from error


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)[:200]
