"""Every setting: typed, documented, read once from the environment or a `.env` file."""

import os
from pathlib import Path

import platformdirs
from dotenv import dotenv_values
from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from index.errors import InputError

PREFIX = "ABSTRACTQA_"


def _default_store() -> Path:
    return platformdirs.user_data_path("abstractqa") / "store"


class Settings(BaseSettings):
    """Settings of AbstractQA; each is the environment variable `ABSTRACTQA_<NAME>`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", extra="ignore", frozen=True
    )

    store: Path = Field(
        default_factory=_default_store,
        description="Folder that holds the index.",
    )
    encoder: str = Field(
        default="all-MiniLM-L6-v2",
        min_length=1,
        description="The bundled all-MiniLM-L6-v2, or any sentence-transformers id or local path.",
    )

    @field_validator("store", mode="before")
    @classmethod
    def _fill_in(cls, value: object) -> object:
        if value == "":
            return _default_store()
        return Path(value).expanduser() if isinstance(value, str | Path) else value


def load_settings() -> Settings:
    """Read the settings from the environment and `.env`.

    Raises:
        InputError: a value is out of range, or a key with our prefix is not a setting.
    """
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    try:
        given = {key.upper() for key in (*os.environ, *dotenv_values(".env"))}
    except UnicodeDecodeError as error:
        raise InputError(".env is not UTF-8 text: save it as UTF-8") from error
    unknown = sorted(key for key in given - known if key.startswith(PREFIX))
    if unknown:
        raise InputError(
            f"unknown setting {unknown[0]}; the settings are {', '.join(sorted(known))}"
        )
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = PREFIX + "_".join(str(part) for part in first["loc"]).upper()
        raise InputError(f"setting {name}: {first['msg']}") from error
