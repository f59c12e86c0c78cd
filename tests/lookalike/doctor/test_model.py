"""The model and the presets' weights: missing, broken, unfit."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from generator.models import EMOJI
from lookalike.checks import Finding, Mark
from lookalike.cli import doctor
from tests.lookalike.doctor.findings import Environment, failures, one

pytestmark = pytest.mark.slow


@pytest.mark.long
@pytest.mark.parametrize(
    ("model", "check", "remedy"),
    [
        ("./nowhere", "model", "Name another GENERATOR_MODEL"),
        ("owner/nothing", "model missing", "lookalike download"),
    ],
)
def test_a_missing_model(environment: Environment, model: str, check: str, remedy: str) -> None:
    found = failures(environment, "generator", "model", GENERATOR_MODEL=model)
    assert remedy in one(found, check, model)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(EMOJI, tmp_path / "model"))


def test_a_model_file_that_was_cut(environment: Environment, folder: Path) -> None:
    file = folder / "unet" / "diffusion_pytorch_model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])
    found = failures(environment, "generator", "model", GENERATOR_MODEL=str(folder))
    one(found, "model", "has a broken file")


def test_a_model_that_lacks_a_part(environment: Environment, folder: Path) -> None:
    shutil.rmtree(folder / "vae")
    found = failures(environment, "generator", "model", GENERATOR_MODEL=str(folder))
    one(found, "model", "the folder lacks vae")


@pytest.mark.long
def test_a_model_that_looks_whole_and_does_not_load(environment: Environment, folder: Path) -> None:
    (folder / "unet" / "config.json").write_text("{")
    nobody = {"GENERATOR_MODEL": str(folder), "GENERATOR_LISTEN": "127.0.0.1:9"}
    one(failures(environment, "generator", "model", **nobody), "loading", "is damaged, incomplete")


@pytest.mark.long
def test_conditions_of_a_licence_that_nobody_could_read(
    environment: Environment, folder: Path
) -> None:
    def look(**settings: str) -> list[Finding]:
        told = {**environment, "GENERATOR_MODEL": str(folder), **settings}
        return doctor.findings("generator", told, ["--only", "terms"])

    (folder / "README.md").write_text("---\nlicense: creativeml-openrail-m\n---\n")
    (found,) = look()
    assert found.mark is Mark.WARNING
    assert "BOT_NOTICE is empty, so /terms does not say" in found.summary
    assert look(BOT_NOTICE="Be kind.") == []
    assert look(BOT_ACCESS="me") == []
    assert look(GENERATOR_MODEL="emoji") == []


# The preset.


def test_an_unknown_preset(environment: Environment) -> None:
    found = failures(environment, "generator", "preset", GENERATOR_PRESET="best")
    summary = "GENERATOR_PRESET: Input should be 'faithful', 'balanced', 'quick' or 'fast'."
    assert ".env" in one(found, "settings", summary)


def test_the_preset_fast_without_its_weights(environment: Environment) -> None:
    found = failures(environment, "generator", "preset", GENERATOR_PRESET="fast")
    summary = "Its weights, latent-consistency/lcm-lora-sdv1-5, are not on this machine."
    assert "`lookalike download --fast`" in one(found, "preset", summary)
    assert doctor.findings("generator", environment, ["--only", "preset"]) == []  # nobody chose it


def test_weights_of_the_preset_fast_that_are_nowhere(
    environment: Environment, tmp_path: Path
) -> None:
    missing = str(tmp_path / "lcm.safetensors")
    found = failures(environment, "generator", "preset", GENERATOR_LCM_LORA=missing)
    summary = f"GENERATOR_LCM_LORA {missing}: there is no such .safetensors file"
    assert "Name others" in one(found, "preset", summary)


@pytest.mark.long
def test_weights_of_the_preset_fast_that_are_broken_or_of_another_model(
    environment: Environment, tmp_path: Path
) -> None:
    file = tmp_path / "lcm.safetensors"
    file.write_bytes(b"broken")
    fast = {"GENERATOR_PRESET": "fast", "GENERATOR_LCM_LORA": str(file)}
    one(failures(environment, "generator", "preset", **fast), "preset", f"{file} is broken: ")
    save_file({"lora_unet_x.lora_down.weight": np.zeros((2, 2), np.float32)}, file)
    assert failures(environment, "generator", "preset", **fast) == []
    nobody = {"GENERATOR_LISTEN": "127.0.0.1:9"}
    found = failures(environment, "generator", "model", **fast, **nobody)
    assert "Name others" in one(found, "preset", "were made for another model.")
