"""Every setting: typed, documented, read once from the environment or a `.env` file.

A chat model's endpoint may also be entered on the page and kept for the next start. Address, key
and model are one thing: a key goes to no other address than the one it was given for. So all three
come from that file, or none.
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
"""The endpoint's file in the data folder: of the form of `.env`, and its owner's alone."""
_ENDPOINT = ("OPENAI_BASE_URL", "OPENAI_API_KEY", "ABSTRACTQA_CHAT_MODEL")


def _data() -> Path:
    return platformdirs.user_data_path("abstractqa")


@dataclass(frozen=True)
class ChatEndpoint:
    """Where a chat model is asked."""

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
        hide_input_in_errors=True,  # one of them is a secret
        use_attribute_docstrings=True,
    )

    store: _Folder = Field(default_factory=lambda: _data() / "store")
    """Folder that holds the index."""
    data: _Folder = Field(default_factory=_data)
    """Folder that holds what people leave on the page: conversations, feedback, votes."""
    encoder: str = Field(default="all-MiniLM-L6-v2", min_length=1)
    """The bundled all-MiniLM-L6-v2, any sentence-transformers id or local path, or an
    OpenAI-compatible endpoint with the model after it: http://127.0.0.1:8080/v1#MODEL."""
    encoder_key: SecretStr | None = None
    """Key of the encoder's endpoint; a local one needs none."""
    chroma_url: str | None = Field(default=None, repr=False)  # an address can hold a password
    """Address of a Chroma server that finds what is near, for collections of hundreds of thousands
    of papers; without one everything is compared."""
    chroma_token: SecretStr | None = None
    """Token of that server; Chroma Cloud and proxies ask for one."""
    chroma_collection: str = Field(
        default="abstractqa", pattern=r"[A-Za-z0-9][A-Za-z0-9._-]{1,480}[A-Za-z0-9]"
    )
    """What the collections on that server are called."""
    openai_api_key: SecretStr | None = Field(default=None, validation_alias="OPENAI_API_KEY")
    """Key of the chat model's endpoint; a local one needs none."""
    # An address can hold a password.
    openai_base_url: str = Field(default=OPENAI, validation_alias="OPENAI_BASE_URL", repr=False)
    """Address of an OpenAI-compatible endpoint: OpenAI, vLLM, Ollama, llama.cpp."""
    chat_model: str | None = None
    """Name of the chat model at that endpoint; without one no model is asked."""
    chat_deadline_seconds: float = Field(default=120, gt=0, le=3600)
    """Seconds that all a question asks of the chat model may take, with all that is tried again."""
    chat_price: str | None = Field(default=None, pattern=r"^\d*\.?\d+/\d*\.?\d+$")
    """Dollars per million tokens of prompts and of completions, as in 0.15/0.60; without it answers
    tell no price."""
    chat_context_tokens: int | None = Field(default=None, ge=1_000)
    """Tokens that the chat model can read; a quarter of them holds abstracts."""
    evidence_tokens: int | None = Field(default=None, ge=100, le=1_000_000)
    """Tokens of abstracts that the chat model is given at most, in whole abstracts; by default
    6000, or a quarter of its context if that is less."""
    answer_tokens: int = Field(default=1_500, ge=50, le=32_000)
    """Tokens that it may write at most."""
    look_further: int = Field(default=0, ge=0, le=5)
    """Rounds in which the chat model may search, read and list papers itself before it writes;
    each is one more request."""
    support_checker: Literal["judge", "local"] = "judge"
    """What has the last word on the sentences of a model: judge (the model itself, or judge_model),
    or the local check alone."""
    judge_model: str | None = None
    """Another model of the endpoint, a cheaper one, that judges."""

    share_links: bool = False
    """Whether visitors may make links by which anyone can read an answer or a conversation of
    theirs, also without a login."""

    def chroma(self) -> "Chroma | None":
        """The Chroma server that they name.

        Raises:
            InputError: its address is none.
        """
        if not self.chroma_url:
            return None
        from index.chroma import Chroma  # most indexes have none

        token = self.chroma_token.get_secret_value() if self.chroma_token else None
        return Chroma(self.chroma_url, token, self.chroma_collection)

    @property
    def secret_of_encoder(self) -> str | None:
        """The key of the encoder's endpoint."""
        return self.encoder_key.get_secret_value() if self.encoder_key else None

    @field_validator("*", mode="before")
    @classmethod
    def _empty_is_not_set(cls, value: object, info: ValidationInfo) -> object:
        if isinstance(value, str) and not value.strip():
            return cls.model_fields[info.field_name or ""].get_default(call_default_factory=True)
        return value

    def at(self, endpoint: ChatEndpoint) -> Self:
        """These settings with another endpoint; what was said of the model before goes with it."""
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
    """The environment variable of each setting, by the setting's name."""
    return {
        name: str(field.validation_alias or PREFIX + name.upper())
        for name, field in Settings.model_fields.items()
    }


def endpoint_in_environment() -> str | None:
    """The variable of the environment, if any, that wins over an endpoint kept on the page."""
    given = {name.upper() for name, value in os.environ.items() if value.strip()}
    return next((name for name in _ENDPOINT if name in given), None)


def load_settings() -> Settings:
    """Read the settings from the environment and `.env`.

    An endpoint that was kept on the page takes the place of the one in `.env`, but not of one in
    the environment.

    Raises:
        InputError: a value is out of range, a key with our prefix is not a setting, or a file
            cannot be read.
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
        # A setting with a name of its own is reported by it, the others by their field.
        name = str(first["loc"][0])
        wrong = [f for n, f in Settings.model_fields.items() if name in (n, names[n])]
        about = f" ({' '.join((wrong[0].description or '').split())})" if wrong else ""
        raise InputError(f"setting {names.get(name, name)}: {first['msg']}{about}") from error
    kept = read_endpoint(settings.data)
    return settings if kept is None or endpoint_in_environment() else settings.at(kept)


def read_endpoint(folder: Path) -> ChatEndpoint | None:
    """The endpoint that is kept in `folder`, if any.

    Raises:
        InputError: the file cannot be read.
    """
    path = folder / KEPT
    try:
        if not path.exists():
            return None
        kept = dotenv_values(path, interpolate=False, encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: delete it, or mend it") from error
    address, key, model = (kept.get(name) or "" for name in _ENDPOINT)
    return ChatEndpoint(address, key, model) if address and model else None


def is_kept(folder: Path) -> bool:
    """Whether an endpoint is kept in `folder`."""
    try:
        return read_endpoint(folder) is not None
    except InputError:
        return True  # it is there, and cannot be read


def keep_endpoint(folder: Path, endpoint: ChatEndpoint) -> Path:
    """Write it to the file, which nobody but its owner can read; returns the path.

    Raises:
        StoreError: the file cannot be written.
    """
    path = folder / KEPT
    values = (endpoint.address, endpoint.key, endpoint.model)
    escaped = (value.replace("\\", "\\\\").replace("'", "\\'") for value in values)
    lines = [f"{name}='{value}'\n" for name, value in zip(_ENDPOINT, escaped, strict=True)]
    beside = path.with_name(f"{KEPT}.{os.getpid()}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        beside.unlink(missing_ok=True)
        # Made anew, so that it never is what somebody else has opened or linked.
        opened = os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(opened, "w", encoding="utf-8") as file:
            file.writelines(lines)
        beside.replace(path)
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror or error}") from error
    return path


def forget_endpoint(folder: Path) -> None:
    """Delete the file, if there is one.

    Raises:
        StoreError: it cannot be deleted.
    """
    path = folder / KEPT
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(f"cannot delete {path}: {error.strerror or error}") from error
