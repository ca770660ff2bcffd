"""Every setting: typed, documented, read once from the environment or a `.env` file."""

import os
from pathlib import Path

import platformdirs
from dotenv import dotenv_values
from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from index.errors import InputError

PREFIX = "ABSTRACTQA_"


class Settings(BaseSettings):
    """Settings of AbstractQA; each is the environment variable `ABSTRACTQA_<NAME>`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", extra="ignore", frozen=True
    )

    store: Path = Field(
        default_factory=lambda: platformdirs.user_data_path("abstractqa") / "store",
        description="Folder that holds the index.",
    )
    encoder: str = Field(
        default="all-MiniLM-L6-v2",
        min_length=1,
        description="The bundled all-MiniLM-L6-v2, or any sentence-transformers id or local path.",
    )


def load_settings() -> Settings:
    """Read the settings from the environment and `.env`.

    Raises:
        InputError: a value is out of range, or a key with our prefix is not a setting.
    """
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    given = [*os.environ, *dotenv_values(".env")]
    unknown = sorted({k for k in given if k.upper().startswith(PREFIX)} - known)
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
