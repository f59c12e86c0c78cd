"""stored -> captioned: ask the captioner, keep what it says, and reply with it."""

import asyncio
import time
from collections.abc import Coroutine
from typing import Any

from bot import keyboards
from bot.captioners.base import (
    Caption,
    CaptionerMisconfigured,
    CaptionerUnavailable,
    PhotoRefused,
)
from bot.clients.errors import NotFound, QuotaUsedUp
from bot.health import Health
from bot.services import Services
from bot.work import outbox
from bot.work.item import CAPTIONS_USED_UP, RetryLater, WorkItem
from protos.lookalike.db.v1 import db_pb2 as db

_CAPTION = db.MESSAGE_KIND_CAPTION


async def run(item: WorkItem, services: Services) -> None:
    """The stage. The caption is kept before it is told, so that it is asked for once."""
    if not item.photo.HasField("caption"):
        caption = await _ask(item, services)
        if caption is None:
            return
        if item.photo.channel_post:  # where the picture alone is wanted
            await item.advance(db.GENERATION_STATE_CAPTIONED, caption=caption)
            return
        await outbox.intend(item, services.messenger, _CAPTION, caption=caption)
    photo, text = item.photo, item.text_of(_CAPTION)
    if services.terms and photo.first_caption:
        text = f"{text}\n\n{item.texts.privacy.accepting}"
    await outbox.send(
        item,
        services.messenger,
        _CAPTION,
        lambda: services.messenger.reply(
            photo.chat_id,
            item.reply_to,
            text,
            keyboards.caption(photo.caption, item.id, item.texts),
            thread_id=item.thread_id,
        ),
        db.GENERATION_STATE_CAPTIONED,
    )


async def _ask(item: WorkItem, services: Services) -> db.Caption | None:
    health = services.captioner_health
    try:
        said = await _unless_abandoned(item, _caption(item, services))
    except NotFound:
        await item.fail("internal-error", "the photo's bytes are gone from the disk")
        return None
    except QuotaUsedUp as error:
        await item.fail(CAPTIONS_USED_UP, str(error), error.goes_on_at)
        return None
    except CaptionerUnavailable as error:
        health.failing(Health.UNAVAILABLE, error)
        raise RetryLater("captioner-unavailable", error.retry_after) from error
    except CaptionerMisconfigured as error:
        health.failing(Health.MISCONFIGURED, error)
        raise RetryLater("captioner-misconfigured") from error
    except PhotoRefused as error:
        health.ok()
        await item.fail("photo-refused", str(error))
        return None
    health.ok()
    caption = db.Caption(
        text=said.text,
        captioner=services.captioner.name,
        model=said.model,
        guesses=said.guesses,
    )
    if said.confidence is not None:
        caption.confidence = said.confidence
    return caption


async def _caption(item: WorkItem, services: Services) -> Caption:
    async with services.captioning:
        image = await services.database.get_image(db.GetImageRequest(photo_id=item.photo.id))
        is_counted = item.memory.caption_counted or services.captioner.name != "azure"
        if not is_counted:  # the others cost nothing
            await item.count_caption(exempt=item.photo.user_id in services.access.admins)
            item.memory.caption_counted = True
        began = time.monotonic()
        caption = await services.captioner.caption(image)
        item.memory.caption_seconds = time.monotonic() - began
        return caption


async def _unless_abandoned(item: WorkItem, asking: Coroutine[Any, Any, Caption]) -> Caption:
    """Waits for the caption, but no longer than the user does."""
    caption = asyncio.create_task(asking)
    abandoned = asyncio.create_task(item.memory.abandoned.wait())
    try:
        await asyncio.wait({caption, abandoned}, return_when=asyncio.FIRST_COMPLETED)
        if caption.done():
            return caption.result()
        raise RetryLater(None)
    finally:
        caption.cancel()
        abandoned.cancel()
