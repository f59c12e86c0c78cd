"""setMyName, setMyDescription, setMyShortDescription and their getters; the profile photo."""

from typing import Any

from sandbox.botapi.call import Call
from sandbox.botapi.media import ATTACHED
from sandbox.storage.schema import Json
from sandbox.telegram.files import add_file, prepare_photo
from sandbox.telegram.profile import PHOTO, set_text, set_value, text_for
from sandbox.telegram.refusals import bad_request


async def set_my_name(call: Call) -> bool:
    """The bot's name, under which its messages are shown."""
    return await _set(call, "name")


async def get_my_name(call: Call) -> Json:
    """The name that a user of a language sees."""
    found = await _get(call, "name")
    return found if found["name"] else {"name": call.sandbox.bot.user["first_name"]}


async def set_my_description(call: Call) -> bool:
    """What an empty chat shows."""
    return await _set(call, "description")


async def get_my_description(call: Call) -> Json:
    """The description that a user of a language sees."""
    return await _get(call, "description")


async def set_my_short_description(call: Call) -> bool:
    """What the profile shows."""
    return await _set(call, "short_description")


async def get_my_short_description(call: Call) -> Json:
    """The short description that a user of a language sees."""
    return await _get(call, "short_description")


async def set_my_profile_photo(call: Call) -> bool:
    """A new profile photo, as an upload; none can be used again."""
    photo = call.params.json("photo", "input profile photo")
    upload = call.params.files.get(_attached(photo))
    if upload is None:
        raise bad_request("profile photo must be uploaded as a file")
    prepared = await prepare_photo(call.sandbox.database.files_folder, upload)
    async with call.sandbox.database.transaction() as tx:
        await set_value(tx, PHOTO, (await add_file(tx, prepared))["photo"])
    return True


async def remove_my_profile_photo(call: Call) -> bool:
    """No profile photo."""
    async with call.sandbox.database.transaction() as tx:
        await set_value(tx, PHOTO, None)
    return True


def _attached(photo: Any) -> str:
    """The part of the form with an `InputProfilePhotoStatic`; the other kind is a video."""
    if not isinstance(photo, dict) or not isinstance(photo.get("photo", ""), str):
        raise bad_request("can't parse input profile photo: expected an Object")
    if photo.get("type") != "static":
        raise bad_request("can't parse input profile photo: invalid type specified")
    return str(photo.get("photo", "")).removeprefix(ATTACHED)


async def _set(call: Call, field: str) -> bool:
    language = call.params.language()
    async with call.sandbox.database.transaction() as tx:
        await set_text(tx, field, call.params.text(field).strip(), language)
    return True


async def _get(call: Call, field: str) -> Json:
    language = call.params.language()
    async with call.sandbox.database.reading() as tx:
        return {field: await text_for(tx, field, language)}
