"""What the people's side of the sandbox shows: messages, answers, calls."""

from dataclasses import dataclass
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Button:
    """An inline button.

    `style` is danger, success, primary or None, `copies` what it copies, `query` what it has
    its user write after the bot's name in a chat that they choose, and `app` the address of the
    Mini App that it opens.
    """

    text: str
    data: str | None
    url: str | None
    style: str | None = None
    copies: str | None = None
    query: str | None = None
    app: str | None = None


@dataclass(frozen=True)
class ShownMessage:
    """A message as its chat shows it now; `json` is the Bot API's `Message` with `edits`."""

    json: Json

    @property
    def id(self) -> int:
        return int(self.json["message_id"])

    @property
    def chat_id(self) -> int:
        return int(self.json["chat"]["id"])

    @property
    def sender_id(self) -> int:
        return int((self.json.get("from") or self.json["sender_chat"])["id"])

    @property
    def from_bot(self) -> bool:
        """Whether a bot says so; a channel says nothing of who posts."""
        return bool(self.json.get("from", {}).get("is_bot"))

    @property
    def text(self) -> str:
        return str(self.json.get("text", ""))

    @property
    def caption(self) -> str:
        return str(self.json.get("caption", ""))

    @property
    def edits(self) -> int:
        """How often it was edited; only where the sandbox tells, in `messages` and events."""
        return int(self.json["edits"])

    @property
    def thread(self) -> int | None:
        """The topic that it is in."""
        return self.json.get("message_thread_id")

    @property
    def reply_to(self) -> int | None:
        replied = self.json.get("reply_to_message")
        return int(replied["message_id"]) if replied else None

    @property
    def media_group_id(self) -> str | None:
        return self.json.get("media_group_id")

    @property
    def photo(self) -> str | None:
        """The file_id of the whole photo, the largest size."""
        sizes = self.json.get("photo")
        return str(sizes[-1]["file_id"]) if sizes else None

    @property
    def document(self) -> str | None:
        """The file_id of the document."""
        document = self.json.get("document")
        return str(document["file_id"]) if document else None

    @property
    def thumbnail(self) -> str | None:
        """The file_id of the document's thumbnail."""
        thumbnail = self.json.get("document", {}).get("thumbnail")
        return str(thumbnail["file_id"]) if thumbnail else None

    @property
    def via_bot(self) -> bool:
        """Whether somebody has sent it in inline mode."""
        return "via_bot" in self.json

    @property
    def reactions(self) -> dict[int, list[str]]:
        """The emoji of each who has reacted; only where the sandbox tells, as `edits`."""
        return {each["user"]: each["emoji"] for each in self.json.get("reactions", [])}

    @property
    def forces_reply(self) -> bool:
        """Whether its reader is asked to reply; only where the sandbox tells, as `edits`."""
        return bool(self.json.get("client_markup", {}).get("force_reply"))

    @property
    def buttons(self) -> list[Button]:
        """All inline buttons, row after row."""
        rows = self.json.get("reply_markup", {}).get("inline_keyboard", [])
        return [
            Button(
                button["text"],
                button.get("callback_data"),
                button.get("url"),
                button.get("style"),
                button.get("copy_text", {}).get("text"),
                button.get("switch_inline_query_chosen_chat", {}).get("query"),
                button.get("web_app", {}).get("url"),
            )
            for row in rows
            for button in row
        ]


@dataclass(frozen=True)
class Answer:
    """What the bot answered to a pressed button."""

    text: str
    show_alert: bool


@dataclass(frozen=True)
class Offer:
    """What the bot answered in inline mode; `json` is the answer as the sandbox has it."""

    id: str
    user: int
    json: Json

    @property
    def results(self) -> dict[str, str]:
        """The captions of the results, in order, by their ids."""
        return {each["id"]: each["content"].get("caption", "") for each in self.json["results"]}

    @property
    def captions(self) -> list[str]:
        return [*self.results.values()]

    @property
    def next_offset(self) -> str:
        return str(self.json["next_offset"])

    @property
    def button(self) -> str | None:
        """What the button over the results says."""
        button = self.json["button"]
        return None if button is None else str(button["text"])


@dataclass(frozen=True)
class Prepared:
    """What a Mini App has prepared for its user to send, and to which kinds of chats."""

    caption: str
    photo: str
    kinds: list[str]


@dataclass(frozen=True)
class ApiCall:
    """A call of the bot, as the transcript has it; downloads are the method `download`."""

    n: int
    time: float
    method: str
    params: dict[str, str]
    files: Json
    status: int
    answer: Any
    fault: str | None
