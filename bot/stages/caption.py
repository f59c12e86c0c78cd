"""stored -> captioned: ask the captioner, keep what it says, and reply with it."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from bot.captioners.base import Caption, CaptionerAway, CaptionerMisconfigured, PhotoRefused
from bot.clients.dbservice import NotFound
from bot.services import Services
from bot.stages.outbox import recorded, send_once
from bot.stages.work import Later, Work
from bot.texts import en
from lookalike.text import printable
from protos.lookalike.db.v1 import db_pb2 as db

_PROMPT_CHARACTERS = 1000


async def run(work: Work, services: Services) -> None:
    """The stage. The caption is kept before it is told, so that it is asked for once."""
    if not work.photo.HasField("caption"):
        said = await _ask(work, services)
        if said is None:
            return
        await work.record(caption=said, prompt=_prompt(said.text, work.photo.user_text))
    photo = work.photo
    message = await send_once(
        work,
        services,
        "caption",
        lambda: services.messenger.reply(
            photo.chat_id, photo.message_id, en.caption(photo.caption)
        ),
    )
    await recorded(
        work,
        services,
        "caption",
        db.GENERATION_STATE_CAPTIONED,
        caption_message_id=message.message_id,
    )


async def _ask(work: Work, services: Services) -> db.Caption | None:
    seen = services.seen_captioner
    try:
        said = await _unless_abandoned(work, _caption(work, services))
    except NotFound:
        await work.fail("internal-error", "the photo's bytes are gone from the disk")
        return None
    except CaptionerAway as error:
        seen.in_trouble(en.NOT_ANSWERING, error)
        raise Later("captioner-away", error.retry_after) from error
    except CaptionerMisconfigured as error:
        seen.in_trouble(en.NOT_SET_UP, error)
        raise Later("captioner-misconfigured") from error
    except PhotoRefused as error:
        seen.well()
        await work.fail("photo-refused", str(error))
        return None
    seen.well()
    caption = db.Caption(text=said.text, captioner=services.captioner.name, model=said.model)
    if said.confidence is not None:
        caption.confidence = said.confidence
    return caption


async def _caption(work: Work, services: Services) -> Caption:
    async with services.captioning:
        image = await services.database.get_image(db.GetImageRequest(photo_id=work.photo.id))
        return await services.captioner.caption(image)


async def _unless_abandoned(work: Work, asking: Coroutine[Any, Any, Caption]) -> Caption:
    """Waits for the caption, but no longer than the user does."""
    caption = asyncio.create_task(asking)
    abandoned = asyncio.create_task(work.abandoned.wait())
    try:
        await asyncio.wait({caption, abandoned}, return_when=asyncio.FIRST_COMPLETED)
        if caption.done():
            return caption.result()
        raise Later(None)
    finally:
        caption.cancel()
        abandoned.cancel()


def _prompt(caption: str, words: str) -> str:
    words = " ".join(printable(words).split())
    prompt = f"{caption}, {words}" if words else caption
    return prompt[:_PROMPT_CHARACTERS]
