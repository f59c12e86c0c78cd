"""From an HTTP request to a method and back: token, faults, answer, transcript, downloads."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias

from fastapi import APIRouter, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.types import Receive, Scope, Send

from lookalike.tokens import same_token
from lookalike.waiting import any_of
from sandbox.botapi import (
    account,
    commands,
    editing,
    inline,
    menu_button,
    polling,
    profile,
    sending,
)
from sandbox.botapi.call import Call
from sandbox.botapi.params import Params, read_params
from sandbox.faults import DOWNLOAD, Fault
from sandbox.state import InSandbox, Sandbox
from sandbox.storage.events import record_event
from sandbox.storage.schema import Json
from sandbox.storage.values import UNKNOWN_METHODS, get_option, set_option
from sandbox.telegram.files import find_path
from sandbox.telegram.refusals import Refusal, too_many_requests

Method: TypeAlias = Callable[[Call], Awaitable[Any]]

_METHODS: dict[str, Method] = {
    "getMe": account.get_me,
    "getUpdates": polling.get_updates,
    "setWebhook": polling.set_webhook,
    "deleteWebhook": polling.delete_webhook,
    "getWebhookInfo": polling.get_webhook_info,
    "sendMessage": sending.send_message,
    "sendPhoto": sending.send_photo,
    "sendDocument": sending.send_document,
    "sendMediaGroup": sending.send_media_group,
    "copyMessage": sending.copy_message,
    "sendChatAction": sending.send_chat_action,
    "editMessageText": editing.edit_message_text,
    "editMessageCaption": editing.edit_message_caption,
    "editMessageMedia": editing.edit_message_media,
    "editMessageReplyMarkup": editing.edit_message_reply_markup,
    "deleteMessage": editing.delete_message_,
    "deleteMessages": editing.delete_messages,
    "answerCallbackQuery": account.answer_callback_query,
    "answerInlineQuery": inline.answer_inline_query,
    "savePreparedInlineMessage": inline.save_prepared_inline_message,
    "setMessageReaction": inline.set_message_reaction,
    "setMyCommands": commands.set_my_commands,
    "getMyCommands": commands.get_my_commands,
    "deleteMyCommands": commands.delete_my_commands,
    "setChatMenuButton": menu_button.set_chat_menu_button,
    "getChatMenuButton": menu_button.get_chat_menu_button,
    "setMyName": profile.set_my_name,
    "getMyName": profile.get_my_name,
    "setMyDescription": profile.set_my_description,
    "getMyDescription": profile.get_my_description,
    "setMyShortDescription": profile.set_my_short_description,
    "getMyShortDescription": profile.get_my_short_description,
    "setMyProfilePhoto": profile.set_my_profile_photo,
    "removeMyProfilePhoto": profile.remove_my_profile_photo,
    "getFile": account.get_file,
    "getChatAdministrators": account.get_chat_administrators,
}
_NAMES = {name.lower(): name for name in _METHODS}
_BYTES = "application/octet-stream"
_REASONS = {
    401: "Unauthorized",
    404: "Not Found",
    500: "Internal Server Error",
    502: "Bad Gateway",
    504: "Gateway Timeout",
}

_log = logging.getLogger(__name__)

router = APIRouter()


@router.api_route("/bot{token}/{method}", methods=["GET", "POST"])
async def call_method(token: str, method: str, request: Request, sandbox: InSandbox) -> Response:
    """A method of the Bot API."""
    try:
        _check_token(sandbox, token)
        params = await read_params(request)
    except Refusal as refusal:
        return _refused(refusal)
    name = _NAMES.get(method.lower(), method[:64])
    fault = await _take_fault(sandbox, name, params)
    async with _watching_client(request) as gone:
        status, answer = await _perform(Call(sandbox, params, gone), name, fault)
        await _record_call(sandbox, name, params, (status, answer), fault)
        return await _deliver(sandbox, JSONResponse(answer, status_code=status), fault, gone)


@router.get("/file/bot{token}/{path:path}")
async def download(token: str, path: str, request: Request, sandbox: InSandbox) -> Response:
    """A file's bytes, at the path that getFile gave."""
    params = Params({"path": path}, {})
    response: Response
    try:
        _check_token(sandbox, token)
    except Refusal as refusal:
        return _refused(refusal)
    fault = await _take_fault(sandbox, DOWNLOAD, params)
    await request.body()
    async with _watching_client(request) as gone:
        try:
            await _strike(sandbox, fault, gone)
            response = FileResponse(await _find(sandbox, path), media_type=_BYTES)
        except Refusal as refusal:
            response = _refused(refusal)
        await _record_call(sandbox, DOWNLOAD, params, (response.status_code, None), fault)
        return await _deliver(sandbox, response, fault, gone)


@asynccontextmanager
async def _watching_client(request: Request) -> AsyncIterator[asyncio.Event]:
    """Gives an event that is set when the client has gone; the body must have been read before."""
    gone = asyncio.Event()

    async def watch() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        gone.set()

    watcher = asyncio.create_task(watch())
    try:
        yield gone
    finally:
        watcher.cancel()


async def _find(sandbox: Sandbox, path: str) -> Path:
    async with sandbox.database.reading() as tx:
        file = await find_path(tx, path)
    if file is None:
        raise Refusal(404, "Not Found")
    path_on_disk: Path = sandbox.database.files_folder / file.path
    return path_on_disk


def _check_token(sandbox: Sandbox, token: str) -> None:
    if not same_token(token, sandbox.bot.token):
        raise Refusal(401, "Unauthorized")


def _refused(refusal: Refusal) -> JSONResponse:
    return JSONResponse(refusal.answer(), status_code=refusal.status)


async def _perform(call: Call, name: str, fault: Fault | None) -> tuple[int, Json]:
    """Runs the method; gives the HTTP status and the answer's body."""
    try:
        await _strike(call.sandbox, fault, call.gone)
        if name not in _METHODS:
            await _note_unknown(call.sandbox, name)
            raise Refusal(404, "Not Found: method not found")  # noqa: TRY301, as above
        result = await _METHODS[name](call)
    except Refusal as refusal:
        return refusal.status, refusal.answer()
    return 200, {"ok": True, "result": result}


async def _take_fault(sandbox: Sandbox, name: str, params: Params) -> Fault | None:
    fault = sandbox.faults.take(name, params.values)
    if fault is not None:
        async with sandbox.database.transaction() as tx:
            await record_event(tx, "fault", {"id": fault.id, "method": name})
    return fault


async def _strike(sandbox: Sandbox, fault: Fault | None, gone: asyncio.Event) -> None:
    """What a fault does before the call is performed."""
    if fault is None:
        return
    if fault.retry_after is not None:
        raise too_many_requests(fault.retry_after)
    if fault.status is not None:
        raise Refusal(fault.status, _REASONS.get(fault.status, "Internal Server Error"))
    if fault.description is not None:
        raise Refusal(400, f"Bad Request: {fault.description}")
    if fault.seconds is not None:
        released = sandbox.faults.released(fault)
        await any_of(released, sandbox.stop, gone, seconds=fault.seconds)


async def _deliver(
    sandbox: Sandbox, response: Response, fault: Fault | None, gone: asyncio.Event
) -> Response:
    """What a fault does after the call was performed."""
    if fault is not None and fault.kind == "hold":
        fault.holding += 1
        try:
            await any_of(sandbox.faults.released(fault), sandbox.stop, gone)
        finally:
            fault.holding -= 1
    if fault is not None and fault.kind == "cut":
        return _CutResponse(status_code=response.status_code)
    return response


class _CutResponse(Response):
    """Begins an answer and ends it before its length: the server then closes the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        headers = [(b"content-type", b"application/json"), (b"content-length", b"1000")]
        await send({"type": "http.response.start", "status": self.status_code, "headers": headers})
        await send({"type": "http.response.body", "body": b"{", "more_body": True})


async def _note_unknown(sandbox: Sandbox, name: str) -> None:
    _log.error("The bot called %s, which this sandbox does not have.", name)
    async with sandbox.database.transaction() as tx:
        known: list[str] = await get_option(tx, UNKNOWN_METHODS) or []
        if name not in known:
            await set_option(tx, UNKNOWN_METHODS, [*known, name][-100:])


async def _record_call(
    sandbox: Sandbox,
    name: str,
    params: Params,
    answer: tuple[int, Json | None],
    fault: Fault | None,
) -> None:
    status, body = answer
    data: Json = {
        "method": name,
        "params": params.values,
        "files": {
            part: {"name": upload.name, "size": len(upload.data)}
            for part, upload in params.files.items()
        },
        "status": status,
        "answer": body,
        "fault": fault.kind if fault else None,
    }
    async with sandbox.database.transaction() as tx:
        await record_event(tx, "call", data)
