"""What the bot says of a picture and under it, in one language."""

import datetime as dt
import gettext
from collections.abc import Iterable, Mapping
from typing import Any, Final

from bot.recipes.from_file import FileRecipe
from bot.recipes.guesses import thing
from bot.recipes.prompts import sentence, words_of
from bot.recipes.styles import STYLES
from bot.texts.shortening import shortened
from bot.texts.tables import DIAL, SMALL_MODEL_SIZE
from bot.texts.times import ago
from protos.lookalike.db.v1 import db_pb2 as db

SMALL_MODEL: Final = "emoji"
"""The one in the package. Whoever sees its recipes is told that it is a small one."""

_SENTENCE: Final = 400  # characters; Telegram takes 1,024 UTF-16 units in all
_OFFER: Final = 100  # characters
_GUESS: Final = 60  # characters
_MODEL: Final = 50  # characters; a folder's name may have 255 bytes


class PictureTexts:
    """Everything about pictures.

    Attributes:
        again_button: paints it again.
        closer_button: one step of the dial closer to the photo.
        freer_button: one step further from it.
        style_button: opens the menu of styles.
        full_size_button: sends the picture as a file.
        recipe_button: shows the recipe.
        delete_button: asks whether it is to be deleted.
        delete_for_good_button: deletes it.
        keep_button: does not.
        no_style_button: paints it in no style.
        back_button: leaves the menu.
        paint_button: paints words.
        correct_button: under a caption; asks what the photo shows.
        question: what it asks.
        question_hint: stands where the answer is written; at most 64 characters.
        question_asked: the question stands there already.
        choices: stands above the buttons of an album.
        coming: a press was taken.
        under_way: the picture that a press asks for is on its way already.
        sending: a file is on its way.
        deleted: stands where a picture was.
        unfinished: a picture that is not quite delivered cannot be deleted.
        older_button: turns the card of the history to an older picture.
        newer_button: likewise, to a newer one.
        show_button: sends the picture on the card again.
        starred: the picture on the card has a star now.
        unstarred: it has none any more.
        photos_forbidden: stands for a card where the chat takes no pictures.
        paint_usage: the answer to /paint alone.
        no_recipe: the answer to /paint with a file that has none; at most 200 characters.
        settings: the answer to /settings, about the dial.
        how_many: likewise, about how many pictures there are at once.
    """

    def __init__(self, translations: gettext.NullTranslations) -> None:
        """A catalogue of the source strings."""
        self._translations = translations
        self._ = _ = translations.gettext
        self.again_button = _("🔁 Again")
        self.closer_button = _("🪞 Closer")
        self.freer_button = _("✨ Freer")
        self.style_button = _("🎨 Style")
        self.full_size_button = _("📄 Full size")
        self.recipe_button = "ℹ️"  # noqa: RUF001, it is meant
        self.delete_button = _("🗑 Delete")
        self.delete_for_good_button = _("🗑 Delete for good")
        self.keep_button = _("Keep")
        self.no_style_button = _("No style")
        self.back_button = _("« Back")
        self.paint_button = _("🎨 Paint this")
        self.correct_button = "✏️"
        self.question = _("What does it show? Reply to this message.")
        self.question_hint = _("It shows…")
        self.question_asked = _("I've just asked: please reply to my question.")
        self.choices = _("Which one shall I go on with?")
        self.coming = _("Coming up!")
        self.under_way = _("It's already on its way.")
        self.sending = _("Sending it…")
        self.deleted = _("Deleted")
        self.unfinished = _("One moment: this picture is still being delivered.")
        self.older_button = "›"  # noqa: RUF001, it is meant
        self.newer_button = "‹"  # noqa: RUF001, likewise
        self.show_button = _("Show in chat")
        self.starred = _("Starred: I'll keep it, and its photo.")
        self.unstarred = _("No longer starred.")
        self.photos_forbidden = _("I can't post pictures here. May I send photos in this chat?")
        self.paint_usage = _(
            "Write what I should paint after the command, like this:\n/paint a lighthouse at night"
            "\n\nOr send a PNG from “{button}” as a file, with /paint as its caption, and I'll "
            "paint from its recipe."
        ).format(button=self.full_size_button)
        self.no_recipe = _(
            "This file carries no recipe of mine. A PNG that “{button}” sends does, as long as it "
            "is sent on as a file."
        ).format(button=self.full_size_button)
        self.settings = _("How close to your photo should the first picture be?")
        self.how_many = _("And how many pictures at once?")

    def dial(self, dial: db.Dial) -> str:
        """The name of a step of the dial."""
        return self._(DIAL[dial][0])

    def dial_button(self, dial: db.Dial, *, chosen: bool) -> str:
        """A step of the dial, in /settings."""
        return f"● {self.dial(dial)}" if chosen else self.dial(dial)

    def delete_number_button(self, number: int) -> str:
        """Deletes this picture of an album."""
        return f"🗑 {number}"

    def count_button(self, count: int, *, chosen: bool) -> str:
        """How many pictures at once, in /settings."""
        return f"● {count}" if chosen else f"{count}"

    def at_once(self, count: int) -> str:
        """How many pictures there are at once from now on."""
        several = self._translations.ngettext("{count} picture", "{count} pictures at once", count)
        return several.format(count=count)

    def dial_line(self, dial: db.Dial) -> str:
        """A step of the dial, and what it does."""
        return self._("{step}: {effect}").format(step=self.dial(dial), effect=self._(DIAL[dial][1]))

    def guess_on_button(self, guess: str) -> str:
        """What a photo may show, under its caption."""
        named = shortened(thing(guess), _GUESS)
        return f"{named[:1].upper()}{named[1:]}"

    def style(self, name: str) -> str:
        """What a style is called; its name where there is no such style any more."""
        return self._(STYLES[name].label) if name in STYLES else name

    def style_on_button(self, name: str) -> str:
        """A style in the menu."""
        label = self.style(name)
        return f"{STYLES[name].emoji} {label[:1].upper()}{label[1:]}"

    def picture(self, item: db.Item) -> str:
        """What stands under a picture: the sentence, and one line of how it was painted."""
        recipe, model = item.generation.recipe, item.generation.picture.model
        style = self.style(recipe.style)
        if style and model == SMALL_MODEL:
            style = self._("{style}, as far as this small model can").format(style=style)
        if recipe.dial == db.DIAL_DREAM:
            line = style[:1].upper() + style[1:]
        elif style:
            line = self._("{step} · {style}").format(step=self.dial(recipe.dial), style=style)
        else:
            line = self.dial_line(recipe.dial)
        return f"{self.sentence(item)}\n\n{line}".rstrip()

    def card(self, item: db.Item, now: dt.datetime) -> str:
        """What stands under a picture of the history: the sentence, how it was painted, and when.

        Args:
            item: the picture.
            now: in the time zone of whoever reads it.
        """
        line = " · ".join(filter(None, (self.manner(item), self.when(item, now))))
        return f"{self.sentence(item)}\n\n{line[:1].upper()}{line[1:]}".lstrip()

    def when(self, item: db.Item, now: dt.datetime) -> str:
        """When a picture was asked for; `now` is in the time zone of whoever reads it."""
        return ago(self._translations, item.generation.created_at.ToDatetime(dt.UTC), now)

    def sentence(self, item: db.Item) -> str:
        """What a picture shows."""
        return shortened(sentence(item) or item.generation.parameters.prompt, _SENTENCE)

    def manner(self, item: db.Item) -> str:
        """How a picture is painted, in few words: dial and style; empty for a plain Dream."""
        recipe = item.generation.recipe
        dial = "" if recipe.dial == db.DIAL_DREAM else self.dial(recipe.dial)
        return " · ".join(filter(None, (dial, self.style(recipe.style))))

    def star_button(self, *, starred: bool) -> str:
        """Gives the picture on a card a star, or takes it away."""
        return "⭐" if starred else "☆"

    def recipe(self, item: db.Item, computed: Mapping[str, Any]) -> str:
        """All that made a picture, to be copied.

        Args:
            item: the picture.
            computed: what its PNG says of how it was computed; empty if it says nothing.
        """
        generation = item.generation
        parameters, recipe = generation.parameters, generation.recipe
        model = generation.picture.model
        shown_model = shortened(model, _MODEL)
        if model == SMALL_MODEL:
            shown_model = self._("{model}, which draws {size}; enlarged").format(
                model=model, size=self._(SMALL_MODEL_SIZE)
            )
        size = generation.picture.image
        facts = (
            (self._("Prompt"), parameters.prompt),
            (self._("Avoided"), shortened(parameters.negative_prompt, _SENTENCE)),
            (self._("Your words"), shortened(words_of(item), _SENTENCE)),  # the prompt has them
            (self._("Dial"), self.dial(recipe.dial)),
            (self._("Style"), self.style(recipe.style)),
            (self._("Seed"), generation.picture.seed),
            (self._("Steps"), computed.get("steps", "")),
            (self._("Preset"), computed.get("preset", parameters.preset)),
            (self._("Guidance"), computed.get("guidance_scale", "")),
            (self._("Strength"), computed.get("strength", "")),
            (self._("Size"), f"{size.width} x {size.height}"),
            (self._("Model"), shown_model),
        )
        return _lines(facts)

    def offer(self, words: str) -> str:
        """The answer to plain text, which has a button."""
        return self._("Shall I paint “{words}”?").format(words=shortened(words, _OFFER))

    def offer_of_file(self, recipe: FileRecipe) -> str:
        """The answer to a file with a recipe, which has a button."""
        asked, words = recipe.child.parameters, recipe.child.recipe.words
        size = f"{asked.width} x {asked.height}" if asked.width and asked.height else ""
        facts = (
            (self._("Prompt"), shortened(asked.prompt, _SENTENCE)),
            (self._("Your words"), "" if asked.prompt else shortened(words, _SENTENCE)),
            (self._("Style"), self.style(recipe.child.recipe.style)),
            (self._("Seed"), asked.seed if asked.HasField("seed") else ""),
            (self._("Steps"), asked.steps if asked.HasField("steps") else ""),
            (self._("Size"), size),
            (self._("Painted by"), shortened(recipe.model, _MODEL)),
        )
        parts = [self._("Shall I paint from this recipe?"), _lines(facts)]
        if recipe.had_photo:
            parts.append(
                self._(
                    "It began with a photo, which the file doesn't have: I'd paint a {dream}."
                ).format(dream=self.dial(db.DIAL_DREAM))
            )
        return "\n\n".join(parts)


def _lines(facts: Iterable[tuple[str, object]]) -> str:
    return "\n".join(f"{name}: {value}" for name, value in facts if value != "")
