"""A bot with a gallery, and whoever asks it."""

import json
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from init_data_py import sign

from bot import app
from tests.bot.desk import BOT_TOKEN, Desk


def init_data(user: int, *, age: float = 0, token: str = BOT_TOKEN, language: str = "en") -> str:
    """What Telegram hands to a Mini App that this user has opened so many seconds ago."""
    who = {"id": user, "first_name": "Ada", "language_code": language}
    fields = {"query_id": "1", "user": json.dumps(who)}
    return sign(fields, token, auth_date=time.time() - age)


@dataclass(frozen=True)
class Visit:
    """Somebody who has opened the gallery."""

    http: httpx.AsyncClient
    authorization: str

    async def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {"Authorization": self.authorization} if self.authorization else {}
        return await self.http.request(method, f"/app/api{path}", headers=headers, **options)

    async def get(self, path: str) -> Any:
        answer = await self.ask("GET", path)
        assert answer.status_code == 200, answer.text
        assert answer.headers["Cache-Control"] == "no-store"
        return answer.json()

    async def refused(self, method: str, path: str, **options: Any) -> tuple[int, str]:
        """The status and the code of a refusal."""
        answer = await self.ask(method, path, **options)
        assert answer.headers["Content-Type"] == "application/problem+json"
        problem = answer.json()
        assert problem["status"] == answer.status_code
        assert problem["detail"]
        return answer.status_code, problem["code"]


@asynccontextmanager
async def opened(desk: Desk, **settings: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A bot with a gallery, and a client of its HTTP front."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    public = {"bot_listen": address, "bot_public_url": f"http://{address}"}
    changed = desk.settings.model_copy(update=public | settings)
    async with app.running(changed), httpx.AsyncClient(base_url=f"http://{address}") as http:
        yield http


def visit(http: httpx.AsyncClient, user: int, **signed: Any) -> Visit:
    return Visit(http, f"tma {init_data(user, **signed)}")
