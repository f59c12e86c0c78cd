"""The image's health check, and the files that describe containers."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from typing import Any, Final

import pytest
import yaml

from lookalike import secret_files
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

EXAMPLES: Final = {
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "AZURE_VISION_KEY": "0123456789abcdef0123456789abcdef",
    "BOT_HOST": "bot.example.org",
    "GRAFANA_PASSWORD": "0123456789abcdef",
    "POSTGRES_PASSWORD": "0123456789abcdef",
    "RAY_TOKEN": "0123456789abcdef",
    "S3_BUCKET": "my-bucket",
    "SERVICE_TOKEN": "0123456789abcdef",
    "TELEGRAM_BOT_TOKEN": "10001:the-token-that-BotFather-gave",
}
"""What a reader could put into .env."""

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


def _filled_in() -> Mapping[str, str]:
    """`.env` as a reader could have filled it in; its variables may have others in them."""
    text = (COMPOSE / "example.env").read_text()
    found: dict[str, str] = {}
    for name, value in re.findall(r"^([A-Z_0-9]+)=(.*)$", text, re.MULTILINE):
        found[name] = EXAMPLES.get(name, "") or _VARIABLE.sub(lambda match: found[match[1]], value)
    return found


def test_what_is_to_be_filled_in_is_what_the_files_ask_for() -> None:
    used = set(_VARIABLE.findall((COMPOSE / "example.env").read_text()))
    for name in FILES:
        used |= set(_VARIABLE.findall((COMPOSE / name).read_text()))
    names = {variable for variable, _, _ in used}
    for name in FILES:
        secrets = read_yaml(COMPOSE / name)["secrets"].values()
        names |= {secret["environment"] for secret in secrets}
    assert names - {"LOOKALIKE_IMAGE"} == _filled_in().keys()


@EACH_FILE
def test_secrets_are_in_files_and_in_no_environment(name: str) -> None:
    composed = read_yaml(COMPOSE / name)
    secret = {each["environment"] for each in composed["secrets"].values()}
    for service in composed["services"].values():
        for key, value in service.get("environment", {}).items():
            assert key not in secret
            given = [variable for variable, way, _ in _VARIABLE.findall(value) if way != "+"]
            assert not secret.intersection(given)


def test_what_is_filled_in_is_not_committed() -> None:
    assert (COMPOSE / ".gitignore").read_text().split() == [".env", "lookalike.env"]


@EACH_FILE
def test_the_services_take_what_they_are_told(name: str) -> None:
    composed = read_yaml(COMPOSE / name)
    ours = {
        service: each
        for service, each in composed["services"].items()
        if "lookalike" in each["image"]
    }
    assert ours
    for each in ours.values():
        told = {
            key: _VARIABLE.sub(_value, value) for key, value in each.get("environment", {}).items()
        }
        assert told.keys() <= DEFINED | _RAYS
        files = {value.removeprefix(_HANDED_OVER) for value in told.values() if _is_file(value)}
        assert files == {_source(secret) for secret in each.get("secrets", ())}
        for settings in ALL_SETTINGS.values():
            _check(settings, told, composed["secrets"])


def _is_file(value: str) -> bool:
    return value.startswith(_HANDED_OVER)


def _value(match: re.Match[str]) -> str:
    name, way, other = match.groups()
    return other if way == "+" else _filled_in().get(name) or other or ""


def _check(
    settings: type[Settings], told: Mapping[str, str], secrets: Mapping[str, Mapping[str, str]]
) -> None:
    """Raises where a setting cannot be what it is told."""
    given = {key.lower(): value for key, value in told.items() if value and not _is_file(value)}
    for field, variable in secret_files.variables(settings.model_fields).items():
        if variable in told:
            name = secrets[told[variable].removeprefix(_HANDED_OVER)]["environment"]
            assert name == field.upper()
            given[field] = _filled_in()[name]
    known: Any = {key: value for key, value in given.items() if key in settings.model_fields}
    if "telegram_bot_token" in settings.model_fields:
        known.setdefault("telegram_bot_token", EXAMPLES["TELEGRAM_BOT_TOKEN"])
    settings(**known)


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


def test_kuberay_serves_what_ray_serves() -> None:
    service = read_yaml(DEPLOY / "kuberay" / "rayservice.yaml")
    served = yaml.safe_load(service["spec"]["serveConfigV2"])
    assert served == read_yaml(DEPLOY / "ray" / "serve.yaml")
