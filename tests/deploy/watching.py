"""A Prometheus that watches services, as deploy/prometheus has it do, but more often."""

import math
import shutil
import subprocess
import time
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Self

import httpx
import yaml

from tests.deploy.files import PROMETHEUS
from tests.stack import free_port
from tests.waiting import wait_until

_INTERVALS: Final = ("scrape_interval: 15s", "evaluation_interval: 15s", "scrape_timeout: 10s")


class Prometheus:
    """Its HTTP API (prometheus.io, HTTP API)."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, trust_env=False, timeout=20)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._client.close()

    @property
    def is_ready(self) -> bool:
        try:
            return self._client.get("/-/ready").is_success
        except httpx.TransportError:
            return False

    def ask(self, path: str, **parameters: str) -> Any:
        answer = self._client.get(f"/api/v1/{path}", params=parameters)
        assert answer.is_success, answer.text
        return answer.json()["data"]

    def figures(self, query: str) -> list[float]:
        """What a query says now; nothing, where that is no number."""
        return _numbers(each["value"] for each in self.ask("query", query=query)["result"])

    def history(self, query: str, since: float, step: float) -> list[float]:
        """What it has said since then (seconds since 1970), every so many seconds."""
        span = {"start": str(since), "end": str(time.time()), "step": str(step)}
        series = self.ask("query_range", query=query, **span)["result"]
        return _numbers(value for each in series for value in each["values"])


def _numbers(values: Iterable[tuple[float, str]]) -> list[float]:
    """Of pairs of a time and a value."""
    return [number for _, value in values if not math.isnan(number := float(value))]


@contextmanager
def watch(
    folder: Path, targets: Mapping[str, str], token: str, seconds: int = 1
) -> Generator[Prometheus, None, None]:
    """Runs Prometheus while the context lasts.

    Args:
        folder: where it keeps everything.
        targets: where each job of targets.yml is.
        token: of the services.
        seconds: from one scrape to the next.
    """
    configuration = (PROMETHEUS / "prometheus.yml").read_text()
    for usual in _INTERVALS:
        assert usual in configuration
        often = f"{usual.partition(' ')[0]} {seconds}s"
        configuration = configuration.replace(usual, often)
    (folder / "prometheus.yml").write_text(configuration)
    shutil.copy(PROMETHEUS / "rules.yml", folder)
    (folder / "service-token").write_text(token)
    found = yaml.safe_load((PROMETHEUS / "targets.yml").read_text())
    for each in found:
        each["targets"] = [targets[each["labels"]["job"]]]
    (folder / "targets.yml").write_text(yaml.safe_dump(found))
    address = f"127.0.0.1:{free_port()}"
    command = [
        "prometheus",
        f"--config.file={folder}/prometheus.yml",
        f"--storage.tsdb.path={folder}/data",
        f"--web.listen-address={address}",
    ]
    log = folder / "prometheus.log"
    with log.open("wb") as file, Prometheus(f"http://{address}") as prometheus:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file, stderr=file)
        try:
            wait_until(lambda: process.poll() is not None or prometheus.is_ready)
            assert process.poll() is None, log.read_text()
            yield prometheus
        finally:
            process.terminate()
            process.wait(20)
