"""All settings, read once from the environment or a `.env` file.

The endpoint of a chat model can also be entered on the page and is then saved for the next start.
Its address, key and model are loaded together or not at all, so that a key is never sent to
another address than the one it was entered for.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Self

import platformdirs
from dotenv import dotenv_values
from pydantic import (
    AfterValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from index.errors import InputError, StoreError

if TYPE_CHECKING:
    from index.chroma import Chroma

_Folder = Annotated[Path, AfterValidator(Path.expanduser)]

PREFIX = "ABSTRACTQA_"
OPENAI = "https://api.openai.com/v1"
KEPT = "chat-model.env"
"""File in the data folder with the saved endpoint: like `.env`, readable by its owner only."""
_ENDPOINT = ("OPENAI_BASE_URL", "OPENAI_API_KEY", "ABSTRACTQA_CHAT_MODEL")


def _data_folder() -> Path:
    return platformdirs.user_data_path("abstractqa")


@dataclass(frozen=True)
class ChatEndpoint:
    """The address and key of an endpoint, and the chat model to ask there."""

    address: str
    key: str = field(repr=False)
    """Empty if the endpoint needs none."""
    model: str


class Settings(BaseSettings):
    """Settings of AbstractQA; each is the environment variable `ABSTRACTQA_<NAME>`.

    The key and the address of a chat model have the names that every client of OpenAI's protocol
    reads: `OPENAI_API_KEY` and `OPENAI_BASE_URL`.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=".env",
        extra="ignore",
        frozen=True,
        populate_by_name=True,
        hide_input_in_errors=True,  # some settings are secrets
        use_attribute_docstrings=True,
    )

    store: _Folder = Field(default_factory=lambda: _data_folder() / "store")
    """Folder that holds the index."""
    data: _Folder = Field(default_factory=_data_folder)
    """Folder for what users of the page create: conversations, feedback, votes."""
    encoder: str = Field(default="all-MiniLM-L6-v2", min_length=1)
    """The bundled all-MiniLM-L6-v2, any sentence-transformers id or local path, or an
    OpenAI-compatible endpoint with the model after it: http://127.0.0.1:8080/v1#MODEL."""
    encoder_key: SecretStr | None = None
    """Key of the encoder's endpoint; a local one needs none."""
    chroma_url: str | None = Field(default=None, repr=False)  # may contain a password
    """Address of a Chroma server for vector search in hundreds of thousands of papers; without
    one, a question is compared with every vector."""
    chroma_token: SecretStr | None = None
    """Token for the Chroma server; Chroma Cloud and proxies ask for one."""
    chroma_collection: str = Field(
        default="abstractqa", pattern=r"[A-Za-z0-9][A-Za-z0-9._-]{1,480}[A-Za-z0-9]"
    )
    """Name that the collections on the Chroma server begin with."""
    openai_api_key: SecretStr | None = Field(default=None, validation_alias="OPENAI_API_KEY")
    """Key of the chat model's endpoint; a local one needs none."""
    # May contain a password.
    openai_base_url: str = Field(default=OPENAI, validation_alias="OPENAI_BASE_URL", repr=False)
    """Address of an OpenAI-compatible endpoint: OpenAI, vLLM, Ollama, llama.cpp."""
    chat_model: str | None = None
    """Name of the chat model at that endpoint; without one, answers are quotes."""
    chat_deadline_seconds: float = Field(default=120, gt=0, le=3600)
    """Maximum seconds for all requests of one question to the chat model, retries included."""
    chat_price: str | None = Field(default=None, pattern=r"^\d*\.?\d+/\d*\.?\d+$")
    """US dollars per million tokens of prompts and of completions, as in 0.15/0.60; without it,
    answers report no cost."""
    chat_context_tokens: int | None = Field(default=None, ge=1_000)
    """Context size of the chat model in tokens; by default abstracts fill at most a quarter."""
    evidence_tokens: int | None = Field(default=None, ge=100, le=1_000_000)
    """Maximum tokens of abstracts that the chat model reads, in whole abstracts; by default 6000,
    or a quarter of its context if that is less."""
    answer_tokens: int = Field(default=1_500, ge=50, le=32_000)
    """Maximum tokens that the chat model may write for an answer."""
    look_further: int = Field(default=0, ge=0, le=5)
    """Rounds in which the chat model may search, read and list papers itself before it writes;
    each round is one more request."""
    support_checker: Literal["judge", "local"] = "judge"
    """Checker that decides on a chat model's sentences: judge (the chat model, or judge_model) or
    local (the local check only)."""
    judge_model: str | None = None
    """Another model of the endpoint that judges, such as a cheaper one."""

    share_links: bool = False
    """Whether visitors may create links with which anyone can read one of their answers or
    conversations, even without a login."""

    def chroma(self) -> "Chroma | None":
        """Return the configured Chroma server, if any; raise InputError for an invalid address."""
        if not self.chroma_url:
            return None
        from index.chroma import Chroma  # most indexes do not use it

        token = self.chroma_token.get_secret_value() if self.chroma_token else None
        return Chroma(self.chroma_url, token, self.chroma_collection)

    @property
    def secret_of_encoder(self) -> str | None:
        """The key of the encoder's endpoint, unmasked; None if it is not set."""
        return self.encoder_key.get_secret_value() if self.encoder_key else None

    @field_validator("*", mode="before")
    @classmethod
    def _default_if_blank(cls, value: object, info: ValidationInfo) -> object:
        if isinstance(value, str) and not value.strip():
            return cls.model_fields[info.field_name or ""].get_default(call_default_factory=True)
        return value

    def at(self, endpoint: ChatEndpoint) -> Self:
        """Return the settings with another endpoint; reset what describes the former model."""
        return self.model_copy(
            update={
                "openai_base_url": endpoint.address or OPENAI,
                "openai_api_key": SecretStr(endpoint.key) if endpoint.key else None,
                "chat_model": endpoint.model or None,
                "chat_price": None,
                "chat_context_tokens": None,
                "judge_model": None,
            }
        )


def variables() -> dict[str, str]:
    """Return the environment variable of each setting, keyed by the setting's name."""
    return {
        name: str(field.validation_alias or PREFIX + name.upper())
        for name, field in Settings.model_fields.items()
    }


def endpoint_in_environment() -> str | None:
    """Return an environment variable that overrides the saved endpoint; None if none is set."""
    given = {name.upper() for name, value in os.environ.items() if value.strip()}
    return next((name for name in _ENDPOINT if name in given), None)


def load_settings() -> Settings:
    """Read the settings from the environment and `.env`.

    A saved endpoint replaces the one in `.env`, but not one in the environment. Raises InputError
    if a value is out of range, a key with our prefix is not a setting, or a file cannot be read.
    """
    names = variables()
    try:
        given = {key.upper() for key in (*os.environ, *dotenv_values(".env"))}
    except UnicodeDecodeError as error:
        raise InputError(".env is not UTF-8 text: save it as UTF-8") from error
    known = sorted(names.values())
    if unknown := sorted(key for key in given - {*known} if key.startswith(PREFIX)):
        raise InputError(f"unknown setting {unknown[0]}; the settings are {', '.join(known)}")
    try:
        settings = Settings()
    except ValidationError as error:
        first = error.errors()[0]
        # pydantic reports a setting that has an alias by the alias, the others by their field.
        name = str(first["loc"][0])
        wrong = [f for n, f in Settings.model_fields.items() if name in (n, names[n])]
        about = f" ({' '.join((wrong[0].description or '').split())})" if wrong else ""
        raise InputError(f"setting {names.get(name, name)}: {first['msg']}{about}") from error
    kept = read_endpoint(settings.data)
    return settings if kept is None or endpoint_in_environment() else settings.at(kept)


def read_endpoint(folder: Path) -> ChatEndpoint | None:
    """Return the endpoint saved in `folder`; None if there is none, or no address or model in it.

    Raises InputError if the file cannot be read.
    """
    path = folder / KEPT
    try:
        if not path.exists():
            return None
        kept = dotenv_values(path, interpolate=False, encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: delete it, or fix it") from error
    address, key, model = (kept.get(name) or "" for name in _ENDPOINT)
    return ChatEndpoint(address, key, model) if address and model else None


def is_kept(folder: Path) -> bool:
    """Return whether an endpoint is saved in `folder`, or a file that cannot be read."""
    try:
        return read_endpoint(folder) is not None
    except InputError:
        return True


def keep_endpoint(folder: Path, endpoint: ChatEndpoint) -> Path:
    """Save an endpoint in `folder`, in a file that only its owner can read; return the path.

    Raises StoreError if the file cannot be written.
    """
    path = folder / KEPT
    values = (endpoint.address, endpoint.key, endpoint.model)
    escaped = (value.replace("\\", "\\\\").replace("'", "\\'") for value in values)
    lines = [f"{name}='{value}'\n" for name, value in zip(_ENDPOINT, escaped, strict=True)]
    temporary = path.with_name(f"{KEPT}.{os.getpid()}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        temporary.unlink(missing_ok=True)
        # O_EXCL makes a new file, which nobody else has opened or linked.
        opened = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(opened, "w", encoding="utf-8") as file:
            file.writelines(lines)
        temporary.replace(path)
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror or error}") from error
    return path


def forget_endpoint(folder: Path) -> None:
    """Delete the endpoint saved in `folder`, if any; raise StoreError if that fails."""
    path = folder / KEPT
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(f"cannot delete {path}: {error.strerror or error}") from error
