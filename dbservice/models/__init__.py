"""The tables. `migrations/` makes them; a test holds the two together."""

from dbservice.models.base import Base
from dbservice.models.broadcasts import Broadcast, InFlight
from dbservice.models.ids import asked_id, generation_id, member_id, photo_id
from dbservice.models.people import (
    Ban,
    Cancellation,
    Export,
    Forgetting,
    Invite,
    KeptOfUser,
    Member,
    Owner,
    QuotaShare,
    Tombstone,
    UserSettings,
)
from dbservice.models.service import (
    Bot,
    Claim,
    DayTotals,
    Epoch,
    ForgottenKey,
    KeptOfAll,
    PendingDeletion,
    WallClock,
)
from dbservice.models.work import Generation, Photo, SentMessage, StoredImage

__all__ = [
    "Ban",
    "Base",
    "Bot",
    "Broadcast",
    "Cancellation",
    "Claim",
    "DayTotals",
    "Epoch",
    "Export",
    "Forgetting",
    "ForgottenKey",
    "Generation",
    "InFlight",
    "Invite",
    "KeptOfAll",
    "KeptOfUser",
    "Member",
    "Owner",
    "PendingDeletion",
    "Photo",
    "QuotaShare",
    "SentMessage",
    "StoredImage",
    "Tombstone",
    "UserSettings",
    "WallClock",
    "asked_id",
    "generation_id",
    "member_id",
    "photo_id",
]
