"""The wheel and the sdist: what is in them, and that all runs from the wheel alone."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from email.message import Message
from email.parser import Parser
from pathlib import Path
from typing import NamedTuple

import pytest
from PIL import Image
from skimage import data

from lookalike.processes import clean_environment
from tests.docs.documents import ROOT

pytestmark = [pytest.mark.long, pytest.mark.slow]

PACKAGES = ("bot", "dbservice", "generator", "lookalike", "protos", "sandbox")

ONLY_IN_THE_REPOSITORY = (".po", "buf.yaml")
"""How files in the packages end that no installation needs: catalogues are compiled (.mo)."""

BUILD = "import sys; from setuptools import build_meta; build_meta.build_sdist(sys.argv[1])"


class Built(NamedTuple):
    """What a release has of code.

    Attributes:
        sdist: made of the repository.
        wheel: made of the sdist, by pip.
    """

    sdist: Path
    wheel: Path


def execute(*command: str | Path, folder: Path, environment: Mapping[str, str]) -> str:
    """What a command says that ends well."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def pip(*arguments: str | Path, folder: Path) -> None:
    """Runs pip without an index: what is missing fails."""
    command = (sys.executable, "-m", "pip", *arguments, "--no-deps", "--no-index", "--quiet")
    execute(*command, folder=folder, environment=os.environ)


def tracked() -> set[str]:
    """The files of the packages."""
    return {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("built")
    source = folder / "source"
    for name in PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, source / name, ignore=ignored)
    for name in ("LICENSE", "README.md", "pyproject.toml"):
        shutil.copy(ROOT / name, source)
    for name in ("tests", "benchmarks", "training", "release", "docs"):  # which must stay out
        (source / name).mkdir()
        (source / name / "__init__.py").touch()
    execute(sys.executable, "-c", BUILD, folder, folder=source, environment=os.environ)
    (sdist,) = folder.glob("*.tar.gz")
    pip("wheel", "--no-build-isolation", "--wheel-dir", folder, sdist, folder=folder)
    (wheel,) = folder.glob("*.whl")
    return Built(sdist, wheel)


@pytest.fixture(scope="module")
def metadata(built: Built) -> Message:
    with zipfile.ZipFile(built.wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return Parser().parsestr(archive.read(name).decode())


def test_the_wheel_has_the_packages_and_nothing_else(built: Built) -> None:
    with zipfile.ZipFile(built.wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        about = {name.partition("/")[2] for name in archive.namelist() if ".dist-info/" in name}
    assert names == {name for name in tracked() if not name.endswith(ONLY_IN_THE_REPOSITORY)}
    assert "licenses/LICENSE" in about
    for name in (
        "bot/texts/locale/de/LC_MESSAGES/bot.mo",
        "bot/web/gallery/assets/index.html",
        "dbservice/migrations/versions/0001_first_tables.py",
        "generator/models/emoji/unet/diffusion_pytorch_model.safetensors",
        "lookalike/cli/env.example",
        "lookalike/py.typed",
        "protos/generator.xsd",
        "protos/lookalike/db/v1/db.proto",
        "sandbox/page/assets/index.html",
    ):
        assert name in names, name


def test_the_sdist_has_what_the_wheel_is_made_of_and_nothing_else(built: Built) -> None:
    with tarfile.open(built.sdist) as archive:
        names = {each.name.partition("/")[2] for each in archive if each.isfile()}
    with zipfile.ZipFile(built.wheel) as archive:
        wheels = {name for name in archive.namelist() if ".dist-info/" not in name}
    own = {name for name in names - wheels if not name.startswith("lookalike.egg-info/")}
    assert own == {"LICENSE", "PKG-INFO", "README.md", "pyproject.toml", "setup.cfg"}
    assert wheels <= names


def test_the_metadata_says_what_it_is(built: Built, metadata: Message) -> None:
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert str(metadata.get_payload()).startswith("# Lookalike\n")
    assert built.wheel.name == f"lookalike-{metadata['Version']}-py3-none-any.whl"
    changelog = (ROOT / "CHANGELOG.md").read_text()
    assert f"## [{metadata['Version']}]" in changelog
    needed = [each for each in metadata.get_all("Requires-Dist") or [] if "extra ==" not in each]
    assert all(re.fullmatch(r"[a-z-]+>=[\d.]+", each) for each in needed), needed


def test_all_runs_from_the_wheel_in_an_empty_environment(built: Built, tmp_path: Path) -> None:
    venv, empty = tmp_path / "venv", tmp_path / "empty"
    empty.mkdir()
    execute(
        sys.executable, "-m", "venv", "--without-pip", venv, folder=empty, environment=os.environ
    )
    pip("--python", venv / "bin" / "python", "install", built.wheel, folder=empty)
    (packages,) = venv.glob("lib/python3*/site-packages")
    # All but ours: what an installation in place adds to a path is done by a .pth file, and none is
    # read in a folder that another one names.
    (packages / "others.pth").write_text(sysconfig.get_paths()["purelib"])
    environment = {
        **clean_environment(),
        "HOME": str(empty),
        "LOOKALIKE_HOME": str(tmp_path / "home"),
        "TELEGRAM_API_URL": "http://127.0.0.1:9",
        "TELEGRAM_BOT_TOKEN": "10001:end-to-end-tests-token-of-the-sandbox",
        "CAPTIONER": "offline",
        "GENERATOR_MODEL": "emoji",
        "OMP_NUM_THREADS": "2",
    }
    environment.pop("PYTHONPATH", None)
    lookalike = venv / "bin" / "lookalike"

    where = "import bot, lookalike; print(bot.__file__, lookalike.__file__)"
    said = execute(
        venv / "bin" / "python", "-P", "-c", where, folder=empty, environment=environment
    )
    assert all(Path(each).is_relative_to(packages) for each in said.split())

    said = execute(lookalike, "--version", folder=empty, environment=environment)
    assert said.startswith(f"lookalike {built.wheel.name.split('-')[1]}\n")
    assert "\ntorch " in said

    # Both at a time, since each waits much.
    Image.fromarray(data.chelsea()).save(tmp_path / "cat.jpg")
    with ThreadPoolExecutor() as threads:
        demo = threads.submit(
            execute, lookalike, "demo", tmp_path / "cat.jpg", folder=empty, environment=environment
        )
        doctor = subprocess.run(
            [lookalike, "doctor"],
            cwd=empty,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    assert "emoji loads" in doctor.stdout, doctor.stdout
    assert "The offline captioner works." in doctor.stdout
    assert "broke off" not in doctor.stdout
    assert doctor.stdout.endswith("1 check failed.\n")  # nobody is Telegram here
    assert "a photo of a tabby cat" in demo.result()
    assert "The picture is in " in demo.result()
