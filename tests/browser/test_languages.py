"""The page speaks the browser's language, where it has a table of it."""

import re
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from sandbox import page
from tests.browser.chat import Chat

Opened = Callable[[str], AbstractAsyncContextManager[Chat]]

SCRIPTS = Path(page.__file__).parent / "assets" / "js"
LANGUAGES = ("de", "lt", "nl")


@pytest.fixture
def open_in(browser: Browser, url: str) -> Opened:
    """Opens a window as somebody's who is new here, in a browser of this language."""

    @asynccontextmanager
    async def open_window(locale: str) -> AsyncGenerator[Chat]:
        async with await browser.new_context(locale=locale) as context:
            yield await Chat.open(await context.new_page(), url)

    return open_window


def placeholders(text: str) -> list[str]:
    return sorted(re.findall(r"\{\w+\}", text))


@pytest.mark.long
@pytest.mark.parametrize(
    ("locale", "language", "field", "sidebar", "hint"),
    [
        ("de-AT", "de", "Nachricht", "Chats", "Gerade kein Foto da?"),
        ("lt", "lt", "Žinutė", "Pokalbiai", "Neturi nuotraukos po ranka?"),
        ("nl-BE", "nl", "Bericht", "Chats", "Geen foto bij de hand?"),
        ("fr-FR", "en", "Message", "Chats", "No photo at hand?"),
    ],
)
async def test_the_page_speaks_the_browsers_language(
    open_in: Opened, locale: str, language: str, field: str, sidebar: str, hint: str
) -> None:
    async with open_in(locale) as chat:
        await expect(chat.page.locator("html")).to_have_attribute("lang", language)
        await expect(chat.page.get_by_role("textbox", name=field, exact=True)).to_be_visible()
        await expect(chat.page.get_by_role("region", name=sidebar, exact=True)).to_be_visible()
        await expect(chat.page.locator("#welcome")).to_contain_text(hint)


async def test_whoever_is_made_there_speaks_it_as_well(open_in: Opened) -> None:
    async with open_in("lt") as chat:
        await chat.page.get_by_role("button", name="Naujas žmogus").click()
        await chat.page.get_by_label("Vardas").fill("Jonė")
        async with chat.page.context.expect_page() as opened:
            await chat.page.get_by_role("button", name="Pridėti", exact=True).click()
        other = Chat(await opened.value)
        await other.wait_until_ready()
        users = await other.page.evaluate("fetch('/sandbox/users').then((users) => users.json())")
    (joined,) = [user for user in users if user["first_name"] == "Jonė"]
    assert joined["language_code"] == "lt"


async def test_each_table_has_all_words(open_in: Opened) -> None:
    said = "".join(file.read_text("utf-8") for file in SCRIPTS.glob("*.js"))
    wanted = {*re.findall(r'\bsay\("([^"]+)"', said)}
    wanted |= {*re.findall(r'\bsayCount\("[^"]+", "([^"]+)"', said)}
    tables: dict[str, dict[str, str | dict[str, str]]] = {}
    async with open_in("en") as chat:
        for language in LANGUAGES:
            script = f"import('/page/js/words/{language}.js').then((module) => module.default)"
            tables[language] = await chat.page.evaluate(script)
    for language, table in tables.items():
        assert len(wanted) > 50
        assert wanted <= {*table}, language
        assert {*table} == {*tables[LANGUAGES[0]]}, language
        for english, words in table.items():
            for form in [words] if isinstance(words, str) else words.values():
                assert placeholders(form) == placeholders(english), (language, english)
