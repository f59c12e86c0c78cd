"""/start, /help, /status, /cancel, and everything that is no photo."""

import pytest

from lookalike.processes.stack import Stack
from tests.end_to_end.chats import (
    EN,
    ask,
    cat,
    delivered,
    idle,
    pictures,
    statuses,
    told,
)
from tests.end_to_end.conftest import NOTICE
from tests.sandbox.client import People
from tests.stack import occupied


async def test_the_command_menu_is_set(people: People) -> None:
    chat = await people.add_user()
    await ask(people, chat, "/help")  # the menu is set before the first update is taken
    menus = (await people.bot())["commands"]
    private = [each for each in menus if each["scope"]["type"] == "all_private_chats"]
    (menu,) = [each for each in private if not each["language_code"]]
    assert [(entry["command"], entry["description"]) for entry in menu["commands"]] == EN.commands


async def test_start_and_help_lead_to_the_terms(people: People) -> None:
    chat = await people.add_user()
    for command, text in (("/start", EN.start), ("/help", EN.help)):
        said = (await ask(people, chat, command)).text
        assert said == f"{text}\n\n{EN.privacy.see_terms}"
    assert (await ask(people, chat, "/terms")).text == NOTICE
    privacy = (await ask(people, chat, "/privacy")).text
    assert privacy == EN.privacy.privacy(with_azure=True, retention_days=None, url=None)
    assert "Azure" in privacy


async def test_what_is_no_photo_gets_one_line_in_private(people: People) -> None:
    chat = await people.add_user()
    assert (await ask(people, chat, "/sing")).text == EN.unknown_command
    await people.send_document(chat, b"%PDF-1.7", "paper.pdf", "application/pdf")
    await people.wait_for(
        chat, lambda messages: len([m for m in messages if m.text == EN.cannot_use]) == 1
    )


async def test_a_group_hears_nothing_but_answers_to_photos_and_commands(people: People) -> None:
    ada = await people.add_user("Ada")
    group = await people.add_group([ada])
    await people.send_text(group, "hello everybody", user=ada)
    answer = await ask(people, group, "/status", user=ada)
    messages = await people.messages(group)
    assert [message.id for message in messages if message.from_bot] == [answer.id]


async def test_edits_of_messages_are_ignored(people: People) -> None:
    chat = await people.add_user()
    photo = await people.send_photo(chat, cat())
    await delivered(people, photo)
    await people.edit(photo, "with other words")
    await idle(people, chat)
    assert len(pictures(await people.messages(chat), photo)) == 1


async def test_status_lists_own_unfinished_work(people: People, stack: Stack) -> None:
    chat = await people.add_user()
    assert EN.no_work in (await ask(people, chat, "/status")).text
    with occupied(stack):
        photos = await people.send_album(chat, [cat()] * 3)
        await people.wait_for(chat, lambda messages: statuses(messages, photos[2]))
        status = (await ask(people, chat, "/status")).text
    titles = [said.splitlines()[0] for said in status.split("\n\n")]
    assert titles == [f"{n}. a cat lying on a couch" for n in (1, 2, 3)], "and nothing of services"
    for photo in photos:
        await delivered(people, photo)


@pytest.mark.long
async def test_cancel_ends_all_of_ones_own_work_in_the_chat(people: People, stack: Stack) -> None:
    ada, bob = await people.add_user("Ada"), await people.add_user("Bob")
    with occupied(stack):
        of_bob = await people.send_photo(bob, cat())
        photos = await people.send_album(ada, [cat()] * 4)
        messages = await people.wait_for(
            ada, lambda shown: shown if all(statuses(shown, photo) for photo in photos) else None
        )
        shown = {status.id for photo in photos for status in statuses(messages, photo)}
        assert (await ask(people, ada, "/cancel")).text == EN.cancelled_some(4, 0)
        await idle(people, ada)
        messages = await people.messages(ada)
        said = [message for message in messages if message.text == EN.cancelled]
        assert {message.id for message in said} == shown
        assert not any(message.buttons for message in said)
    assert (await ask(people, ada, "/cancel")).text == EN.no_work
    await delivered(people, of_bob)
    messages = await people.messages(ada)
    assert not any(pictures(messages, photo) for photo in photos)
    # Words in reply to what says so are about its photo.
    words = await people.send_text(ada, "at night", reply_to=said[-1].id)
    assert (await delivered(people, words)).caption.startswith("at night, a cat lying on a couch")


async def test_the_button_cancels_this_one_for_its_owner_alone(
    people: People, stack: Stack
) -> None:
    ada, bob = await people.add_user("Ada"), await people.add_user("Bob")
    group = await people.add_group([ada, bob])
    with occupied(stack):
        asked = [await people.send_text(group, "/paint a cat", user=ada) for _ in range(3)]
        last = asked[2]
        (status,) = await people.wait_for(group, lambda messages: statuses(messages, last))
        stranger = await people.press(status, EN.cancel_button, user=bob)
        assert stranger is not None
        assert stranger.text == EN.not_yours
        owner = await people.press(status, EN.cancel_button, user=ada)
        assert owner is not None
        assert owner.text == EN.cancelled
        await told(people, last, EN.cancelled)
    for words in asked[:2]:
        await delivered(people, words)
    assert not pictures(await people.messages(group), last)
