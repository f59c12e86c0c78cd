"""All that the bot says in a language, with what is awkward to fill in."""

import datetime as dt
import inspect
import itertools
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

from bot.access import Opened, Policy, Standing
from bot.clients.documents import Job
from bot.health import Health
from bot.recipes.children import NAMES
from bot.recipes.from_file import FileRecipe, parse
from bot.recipes.styles import STYLES
from bot.texts.tables import ENDINGS, STATES, TROUBLES, WAITS, WELL, ZONES
from bot.texts.texts import Texts
from protos.lookalike.db.v1 import db_pb2 as db

TEXT: Final = 4096
CAPTION: Final = 1024
TOAST: Final = 200
BUTTON: Final = 40  # Telegram has no limit; a phone has

_LIMITS: Final = {
    "description": 512,
    "short_description": 120,
    "commands": 256,
    "pictures.question_hint": 64,
    "pictures.picture": CAPTION,
    "pictures.card": CAPTION,
    "pictures.guess_on_button": 120,  # the captioner's words
    "quotas.used_up": TOAST,
    "statistics.statistics": CAPTION,
    "statistics.date": 6,
}
"""Of what is neither a message nor a button nor a toast."""

_TOASTS: Final = {
    "access.refusal",
    "access.revoked",
    "ending",  # a button may be refused for what a photo is
    "broadcast.another",
    "broadcast.news",
    "broadcast.no_news",
    "broadcast.sending",
    "broadcast.stopping",
    "cancelled",
    "database_unavailable",
    "gone",
    "groups.administrators_only",
    "settings.style_chosen",
    "groups.was_reset",
    "no_history",
    "not_yours",
    "pictures.at_once",
    "pictures.coming",
    "pictures.deleted",
    "pictures.dial",
    "pictures.no_recipe",
    "pictures.question_asked",
    "pictures.sending",
    "pictures.starred",
    "pictures.under_way",
    "pictures.unfinished",
    "pictures.unstarred",
    "settings.language_chosen",
    "settings.zone_chosen",
    "too_late",
    "went_wrong",
}
"""What may answer a pressed button."""

_NUMBERS: Final = (0, 1, 2, 5, 11, 21, 1000)
_NOW: Final = dt.datetime(2026, 3, 31, 23, 59, tzinfo=dt.UTC)
_MIDNIGHT: Final = "2026-04-01T00:00+03:00"
_WORDS: Final = (
    "a cat",
    "word " * 300,
    "x" * 3000,
    "חתול על ספה",
    "\u202ebackwards\u202c {braces} %s %(x)s",
    "👩‍👩‍👧‍👦🐈‍⬛" * 300,
)


@dataclass(frozen=True)
class Rendered:
    """A text as somebody may read it.

    Attributes:
        name: where it is from.
        text: what it says.
        most: how long it may be, in UTF-16 units, as Telegram counts.
    """

    name: str
    text: str
    most: int

    @property
    def length(self) -> int:
        return len(self.text.encode("utf-16-le")) // 2


def rendered(texts: Texts) -> Iterator[Rendered]:
    """All of it. What takes something that is not known here is an error: give it a sample."""
    yield from _rendered(texts, "")


def _rendered(said: Any, prefix: str) -> Iterator[Rendered]:
    for name in sorted({*vars(said), *vars(type(said))}):
        value = getattr(said, name)
        if name.startswith("_") or name == "ngettext":
            continue
        full = f"{prefix}{name}"
        if inspect.ismethod(value):
            for arguments in _arguments(full, value):
                yield _one(full, value(**arguments))
        elif type(value).__module__.startswith("bot.texts."):
            yield from _rendered(value, f"{full}.")
        elif isinstance(value, str):
            yield _one(full, value)
        elif isinstance(value, dict):
            for key, text in value.items():  # what the gallery's page fills in itself
                yield _one(f"{full}.{key}", text.replace("{title}", "x" * 400))
        else:
            for _, text in value:
                yield _one(full, text)


def _one(name: str, text: str) -> Rendered:
    assert isinstance(text, str), name
    is_button = name.endswith(("_button", "_choice")) or "_on_button" in name
    most = TOAST if name in _TOASTS else BUTTON if is_button else TEXT
    return Rendered(name, text, _LIMITS.get(name, most))


def _arguments(name: str, method: Callable[..., str]) -> Iterator[Mapping[str, Any]]:
    """What to call a method with: all together, where that is not too much."""
    hints = get_type_hints(method)
    parameters = list(inspect.signature(method).parameters)
    values = [_values(name, each, hints[each]) for each in parameters]
    for chosen in itertools.islice(itertools.product(*values), 3000):
        yield dict(zip(parameters, chosen, strict=True))


def _values(name: str, parameter: str, kind: Any) -> Sequence[Any]:
    if special := _SPECIAL.get((name, parameter)):
        return special
    if get_origin(kind) in (Union, types.UnionType):
        return [value for each in get_args(kind) for value in _values(name, parameter, each)]
    assert kind in _SAMPLES, f"{name} takes {kind} as {parameter}: give it a sample here"
    return _SAMPLES[kind]


def _items() -> Iterator[db.Item]:
    for words, state in itertools.product(_WORDS, STATES):
        item = db.Item(photo=db.Photo(file_id="f", caption=db.Caption(text=words)))
        item.generation.state = state
        item.generation.pictures = 4
        item.generation.recipe.CopyFrom(
            db.Recipe(dial=db.DIAL_SIBLING, style="stained-glass", words=words[:4096])
        )
        item.generation.parameters.CopyFrom(
            db.Parameters(prompt=words[:1000], negative_prompt=words[:1000], seed=2**62)
        )
        for model in ("emoji", words):
            item.generation.picture.CopyFrom(db.Picture(seed=2**62, model=model))
            then = _NOW - dt.timedelta(days=400 if model == "emoji" else 5)
            item.generation.created_at.FromDatetime(then)
            yield item
    for minutes in (0, *_NUMBERS[1:], 60, 5 * 60, 11 * 60, 21 * 60, 24 * 60):
        item = db.Item(members=[db.Generation()] * 2)
        item.generation.pictures = 4
        item.generation.recipe.dial = db.DIAL_DREAM
        item.generation.created_at.FromDatetime(_NOW - dt.timedelta(minutes=minutes))
        yield item


def _captions() -> Iterator[db.Caption]:
    for words, captioner in itertools.product(_WORDS, ("azure", "offline", "user", "new-one")):
        text = words[:1000]
        yield db.Caption(text=text, captioner=captioner)
        for confidence in (0.0, 0.01, 0.345, 1.0):
            yield db.Caption(text=text, captioner=captioner, confidence=confidence)


def _jobs() -> Iterator[Job]:
    for number in _NUMBERS:
        yield Job("queued", position=number)
        for eta in (0.0, 59.4, 61.0, 3600.0 * 1000):
            yield Job("queued", position=number, eta_seconds=eta)
            yield Job("running", step=number, steps=1000, eta_seconds=eta)


def _recipes() -> Iterator[FileRecipe]:
    for words in _WORDS:
        told: dict[str, Any] = dict.fromkeys(("prompt", "model", "words"), words)
        told |= {"dial": "twin", "style": "oil", "seed": 2**62, "steps": 150}
        recipe = parse(told)
        assert recipe is not None
        yield recipe


def _statistics() -> Iterator[db.GetStatisticsResponse]:
    for number, seconds in itertools.product((0, 10**9), (None, 0.04, 119.4, 10.0**6)):
        of = db.Statistics(waiting_seconds=seconds, painting_seconds=seconds)
        for field in ("people", "photos", "pictures", "refusals", "captions"):
            setattr(of, field, number)
        found = db.GetStatisticsResponse(today=of, week=of, all=of, unfinished=number)
        found.kept_bytes = found.free_bytes = number**2
        yield found


def _broadcasts() -> Iterator[db.Broadcast]:
    for state, number in itertools.product(db.BroadcastState.keys(), _NUMBERS):
        broadcast = db.Broadcast(state=state, total=number, sent=number, blocked=number)
        broadcast.failed = broadcast.left_out = number
        yield broadcast


def _invites() -> Iterator[db.Invite]:
    for number in _NUMBERS:
        invite = db.Invite(id=10**6 - 1, max_uses=number, uses=number)
        invite.expires_at.FromDatetime(_NOW + dt.timedelta(days=number))
        yield invite


_SAMPLES: Final[Mapping[Any, Sequence[Any]]] = {
    str: _WORDS,
    int: _NUMBERS,
    float: _NUMBERS,
    bool: (False, True),
    type(None): (None,),
    dt.datetime: (_NOW,),
    dt.date: (_NOW.date(),),
    db.GetStatisticsResponse: [*_statistics()],
    db.Item: [*_items()],
    db.Caption: [*_captions()],
    db.Dial: [*NAMES],
    Job: [*_jobs()],
    Health: [*Health],
    FileRecipe: [*_recipes()],
    db.Broadcast: [*_broadcasts()],
    db.Invite: [*_invites()],
    Sequence[db.Invite]: [(), [*_invites()][-1:] * 100],
    Opened: [*Opened],
    Policy: get_args(Policy),
    Standing: [Standing.STRANGER, Standing.BANNED],
    Mapping[str, Any]: ({}, {"steps": 150, "preset": "balanced", "guidance_scale": 7.5}),
}

_SPECIAL: Final[Mapping[tuple[str, str], Sequence[Any]]] = {
    ("ending", "code"): [*ENDINGS],
    ("waiting", "code"): [*WAITS],
    ("quotas.used_up", "goes_on_at"): ("", _MIDNIGHT),
    ("quotas.captions_used_up", "goes_on_at"): (_MIDNIGHT,),
    ("quotas.left", "goes_on_at"): ("", _MIDNIGHT),
    ("trouble.trouble", "code"): [*TROUBLES],
    ("trouble.well", "service"): [*WELL],
    ("access.invite", "link"): (f"https://t.me/{'x' * 32}?start=i_{'x' * 62}",),
    ("privacy.privacy", "url"): (None, f"https://{'x' * 492}"),
    ("captioner_line", "captioner"): ("azure", "blip", "offline"),
    ("kept_line", "kept"): (0, 10**6, 10**12),
    ("kept_line", "most"): (10**6, 10**12),
    ("pictures.style", "name"): [*STYLES],
    ("pictures.style_on_button", "name"): [*STYLES],
    ("pictures.dial_button", "dial"): [*NAMES],
    ("settings.style_chosen", "style"): [*STYLES, ""],
    ("settings.city", "zone"): [*ZONES, "America/Argentina/Buenos_Aires", ""],
    ("settings.zone_button", "zone"): [*ZONES, "America/Argentina/ComodRivadavia", ""],
    ("settings.zone_choice", "zone"): [*ZONES],
    ("settings.zone_chosen", "zone"): [*ZONES, "America/Argentina/ComodRivadavia"],
    ("settings.choice", "name"): ("Nederlands", "Kaip „Telegram“", "🪟 Glasmalerei"),
    ("settings.unknown_zone", "written"): [each[:100] for each in _WORDS],
}
"""What is one of a few."""
