"""What the bot says of messages that go to everybody, in one language."""

import gettext
from typing import Final

from protos.lookalike.db.v1 import db_pb2 as db

_CANCELLED: Final = db.BROADCAST_STATE_CANCELLED
_GONE: Final = db.BROADCAST_STATE_GONE


class BroadcastTexts:
    """Everything about broadcasts.

    Attributes:
        usage: to a /broadcast without a message.
        in_private: to a /broadcast in a group.
        cannot_copy: Telegram does not let us.
        nobody: there is nobody to send it to.
        do_not_button: sends it to nobody.
        not_sent: it was sent to nobody.
        sending: it is being sent; at most 200 characters, as all that answers a button.
        stopping: it is not sent to anybody else.
        another: another one is being sent.
        no_news_button: under what was sent.
        no_news: whoever has pressed it gets none from now on.
        news: they get them again.
    """

    def __init__(self, translations: gettext.NullTranslations) -> None:
        """A catalogue of the source strings."""
        _ = translations.gettext
        self.ngettext = translations.ngettext
        self.usage = _(
            "Write the message after the command: /broadcast We're back! Or reply with /broadcast "
            "to one that I'm to copy: a photo, a poll, anything."
        )
        self.in_private = _("Send me /broadcast in our private chat.")
        self.cannot_copy = _("Telegram doesn't let me send that. Try another message.")
        self.nobody = _("There's nobody else who writes to me in private and wants news.")
        self.do_not_button = _("Don't send")
        self.not_sent = _("I've sent it to nobody.")
        self.sending = _("I'm sending it.")
        self.stopping = _("I'm stopping.")
        self.another = _("I'm still sending another message. Try again when that's done.")
        self.no_news_button = _("🔕 No more news")
        self.no_news = _("You'll get no more news from me. /settings can change that.")
        self.news = _("You'll get news from me.")
        self._on_button = _("🔔 News from this bot: on")
        self._off_button = _("🔕 News from this bot: off")
        self._cancelled = _("You've stopped it.")
        self._gone = _("The message to copy is gone, so I've stopped.")

    def question(self, count: int) -> str:
        """Whether the message above is to be sent."""
        return self.ngettext(
            "{count} person would get this message just as it is above. Shall I send it?",
            "{count} people would get this message just as it is above. Shall I send it?",
            count,
        ).format(count=count)

    def send_on_button(self, count: int) -> str:
        """Sends it."""
        return self.ngettext("Send to {count} person", "Send to {count} people", count).format(
            count=count
        )

    def news_on_button(self, *, wanted: bool) -> str:
        """Whether they get broadcasts, in their settings."""
        return self._on_button if wanted else self._off_button

    def progress(self, broadcast: db.Broadcast) -> str:
        """How far it is."""
        done = broadcast.sent + broadcast.blocked + broadcast.failed + broadcast.left_out
        most = max(done, broadcast.total)
        return self.ngettext(
            "Sending: {done} of {count} person", "Sending: {done} of {count} people", most
        ).format(done=done, count=most)

    def summary(self, broadcast: db.Broadcast) -> str:
        """How it ended."""
        why = {_CANCELLED: self._cancelled, _GONE: self._gone}.get(broadcast.state)
        sent = self.ngettext(
            "Sent to {count} person.", "Sent to {count} people.", broadcast.sent
        ).format(count=broadcast.sent)
        rest = (
            (
                broadcast.blocked,
                self.ngettext(
                    "{count} has blocked me or left Telegram.",
                    "{count} have blocked me or left Telegram.",
                    broadcast.blocked,
                ),
            ),
            (
                broadcast.failed,
                self.ngettext(
                    "{count} didn't get it: Telegram wouldn't take it.",
                    "{count} didn't get it: Telegram wouldn't take it.",
                    broadcast.failed,
                ),
            ),
            (
                broadcast.left_out,
                self.ngettext(
                    "{count} was left out: wants no news, or may no longer use me.",
                    "{count} were left out: they want no news, or may no longer use me.",
                    broadcast.left_out,
                ),
            ),
        )
        lines = [text.format(count=count) for count, text in rest if count]
        return "\n".join([*([why] if why else []), sent, *lines])
