"""What the bot says of each code, state and step; `_noop` marks what is translated later."""

from typing import Final

from protos.lookalike.db.v1 import db_pb2 as db


def _noop(message: str) -> str:
    """Marks a source string for the catalogues."""
    return message


COMMANDS: Final = (
    ("start", _noop("What this bot does")),
    ("status", _noop("Your pictures in progress")),
    ("history", _noop("Your pictures so far, one by one")),
    ("paint", _noop("Paint your words, or from a PNG's recipe")),
    ("settings", _noop("How I paint for you, your language, your time zone")),
    ("cancel", _noop("Cancel all your pictures in progress")),
    ("privacy", _noop("What I keep, where, and for how long")),
    ("export", _noop("All that I keep of you, as a file")),
    ("forget", _noop("Delete all that I keep of you")),
    ("terms", _noop("The conditions of using me")),
    ("help", _noop("How to use this bot")),
)

ADMIN_COMMANDS: Final = (
    ("invite", _noop("A link that lets one person in; /invite 5: five people")),
    ("invites", _noop("The links that still let people in")),
    ("ban", _noop("Ban somebody")),
    ("unban", _noop("Lift a ban")),
    ("stats", _noop("How much I'm used, and how I'm doing")),
    # Their menu and /help follow this list: a command of theirs is added here.
    ("broadcast", _noop("Send a message to everybody who uses me")),
)
"""Of those who run the bot."""

ENDINGS: Final = {
    "too-many-unfinished": _noop(
        "You already have as many pictures in progress as I allow. Please send this photo again "
        "when one of them is done."
    ),
    "too-much-kept": _noop(
        "I already keep as much of your photos and pictures as I may. Whoever runs this bot can "
        "make room; please send this photo again then."
    ),
    "captions-used-up": _noop(
        "I can't have photos described just now. Reply to this message with what yours shows, and "
        "I'll paint that."
    ),
    "being-forgotten": _noop(
        "I'm forgetting you right now, so I take nothing new. Please send it again once I've said "
        "that all is gone."
    ),
    "file-too-large": _noop(
        "This file is larger than 20 MB, which Telegram doesn't let me download. Please send a "
        "smaller one."
    ),
    "file-gone": _noop("Telegram no longer has this file. Please send it again."),
    "unsupported-format": _noop(
        "I can't read this kind of file. Please send a JPEG, PNG or WebP image."
    ),
    "not-an-image": _noop("I can't read this image; the file seems to be damaged."),
    "image-too-small": _noop("This image is too small: I need at least 50 pixels on each side."),
    "image-too-large": _noop(
        "This image is too large: I can take up to 40 million pixels, and up to 16,000 on a side."
    ),
    "image-too-costly": _noop(
        "This image takes too long to open. Please send it as a photo rather than a file."
    ),
    "no-caption": _noop("I have no sentence for that photo, so I can't paint it again."),
    "photo-refused": _noop("The captioning service won't take this photo."),
    "picture-not-taken": _noop(
        "Your picture is done, but Telegram won't let me post it here. May I send photos in this "
        "chat? /history has the picture."
    ),
    "job-rejected": _noop("The picture service won't take this request."),
    "gave-up": _noop("I tried several times and couldn't make this picture."),
    "cannot-compute": _noop("The picture service couldn't paint this picture."),
    "unknown-image": _noop("The picture service lost the photo on the way. Please try again."),
    "job-cancelled": _noop("The picture was cancelled at the picture service."),
    "refused-by-safety": _noop(
        "The safety filter held the picture back. Try another photo, or write something else with "
        "this one."
    ),
    "internal-error": _noop(
        "Something went wrong on my side, and trying again didn't help. Sorry about that."
    ),
}

WAITS: Final = {
    "captioner-unavailable": _noop("The captioning service is not answering. I'll keep trying."),
    "captioner-misconfigured": _noop(
        "The captioning service is not set up correctly. Whoever runs this bot has to look at it; "
        "I'll keep trying."
    ),
    "generator-unavailable": _noop("The picture service is not answering. I'll keep trying."),
    "generator-busy": _noop("The picture service has no room just now. I'll keep trying."),
}
"""By the service, and how its `Health` is."""

TROUBLES: Final = {
    "dbservice-unavailable": _noop(
        "My storage hasn't answered for a while. What people send waits at Telegram until it does."
    ),
    "captioner-unavailable": _noop(
        "The captioning service hasn't answered for a while. Photos wait until it does."
    ),
    "captioner-misconfigured": _noop(
        "The captioning service doesn't let me in: its key or its address is wrong. Photos wait "
        "until that's corrected; “lookalike doctor” says how."
    ),
    "generator-unavailable": _noop(
        "The picture service hasn't answered for a while. Pictures wait until it does."
    ),
}
"""What those who run the bot are told; by the service, and how its `Health` is."""

WELL: Final = {
    "dbservice": _noop("My storage answers again."),
    "captioner": _noop("The captioning service works again."),
    "generator": _noop("The picture service works again."),
}

STATES: Final = {
    db.GENERATION_STATE_RECEIVED: _noop("Getting ready"),
    db.GENERATION_STATE_STORED: _noop("Looking at your photo"),
    db.GENERATION_STATE_CAPTIONED: _noop("About to get in line"),
    db.GENERATION_STATE_QUEUED: _noop("In line"),
    db.GENERATION_STATE_RUNNING: _noop("Painting"),
    db.GENERATION_STATE_FINISHED: _noop("Painted, and about to be sent"),
    db.GENERATION_STATE_DELIVERED: _noop("Done"),
    db.GENERATION_STATE_FAILED: _noop("Couldn't be painted"),
    db.GENERATION_STATE_REFUSED: _noop("Held back by the safety filter"),
    db.GENERATION_STATE_CANCELLED: _noop("Cancelled"),
    db.GENERATION_STATE_UNDELIVERABLE: _noop("Couldn't be sent"),
}

SMALL_MODEL_SIZE: Final = _noop("64 x 64 pixels")

CAPTIONERS: Final = {
    "azure": "Azure AI Vision",
    "blip": "BLIP",
    "offline": _noop("the offline captioner"),
}

DIAL: Final = {
    db.DIAL_DREAM: (_noop("Dream"), _noop("painted from words alone")),
    db.DIAL_COUSIN: (_noop("Cousin"), _noop("your photo's light and layout, painted anew")),
    db.DIAL_SIBLING: (_noop("Sibling"), _noop("your photo's scene in another hand")),
    db.DIAL_TWIN: (_noop("Twin"), _noop("your photo, nearly as it is")),
}
"""The steps of the dial, and what each of them does."""

MONTHS: Final = (
    _noop("January"),
    _noop("February"),
    _noop("March"),
    _noop("April"),
    _noop("May"),
    _noop("June"),
    _noop("July"),
    _noop("August"),
    _noop("September"),
    _noop("October"),
    _noop("November"),
    _noop("December"),
)
"""The months as a date has them."""

ZONES: Final = {
    "America/Los_Angeles": _noop("Los Angeles"),
    "America/New_York": _noop("New York"),
    "America/Sao_Paulo": _noop("São Paulo"),
    "Europe/London": _noop("London"),
    "Europe/Amsterdam": _noop("Amsterdam"),
    "Europe/Berlin": _noop("Berlin"),
    "Europe/Vilnius": _noop("Vilnius"),
    "Asia/Dubai": _noop("Dubai"),
    "Asia/Kolkata": _noop("Delhi"),
    "Asia/Shanghai": _noop("Shanghai"),
    "Asia/Tokyo": _noop("Tokyo"),
    "Australia/Sydney": _noop("Sydney"),
}
"""What the time zones are called that are offered."""
