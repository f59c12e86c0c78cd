"""A cluster of Ray with two nodes on this machine, and the replicas of `deploy/ray/`."""

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil

from tests.docs.documents import ROOT
from tests.stack import free_port
from tests.waiting import wait_until

TOKEN = "the-token-of-the-tests-with-ray"


class Cluster:
    """Two nodes, each with room for one replica.

    Attributes:
        url: of the HTTP proxy.
        folder: for logs.
    """

    def __init__(self, model: Path, token: str = TOKEN, **variables: str) -> None:
        """Nothing runs yet; `variables` are further ones of its environment."""
        # Short, since Ray's sockets are in there.
        self.folder = Path(tempfile.mkdtemp(prefix="ray-", dir="/tmp"))
        self._ports = {name: free_port() for name in ("gcs", "dashboard", "proxy")}
        self.url = f"http://127.0.0.1:{self._ports['proxy']}"
        self._environment = {
            **os.environ,
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": secrets.token_hex(32),
            "RAY_USAGE_STATS_ENABLED": "0",
            "SERVICE_TOKEN": token,
            "LOOKALIKE_HOME": str(self.folder / "home"),
            "GENERATOR_MODEL": str(model),
            "GENERATOR_DEVICE": "cpu",
            "PYTHONPATH": str(ROOT),
            **variables,
        }
        self._nodes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Starts both nodes and deploys."""
        gcs, dashboard = self._ports["gcs"], self._ports["dashboard"]
        head = (
            *("--head", f"--port={gcs}", f"--temp-dir={self.folder}"),
            *("--dashboard-host=127.0.0.1", f"--dashboard-port={dashboard}"),
        )
        self._start(*head)
        self.start_the_second_node()
        file = self.folder / "serve.yaml"
        file.write_text(self._config())
        address = f"http://127.0.0.1:{dashboard}"
        subprocess.run(
            [sys.executable, "-m", "ray.serve.scripts", "deploy", str(file), "-a", address],
            env=self._environment,
            check=True,
            capture_output=True,
            timeout=60,
        )

    def start_the_second_node(self) -> None:
        """Starts it, the first time or after it was killed."""
        self._start(f"--address=127.0.0.1:{self._ports['gcs']}")

    def replicas(self) -> list[psutil.Process]:
        """The processes of replicas that compute."""
        return self._titled(":Painter")

    def proxies(self) -> list[psutil.Process]:
        """The processes that take requests."""
        return self._titled("ProxyActor")

    def logs_with(self, secret: str) -> list[Path]:
        """The files of logs that have it in them."""
        logs = (self.folder / "session_latest" / "logs").resolve()
        found = [path for path in logs.rglob("*") if path.is_file()]
        assert any("Painter" in path.name for path in found)
        return [path for path in found if secret.encode() in path.read_bytes()]

    def kill_the_second_node(self) -> None:
        """With kill -9, all of it at once."""
        for process in _family(self._nodes[1].pid):
            process.kill()
        self._nodes.pop().wait()

    def stop(self) -> None:
        processes = [process for node in self._nodes for process in _family(node.pid)]
        for process in processes:
            process.kill()
        for node in self._nodes:
            node.wait()
        psutil.wait_procs(processes, timeout=10)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _titled(self, name: str) -> list[psutil.Process]:
        return [
            process
            for node in self._nodes
            for process in _family(node.pid)
            if name in _title(process)
        ]

    def _config(self) -> str:
        """The one in the repository, with another port, and with cores instead of GPUs."""
        config = (ROOT / "deploy" / "ray" / "serve.yaml").read_text()
        for there, here in {
            "proxy_location: EveryNode": "proxy_location: HeadOnly",  # the nodes are one machine
            "port: 8000": f"port: {self._ports['proxy']}",
            "num_gpus: 1": "num_gpus: 0",
            "min_replicas: 1": "min_replicas: 2",
            "max_replicas: 8": "max_replicas: 2",
        }.items():
            assert config.count(there) == 1, there
            config = config.replace(there, here)
        return config

    def _start(self, *arguments: str) -> None:
        log = self.folder / f"node-{len(self._nodes)}.log"
        common = ("--node-ip-address=127.0.0.1", "--num-cpus=1", "--num-gpus=0", "--block")
        command = [sys.executable, "-m", "ray.scripts.scripts", "start", *arguments, *common]
        memory = "--object-store-memory=80000000"
        with log.open("wb") as file:
            node = subprocess.Popen(
                [*command, memory],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
            )
        self._nodes.append(node)

        def started() -> bool:
            assert node.poll() is None, log.read_text()
            return "Ray runtime started" in log.read_text()

        wait_until(started, seconds=180)


def _family(pid: int) -> list[psutil.Process]:
    try:
        parent = psutil.Process(pid)
        return [*parent.children(recursive=True), parent]
    except psutil.NoSuchProcess:
        return []


def _title(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""
