"""What `make dist` makes of a commit, and that all runs from the wheel alone."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from email.message import Message
from email.parser import Parser
from importlib.metadata import distribution, packages_distributions
from pathlib import Path
from typing import NamedTuple

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from PIL import Image
from skimage import data

from tests.docs.documents import ROOT
from tests.docs.workshop import link_venv
from tests.stack import create_stack, fixed_ports
from tools import requirements

pytestmark = [pytest.mark.long, pytest.mark.slow]

PACKAGES = ("bot", "dbservice", "generator", "lookalike", "protos", "sandbox")

ONLY_IN_THE_REPOSITORY = (".po", "buf.yaml")
"""How files in the packages end that no installation needs: catalogues are compiled (.mo)."""

EXTRAS = requirements.extras() | {"ray"}
"""What users choose from."""

GIT = (
    "git",
    "-c",
    "user.name=Ada",
    "-c",
    "user.email=ada@example.org",
    "-c",
    "commit.gpgsign=false",
)


class Built(NamedTuple):
    """What `make dist` has made.

    Attributes:
        folder: where all of it lies.
        sdist: made of the commit.
        wheel: made of the sdist.
        said: what it has printed.
    """

    folder: Path
    sdist: Path
    wheel: Path
    said: str


def execute(*command: str | Path, folder: Path, environment: Mapping[str, str]) -> str:
    """What a command says that ends well."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=170,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def tracked(*folders: str) -> list[str]:
    """The files that git knows and that are there, of these folders or of all."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", *folders], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).exists()]


def make_dist(repository: Path, *, umask: int) -> Built:
    said = execute(
        "sh", "-c", f"umask {umask:03o}; make dist", folder=repository, environment=os.environ
    )
    folder = repository / "dist"
    (sdist,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    return Built(folder, sdist, wheel, said)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files as they are now, committed."""
    folder = tmp_path_factory.mktemp("repository")
    for name in tracked():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    for command in (("init", "--quiet"), ("add", "--all"), ("commit", "--quiet", "-m", "All")):
        execute(*GIT, *command, folder=folder, environment=os.environ)
    link_venv(folder)
    return folder


@pytest.fixture(scope="module")
def built(repository: Path) -> Built:
    return make_dist(repository, umask=0o022)


@pytest.fixture(scope="module")
def released(built: Built) -> set[str]:
    """The lines of the released constraints."""
    return set((built.folder / "constraints.txt").read_text().splitlines())


@pytest.fixture(scope="module")
def metadata(built: Built) -> Message:
    with zipfile.ZipFile(built.wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return Parser().parsestr(archive.read(name).decode())


def test_the_wheel_has_the_packages_and_nothing_else(built: Built) -> None:
    with zipfile.ZipFile(built.wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        about = {name.partition("/")[2] for name in archive.namelist() if ".dist-info/" in name}
    files = tracked(*PACKAGES)
    assert names == {name for name in files if not name.endswith(ONLY_IN_THE_REPOSITORY)}
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
    assert re.search(
        rf"^## {re.escape(metadata['Version'])} - \d{{4}}-\d\d-\d\d$", changelog, re.MULTILINE
    )
    needed = [each for each in metadata.get_all("Requires-Dist") or [] if "extra ==" not in each]
    assert all(re.fullmatch(r"[a-z-]+>=[\d.]+", each) for each in needed), needed


def imported(wheel: Path) -> Iterator[tuple[str, str]]:
    """Each file of the wheel with each module that it imports, by the first part of its name."""
    with zipfile.ZipFile(wheel) as archive:
        for file in archive.namelist():
            if file.endswith(".py"):
                for node in ast.walk(ast.parse(archive.read(file))):
                    if isinstance(node, ast.Import):
                        yield from ((file, each.name.partition(".")[0]) for each in node.names)
                    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                        yield file, node.module.partition(".")[0]


def test_what_is_imported_is_required_by_an_extra_for_users(
    built: Built, metadata: Message
) -> None:
    required = set()
    for requirement in map(Requirement, metadata.get_all("Requires-Dist") or []):
        if any(
            requirement.marker is None or requirement.marker.evaluate({"extra": extra})
            for extra in EXTRAS
        ):
            required.add(canonicalize_name(requirement.name))
    by = packages_distributions()
    strangers = {
        (file, module)
        for file, module in imported(built.wheel)
        if module not in {*PACKAGES, *sys.stdlib_module_names}
        and not required & {*map(canonicalize_name, by.get(module, [module]))}
    }
    assert not strangers


def test_the_index_would_take_both(built: Built) -> None:
    for path in (built.sdist, built.wheel):
        assert re.search(rf"Checking dist/{re.escape(path.name)}: .*PASSED", built.said)


def test_the_sbom_is_valid_and_whole(built: Built, released: set[str]) -> None:
    text = (built.folder / "lookalike.cdx.json").read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    sbom = json.loads(text)
    assert sbom["specVersion"] == "1.6"
    about = sbom["metadata"]["component"]
    assert f"{about['name']}-{about['version']}-" in built.wheel.name
    found = {f"{each['name']}=={each['version']}" for each in sbom["components"]}
    assert found == released
    wanted = requirements.closure("lookalike", requirements.extras())
    assert {canonicalize_name(line.partition("==")[0]) for line in found} == wanted


def test_the_hashes_are_those_of_all_files(built: Built) -> None:
    said = execute("sha256sum", "-c", "SHA256SUMS", folder=built.folder, environment=os.environ)
    checked = {line.partition(": ")[0] for line in said.splitlines()}
    assert checked == {path.name for path in built.folder.iterdir()} - {"SHA256SUMS"}


def test_the_wheel_of_a_commit_comes_out_the_same(built: Built, repository: Path) -> None:
    before = built.wheel.read_bytes()
    (repository / "bot" / "stray.py").write_text("# in no commit")
    assert make_dist(repository, umask=0o077).wheel.read_bytes() == before


def lend(name: str, packages: Path) -> None:
    """Links a distribution's files into another environment."""
    found = distribution(name)
    for file in found.files or ():
        if file.parts[0] != "..":  # a command
            link = packages / file
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(Path(str(found.locate_file(file))).absolute())


def test_all_runs_from_the_wheel_in_an_empty_environment(built: Built, tmp_path: Path) -> None:
    venv, empty = tmp_path / "venv", tmp_path / "empty"
    empty.mkdir()
    settings = {"TELEGRAM_API_URL": "http://127.0.0.1:9", "CAPTIONER": "offline"}
    stack = create_stack(tmp_path / "home", {**settings, **fixed_ports()})
    environment = {**stack.environment, "HOME": str(empty)}
    environment.pop("PYTHONPATH", None)
    make_venv = (sys.executable, "-m", "venv", "--without-pip", venv)
    execute(*make_venv, folder=empty, environment=environment)
    pip = (sys.executable, "-m", "pip", "--python", venv / "bin" / "python")
    options = ("--no-deps", "--no-index", "--quiet")
    execute(*pip, "install", *options, built.wheel, folder=empty, environment=environment)
    (packages,) = venv.glob("lib/python3*/site-packages")
    for name in requirements.closure("lookalike", {"demo"}):
        lend(name, packages)
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
    assert doctor.stdout.endswith("1 check failed.\n"), doctor.stdout  # nobody is Telegram here
    assert "a photo of a tabby cat" in demo.result()
    assert "The picture is in " in demo.result()
