"""A group of people, and the bot among them."""

from tests.end_to_end.chats import (
    EN,
    NAME,
    ask,
    cat,
    delivered,
    idle,
    labels,
    offering,
    press,
    sent_pictures,
)
from tests.sandbox.client import People

SAID = EN.pictures


async def test_the_bot_waits_to_be_asked_and_the_group_has_the_last_word(people: People) -> None:
    ada, bob, cleo = [await people.add_user(name) for name in ("Ada", "Bob", "Cleo")]
    group = await people.add_group([ada, bob, cleo], kind="supergroup", forum=True)
    page = await ask(people, group, "/settings", user=ada)
    style = SAID.style_on_button("oil")
    await press(people, page, SAID.style_button, user=ada)
    menu = await offering(people, page, style)
    assert await press(people, menu, style, user=ada) == EN.settings.style_chosen("oil")
    photo = await people.send_photo(group, cat(), user=cleo, thread=7)
    await people.send_text(group, "what a cat!", user=bob, reply_to=photo.id, thread=7)
    asking = await people.send_text(group, NAME, user=bob, reply_to=photo.id, thread=7)
    shown = await delivered(people, asking)
    assert (shown.thread, shown.reply_to) == (7, asking.id)
    assert SAID.style("oil").lower() in shown.caption.lower()
    await idle(people, group, bob)
    assert len(sent_pictures(await people.messages(group))) == 1
    assert await press(people, shown, SAID.delete_button, user=cleo) == EN.not_yours
    await press(people, shown, SAID.delete_button, user=ada)
    shown = await offering(people, shown, SAID.delete_for_good_button)
    assert SAID.keep_button in labels(shown)
    assert await press(people, shown, SAID.delete_for_good_button, user=ada) == SAID.deleted
    assert (await ask(people, group, "/history", user=bob)).text == EN.no_history
    assert not sent_pictures(await people.messages(group))
