"""What the bot says of what it keeps of people, of forgetting them, and of its terms."""

import gettext


class PrivacyTexts:
    """Everything about privacy and terms.

    Attributes:
        forget_question: the answer to /forget, which has two buttons.
        forget_button: forgets whoever asked.
        keep_button: does not.
        forgetting: it was begun; at most 200 characters.
        kept: it was not.
        too_late: it was begun already.
        forgotten: it is done.
        no_terms: the answer to /terms where the administrator has set none.
        see_terms: ends /start and /help where there are terms.
        accepting: ends the first caption that somebody is told, where there are terms.
    """

    def __init__(self, translations: gettext.NullTranslations) -> None:
        """A catalogue of the source strings."""
        self._translations = translations
        self._ = _ = translations.gettext
        self.forget_question = _(
            "Shall I forget you? I'd cancel your pictures in progress and delete everything that I "
            "keep of you: your photos, in groups too, their sentences, your pictures, starred ones "
            "as well, and your settings. Nobody can bring them back."
        )
        self.forget_button = _("🗑 Forget me")
        self.keep_button = _("Keep")
        self.forgetting = _("I'm forgetting you. This message will say so when all is gone.")
        self.kept = _("Nothing was deleted.")
        self.too_late = _("Too late: I'm forgetting you already.")
        self.forgotten = _(
            "All that I kept of you is gone.\n\nThe messages in our chats are yours to delete: "
            "Telegram doesn't let a bot delete old ones. The buttons under them no longer work."
        )
        self.no_terms = _("Whoever runs this bot has set no conditions.")
        self.see_terms = _("/terms has the conditions of using me.")
        self.accepting = _("By using me you accept the /terms.")

    def privacy(self, *, with_azure: bool, retention_days: int | None, url: str | None) -> str:
        """The answer to /privacy.

        Args:
            with_azure: whether photos go to Azure for their captions.
            retention_days: for how long what is done is kept; None: for ever.
            url: where there is more; None: nowhere.
        """
        _ = self._
        seen = _(
            "Whoever runs that computer can see it; no other user can. Telegram has our chat, as "
            "it has any other."
        )
        if with_azure:
            azure = _(
                "Each photo also goes to Azure AI Vision (Microsoft) for its sentence, without its "
                "metadata and without your name."
            )
            seen = f"{seen} {azure}"
        if retention_days is None:
            kept = _("I keep it until you delete it.")
        else:
            kept = self._translations.ngettext(
                "I keep it for {days} day, and what you star until you delete it.",
                "I keep it for {days} days, and what you star until you delete it.",
                retention_days,
            ).format(days=retention_days)
        what = _(
            "What I keep of you: your Telegram id and language, your photos without their "
            "metadata, what you write to me about them, their sentences, your pictures, when you "
            "sent and got them, and your settings. No name and no phone number. It lies on the "
            "computer that I run on."
        )
        copy = _("/export sends you a copy of all that.")
        end = _(
            "The buttons under a picture delete that one; /forget deletes everything, for good and "
            "within a minute. Backups that were made before keep it until whoever runs me deletes "
            "them; if one is restored, you aren't in it."
        )
        more = [_("All of it, in detail: {url}").format(url=url)] if url is not None else []
        return "\n\n".join([what, seen, f"{kept} {copy}", end, *more])
