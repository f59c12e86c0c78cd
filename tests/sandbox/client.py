"""The people's side of the sandbox for tests, typed; what it speaks: `sandbox.people`."""

import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import parse_qs, urlsplit

import httpx

from tests.sandbox.shown import Answer, ApiCall, Button, Json, Offer, Prepared, ShownMessage
from tests.waiting import eventually

__all__ = [
    "LOOPBACK",
    "Answer",
    "ApiCall",
    "Button",
    "Json",
    "Offer",
    "People",
    "Prepared",
    "ShownMessage",
]

_T = TypeVar("_T")

LOOPBACK: Json = {"trust_env": False, "verify": False}
"""For httpx: no proxy of the environment, and no authorities read that nobody asks."""

_LONG_POLL_SECONDS = 10.0


class People:
    """Plays the people of a sandbox. In a private chat the chat's id is the user's.

    Where a `user` is asked for and not given, it is the user whose private chat it is.
    """

    def __init__(self, url: str) -> None:
        self._http = httpx.AsyncClient(base_url=url, timeout=90, **LOOPBACK)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._http.aclose()

    async def _ask(self, method: str, path: str, **arguments: Any) -> Any:
        response = await self._http.request(method, f"/sandbox{path}", **arguments)
        if response.is_error:
            raise AssertionError(f"{method} {path}: {response.status_code} {response.text}")
        return response.json() if response.content else None

    async def add_user(
        self,
        first_name: str = "Ada",
        *,
        language_code: str | None = "en",
        user_id: int | None = None,
        **names: str,
    ) -> int:
        """A new user, perhaps with `last_name` and `username`; gives the id, which is the private
        chat's too.
        """
        body = {"first_name": first_name, "language_code": language_code, "id": user_id, **names}
        user = await self._ask("POST", "/users", json=body)
        return int(user["id"])

    async def add_group(
        self, members: Sequence[int], *, kind: str = "group", forum: bool = False
    ) -> int:
        """A group or supergroup with the bot in it, which the first administers; gives its id."""
        body: Json = {"type": kind, "title": "The group", "members": list(members)}
        if forum:
            body["is_forum"] = True
        return int((await self._ask("POST", "/chats", json=body))["id"])

    async def chats(self) -> list[Json]:
        """All chats."""
        chats: list[Json] = await self._ask("GET", "/chats")
        return chats

    async def _send(
        self,
        chat: int,
        user: int | None,
        fields: Json,
        files: Sequence[tuple[str, tuple[str, bytes, str]]] = (),
    ) -> list[ShownMessage]:
        given = {name: value for name, value in fields.items() if value is not None}
        sent = await self._ask(
            "POST",
            f"/chats/{chat}/messages",
            data={"user": chat if user is None else user, **given},
            files=list(files) or None,
        )
        return [ShownMessage(message) for message in sent]

    async def send_text(
        self,
        chat: int,
        text: str,
        *,
        user: int | None = None,
        reply_to: int | None = None,
        thread: int | None = None,
        anonymous: bool | None = None,
    ) -> ShownMessage:
        fields = {"text": text, "reply_to": reply_to, "thread": thread, "anonymous": anonymous}
        (message,) = await self._send(chat, user, fields)
        return message

    async def send_photo(
        self,
        chat: int,
        photo: bytes,
        *,
        user: int | None = None,
        caption: str | None = None,
        reply_to: int | None = None,
        thread: int | None = None,
        anonymous: bool | None = None,
    ) -> ShownMessage:
        """A photo; in a forum's topic, or in the group's name, if that is asked for."""
        fields: Json = {"caption": caption, "reply_to": reply_to}
        fields |= {"thread": thread, "anonymous": anonymous}
        files = [("photo", ("photo.jpg", photo, "image/jpeg"))]
        (message,) = await self._send(chat, user, fields, files)
        return message

    async def send_album(
        self,
        chat: int,
        photos: Sequence[bytes],
        *,
        user: int | None = None,
        caption: str | None = None,
    ) -> list[ShownMessage]:
        """Several photos that belong together: as many messages and updates."""
        files = [("photo", ("photo.jpg", photo, "image/jpeg")) for photo in photos]
        return await self._send(chat, user, {"caption": caption}, files)

    async def send_document(
        self,
        chat: int,
        data: bytes,
        name: str = "photo.png",
        media_type: str = "image/png",
        *,
        user: int | None = None,
        caption: str | None = None,
        reply_to: int | None = None,
    ) -> ShownMessage:
        files = [("document", (name, data, media_type))]
        fields = {"caption": caption, "reply_to": reply_to}
        (message,) = await self._send(chat, user, fields, files)
        return message

    async def edit(self, message: ShownMessage, text: str) -> ShownMessage:
        """Lets the sender change a message's text or caption."""
        body = {"user": message.sender_id, "text": text}
        path = f"/chats/{message.chat_id}/messages/{message.id}"
        return ShownMessage(await self._ask("PATCH", path, json=body))

    async def delete(self, message: ShownMessage) -> None:
        """Deletes a message for everyone."""
        await self._ask("DELETE", f"/chats/{message.chat_id}/messages/{message.id}")

    async def age(self, message: ShownMessage, hours: int) -> None:
        """Makes a message older than it is."""
        path = f"/chats/{message.chat_id}/messages/{message.id}/age"
        await self._ask("POST", path, json={"hours": hours})

    async def press(
        self, message: ShownMessage, text: str, *, user: int | None = None, wait: float = 20
    ) -> Answer | None:
        """Presses the button that shows `text`; gives the bot's answer, None if none came."""
        (button,) = (button for button in message.buttons if button.text == text)
        user_id = message.chat_id if user is None else user
        body = {"user": user_id, "data": button.data, "wait": wait}
        path = f"/chats/{message.chat_id}/messages/{message.id}/press"
        answer = (await self._ask("POST", path, json=body))["answer"]
        return None if answer is None else Answer(**answer)

    async def react(self, message: ShownMessage, *emoji: str, user: int | None = None) -> None:
        """Reacts to a message with these alone."""
        body = {"user": message.chat_id if user is None else user, "emoji": list(emoji)}
        path = f"/chats/{message.chat_id}/messages/{message.id}/reaction"
        await self._ask("PUT", path, json=body)

    async def set_inline_mode(self, *, enabled: bool = True) -> None:
        """What /setinline at @BotFather does."""
        await self._ask("PUT", "/inline", json={"enabled": enabled})

    async def look_for(
        self, user: int, query: str = "", *, offset: str = "", chat: int | None = None
    ) -> Offer | None:
        """Writes something after the bot's name; None: no answer came.

        That is in one's chat with it, or in another.
        """
        body = {"user": user, "chat": chat or user, "query": query, "offset": offset, "wait": 20}
        asked = await self._ask("POST", "/inline", json=body)
        if asked["answer"] is None:
            return None
        return Offer(asked["id"], user, asked["answer"])

    async def choose(self, offer: Offer, result: str, chat: int) -> ShownMessage:
        """Sends one of the results."""
        body = {"user": offer.user, "chat": chat, "result": result}
        return ShownMessage(await self._ask("POST", f"/inline/{offer.id}/choose", json=body))

    async def open_app(
        self,
        user: int,
        url: str,
        *,
        message: ShownMessage | None = None,
        theme: dict[str, str] | None = None,
    ) -> dict[str, str]:
        """Opens a Mini App by a message's button, or by the menu button.

        Gives what it is told, by the names in its address: `tgWebAppData` is the initData.
        """
        body: Json = {"user": user, "url": url, "theme": theme or {}}
        if message is not None:
            body["message"] = message.id
        chat = user if message is None else message.chat_id
        opened = urlsplit((await self._ask("POST", f"/chats/{chat}/app", json=body))["url"])
        assert opened._replace(fragment="").geturl() == url
        told = parse_qs(opened.fragment, strict_parsing=True)
        return {name: value for name, (value,) in told.items()}

    async def prepared(self, user: int, prepared_id: str) -> Prepared:
        """What an app has prepared for its user to send."""
        path = f"/prepared/{prepared_id}"
        shown = await self._ask("GET", path, params={"user": user})
        content = shown["content"]
        photo = content["photo"][-1]["file_id"]
        return Prepared(content.get("caption", ""), photo, shown["kinds"])

    async def send_prepared(self, user: int, prepared_id: str, chat: int) -> ShownMessage:
        """Sends it, in the user's own name."""
        body = {"user": user, "chat": chat}
        return ShownMessage(await self._ask("POST", f"/prepared/{prepared_id}/send", json=body))

    async def set_bot_status(self, chat: int, status: str) -> None:
        """`member`, `administrator`, `left` or `kicked`: from a private chat that is blocked."""
        await self._ask("PUT", f"/chats/{chat}/bot", json={"status": status})

    async def block(self, chat: int) -> None:
        await self.set_bot_status(chat, "kicked")

    async def unblock(self, chat: int) -> None:
        await self.set_bot_status(chat, "member")

    async def migrate(self, chat: int) -> int:
        """Makes a supergroup of a group; gives the new chat's id."""
        return int((await self._ask("POST", f"/chats/{chat}/migrate"))["id"])

    async def send_updates(self, updates: Sequence[Json]) -> None:
        """Gives the bot updates as they are, each without its number."""
        await self._ask("POST", "/updates", json=list(updates))

    async def messages(self, chat: int) -> list[ShownMessage]:
        """The chat as it shows now, oldest first."""
        shown = await self._ask("GET", f"/chats/{chat}/messages")
        return [ShownMessage(message) for message in shown]

    async def wait_for(
        self,
        chat: int,
        look: Callable[[list[ShownMessage]], _T | None],
        timeout: float = 30,  # noqa: ASYNC109, it says in its failure what the chat showed
    ) -> _T:
        """Waits until `look`, given the chat's messages, finds something true, and gives that."""
        deadline = time.monotonic() + timeout
        while True:
            last = await self.last_event()
            messages = await self.messages(chat)
            found = look(messages)
            if found:
                return found
            left = deadline - time.monotonic()
            if left <= 0:
                shown = "\n".join(str(message.json) for message in messages)
                raise AssertionError(f"not shown within {timeout} s; chat {chat} shows:\n{shown}")
            await self.events(last, min(left, _LONG_POLL_SECONDS))

    async def last_event(self) -> int:
        """The number of the newest event."""
        return int((await self._ask("GET", "/events"))["last"])

    async def events(self, after: int, wait: float = 0, *, kinds: Sequence[str] = ()) -> list[Json]:
        """Events after a number, oldest first; waits up to `wait` seconds for the first."""
        params = {"after": after, "wait": wait, "kind": list(kinds)}
        events: list[Json] = (await self._ask("GET", "/events", params=params))["events"]
        return events

    async def calls(self, method: str | None = None, after: int = 0) -> list[ApiCall]:
        """The transcript: the bot's calls, in order, of one method or of all."""
        found: list[Json] = []
        while page := await self.events(after, kinds=["call"]):
            found += page
            after = page[-1]["n"]
        calls = [ApiCall(n=event["n"], time=event["time"], **event["data"]) for event in found]
        return [call for call in calls if method in {None, call.method}]

    async def wait_for_call(
        self,
        method: str,
        *,
        after: int = 0,
        timeout: float = 30,  # noqa: ASYNC109, as above
    ) -> ApiCall:
        """Waits for a call of a method after event `after`, and gives the first."""
        deadline = time.monotonic() + timeout
        while True:
            for event in await self.events(after, _LONG_POLL_SECONDS, kinds=["call"]):
                after = event["n"]
                if event["data"]["method"] == method:
                    return ApiCall(n=after, time=event["time"], **event["data"])
            if time.monotonic() > deadline:
                raise AssertionError(f"the bot did not call {method} within {timeout} s")

    async def original(self, file_id: str) -> bytes:
        """A file's bytes as they were uploaded, by the bot or a user."""
        response = await self._http.get(f"/sandbox/files/{file_id}")
        assert response.status_code == 200, response.text
        return response.content

    async def forget_file(self, file_id: str) -> None:
        """Lets the Bot API no longer take the file_id."""
        await self._ask("DELETE", f"/files/{file_id}")

    async def bot(self) -> Json:
        """user, profile, commands, menu_buttons, pending_updates, webhook, unknown_methods."""
        bot: Json = await self._ask("GET", "/bot")
        return bot

    async def add_fault(self, kind: str, **order: Any) -> int:
        """Queues a fault, a `sandbox.faults.FaultOrder`; gives its id."""
        return int((await self._ask("POST", "/faults", json={"kind": kind, **order}))["id"])

    async def faults(self) -> list[Json]:
        """All faults; `met` says how many calls each met."""
        faults: list[Json] = await self._ask("GET", "/faults")
        return faults

    async def wait_for_fault(self, fault_id: int, *, seconds: float = 30) -> None:
        """Waits until the fault has met a call; it may be performed only later."""
        deadline = time.monotonic() + seconds
        after = 0
        while time.monotonic() < deadline:
            for event in await self.events(after, _LONG_POLL_SECONDS, kinds=["fault"]):
                after = event["n"]
                if event["data"]["id"] == fault_id:
                    return
        raise AssertionError(f"fault {fault_id} met no call within {seconds} s")

    async def wait_for_held(self, fault_id: int, number: int, *, seconds: float = 30) -> None:
        """Waits until the fault holds as many answers."""

        async def look() -> bool | None:
            holding = {fault["id"]: fault["holding"] for fault in await self.faults()}
            return holding.get(fault_id) == number or None

        await eventually(look, seconds)

    async def release(self, fault_id: int) -> None:
        """Releases what the fault holds and ends it."""
        await self._ask("DELETE", f"/faults/{fault_id}")

    async def clear_faults(self) -> None:
        """Releases and ends all faults."""
        await self._ask("DELETE", "/faults")
