"""What GENERATOR_MODEL may name, and what the package ships."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from generator import models
from generator.models import EMOJI, SD15, ModelFormat
from lookalike.errors import StartError

pytestmark = pytest.mark.slow


def test_emoji_is_the_model_in_the_package() -> None:
    source = models.find("emoji")
    assert source == models.Source(ModelFormat.FOLDER, str(EMOJI), "emoji")


def test_a_hub_id_is_called_by_its_last_part() -> None:
    source = models.find("stable-diffusion-v1-5/stable-diffusion-v1-5")
    assert (source.format, source.name) == (ModelFormat.HUB, "stable-diffusion-v1-5")


def test_a_folder_is_called_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "my-model"
    folder.mkdir()
    assert models.find(str(folder)).name == "my-model"
    monkeypatch.chdir(folder)
    source = models.find(".")
    assert (source.format, source.name) == (ModelFormat.FOLDER, "my-model")


def test_a_home_folder_may_be_written_with_a_tilde(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "sd").mkdir()
    assert models.find("~/sd").location == str(tmp_path / "sd")


def test_a_single_file_is_called_by_its_name(tmp_path: Path) -> None:
    file = tmp_path / "v1-5-pruned.safetensors"
    file.touch()
    source = models.find(str(file))
    assert (source.format, source.name) == (ModelFormat.FILE, "v1-5-pruned")


def test_a_folder_here_wins_over_a_hub_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "owner" / "name").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert models.find("owner/name").format is ModelFormat.FOLDER


@pytest.mark.parametrize(
    "model",
    [
        "emojis",
        "a/b/c",
        "./models/sd",
        "/no/such/folder",
        "../sd",
        "owner/file.safetensors",
        "owner/../name",
        "owner/na me",
        "https://example.org/sd",
    ],
)
def test_what_is_nowhere_is_said_in_one_sentence(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StartError, match=r"^GENERATOR_MODEL .*no such file or folder.*\.$"):
        models.find(model)


def test_a_pickle_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "model.ckpt"
    file.touch()
    with pytest.raises(StartError, match=r"no \.safetensors file"):
        models.find(str(file))


def test_finding_a_model_imports_no_library() -> None:
    code = (
        "import sys; import generator.executors.inprocess, generator.models;"
        "sys.exit(any(name in sys.modules for name in ('torch', 'diffusers', 'transformers')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_shipped_vocabulary_is_that_of_clip() -> None:
    tokenizer = CLIPTokenizer.from_pretrained(SD15, subfolder="tokenizer")
    # The example of OpenAI's own documentation and of diffusers' tests.
    assert tokenizer("a photo of a cat").input_ids == [49406, 320, 1125, 539, 320, 2368, 49407]
    assert tokenizer.model_max_length == 77


def test_the_shipped_configuration_has_the_published_size() -> None:
    with torch.device("meta"):
        parts = (
            UNet2DConditionModel.from_config(
                UNet2DConditionModel.load_config(SD15, subfolder="unet")
            ),
            AutoencoderKL.from_config(AutoencoderKL.load_config(SD15, subfolder="vae")),
            CLIPTextModel(CLIPTextConfig.from_pretrained(SD15, subfolder="text_encoder")),
        )
    sizes = [sum(weight.numel() for weight in part.parameters()) for part in parts]
    assert sizes == [859_520_964, 83_653_863, 123_060_480]
