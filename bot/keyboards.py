"""The buttons under the bot's messages."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from telegram import (
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    SwitchInlineQueryChosenChat,
    WebAppInfo,
)
from telegram.constants import KeyboardButtonStyle

from bot import zones as time_zones
from bot.callbacks import (
    STOP_DATA,
    Action,
    CardAction,
    Menu,
    ask_data,
    cancel_data,
    card_data,
    count_data,
    dial_data,
    first_style_data,
    forget_data,
    guess_data,
    history_data,
    invite_data,
    language_data,
    menu_data,
    news_data,
    no_news_data,
    picture_data,
    send_data,
    share_query,
    style_data,
    zone_data,
)
from bot.recipes.children import COUNTS, DIAL, NAMES, numbered, turned
from bot.recipes.guesses import offered
from bot.recipes.styles import STYLES
from bot.texts.catalogues import LANGUAGES
from bot.texts.texts import Texts
from protos.lookalike.db.v1 import db_pb2 as db

_IN_A_ROW: Final = 2
"""In menus."""


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


def picture(item: db.Item, texts: Texts, *, share: bool) -> InlineKeyboardMarkup:
    """Under a picture, or under the album of a set; with Share, if the bot has inline mode."""
    sharing = [_share(item, texts)] if share else []
    return (_choices if item.generation.pictures > 1 else _single)(item, texts, sharing)


def styles(generation_id: str, texts: Texts) -> InlineKeyboardMarkup:
    """The menu of styles."""
    said = texts.pictures
    named = [(name, said.style_on_button(name)) for name in STYLES]
    buttons = [
        InlineKeyboardButton(text, callback_data=style_data(name, generation_id))
        for name, text in [*named, ("", said.no_style_button)]
    ]
    buttons.append(_button(said.back_button, Action.BACK, generation_id))
    return _menu(buttons)


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


def card(
    page: db.ListHistoryResponse, user_id: int, texts: Texts, gallery_url: str | None = None
) -> InlineKeyboardMarkup:
    """Under the card of a history, which shows a page of one picture.

    Args:
        page: that page.
        user_id: whose history it is.
        texts: theirs.
        gallery_url: what shows all of it at once; None: nothing does.
    """
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
    opening = []
    if gallery_url is not None:
        app = WebAppInfo(gallery_url)
        opening = [InlineKeyboardButton(texts.gallery.history_button, web_app=app)]
    return InlineKeyboardMarkup([*filter(None, (turning, acting, opening))])


def card_deletion(user_id: int, generation_id: str, texts: Texts) -> InlineKeyboardMarkup:
    """Whether the picture on a card is to be deleted."""
    return _deletion(
        texts,
        card_data(CardAction.DELETE, user_id, generation_id),
        card_data(CardAction.KEEP, user_id, generation_id),
    )


def settings(chosen: db.UserSettings, user_id: int, texts: Texts) -> InlineKeyboardMarkup:
    """The steps of the dial, how many pictures at once, news, and what opens other menus.

    What a group has chosen can go; then it is everybody's own again.
    """
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
    zone = chosen.time_zone
    menus = [
        InlineKeyboardButton(text, callback_data=menu_data(menu, user_id))
        for menu, text in (
            (Menu.LANGUAGES, texts.settings.language_button()),
            (Menu.ZONES, texts.settings.zone_button(zone, time_zones.now(zone))),
        )
    ]
    has_style = chosen.style in STYLES
    style = InlineKeyboardButton(
        said.style_on_button(chosen.style) if has_style else said.style_button,
        callback_data=menu_data(Menu.STYLES, user_id),
    )
    rows = [*([button] for button in dial), counts, [style]]
    if user_id > 0:  # broadcasts go to private chats
        wanted = chosen.news or not chosen.HasField("news")
        rows += [[_news(user_id, texts, wanted=wanted)], menus]
    else:
        reset = menu_data(Menu.RESET, user_id)
        rows += [menus, [InlineKeyboardButton(texts.groups.reset_button, callback_data=reset)]]
    return InlineKeyboardMarkup(rows)


def languages(chosen: db.UserSettings, user_id: int, texts: Texts) -> InlineKeyboardMarkup:
    """The languages by their own names, and that which Telegram gives."""
    said = texts.settings
    names = {language: each.settings.language for language, each in LANGUAGES.items()}
    nothing = said.as_telegram_button if user_id > 0 else texts.groups.everybodys_button
    buttons = [
        InlineKeyboardButton(
            said.choice(name, chosen=language == chosen.language),
            callback_data=language_data(language, user_id),
        )
        for language, name in [*names.items(), ("", nothing)]
    ]
    return _menu([*buttons, _back_to_settings(user_id, texts)])


def first_styles(chosen: db.UserSettings, user_id: int, texts: Texts) -> InlineKeyboardMarkup:
    """The styles that the first picture of a photo may have."""
    nothing = texts.pictures.no_style_button if user_id > 0 else texts.groups.everybodys_button
    named = [(name, texts.pictures.style_on_button(name)) for name in STYLES]
    buttons = [
        InlineKeyboardButton(
            texts.settings.choice(text, chosen=style == chosen.style),
            callback_data=first_style_data(style, user_id),
        )
        for style, text in [*named, ("", nothing)]
    ]
    return _menu([*buttons, _back_to_settings(user_id, texts)])


def zones(chosen: db.UserSettings, user_id: int, texts: Texts) -> InlineKeyboardMarkup:
    """Some time zones, by the time that it is there now."""
    buttons = [
        InlineKeyboardButton(
            texts.settings.zone_choice(zone, time_zones.now(zone), chosen=zone == chosen.time_zone),
            callback_data=zone_data(zone, user_id),
        )
        for zone in time_zones.OFFERED
        if zone in time_zones.available()
    ]
    return _menu([*buttons, _back_to_settings(user_id, texts)])


def forgetting(user_id: int, texts: Texts) -> InlineKeyboardMarkup:
    """Whether a user is to be forgotten."""
    said = texts.privacy
    forget = InlineKeyboardButton(
        said.forget_button,
        callback_data=forget_data(user_id, forget=True),
        style=KeyboardButtonStyle.DANGER,
    )
    keep = InlineKeyboardButton(said.keep_button, callback_data=forget_data(user_id, forget=False))
    return InlineKeyboardMarkup.from_column([forget, keep])


def offer(data: str, texts: Texts) -> InlineKeyboardMarkup:
    """Under the offer to paint something without a photo."""
    return InlineKeyboardMarkup.from_button(
        InlineKeyboardButton(
            texts.pictures.paint_button, callback_data=data, style=KeyboardButtonStyle.SUCCESS
        )
    )


def broadcast(message_id: int, total: int, texts: Texts) -> InlineKeyboardMarkup:
    """Whether a message is to be sent to everybody."""
    send = InlineKeyboardButton(
        texts.broadcast.send_on_button(total),
        callback_data=send_data(message_id, total),
        style=KeyboardButtonStyle.SUCCESS,
    )
    do_not = InlineKeyboardButton(texts.broadcast.do_not_button, callback_data=STOP_DATA)
    return InlineKeyboardMarkup.from_column([send, do_not])


def stop_broadcast(texts: Texts) -> InlineKeyboardMarkup:
    """Under what says how far a broadcast is."""
    return InlineKeyboardMarkup.from_button(
        InlineKeyboardButton(texts.cancel_button, callback_data=STOP_DATA)
    )


def no_news(broadcast_id: int, texts: Texts) -> InlineKeyboardMarkup:
    """Under a broadcast."""
    return InlineKeyboardMarkup.from_button(
        InlineKeyboardButton(
            texts.broadcast.no_news_button, callback_data=no_news_data(broadcast_id)
        )
    )


def invites(found: Sequence[db.Invite], texts: Texts) -> InlineKeyboardMarkup | None:
    """Under a list of links; Telegram takes a hundred buttons, as many as there may be links."""
    buttons = [
        InlineKeyboardButton(
            texts.access.revoke_on_button(each), callback_data=invite_data(each.id)
        )
        for each in found
    ]
    return _menu(buttons) if buttons else None


def _news(user_id: int, texts: Texts, *, wanted: bool) -> InlineKeyboardButton:
    """Turns broadcasts off where they are on."""
    return InlineKeyboardButton(
        texts.broadcast.news_on_button(wanted=wanted),
        callback_data=news_data(user_id, wanted=not wanted),
    )


def _share(item: db.Item, texts: Texts) -> InlineKeyboardButton:
    """Has its user choose a chat, and writes there what finds the picture; its owner's alone."""
    chosen = SwitchInlineQueryChosenChat(
        share_query(item.generation.id),
        allow_user_chats=True,
        allow_group_chats=True,
        allow_channel_chats=True,
    )
    return InlineKeyboardButton(texts.inline.share_button, switch_inline_query_chosen_chat=chosen)


def _single(
    item: db.Item, texts: Texts, sharing: Sequence[InlineKeyboardButton]
) -> InlineKeyboardMarkup:
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
    *others, last = (
        [_button(text, action, key) for action, text, is_there in row if is_there] for row in rows
    )
    return InlineKeyboardMarkup([*filter(None, others), [*sharing, *last]])


def _choices(
    item: db.Item, texts: Texts, sharing: Sequence[InlineKeyboardButton]
) -> InlineKeyboardMarkup:
    """A number for each picture of a set that is still there."""
    said, key = texts.pictures, item.generation.id
    numbers = [_button(str(n), Action.CHOOSE, member) for n, member in numbered(item)]
    rest = [
        _button(said.again_button, Action.AGAIN, key),
        *sharing,
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


def _menu(buttons: Sequence[InlineKeyboardButton]) -> InlineKeyboardMarkup:
    starts = range(0, len(buttons), _IN_A_ROW)
    return InlineKeyboardMarkup([buttons[at : at + _IN_A_ROW] for at in starts])


def _back_to_settings(user_id: int, texts: Texts) -> InlineKeyboardButton:
    back = menu_data(Menu.MAIN, user_id)
    return InlineKeyboardButton(texts.pictures.back_button, callback_data=back)


def _button(text: str, action: Action, generation_id: str) -> InlineKeyboardButton:
    return InlineKeyboardButton(text, callback_data=picture_data(action, generation_id))
