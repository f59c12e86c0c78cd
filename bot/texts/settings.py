"""What the bot says in /settings of styles, languages and time zones, in one language."""

import datetime as dt
import gettext

from bot.recipes.styles import STYLES
from bot.texts.tables import ZONES


class SettingsTexts:
    """Everything about them; the dial is a matter of pictures.

    Attributes:
        language: the name of this language in itself.
        choose_language: stands above the languages.
        as_telegram_button: takes the language that Telegram gives of the person.
        language_chosen: a language was chosen, this one.
        choose_style: stands above the styles that the first picture of a photo may have.
        choose_zone: stands above the time zones.
    """

    def __init__(self, translations: gettext.NullTranslations) -> None:
        """A catalogue of the source strings."""
        self._ = _ = translations.gettext
        # Translators: the name of the language that you translate into, in itself.
        self.language = _("English")
        self.choose_language = _("Which language shall I speak?")
        self.as_telegram_button = _("Same as in Telegram")
        self.language_chosen = _("I speak English now.")
        self.choose_style = _("In which style shall I paint a photo's first picture?")
        self.choose_zone = _(
            "What time is it where you are? If no button has it, write your time zone like this:\n"
            "/settings Asia/Kathmandu"
        )

    def language_button(self) -> str:
        """Opens the menu of languages."""
        return f"🌐 {self.language}"

    def choice(self, name: str, *, chosen: bool) -> str:
        """A language or a style in its menu, or none."""
        return f"● {name}" if chosen else name

    def style_chosen(self, style: str) -> str:
        """A style was chosen."""
        if style not in STYLES:
            return self._("No style is set now.")
        return self._("First pictures: {style}").format(style=self._(STYLES[style].label))

    def zone_button(self, zone: str, now: dt.datetime) -> str:
        """Opens the menu of time zones."""
        return f"🕒 {self.zone_choice(zone, now, chosen=False)}".rstrip()

    def zone_choice(self, zone: str, now: dt.datetime, *, chosen: bool) -> str:
        """A time zone in its menu: what time it is there, and where that is."""
        text = f"{now:%H:%M} {self.city(zone)}"
        return f"● {text}" if chosen else text

    def zone_chosen(self, zone: str, now: dt.datetime) -> str:
        """A time zone was chosen."""
        template = self._("It's {time} where you are ({city}).")
        return template.format(time=f"{now:%H:%M}", city=self.city(zone))

    def unknown_zone(self, written: str) -> str:
        """The answer to /settings with what is no time zone."""
        return self._(
            "I don't know the time zone “{zone}”. Write it like Europe/Vilnius, or choose one with "
            "the clock in /settings."
        ).format(zone=written)

    def city(self, zone: str) -> str:
        """What a time zone is called."""
        if zone in ZONES:
            return self._(ZONES[zone])
        return zone.rpartition("/")[2].replace("_", " ")
