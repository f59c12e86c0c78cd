"""S3 on loopback, by moto's server: real requests, and nothing of AWS."""

import http.client
import logging
import re
from datetime import timedelta
from urllib.parse import quote

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends
from moto.server import ThreadedMotoServer

KEY_ID, SECRET = "AKIAS3TESTSONLYKEYID", "a-secret-for-tests-of-s3"
PREFIX = "some/where"


class Server:
    """It may be away for a while."""

    def __init__(self) -> None:
        logging.getLogger("werkzeug").setLevel(logging.WARNING)
        self.port, self.runs = 0, False
        self.start()

    def start(self) -> None:
        if not self.runs:
            self._server = ThreadedMotoServer("127.0.0.1", self.port, verbose=False)
            self._server.start()
            self.port, self.runs = self._server.get_host_and_port()[1], True

    def stop(self) -> None:
        if self.runs:
            self._server.stop()
            self.runs = False


class S3:
    """A bucket with an address."""

    def __init__(self, server: Server, bucket: str) -> None:
        self.bucket = bucket
        self._server = server
        self._ask("PUT")

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.port}"

    @property
    def url(self) -> str:
        return f"s3://{self.bucket}/{PREFIX}"

    @property
    def settings(self) -> dict[str, str]:
        return {
            "aws_endpoint_url": self.endpoint,
            "aws_region": "eu-central-1",
            "aws_access_key_id": KEY_ID,
            "aws_secret_access_key": SECRET,
        }

    @property
    def environment(self) -> dict[str, str]:
        return {name.upper(): value for name, value in self.settings.items()}

    def go_away(self) -> None:
        self._server.stop()

    def come_back(self) -> None:
        self._server.start()

    def keys(self) -> list[str]:
        """What is below the prefix."""
        found = self._ask("GET", f"?list-type=2&prefix={quote(PREFIX)}/")
        return sorted(
            name.removeprefix(f"{PREFIX}/") for name in re.findall("<Key>(.*?)</Key>", found)
        )

    def uploads(self) -> list[str]:
        """The keys of multipart uploads that nobody has ended."""
        return re.findall("<Key>(.*?)</Key>", self._ask("GET", "?uploads"))

    def put(self, name: str, data: str = "not ours") -> None:
        self._ask("PUT", f"/{quote(PREFIX)}/{quote(name)}", data)

    def keep_versions(self) -> None:
        self._ask("PUT", "?versioning", "<V><Status>Enabled</Status></V>")

    def age(self, name: str, seconds: float) -> None:
        """Has it be stored earlier."""
        stored = s3_backends[DEFAULT_ACCOUNT_ID]["aws"].buckets[self.bucket].keys
        stored[f"{PREFIX}/{name}"].last_modified -= timedelta(seconds=seconds)

    def remove_bucket(self) -> None:
        s3_backends[DEFAULT_ACCOUNT_ID]["aws"].buckets.pop(self.bucket, None)

    def _ask(self, method: str, path: str = "", body: str = "") -> str:
        connection = http.client.HTTPConnection("127.0.0.1", self._server.port, timeout=10)
        try:
            connection.request(method, f"/{self.bucket}{path}", body)
            response = connection.getresponse()
            text = response.read().decode()
            assert response.status == 200, text
            return text
        finally:
            connection.close()
