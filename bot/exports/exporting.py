"""Sends users all that is kept of them, part after part, however often it is interrupted.

A part comes into a message that is there already and whose id is known: an edit that is made twice
is still one message (docs/decisions/0067-exports.md).
"""

import logging
import tempfile
from collections import defaultdict
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from bot import texts
from bot.beside import Beside
from bot.clients.errors import DatabaseError
from bot.exports.packing import Packer, Part
from bot.probing import find, newest_id
from bot.refusals import CannotDeliver, Moved, NotTaken, TelegramUnavailable
from bot.services import Services
from bot.texts.texts import Texts
from bot.work.backoff import Backoff
from protos.lookalike.db.v1 import db_pb2 as db

MOST_BYTES: Final = 48_000_000
"""Of a part; Telegram takes 50 MB of a bot (core.telegram.org/bots/faq)."""

_MOST_LOST: Final = 3
"""Messages for a part that are gone; whoever deletes them all wants none."""

_EXPECTED: Final = (DatabaseError, OSError, TelegramUnavailable)

_Step = Callable[[db.Export], Awaitable[None]]

_log = logging.getLogger(__name__)


class Exporting:
    """Packs one part at a time, users in turns; meanwhile everybody who asks is answered."""

    def __init__(
        self,
        services: Services,
        folder: Path,
        bot_id: int,
        is_called_for: Callable[[], bool] = lambda: True,
        most: int = MOST_BYTES,
    ) -> None:
        """Nobody waits yet.

        Args:
            services: dbservice and Telegram.
            folder: of the part that is being packed.
            bot_id: whose users they are.
            is_called_for: whether anybody may wait.
            most: how many bytes a part may have.
        """
        self._services = services
        self._folder = folder
        self._bot_id = bot_id
        self._most = most
        self._answering = Beside(self._go_on, is_called_for)
        self._packing = Beside(self.pack)
        self._user: int | None = None  # whose part is being packed
        self._unsent: set[int] = set()  # whose message has certainly not been sent
        self._backoffs: defaultdict[int, Backoff] = defaultdict(Backoff)

    def begin(self) -> None:
        """Goes on with whoever waits, unless that is under way."""
        self._answering.begin()

    async def stop(self) -> None:
        """Leaves the rest to the next start."""
        await self._answering.stop()  # it begins the other one
        await self._packing.stop()

    async def answer(self) -> bool:
        """Sends the messages that parts come into, and ends what nobody is to get any more.

        Returns:
            Whether anybody waits for a part.
        """
        found = await self._list()
        for each in found:
            if each.abandoned:
                await self._try(each, self._abandon)
            elif self._is_due(each) and not self._may_be_shown(each):
                await self._try(each, self._show)
        return bool(found)

    async def pack(self) -> None:
        """Takes a step with whoever can get on, until nobody can."""
        while waiting := [each for each in await self._list() if self._can_get_on(each)]:
            each = waiting[0]
            self._user = each.user_id
            try:
                step = self._pack if each.HasField("shown_message_id") else self._look_for
                await self._try(each, step)
            finally:
                self._user = None

    async def _take(self, each: db.Export, step: _Step) -> None:
        try:
            await step(each)
        except (CannotDeliver, Moved) as error:
            _log.info("An export cannot be sent: %s", error)
            await self._end(each)

    def _can_get_on(self, each: db.Export) -> bool:
        return self._may_be_shown(each) and self._is_due(each) and not each.abandoned

    def _may_be_shown(self, each: db.Export) -> bool:
        """Whether there is a message for the next part, or may be one."""
        may_be_sent = each.sending and each.user_id not in self._unsent
        return each.HasField("shown_message_id") or may_be_sent

    def _is_due(self, each: db.Export) -> bool:
        backoff = self._backoffs.get(each.user_id)
        return backoff is None or not backoff.seconds

    async def _go_on(self) -> None:
        if await self.answer():
            self._packing.begin()

    async def _try(self, each: db.Export, step: _Step) -> None:
        """Takes a step; one that fails is taken again after a while."""
        try:
            await self._take(each, step)
        except _EXPECTED as error:
            _log.info("An export has to wait: %s", error)
        except Exception:  # noqa: BLE001, nobody else waits for it
            _log.exception("An export does not go on")
        else:
            self._backoffs.pop(each.user_id, None)
            return
        self._backoffs[each.user_id].put_off()

    async def _list(self) -> list[db.Export]:
        request = db.ListExportsRequest(bot_id=self._bot_id, holder=self._services.holder)
        try:
            return [*(await self._services.database.list_exports(request)).exports]
        except DatabaseError:
            return []  # which the tick logs

    async def _show(self, each: db.Export) -> None:
        """Sends the message that the next part comes into."""
        if each.lost >= _MOST_LOST:
            _log.info("Somebody deletes the messages that an export is to come into.")
            await self._end(each)
            return
        ids = self._services.memories.ids
        after = max(each.after, ids.newest(each.user_id))
        await self._advance(each, sending_after=after)
        self._unsent.discard(each.user_id)
        try:
            sent = await self._services.messenger.reply(
                each.user_id, each.message_id, _announcement(each)
            )
        except TelegramUnavailable as error:
            if error.not_done:
                self._unsent.add(each.user_id)
            raise
        ids.see(each.user_id, sent.message_id)
        await self._advance(each, shown_message_id=sent.message_id)

    async def _look_for(self, each: db.Export) -> None:
        """Sends that message if it is not there: a process has died, or an answer was cut off."""
        found = await self._find(each)
        if found is None:
            await self._show(each)
        else:
            await self._advance(each, shown_message_id=found)

    async def _find(self, each: db.Export) -> int | None:
        """The message that a part is to come into, if it was sent."""
        chat_id, messenger, over = each.user_id, self._services.messenger, _texts(each).over
        end = await newest_id(messenger, chat_id, over, reply_to=each.message_id)
        self._services.memories.ids.see(chat_id, end)
        text, ids = _announcement(each), range(each.after + 1, end)
        return await find(messenger, chat_id, ids, lambda m: m.text == text, over)

    async def _pack(self, each: db.Export) -> None:
        database, messenger = self._services.database, self._services.messenger
        self._folder.mkdir(parents=True, exist_ok=True)
        # It has no name, so that no crash leaves it behind.
        with tempfile.TemporaryFile(dir=self._folder) as file:
            part = await Packer(database, self._bot_id, each, self._most).pack(file)
            file.seek(0)
            name = _file_name(each, part)
            caption = _texts(each).export.part(part.number, part.count)
            try:
                await messenger.replace_with_file(
                    each.user_id, each.shown_message_id, file, name, caption
                )
            except NotTaken:  # it is gone
                await self._advance(each, shown_message_id=0)
                return
        is_last = part.number == part.count
        has_come = db.AdvanceExportRequest.Part(
            number=part.number, cursor=part.cursor, last=is_last
        )
        await self._advance(each, part=has_come)

    async def _abandon(self, each: db.Export) -> None:
        """Ends the export of somebody who is being forgotten; what had come is theirs."""
        if self._user == each.user_id:
            await self._packing.stop()
        shown = each.shown_message_id or (await self._find(each) if each.sending else None)
        if shown:
            await self._services.messenger.delete(each.user_id, shown, _texts(each).over)
        await self._end(each)

    async def _advance(self, each: db.Export, **step: Any) -> None:
        request = db.AdvanceExportRequest(
            bot_id=self._bot_id, user_id=each.user_id, message_id=each.message_id, **step
        )
        await self._services.database.advance_export(request)

    async def _end(self, each: db.Export) -> None:
        request = db.EndExportRequest(
            bot_id=self._bot_id, user_id=each.user_id, message_id=each.message_id
        )
        await self._services.database.end_export(request)


def _texts(each: db.Export) -> Texts:
    return texts.of(each.language_code)


def _announcement(each: db.Export) -> str:
    said = _texts(each).export
    return said.next_part if each.parts else said.packing


def _file_name(each: db.Export, part: Part) -> str:
    which = f"-{part.number}-of-{part.count}" if part.count > 1 else ""
    return f"lookalike-{each.asked_at.ToDatetime():%Y-%m-%d}{which}.zip"
