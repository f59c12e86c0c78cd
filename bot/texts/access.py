"""What the bot says of who may use it, in one language."""

import datetime as dt
import gettext
from collections.abc import Sequence
from typing import Final

from bot.access import Opened, Policy, Standing
from bot.texts.tables import ADMIN_COMMANDS
from protos.lookalike.db.v1 import db_pb2 as db

_DAY: Final = dt.timedelta(days=1)
_MOST_LINES: Final = 50


class AccessTexts:
    """Everything about who may use the bot.

    Attributes:
        commands: those of the people who run the bot: names and what they do.
        for_admins: what the list of these begins with.
        invite_usage: to an /invite that cannot be understood.
        in_private: to an /invite in a group.
        revoked: it has.
        ban_usage: to a /ban that is about nobody.
        unban_usage: likewise.
        is_admin: to a ban of somebody who runs the bot.
        list_full: there are as many links or bans as there may be.
    """

    def __init__(self, translations: gettext.NullTranslations) -> None:
        """A catalogue of the source strings; `NullTranslations` leaves them in English."""
        self._ = _ = translations.gettext
        self.ngettext = translations.ngettext
        self.commands = [(name, _(description)) for name, description in ADMIN_COMMANDS]
        self.for_admins = _("Because you run this bot:")
        self.invite_usage = _(
            "/invite makes a link for one person, /invite 5 one for five; up to 1000."
        )
        self.in_private = _("Ask me in our private chat, so that nobody else reads the link.")
        self.revoked = _("Revoked. Nobody gets in with that link any more.")
        self.ban_usage = _(
            "Reply to a message of theirs with /ban, or write their Telegram id: /ban 1234567."
        )
        self.unban_usage = _(
            "Reply to a message of theirs with /unban, or write their Telegram id: /unban 1234567."
        )
        self.is_admin = _("That's somebody who runs this bot; they can't be banned.")
        self.list_full = _("My list is full. Remove something from it first.")
        self._refusals = {
            Standing.STRANGER: _(
                "This bot is private, so I can't do anything for you. If somebody sends you a "
                "link that lets you in, open it."
            ),
            Standing.BANNED: _("Whoever runs this bot doesn't let you use it."),
        }
        self._opened = {
            Opened.OWNER: _(
                "This bot is yours. /help lists what only you can do, besides what everybody can."
            ),
            Opened.MEMBER: _("You're in. Welcome!"),
            Opened.USED_UP: _("That link is used up. Ask for a new one."),
            Opened.EXPIRED: _("That link has expired. Ask for a new one."),
            Opened.REVOKED: _("That link was revoked. Ask for a new one."),
        }

    def refusal(self, standing: Standing) -> str:
        """To somebody who may not use the bot."""
        return self._refusals[standing]

    def opened(self, opened: Opened) -> str:
        """What has come of a link; nothing where it is like any other message."""
        return self._opened.get(opened, "")

    def no_invites(self, policy: Policy) -> str:
        """Why there are no links."""
        return self._(
            "Invite links need BOT_ACCESS=invited. It is {policy} now; whoever runs "
            "me can change that in my settings."
        ).format(policy=policy)

    def invite(self, invite: db.Invite, link: str, days: int) -> str:
        """A new link."""
        who = self.ngettext(
            "The first to open this link may use me. It's good for {days} days.",
            "The first {count} people to open this link may use me. It's good for {days} days.",
            invite.max_uses,
        ).format(count=invite.max_uses, days=days)
        return f"{who}\n\n{link}"

    def invites(self, invites: Sequence[db.Invite], now: dt.datetime) -> str:
        """The links that are still good, the first of them, as a message does not hold all."""
        if not invites:
            return self._("There are no links that let anybody in. /invite makes one.")
        title = self._("Links that still let people in:")
        lines = [self._line(each, now) for each in invites[:_MOST_LINES]]
        return "\n".join([title, *lines, *(["…"] if len(invites) > _MOST_LINES else [])])

    def revoke_on_button(self, invite: db.Invite) -> str:
        """Ends this link."""
        return self._("Revoke no. {number}").format(number=invite.id)

    def banned(self, user_id: int) -> str:
        """Somebody was banned."""
        return self._("{user} is banned. What they have in progress is still finished.").format(
            user=user_id
        )

    def banned_before(self, user_id: int) -> str:
        """They were already."""
        return self._("{user} was banned already.").format(user=user_id)

    def unbanned(self, user_id: int) -> str:
        """A ban was lifted."""
        return self._("{user} is no longer banned.").format(user=user_id)

    def not_banned(self, user_id: int) -> str:
        """There was none."""
        return self._("{user} isn't banned.").format(user=user_id)

    def _line(self, invite: db.Invite, now: dt.datetime) -> str:
        days = -((now - invite.expires_at.ToDatetime(dt.UTC)) // _DAY)
        return self.ngettext(
            "No. {number}: {uses} of {most} in, {days} day left",
            "No. {number}: {uses} of {most} in, {days} days left",
            days,
        ).format(number=invite.id, uses=invite.uses, most=invite.max_uses, days=days)
