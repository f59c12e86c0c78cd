"""The buttons under the bot's messages."""

from functools import lru_cache
from typing import Final

from telegram import InlineKeyboardButton, InlineKeyboardMarkup
from telegram.constants import KeyboardButtonStyle

from bot.callbacks import (
    Action,
    CardAction,
    ask_data,
    cancel_data,
    card_data,
    count_data,
    dial_data,
    guess_data,
    history_data,
    picture_data,
    style_data,
)
from bot.recipes.children import COUNTS, DIAL, NAMES, numbered, turned
from bot.recipes.guesses import offered
from bot.recipes.styles import STYLES
from bot.texts.texts import Texts
from protos.lookalike.db.v1 import db_pb2 as db

_STYLES_IN_A_ROW: Final = 2


@lru_cache(maxsize=1000)  # each tick offers an edit of each status message, and few are taken
def cancel(texts: Texts, generation_id: str) -> InlineKeyboardMarkup:
    """Under a status message."""
    return InlineKeyboardMarkup.from_button(
        InlineKeyboardButton(texts.cancel_button, callback_data=cancel_data(generation_id))
    )


def caption(caption: db.Caption, generation_id: str, texts: Texts) -> InlineKeyboardMarkup:
    """Under what a photo shows; `generation_id` is its own picture's."""
    said = texts.pictures
    guesses = [
        InlineKeyboardButton(
            said.guess_on_button(guess), callback_data=guess_data(number, generation_id)
        )
        for number, guess in enumerate(offered(caption))
    ]
    ask = InlineKeyboardButton(said.correct_button, callback_data=ask_data(generation_id))
    return InlineKeyboardMarkup.from_column([*guesses, ask])


def picture(item: db.Item, texts: Texts) -> InlineKeyboardMarkup:
    """Under a picture, or under the album of a set."""
    return (_choices if item.generation.pictures > 1 else _single)(item, texts)


def styles(generation_id: str, texts: Texts) -> InlineKeyboardMarkup:
    """The menu of styles."""
    said = texts.pictures
    named = [(name, said.style_on_button(name)) for name in STYLES]
    buttons = [
        InlineKeyboardButton(text, callback_data=style_data(name, generation_id))
        for name, text in [*named, ("", said.no_style_button)]
    ]
    buttons.append(_button(said.back_button, Action.BACK, generation_id))
    starts = range(0, len(buttons), _STYLES_IN_A_ROW)
    return InlineKeyboardMarkup([buttons[at : at + _STYLES_IN_A_ROW] for at in starts])


def deletion(item: db.Item, texts: Texts) -> InlineKeyboardMarkup:
    """Whether a picture is to be deleted; or, of a set, which one."""
    back = picture_data(Action.BACK, item.generation.id)
    if item.generation.pictures <= 1:
        return _deletion(texts, picture_data(Action.DELETE_FOR_GOOD, item.generation.id), back)
    numbers = [
        InlineKeyboardButton(
            texts.pictures.delete_number_button(n),
            callback_data=picture_data(Action.DELETE_ONE, member),
            style=KeyboardButtonStyle.DANGER,
        )
        for n, member in numbered(item)
    ]
    return InlineKeyboardMarkup([numbers, [_keep(texts, back)]])


def card(page: db.ListHistoryResponse, user_id: int, texts: Texts) -> InlineKeyboardMarkup:
    """Under the card of a history, which shows a page of one picture."""
    (item,) = page.items
    said, generation = texts.pictures, item.generation
    turns = (
        (said.newer_button, page.newer_cursor, page.newer_cursor),
        (f"{page.newer_count + 1}/{page.count}", "", page.count > 1),  # turns to the newest
        (said.older_button, page.older_cursor, page.older_cursor),
    )
    turning = [
        InlineKeyboardButton(text, callback_data=history_data(user_id, cursor))
        for text, cursor, is_there in turns
        if is_there
    ]
    star = CardAction.UNSTAR if generation.starred else CardAction.STAR
    acting = [
        InlineKeyboardButton(text, callback_data=card_data(action, user_id, generation.id))
        for action, text in (
            (star, said.star_button(starred=generation.starred)),
            (CardAction.SHOW, said.show_button),
            (CardAction.ASK, said.delete_button),
        )
    ]
    return InlineKeyboardMarkup([turning, acting] if turning else [acting])


def card_deletion(user_id: int, generation_id: str, texts: Texts) -> InlineKeyboardMarkup:
    """Whether the picture on a card is to be deleted."""
    return _deletion(
        texts,
        card_data(CardAction.DELETE, user_id, generation_id),
        card_data(CardAction.KEEP, user_id, generation_id),
    )


def settings(chosen: db.UserSettings, user_id: int, texts: Texts) -> InlineKeyboardMarkup:
    """The steps of the dial, and how many pictures at once; of each one is chosen."""
    said = texts.pictures
    dial = [
        InlineKeyboardButton(
            said.dial_button(step, chosen=step == chosen.dial),
            callback_data=dial_data(NAMES[step], user_id),
        )
        for step in reversed(DIAL)
    ]
    counts = [
        InlineKeyboardButton(
            said.count_button(count, chosen=count == chosen.pictures),
            callback_data=count_data(count, user_id),
        )
        for count in COUNTS
    ]
    return InlineKeyboardMarkup([*([button] for button in dial), counts])


def offer(data: str, texts: Texts) -> InlineKeyboardMarkup:
    """Under the offer to paint something without a photo."""
    return InlineKeyboardMarkup.from_button(
        InlineKeyboardButton(
            texts.pictures.paint_button, callback_data=data, style=KeyboardButtonStyle.SUCCESS
        )
    )


def _single(item: db.Item, texts: Texts) -> InlineKeyboardMarkup:
    """At an end of the dial, and without a photo, there is no way to turn it."""
    said = texts.pictures
    rows = (
        (
            (Action.CLOSER, said.closer_button, turned(item, 1) is not None),
            (Action.FREER, said.freer_button, turned(item, -1) is not None),
        ),
        (
            (Action.AGAIN, said.again_button, True),
            (Action.STYLES, said.style_button, True),
            (Action.RECIPE, said.recipe_button, True),
        ),
        (
            (Action.FULL_SIZE, said.full_size_button, True),
            (Action.DELETE, said.delete_button, True),
        ),
    )
    key = item.generation.id
    shown = (
        [_button(text, action, key) for action, text, is_there in row if is_there] for row in rows
    )
    return InlineKeyboardMarkup([row for row in shown if row])


def _choices(item: db.Item, texts: Texts) -> InlineKeyboardMarkup:
    """A number for each picture of a set that is still there."""
    said, key = texts.pictures, item.generation.id
    numbers = [_button(str(n), Action.CHOOSE, member) for n, member in numbered(item)]
    rest = [
        _button(said.again_button, Action.AGAIN, key),
        _button(said.delete_button, Action.DELETE, key),
    ]
    return InlineKeyboardMarkup([numbers, rest])


def _deletion(texts: Texts, delete: str, keep: str) -> InlineKeyboardMarkup:
    said = texts.pictures
    for_good = InlineKeyboardButton(
        said.delete_for_good_button, callback_data=delete, style=KeyboardButtonStyle.DANGER
    )
    return InlineKeyboardMarkup.from_column([for_good, _keep(texts, keep)])


def _keep(texts: Texts, keep: str) -> InlineKeyboardButton:
    return InlineKeyboardButton(
        texts.pictures.keep_button, callback_data=keep, style=KeyboardButtonStyle.SUCCESS
    )


def _button(text: str, action: Action, generation_id: str) -> InlineKeyboardButton:
    return InlineKeyboardButton(text, callback_data=picture_data(action, generation_id))
