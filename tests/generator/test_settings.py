"""The generator's settings."""

from pathlib import Path

import pytest

from generator.settings import GeneratorSettings
from lookalike.errors import StartError
from lookalike.settings import folder_of


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No .env of the working directory, no settings of the machine."""
    monkeypatch.chdir(tmp_path)
    for name in GeneratorSettings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("LOOKALIKE_HOME", str(tmp_path / "home"))


def test_everything_has_a_default(tmp_path: Path) -> None:
    settings = GeneratorSettings.load()
    assert settings.generator_listen == "127.0.0.1:5001"
    assert settings.generator_model == "stable-diffusion-v1-5/stable-diffusion-v1-5"
    assert settings.generator_device == "auto"
    assert settings.generator_preset == "balanced"
    assert settings.generator_lcm_lora == "latent-consistency/lcm-lora-sdv1-5"
    assert settings.generator_previews == "1"
    assert settings.generator_max_queue == 1000
    assert settings.generator_max_attempts == 3
    home = tmp_path / "home" / "generator"
    assert settings.database_url == f"sqlite:///{home / 'jobs.db'}"
    assert folder_of(settings.results) == home / "results"


def test_urls_name_other_places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENERATOR_DATABASE_URL", "sqlite:////var/jobs.db")
    monkeypatch.setenv("GENERATOR_RESULTS_URL", Path("/var/my pictures").as_uri())
    settings = GeneratorSettings.load()
    assert settings.database_url == "sqlite:////var/jobs.db"
    assert folder_of(settings.results) == Path("/var/my pictures")
    monkeypatch.setenv("GENERATOR_DATABASE_URL", "postgresql://me:a-secret@somewhere/jobs")
    assert "a-secret" in GeneratorSettings.load().given_secrets()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GENERATOR_DEVICE", "abacus"),
        ("GENERATOR_PRESET", "imaginary"),
        ("GENERATOR_PREVIEWS", "sometimes"),
        ("GENERATOR_MAX_QUEUE", "0"),
        ("GENERATOR_MAX_QUEUE", "5001"),
        ("GENERATOR_MAX_ATTEMPTS", "none"),
        ("GENERATOR_DATABASE_URL", "postgresql://somewhere"),
        ("GENERATOR_RESULTS_URL", "s3://Bucket"),
        ("GENERATOR_RESULTS_URL", "s3://bucket/../other"),
        ("AWS_ENDPOINT_URL", "http://s3.example.org"),
        ("GENERATOR_LISTEN", "everywhere"),
    ],
)
def test_a_wrong_value_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(StartError, match=rf"^{name}: .*\.$"):
        GeneratorSettings.load()
