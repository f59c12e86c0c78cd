"""The image's health check, and the files that describe containers."""

import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from dotenv import dotenv_values

from lookalike import secret_files
from lookalike.cli.healthcheck import ROLES
from lookalike.processes.stack import SERVICES, Stack
from lookalike.settings import Settings
from tests.deploy.files import DEPLOY, PROMETHEUS, ROOT, read_yaml
from tests.docs import documents
from tests.docs.test_reference import ALL_SETTINGS, DEFINED

COMPOSE: Final = DEPLOY / "compose"
FILES: Final = ("small.yaml", "club.yaml", "many.yaml")
CONTAINER: Final = DEPLOY / "container"

_VARIABLE = re.compile(r"\$\{([A-Z_0-9]+)(?::([?+-])([^}]*))?\}")
_HANDED_OVER = "/run/secrets/"
_RAYS = {"RAY_AUTH_MODE", "RAY_AUTH_TOKEN_PATH", "RAY_USAGE_STATS_ENABLED"}

FILLED_IN: Final = {
    "BOT_HOST": "bot.example.org",
    "S3_BUCKET": "my-bucket",
    "TORCH_INDEX": "https://example.org/whl/cpu",
}
"""What a reader could put into .env."""

GIVEN: Final = {
    "aws-access-key-id": "AKIAIOSFODNN7EXAMPLE",
    "aws-secret-access-key": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "azure-vision-key": "0123456789abcdef0123456789abcdef",
    "telegram-bot-token": "10001:the-token-that-BotFather-gave",
}
"""What they could put into the files in secrets/ that are empty."""

WISHES: Final = {
    "AWS_ENDPOINT_URL": "https://s3.example.org",
    "AWS_REGION": "eu-central-1",
    "AZURE_VISION_ENDPOINT": "https://example.cognitiveservices.azure.com",
    "BOT_ADMINS": "1234567",
}
"""And in place of what lookalike.env leaves open."""

EACH_FILE = pytest.mark.parametrize("name", FILES)


# The image.


@pytest.mark.slow
@pytest.mark.end_to_end
@pytest.mark.parametrize(
    ("role", "stopped", "code"),
    [
        ("up", "", 0),
        ("demo", "", 0),
        ("dbservice", "", 0),
        ("bot", "bot", 1),
        ("up", "bot", 1),
    ],
)
def test_the_health_check(stack: Stack, role: str, stopped: str, code: int) -> None:
    nowhere = {f"{stopped.upper()}_LISTEN": "127.0.0.1:9"} if stopped else {}
    addresses = {f"{name.upper()}_LISTEN": stack.address(name) for name in SERVICES}
    done = subprocess.run(
        [sys.executable, "-m", "lookalike.cli.healthcheck", role],
        env={**os.environ, **addresses, **nowhere},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (code, "", "")


def test_what_the_image_copies_is_what_its_build_is_sent() -> None:
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", _containerfile(), re.MULTILINE)
    sent = re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE)
    assert sorted(name for line in copied for name in line.split()) == sorted(sent)
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert packages - {"benchmarks", "tests", "tools", "training"} <= set(sent)


def test_the_image_has_the_same_pytorch_as_a_checkout() -> None:
    (wanted,) = re.findall(r"^TORCH \?= (\S+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert f"\nARG TORCH={wanted}\n" in _containerfile()


def _containerfile() -> str:
    return (CONTAINER / "Containerfile").read_text()


# Compose.


@pytest.mark.slow
def test_the_specification_takes_the_compose_files() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
        + [str(COMPOSE / name) for name in FILES],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@EACH_FILE
def test_what_is_mounted_is_there(name: str) -> None:
    composed = read_yaml(COMPOSE / name)
    for service in composed["services"].values():
        for volume in service.get("volumes", ()):
            source = volume.partition(":")[0]
            if source.startswith("."):
                assert (COMPOSE / source).is_file() or source == "../grafana/provisioning"
            else:
                assert source in composed["volumes"]
        assert {_source(each) for each in service.get("secrets", ())} <= set(
            composed.get("secrets", ())
        )


def _source(secret: str | Mapping[str, str]) -> str:
    return secret if isinstance(secret, str) else secret["source"]


def _make_secrets(folder: Path) -> None:
    """As a reader makes them, whatever their umask."""
    shutil.copy(COMPOSE / "secrets.sh", folder)
    command = f"umask 077; cd /; sh {folder / 'secrets.sh'}"
    subprocess.run(["sh", "-c", command], check=True, timeout=60)


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the secrets, as a reader has filled it in."""
    folder = tmp_path_factory.mktemp("compose")
    _make_secrets(folder)
    for name, secret in GIVEN.items():
        (folder / "secrets" / name).write_text(secret)
    return folder / "secrets"


@pytest.mark.slow
def test_secrets_are_made_once_for_each_container_and_for_nobody_else(tmp_path: Path) -> None:
    _make_secrets(tmp_path)
    folder = tmp_path / "secrets"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    made = {path.name: path.read_text() for path in folder.iterdir()}
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o644}
    assert made.keys() == {
        secret for name in FILES for secret in read_yaml(COMPOSE / name)["secrets"]
    }
    assert {name for name, text in made.items() if not text} == GIVEN.keys()
    ours = [text for text in made.values() if re.fullmatch("[0-9a-f]{64}", text)]
    assert len(ours) == len(set(ours)) == len(made) - len(GIVEN) - 2
    (folder / "telegram-bot-token").write_text(GIVEN["telegram-bot-token"])
    _make_secrets(tmp_path)
    kept = {path.name: path.read_text() for path in folder.iterdir()}
    assert kept == made | {"telegram-bot-token": GIVEN["telegram-bot-token"]}


@EACH_FILE
def test_secrets_are_files_that_are_mounted(name: str) -> None:
    # Of a variable Compose makes a file in the container, which it cannot where that is read-only.
    for secret, source in read_yaml(COMPOSE / name)["secrets"].items():
        assert source == {"file": f"./secrets/{secret}"}


@EACH_FILE
def test_no_secret_is_in_an_environment(name: str) -> None:
    for service in read_yaml(COMPOSE / name)["services"].values():
        for key in service.get("environment", {}):
            assert f"{key}_FILE" not in DEFINED
            assert not key.endswith(("_PASSWORD", "_TOKEN", "_KEY"))


def test_what_is_to_be_filled_in_is_what_the_files_ask_for() -> None:
    used = {
        variable
        for name in FILES
        for variable, _, _ in _VARIABLE.findall((COMPOSE / name).read_text())
    }
    assert used == dotenv_values(COMPOSE / "example.env").keys()


def test_what_is_filled_in_is_not_committed() -> None:
    assert (COMPOSE / ".gitignore").read_text().split() == [".env", "lookalike.env", "secrets/"]


def test_a_bot_that_is_set_up_as_shown_is_its_owners_and_tells_of_the_licence() -> None:
    told = dotenv_values(COMPOSE / "lookalike.example.env")
    assert told["BOT_ACCESS"] == "me"
    assert "CreativeML Open RAIL-M" in str(told["BOT_NOTICE"])


def _ours(name: str) -> Mapping[str, Any]:
    """The services of a file that run the image."""
    services = read_yaml(COMPOSE / name)["services"]
    return {key: each for key, each in services.items() if "lookalike" in each["image"]}


@pytest.mark.slow
@EACH_FILE
@pytest.mark.parametrize("commented", ["out", "in"])
def test_the_services_take_what_they_are_told(
    secrets: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, commented: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for key in DEFINED:
        monkeypatch.delenv(key, raising=False)
    text = (COMPOSE / "lookalike.example.env").read_text()
    if commented == "in":
        text = re.sub(r"^#(?=[A-Z_]+=)", "", text, flags=re.MULTILINE)
    common = {
        key: value or WISHES[key] for key, value in dotenv_values(stream=StringIO(text)).items()
    }
    assert common.keys() <= DEFINED
    for each in _ours(name).values():
        assert each["env_file"] == ["lookalike.env"]
        told = {key: _VARIABLE.sub(_value, value) for key, value in each["environment"].items()}
        assert told.keys() <= DEFINED | _RAYS
        given = common | told
        read = {given["RAY_AUTH_TOKEN_PATH"]} if "RAY_AUTH_TOKEN_PATH" in given else set()
        for settings in _read_by(each):
            variables = secret_files.variables(settings.model_fields).values()
            read |= {given[key] for key in variables if key in given}
            with monkeypatch.context() as patch:
                for key, value in given.items():
                    patch.setenv(key, value.replace(_HANDED_OVER, f"{secrets}/"))
                settings.load()
        handed_over = {_HANDED_OVER + _source(secret) for secret in each["secrets"]}
        assert read <= handed_over
        if commented == "in":
            assert handed_over <= read


def _value(match: re.Match[str]) -> str:
    return FILLED_IN[match[1]]


def _read_by(service: Mapping[str, Any]) -> Sequence[type[Settings]]:
    """The settings that a container reads; a node of Ray has those that all have."""
    if "entrypoint" in service:
        return [Settings]
    (command,) = service["command"]
    return [ALL_SETTINGS[role] for role in ROLES[command]]


@pytest.mark.parametrize("name", ["club", "many"])
def test_prometheus_is_told_of_the_same_jobs_everywhere(name: str) -> None:
    jobs = [each["labels"]["job"] for each in read_yaml(PROMETHEUS / "targets.yml")]
    found = read_yaml(COMPOSE / f"{name}-targets.yml")
    assert [each["labels"]["job"] for each in found] == jobs
    hosts = {target.partition(":")[0] for each in found for target in each["targets"]}
    assert hosts <= read_yaml(COMPOSE / f"{name}.yaml")["services"].keys()


def test_caddy_does_what_the_documents_say() -> None:
    (block,) = documents.blocks("caddyfile")
    ours = (COMPOSE / "Caddyfile").read_text().partition("\n")[2]
    for variable, value in (("{$BOT_HOST}", "bot.example.org"), ("{$BOTS}", "127.0.0.1:5003")):
        ours = ours.replace(variable, value)
    assert ours == block.text


# Kubernetes.


RAY_SERVICE: Final = DEPLOY / "kuberay" / "rayservice.yaml"


def test_kuberay_serves_what_ray_serves() -> None:
    served = yaml.safe_load(read_yaml(RAY_SERVICE)["spec"]["serveConfigV2"])
    assert served == read_yaml(DEPLOY / "ray" / "serve.yaml")


@pytest.mark.parametrize("role", ["generator", "bot"])
def test_the_heads_pod_has_both_and_they_take_what_they_are_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, role: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for key in DEFINED:
        monkeypatch.delenv(key, raising=False)
    secrets = GIVEN | {
        "service-token": "0123456789abcdef",
        "generator-database-url": "postgresql://lookalike:password@db.example.org/jobs",
    }
    head = read_yaml(RAY_SERVICE)["spec"]["rayClusterConfig"]["headGroupSpec"]["template"]["spec"]
    (container,) = [
        each for each in head["containers"] if each.get("command") == ["lookalike", role]
    ]
    for each in container["env"]:
        assert each["name"] in DEFINED
        value = each.get("value") or secrets[each["valueFrom"]["secretKeyRef"]["key"]]
        monkeypatch.setenv(each["name"], value)
    ALL_SETTINGS[role].load()
