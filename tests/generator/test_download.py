"""`lookalike download`, against a hub on loopback."""

import gzip
import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from generator.models import layout, lora
from lookalike.cli import doctor
from lookalike.processes import clean_environment
from tests.commands import LOOKALIKE
from tests.generator import hub, tiny

pytestmark = pytest.mark.slow

MODEL = "owner/tiny"
UNET = "unet/diffusion_pytorch_model.safetensors"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with more in it than a model needs."""
    folder = tiny.save(tmp_path_factory.mktemp("models") / "tiny", "nothing")
    (folder / "README.md").write_text("---\nlicense: creativeml-openrail-m\n---\n")
    shutil.copy(folder / UNET, folder / "all-in-one.safetensors")
    shutil.copy(folder / UNET, folder / "unet" / "diffusion_pytorch_model.non_ema.safetensors")
    (folder / "unet" / "diffusion_pytorch_model.bin").write_bytes(b"code")
    return folder


@pytest.fixture
def served(whole: Path) -> Generator[hub.Hub, None, None]:
    with hub.serve(MODEL, whole) as server:
        yield server


@pytest.fixture
def environment(served: hub.Hub, tmp_path: Path) -> dict[str, str]:
    hub_settings = {"HF_ENDPOINT": served.url, "HF_HUB_CACHE": str(tmp_path / "cache")}
    ours = {"LOOKALIKE_HOME": str(tmp_path / "home"), "GENERATOR_MODEL": MODEL}
    return {
        **{name: value for name, value in clean_environment().items() if name[:3] != "HF_"},
        **hub_settings,
        **ours,
        "GENERATOR_DEVICE": "cpu",
        "GENERATOR_LISTEN": "127.0.0.1:9",
        "OMP_NUM_THREADS": "2",
    }


def download(
    environment: dict[str, str], *arguments: str, **more: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*LOOKALIKE, "download", *arguments],
        env=environment | more,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def kept(environment: dict[str, str], pattern: str) -> list[Path]:
    return list(Path(environment["HF_HUB_CACHE"]).glob(f"models--owner--tiny/{pattern}"))


@pytest.mark.long
def test_it_says_size_and_licence_fetches_what_is_needed_and_nothing_twice(
    served: hub.Hub, environment: dict[str, str]
) -> None:
    (found,) = doctor.findings("generator", environment, ["--only", "model"])
    assert (found.check, found.remedy) == ("model missing", "Fetch it: `lookalike download`.")
    assert served.requests == []

    refused = download(environment)
    assert refused.returncode == 78
    assert "owner/tiny: " in refused.stdout
    assert "Licence: CreativeML OpenRAIL-M. It allows commercial use" in refused.stdout
    assert refused.stderr.startswith("lookalike download: there is no terminal to ask at")
    assert not kept(environment, "snapshots/*/unet/*")

    done = download(environment, "--accept-licence")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("owner/tiny is on this machine.\n")
    (snapshot,) = kept(environment, "snapshots/*")
    names = {path.relative_to(snapshot).as_posix() for path in snapshot.rglob("*.*")}
    assert {UNET, "README.md", "tokenizer/tokenizer.json"} <= names
    assert not any("non_ema" in name or name.endswith(".bin") for name in names)
    assert "all-in-one.safetensors" not in names

    served.requests.clear()
    again = download(environment, HF_HUB_OFFLINE="1")
    assert (again.returncode, again.stdout) == (0, "owner/tiny is on this machine already.\n")
    found = doctor.findings("generator", environment, ["--only", "model"])[0]
    assert "under CreativeML OpenRAIL-M" in found.summary
    assert served.requests == []


@pytest.mark.long
def test_an_interrupted_download_goes_on_where_it_ended(
    served: hub.Hub, environment: dict[str, str]
) -> None:
    served.cut = 5000  # and the connection closes, whatever the length said
    broken = download(environment, "--accept-licence")
    assert broken.returncode == 78
    assert "Traceback" not in broken.stderr
    assert "What has come so far is kept" in broken.stderr
    (part,) = kept(environment, "blobs/*.lookalike")
    size = part.stat().st_size
    assert size >= 5000
    served.cut = None
    served.ranges.clear()
    done = download(environment, "--accept-licence")
    assert done.returncode == 0, done.stderr
    assert f"bytes={size}-" in served.ranges
    assert kept(environment, "blobs/*.lookalike") == []


@pytest.mark.long
def test_what_arrived_damaged_is_not_kept(served: hub.Hub, environment: dict[str, str]) -> None:
    served.cut = 5000
    download(environment, "--accept-licence")
    (part,) = kept(environment, "blobs/*.lookalike")
    assert len(part.stem) == 64  # a sha256, which small files lack
    part.write_bytes(b"x" * part.stat().st_size)
    served.cut = None
    damaged = download(environment, "--accept-licence")
    assert damaged.returncode == 78
    assert "arrived damaged and was removed" in damaged.stderr
    assert download(environment, "--accept-licence").returncode == 0


@pytest.mark.long
def test_weights_that_broke_in_the_cache_are_fetched_again(
    environment: dict[str, str], whole: Path
) -> None:
    download(environment, "--accept-licence")
    (weights,) = kept(environment, f"snapshots/*/{UNET}")
    weights.resolve().write_bytes(b"broken")
    done = download(environment, "--accept-licence")
    assert done.returncode == 0, done.stderr
    assert f"{UNET} is broken and is fetched again" in done.stdout
    assert weights.read_bytes() == (whole / UNET).read_bytes()


def test_a_hub_that_sends_without_end_does_not_fill_the_disk(
    served: hub.Hub, environment: dict[str, str], whole: Path
) -> None:
    served.surplus = bytes(1_000_000)
    endless = download(environment, "--accept-licence")
    assert endless.returncode == 78
    assert "the hub sends more than it said" in endless.stderr
    largest = max(path.stat().st_size for path in whole.rglob("*"))
    assert all(path.stat().st_size <= largest for path in kept(environment, "blobs/*"))


def test_a_hub_that_packs_what_it_sends_does_not_fill_memory_or_disk(
    served: hub.Hub, environment: dict[str, str], whole: Path
) -> None:
    served.packed = gzip.compress(bytes(200_000_000))
    packed = download(environment, "--accept-licence")
    assert packed.returncode == 78
    assert "sends more than it said" in packed.stderr
    largest = max(path.stat().st_size for path in whole.rglob("*"))
    assert all(path.stat().st_size <= largest for path in kept(environment, "blobs/*"))


def test_an_index_has_its_bound(
    served: hub.Hub, environment: dict[str, str], whole: Path, tmp_path: Path
) -> None:
    served.folder = shutil.copytree(whole, tmp_path / "copy")
    with (served.folder / layout.INDEX).open("ab") as index:
        index.truncate(2_000_000)
    refused = download(environment, "--accept-licence")
    assert refused.returncode == 78
    assert f"owner/tiny has a {layout.INDEX} of 2.0 MB." in refused.stderr
    assert not kept(environment, "blobs/*")


# What the preset fast needs.

LCM_LORA = "owner/lcm"


@pytest.fixture
def fast(tmp_path: Path, environment: dict[str, str]) -> Generator[dict[str, str], None, None]:
    """A hub with weights for the preset fast, and a model that needs no hub."""
    folder = tmp_path / "lcm"
    folder.mkdir()
    save_file({"lora_unet_x.lora_up.weight": np.zeros((2, 2), np.float32)}, folder / lora.FILE)
    (folder / "image.png").write_bytes(b"nobody needs it")
    with hub.serve(LCM_LORA, folder) as server:
        server.licence = "openrail++"
        own = {"HF_ENDPOINT": server.url, "GENERATOR_MODEL": "emoji"}
        yield {**environment, **own, "GENERATOR_LCM_LORA": LCM_LORA}


def lcm_files(environment: dict[str, str]) -> set[str]:
    snapshots = Path(environment["HF_HUB_CACHE"]).glob("models--owner--lcm/snapshots/*/*")
    return {path.name for path in snapshots}


def test_what_the_preset_fast_needs_is_fetched_when_asked_for(fast: dict[str, str]) -> None:
    without = download(fast, "--accept-licence")
    assert (without.returncode, without.stdout) == (0, "emoji is on this machine already.\n")

    done = download(fast, "--fast", "--accept-licence")
    assert done.returncode == 0, done.stderr
    assert "owner/lcm: 112 bytes in 1 files." in done.stdout
    assert "Licence: CreativeML OpenRAIL++-M. It allows commercial use" in done.stdout
    assert done.stdout.endswith("owner/lcm is on this machine.\n")
    assert lcm_files(fast) == {lora.FILE}

    again = download(fast, "--fast", HF_HUB_OFFLINE="1")
    assert again.stdout.endswith("owner/lcm is on this machine already.\n")


def test_what_the_preset_fast_needs_is_fetched_where_it_is_the_preset(fast: dict[str, str]) -> None:
    done = download(fast, "--accept-licence", GENERATOR_PRESET="fast")
    assert done.stdout.endswith("owner/lcm is on this machine.\n"), done.stderr
    (weights,) = Path(fast["HF_HUB_CACHE"]).glob(f"models--owner--lcm/snapshots/*/{lora.FILE}")
    weights.resolve().write_bytes(b"broken")
    mended = download(fast, "--accept-licence", GENERATOR_PRESET="fast")
    assert f"{lora.FILE} is broken and is fetched again" in mended.stdout
    assert layout.count_numbers([weights]) == 4


@pytest.mark.parametrize(
    ("location", "sentence"),
    [
        ("nowhere.safetensors", "GENERATOR_LCM_LORA nowhere.safetensors: "),
        ("owner/nothing", "owner/nothing was not fetched: the hub knows no such model."),
    ],
)
def test_weights_that_are_nowhere(fast: dict[str, str], location: str, sentence: str) -> None:
    result = download(fast, "--fast", "--accept-licence", GENERATOR_LCM_LORA=location)
    assert result.returncode == 78
    assert sentence in result.stderr


def test_a_repository_without_such_weights(served: hub.Hub, environment: dict[str, str]) -> None:
    own = {"GENERATOR_MODEL": "emoji", "GENERATOR_LCM_LORA": served.repository}
    result = download(environment, "--fast", "--accept-licence", **own)
    assert result.returncode == 78
    assert f"owner/tiny has no {lora.FILE}." in result.stderr


def test_a_file_of_ones_own_is_left_as_it_is(fast: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "mine.safetensors"
    file.write_bytes(b"broken")
    result = download(fast, "--fast", GENERATOR_LCM_LORA=str(file))
    assert result.stdout.endswith(f"{file} is on this machine already.\n")
    assert file.read_bytes() == b"broken"


def test_without_a_network_it_says_so(environment: dict[str, str]) -> None:
    result = download(environment, HF_ENDPOINT="http://127.0.0.1:9")
    assert result.returncode == 75
    assert result.stderr.startswith("lookalike download: owner/tiny was not fetched: the hub")
    assert "is there a network?" in result.stderr
    assert "Traceback" not in result.stderr


def test_offline_mode_asks_nobody(served: hub.Hub, environment: dict[str, str]) -> None:
    result = download(environment, HF_HUB_OFFLINE="1")
    assert result.returncode == 78
    assert "HF_HUB_OFFLINE is set" in result.stderr
    assert served.requests == []


def test_a_model_that_the_hub_does_not_know(environment: dict[str, str]) -> None:
    result = download(environment, "owner/nothing")
    assert result.returncode == 78
    assert "owner/nothing was not fetched: the hub knows no such model." in result.stderr


def test_what_is_local_needs_no_download(environment: dict[str, str]) -> None:
    assert download(environment, "emoji").stdout == "emoji is on this machine already.\n"


def test_it_asks_at_a_terminal_and_shows_a_bar(environment: dict[str, str]) -> None:
    parent, terminal = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "generator.download"],
        env=environment,
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
    ) as process:
        shown = b""
        while b"[y/N]" not in shown:
            shown += os.read(parent, 10_000)
        os.write(parent, b"y\n")
        os.close(terminal)
        with suppress(OSError):  # what the end of a terminal is on Linux
            while part := os.read(parent, 10_000):
                shown += part
        os.close(parent)
        assert process.wait(60) == 0
    assert b"100%" in shown


SD15 = [
    "README.md",
    "model_index.json",
    "v1-5-pruned-emaonly.safetensors",
    "safety_checker/config.json",
    "safety_checker/model.safetensors",
    "safety_checker/model.fp16.safetensors",
    "safety_checker/pytorch_model.bin",
    "tokenizer/merges.txt",
    "unet/config.json",
    "unet/diffusion_pytorch_model.safetensors",
    "unet/diffusion_pytorch_model.fp16.safetensors",
    "unet/diffusion_pytorch_model.non_ema.safetensors",
]
PARTS = ["safety_checker", "tokenizer", "unet"]


@pytest.mark.parametrize("half", [False, True])
def test_of_two_precisions_one_is_taken(*, half: bool) -> None:
    chosen = [name for name in layout.select(SD15, PARTS, half=half) if "safetensors" in name]
    mark = ".fp16" if half else ""
    assert chosen == [
        f"safety_checker/model{mark}.safetensors",
        f"unet/diffusion_pytorch_model{mark}.safetensors",
    ]


def test_where_one_part_lacks_half_precision_all_are_taken_in_full() -> None:
    names = [name for name in SD15 if name != "unet/diffusion_pytorch_model.fp16.safetensors"]
    chosen = layout.select(names, PARTS, half=True)
    assert not any("fp16" in name for name in chosen)
