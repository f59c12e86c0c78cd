"""/stats: what the bot has done, for those who run it."""

import asyncio
import datetime as dt

from telegram import Message

from bot import chart
from bot.context import Context
from protos.lookalike.db.v1 import db_pb2 as db


async def show(message: Message, context: Context) -> None:
    """Answers with numbers under a chart of the last days."""
    services, said = context.services, context.texts.statistics
    request = db.GetStatisticsRequest(bot_id=context.bot.id)
    found = await services.database.get_statistics(request)
    days = [(dt.date.fromisoformat(each.date), each.pictures) for each in found.days]
    drawn = await asyncio.to_thread(chart.draw, days, said.numbers.whole, said.date)
    with_azure = services.captioner.name == "azure"
    await message.reply_photo(drawn, caption=said.statistics(found, with_azure=with_azure))
