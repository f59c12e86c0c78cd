"""The chat page as a person sees it."""

import re
from dataclasses import dataclass
from typing import Self

from playwright.async_api import Locator, Page, expect

from tests.end_to_end.chats import EN


@dataclass(frozen=True)
class Chat:
    """A window of the page."""

    page: Page

    @classmethod
    async def open(cls, page: Page, url: str) -> Self:
        await page.goto(url)
        chat = cls(page)
        await chat.wait_until_ready()
        return chat

    async def wait_until_ready(self) -> None:
        """Until the page's modules have run; before, its buttons do nothing."""
        await expect(self.page.locator("#chat-title")).not_to_be_empty()

    @property
    def me(self) -> int:
        """The id of the window's person, from its address."""
        match = re.search(r"[?&]me=(\d+)", self.page.url)
        assert match, self.page.url
        return int(match.group(1))

    @property
    def field(self) -> Locator:
        return self.page.get_by_role("textbox", name="Message")

    @property
    def messages(self) -> Locator:
        return self.page.locator("li.message")

    @property
    def toast(self) -> Locator:
        return self.page.locator(".toast")

    @property
    def subtitle(self) -> Locator:
        return self.page.locator("#chat-subtitle")

    def message(self, text: str) -> Locator:
        """The messages with this text."""
        return self.messages.filter(has_text=text)

    def answers_with_picture(self) -> Locator:
        """The pictures that the bot delivered: a preview in a status message has other buttons."""
        again = self.page.get_by_role("button", name=EN.pictures.again_button)
        return self.page.locator("li.message.other").filter(has=again).locator(".photo img")

    async def write(self, text: str) -> None:
        """Writes and sends, by keyboard."""
        await self.field.fill(text)
        if text.startswith("/"):
            await self.field.press("Escape")  # no completion: the words as they are
        await self.field.press("Enter")

    async def send_sample(self, label: str = "A cat") -> None:
        """Sends a sample by click: from the welcome, or from the menu where there is none."""
        sample = self.page.locator(".sample", has_text=label)
        if await sample.is_visible():
            await sample.click()
            return
        await self.page.get_by_role("button", name="Add a photo").click()
        await self.page.get_by_role("menuitem", name=label).click()

    async def reaches_its_end(self) -> None:
        """Waits until the newest message is in sight."""
        script = "t.scrollHeight - t.scrollTop - t.clientHeight < 5"
        await self.page.wait_for_function(
            f"() => {{ const t = document.querySelector('#timeline'); return {script}; }}"
        )

    async def is_at_end(self) -> bool:
        script = "t => t.scrollHeight - t.scrollTop - t.clientHeight < 5"
        return bool(await self.page.locator("#timeline").evaluate(script))
