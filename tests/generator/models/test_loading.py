"""Models in every form they come in, whole and damaged."""

import json
import logging
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from huggingface_hub import constants
from safetensors.torch import load_file, save_file
from transformers import CLIPTextModel

from generator.models import loading
from generator.tasks import SafetyRejected, Task
from lookalike.errors import StartError
from tests.generator import drawing, hub, tiny
from tests.generator.drawing import load

pytestmark = [pytest.mark.filterwarnings(tiny.NUMPY_WARNING), pytest.mark.slow]

TASK = Task("a cat", "", tiny.SIDE, tiny.SIDE, 2, 7.5, 1)
CHECKER = "models--CompVis--stable-diffusion-safety-checker"


def draw(model: Path | str) -> bytes:
    return drawing.draw(load(model), TASK).png


@pytest.fixture(autouse=True)
def hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty hub cache, and no hub."""
    cache = tmp_path / "hub-cache"
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return cache


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.save(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(whole, tmp_path / "tiny"))


@pytest.fixture(scope="module")
def expected(whole: Path) -> bytes:
    return draw(whole)


def rewrite(path: Path, **changes: Any) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**content, **changes}), encoding="utf-8")


def weights_of(folder: Path, part: str) -> Path:
    (file,) = (folder / part).glob("*.safetensors")
    return file


def test_old_names_of_the_text_encoders_weights_are_understood(
    folder: Path, expected: bytes
) -> None:
    file = weights_of(folder, "text_encoder")
    tensors = {f"text_model.{name}": tensor for name, tensor in load_file(file).items()}
    tensors["text_model.embeddings.position_ids"] = torch.arange(77)[None]
    save_file(tensors, file, metadata={"format": "pt"})
    assert draw(folder) == expected


def test_old_names_of_the_checkers_weights_are_understood(tmp_path: Path) -> None:
    folder = tiny.save(tmp_path / "strict", "everything")
    file = weights_of(folder, "safety_checker")
    tensors = {
        re.sub(r"^vision_model\.", "vision_model.vision_model.", name): tensor
        for name, tensor in load_file(file).items()
    }
    save_file(tensors, file, metadata={"format": "pt"})
    with pytest.raises(SafetyRejected):
        draw(folder)


def test_the_old_name_of_the_feature_extractor_is_understood(tmp_path: Path) -> None:
    folder = tiny.save(tmp_path / "strict", "everything")
    rewrite(folder / "model_index.json", feature_extractor=["transformers", "CLIPFeatureExtractor"])
    with pytest.raises(SafetyRejected):
        draw(folder)


def test_the_scheduler_of_the_published_model_is_replaced(folder: Path, expected: bytes) -> None:
    rewrite(folder / "model_index.json", scheduler=["diffusers", "PNDMScheduler"])
    (folder / "scheduler" / "scheduler_config.json").write_text(
        json.dumps(
            {
                "_class_name": "PNDMScheduler",
                "beta_end": 0.012,
                "beta_schedule": "scaled_linear",
                "beta_start": 0.00085,
                "clip_sample": False,
                "num_train_timesteps": 1000,
                "set_alpha_to_one": False,
                "skip_prk_steps": True,
                "steps_offset": 1,
                "trained_betas": None,
            }
        ),
        encoding="utf-8",
    )
    assert draw(folder) == expected


def test_weights_in_half_precision_alone_are_enough(folder: Path, expected: bytes) -> None:
    for file in folder.glob("*/*.safetensors"):
        halves = {name: tensor.half() for name, tensor in load_file(file).items()}
        save_file(halves, file.with_suffix(".fp16.safetensors"), metadata={"format": "pt"})
    assert draw(folder) == expected  # where there is a choice, the CPU takes full precision
    for file in folder.glob("*/*.safetensors"):
        if not file.name.endswith(".fp16.safetensors"):
            file.unlink()
    assert len(draw(folder)) > 1000


@pytest.mark.parametrize("name", ["diffusion_pytorch_model.non_ema", "a_model", "zzz"])
def test_other_weights_beside_a_models_are_left_alone(
    name: str, folder: Path, expected: bytes
) -> None:
    file = folder / "unet" / "diffusion_pytorch_model.safetensors"
    others = {key: torch.zeros_like(tensor) for key, tensor in load_file(file).items()}
    save_file(others, file.with_name(f"{name}.safetensors"), metadata={"format": "pt"})
    assert draw(folder) == expected


def test_a_model_without_a_checker_is_warned_of(
    whole: Path, caplog: pytest.LogCaptureFixture
) -> None:
    load(whole)
    assert [record.message for record in caplog.records if record.levelno >= logging.WARNING] == [
        "The model tiny has no safety checker: no picture is refused."
    ]


def test_emoji_is_not_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    load("emoji")
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


DAMAGES: dict[str, Callable[[Path], object]] = {
    "cut": lambda file: file.write_bytes(file.read_bytes()[:-100]),
    "empty": lambda file: file.write_bytes(b""),
    "nonsense": lambda file: file.write_bytes(b"\xff" * 5000),
    "a tensor missing": lambda file: save_file(
        dict(sorted(load_file(file).items())[:-1]), file, metadata={"format": "pt"}
    ),
    "another shape": lambda file: save_file(
        {name: torch.cat([tensor, tensor]) for name, tensor in load_file(file).items()},
        file,
        metadata={"format": "pt"},
    ),
}


@pytest.mark.long
@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("part", ["text_encoder", "unet", "vae", "safety_checker"])
def test_damaged_weights_are_said_in_one_sentence(
    tmp_path: Path, part: str, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tiny.save(tmp_path / "tiny", "nothing")
    DAMAGES[damage](weights_of(folder, part))
    with pytest.raises(StartError, match=r"^GENERATOR_MODEL .*damaged, incomplete or no .*\.$"):
        load(folder)
    (record,) = [record for record in caplog.records if record.name.startswith("generator")]
    assert "\n" not in record.message
    assert record.exc_info is None


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("can't allocate memory")])
def test_a_model_that_does_not_fit_memory_is_not_called_damaged(
    whole: Path, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object, **_options: object) -> object:
        raise error

    monkeypatch.setattr(CLIPTextModel, "from_pretrained", refuse)
    with pytest.raises(StartError, match="does not fit this machine's memory"):
        load(whole)


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda folder: (folder / "model_index.json").unlink(), "no readable model_index.json"),
        (lambda folder: (folder / "model_index.json").write_text("{"), "model_index.json"),
        (lambda folder: (folder / "model_index.json").write_text("[]"), "model_index.json"),
        (
            lambda folder: rewrite(
                folder / "model_index.json", _class_name="StableDiffusionXLPipeline"
            ),
            "it is a StableDiffusionXLPipeline",
        ),
        (lambda folder: shutil.rmtree(folder / "unet"), "the folder lacks unet"),
        (lambda folder: shutil.rmtree(folder / "tokenizer"), "the folder lacks tokenizer"),
        (lambda folder: weights_of(folder, "vae").unlink(), "vae has no .safetensors weights"),
        (lambda folder: (folder / "unet" / "config.json").write_text("{"), "damaged"),
        (lambda folder: (folder / "tokenizer" / "tokenizer.json").write_text("{"), "damaged"),
    ],
)
def test_a_folder_that_is_no_whole_model_is_said_in_one_sentence(
    folder: Path, damage: Callable[[Path], object], sentence: str
) -> None:
    damage(folder)
    with pytest.raises(StartError, match=re.escape(sentence)):
        load(folder)


def test_an_inpainting_model_is_refused(folder: Path) -> None:
    rewrite(folder / "unet" / "config.json", in_channels=9)
    file = weights_of(folder, "unet")
    tensors = load_file(file)
    tensors["conv_in.weight"] = torch.zeros(8, 9, 3, 3)
    save_file(tensors, file, metadata={"format": "pt"})
    with pytest.raises(StartError, match="inpainting"):
        load(folder)


# A single file.


@pytest.fixture(scope="module")
def single_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.save_single_file(tmp_path_factory.mktemp("files") / "tiny.safetensors")


@pytest.fixture
def _tiny_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tiny model's configuration where that of Stable Diffusion 1.5 is shipped."""
    configuration = tiny.save(tmp_path / "configuration", "nothing")
    for file in configuration.rglob("*.safetensors"):
        file.unlink()
    monkeypatch.setattr(loading, "SD15", configuration)


@pytest.mark.usefixtures("_tiny_configuration")
def test_a_single_file_draws_what_its_folder_draws(
    single_file: Path, expected: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    assert draw(single_file) == expected
    assert "The model tiny has no safety checker: no picture is refused." in caplog.messages


@pytest.mark.usefixtures("_tiny_configuration")
def test_a_single_file_is_checked_by_the_cached_safety_checker(
    single_file: Path, hub_cache: Path
) -> None:
    cached = cache_checker(hub_cache)
    with pytest.raises(SafetyRejected):
        draw(single_file)
    weights_of(cached.parent, cached.name).write_bytes(b"")
    with pytest.raises(StartError, match=r"safety checker .* is damaged"):
        draw(single_file)


def cache_checker(cache: Path) -> Path:
    snapshot = tiny.save_checker(cache / CHECKER / "snapshots" / ("0" * 40), "everything")
    (cache / CHECKER / "refs").mkdir()
    (cache / CHECKER / "refs" / "main").write_text("0" * 40)
    return snapshot


@pytest.mark.usefixtures("_tiny_configuration")
@pytest.mark.parametrize("prefix", ["model.diffusion_model", "first_stage", "cond_stage"])
@pytest.mark.parametrize("how_many", ["one", "all"])
def test_a_single_file_that_lacks_weights_is_said_in_one_sentence(
    single_file: Path, tmp_path: Path, prefix: str, how_many: str
) -> None:
    tensors = load_file(single_file)
    names = sorted(name for name in tensors if name.startswith(prefix))
    for name in names if how_many == "all" else names[-1:]:
        del tensors[name]
    file = tmp_path / "less.safetensors"
    save_file(tensors, file)
    with pytest.raises(StartError, match="damaged, incomplete or no Stable Diffusion 1"):
        load(file)


@pytest.mark.parametrize("content", [b"", b"no weights", b"\xff" * 5000])
def test_a_single_file_of_nonsense_is_said_in_one_sentence(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "bad.safetensors"
    file.write_bytes(content)
    with pytest.raises(StartError, match="damaged, incomplete or no Stable Diffusion 1"):
        load(file)


# The hub.


def cache_model(cache: Path, whole: Path) -> Path:
    """The tiny model as the hub's own client keeps it."""
    folder = cache / "models--owner--tiny"
    shutil.copytree(whole, folder / "snapshots" / ("0" * 40))
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text("0" * 40)
    return folder


def test_a_model_in_the_cache_is_loaded(whole: Path, hub_cache: Path, expected: bytes) -> None:
    cache_model(hub_cache, whole)
    assert draw("owner/tiny") == expected


def test_a_model_that_is_not_in_the_cache_is_not_fetched(
    whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    with hub.serve("owner/tiny", whole) as served:
        monkeypatch.setattr(constants, "ENDPOINT", served.url)
        with pytest.raises(StartError, match=r"^GENERATOR_MODEL owner/tiny .*`lookalike download`"):
            load("owner/tiny")
    assert served.requests == []


def test_a_model_that_is_half_in_the_cache_is_said(whole: Path, hub_cache: Path) -> None:
    folder = cache_model(hub_cache, whole)
    for file in folder.glob("snapshots/*/unet/*"):
        file.unlink()
    with pytest.raises(StartError, match="at least not whole"):
        load("owner/tiny")
