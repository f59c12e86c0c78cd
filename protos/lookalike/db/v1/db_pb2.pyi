import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GenerationState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    GENERATION_STATE_UNSPECIFIED: _ClassVar[GenerationState]
    GENERATION_STATE_RECEIVED: _ClassVar[GenerationState]
    GENERATION_STATE_STORED: _ClassVar[GenerationState]
    GENERATION_STATE_CAPTIONED: _ClassVar[GenerationState]
    GENERATION_STATE_QUEUED: _ClassVar[GenerationState]
    GENERATION_STATE_RUNNING: _ClassVar[GenerationState]
    GENERATION_STATE_FINISHED: _ClassVar[GenerationState]
    GENERATION_STATE_DELIVERED: _ClassVar[GenerationState]
    GENERATION_STATE_FAILED: _ClassVar[GenerationState]
    GENERATION_STATE_REFUSED: _ClassVar[GenerationState]
    GENERATION_STATE_CANCELLED: _ClassVar[GenerationState]
    GENERATION_STATE_UNDELIVERABLE: _ClassVar[GenerationState]

class MessageKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MESSAGE_KIND_UNSPECIFIED: _ClassVar[MessageKind]
    MESSAGE_KIND_CAPTION: _ClassVar[MessageKind]
    MESSAGE_KIND_STATUS: _ClassVar[MessageKind]
    MESSAGE_KIND_ENDING: _ClassVar[MessageKind]
    MESSAGE_KIND_PICTURE: _ClassVar[MessageKind]
    MESSAGE_KIND_QUESTION: _ClassVar[MessageKind]
    MESSAGE_KIND_CHOICES: _ClassVar[MessageKind]

class Dial(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DIAL_UNSPECIFIED: _ClassVar[Dial]
    DIAL_DREAM: _ClassVar[Dial]
    DIAL_COUSIN: _ClassVar[Dial]
    DIAL_SIBLING: _ClassVar[Dial]
    DIAL_TWIN: _ClassVar[Dial]

class ThumbnailFormat(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    THUMBNAIL_FORMAT_UNSPECIFIED: _ClassVar[ThumbnailFormat]
    THUMBNAIL_FORMAT_AVIF: _ClassVar[ThumbnailFormat]
    THUMBNAIL_FORMAT_WEBP: _ClassVar[ThumbnailFormat]
    THUMBNAIL_FORMAT_JPEG: _ClassVar[ThumbnailFormat]

class Redemption(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REDEMPTION_UNSPECIFIED: _ClassVar[Redemption]
    REDEMPTION_ACCEPTED: _ClassVar[Redemption]
    REDEMPTION_MEMBER: _ClassVar[Redemption]
    REDEMPTION_UNKNOWN: _ClassVar[Redemption]
    REDEMPTION_USED_UP: _ClassVar[Redemption]
    REDEMPTION_EXPIRED: _ClassVar[Redemption]
    REDEMPTION_REVOKED: _ClassVar[Redemption]
    REDEMPTION_BANNED: _ClassVar[Redemption]

class BroadcastState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BROADCAST_STATE_UNSPECIFIED: _ClassVar[BroadcastState]
    BROADCAST_STATE_RUNNING: _ClassVar[BroadcastState]
    BROADCAST_STATE_DONE: _ClassVar[BroadcastState]
    BROADCAST_STATE_CANCELLED: _ClassVar[BroadcastState]
    BROADCAST_STATE_GONE: _ClassVar[BroadcastState]

class ExportAnswer(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EXPORT_ANSWER_UNSPECIFIED: _ClassVar[ExportAnswer]
    EXPORT_ANSWER_BEGUN: _ClassVar[ExportAnswer]
    EXPORT_ANSWER_UNDER_WAY: _ClassVar[ExportAnswer]
    EXPORT_ANSWER_TOO_SOON: _ClassVar[ExportAnswer]
GENERATION_STATE_UNSPECIFIED: GenerationState
GENERATION_STATE_RECEIVED: GenerationState
GENERATION_STATE_STORED: GenerationState
GENERATION_STATE_CAPTIONED: GenerationState
GENERATION_STATE_QUEUED: GenerationState
GENERATION_STATE_RUNNING: GenerationState
GENERATION_STATE_FINISHED: GenerationState
GENERATION_STATE_DELIVERED: GenerationState
GENERATION_STATE_FAILED: GenerationState
GENERATION_STATE_REFUSED: GenerationState
GENERATION_STATE_CANCELLED: GenerationState
GENERATION_STATE_UNDELIVERABLE: GenerationState
MESSAGE_KIND_UNSPECIFIED: MessageKind
MESSAGE_KIND_CAPTION: MessageKind
MESSAGE_KIND_STATUS: MessageKind
MESSAGE_KIND_ENDING: MessageKind
MESSAGE_KIND_PICTURE: MessageKind
MESSAGE_KIND_QUESTION: MessageKind
MESSAGE_KIND_CHOICES: MessageKind
DIAL_UNSPECIFIED: Dial
DIAL_DREAM: Dial
DIAL_COUSIN: Dial
DIAL_SIBLING: Dial
DIAL_TWIN: Dial
THUMBNAIL_FORMAT_UNSPECIFIED: ThumbnailFormat
THUMBNAIL_FORMAT_AVIF: ThumbnailFormat
THUMBNAIL_FORMAT_WEBP: ThumbnailFormat
THUMBNAIL_FORMAT_JPEG: ThumbnailFormat
REDEMPTION_UNSPECIFIED: Redemption
REDEMPTION_ACCEPTED: Redemption
REDEMPTION_MEMBER: Redemption
REDEMPTION_UNKNOWN: Redemption
REDEMPTION_USED_UP: Redemption
REDEMPTION_EXPIRED: Redemption
REDEMPTION_REVOKED: Redemption
REDEMPTION_BANNED: Redemption
BROADCAST_STATE_UNSPECIFIED: BroadcastState
BROADCAST_STATE_RUNNING: BroadcastState
BROADCAST_STATE_DONE: BroadcastState
BROADCAST_STATE_CANCELLED: BroadcastState
BROADCAST_STATE_GONE: BroadcastState
EXPORT_ANSWER_UNSPECIFIED: ExportAnswer
EXPORT_ANSWER_BEGUN: ExportAnswer
EXPORT_ANSWER_UNDER_WAY: ExportAnswer
EXPORT_ANSWER_TOO_SOON: ExportAnswer

class ImageInfo(_message.Message):
    __slots__ = ("media_type", "width", "height", "size", "sha256")
    MEDIA_TYPE_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    media_type: str
    width: int
    height: int
    size: int
    sha256: str
    def __init__(self, media_type: _Optional[str] = ..., width: _Optional[int] = ..., height: _Optional[int] = ..., size: _Optional[int] = ..., sha256: _Optional[str] = ...) -> None: ...

class Caption(_message.Message):
    __slots__ = ("text", "confidence", "captioner", "model", "guesses")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    CAPTIONER_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    GUESSES_FIELD_NUMBER: _ClassVar[int]
    text: str
    confidence: float
    captioner: str
    model: str
    guesses: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, text: _Optional[str] = ..., confidence: _Optional[float] = ..., captioner: _Optional[str] = ..., model: _Optional[str] = ..., guesses: _Optional[_Iterable[str]] = ...) -> None: ...

class Recipe(_message.Message):
    __slots__ = ("dial", "style", "words")
    DIAL_FIELD_NUMBER: _ClassVar[int]
    STYLE_FIELD_NUMBER: _ClassVar[int]
    WORDS_FIELD_NUMBER: _ClassVar[int]
    dial: Dial
    style: str
    words: str
    def __init__(self, dial: _Optional[_Union[Dial, str]] = ..., style: _Optional[str] = ..., words: _Optional[str] = ...) -> None: ...

class Parameters(_message.Message):
    __slots__ = ("prompt", "negative_prompt", "preset", "width", "height", "steps", "guidance_scale", "seed")
    PROMPT_FIELD_NUMBER: _ClassVar[int]
    NEGATIVE_PROMPT_FIELD_NUMBER: _ClassVar[int]
    PRESET_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    GUIDANCE_SCALE_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    prompt: str
    negative_prompt: str
    preset: str
    width: int
    height: int
    steps: int
    guidance_scale: float
    seed: int
    def __init__(self, prompt: _Optional[str] = ..., negative_prompt: _Optional[str] = ..., preset: _Optional[str] = ..., width: _Optional[int] = ..., height: _Optional[int] = ..., steps: _Optional[int] = ..., guidance_scale: _Optional[float] = ..., seed: _Optional[int] = ...) -> None: ...

class Photo(_message.Message):
    __slots__ = ("id", "bot_id", "chat_id", "message_id", "user_id", "language_code", "file_id", "file_size", "user_text", "received_at", "image", "caption", "caption_message_id", "message_thread_id", "album_text", "album_newest_at", "first_caption", "channel_post")
    ID_FIELD_NUMBER: _ClassVar[int]
    BOT_ID_FIELD_NUMBER: _ClassVar[int]
    CHAT_ID_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_CODE_FIELD_NUMBER: _ClassVar[int]
    FILE_ID_FIELD_NUMBER: _ClassVar[int]
    FILE_SIZE_FIELD_NUMBER: _ClassVar[int]
    USER_TEXT_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_AT_FIELD_NUMBER: _ClassVar[int]
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    CAPTION_FIELD_NUMBER: _ClassVar[int]
    CAPTION_MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_THREAD_ID_FIELD_NUMBER: _ClassVar[int]
    ALBUM_TEXT_FIELD_NUMBER: _ClassVar[int]
    ALBUM_NEWEST_AT_FIELD_NUMBER: _ClassVar[int]
    FIRST_CAPTION_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_POST_FIELD_NUMBER: _ClassVar[int]
    id: str
    bot_id: int
    chat_id: int
    message_id: int
    user_id: int
    language_code: str
    file_id: str
    file_size: int
    user_text: str
    received_at: _timestamp_pb2.Timestamp
    image: ImageInfo
    caption: Caption
    caption_message_id: int
    message_thread_id: int
    album_text: str
    album_newest_at: _timestamp_pb2.Timestamp
    first_caption: bool
    channel_post: bool
    def __init__(self, id: _Optional[str] = ..., bot_id: _Optional[int] = ..., chat_id: _Optional[int] = ..., message_id: _Optional[int] = ..., user_id: _Optional[int] = ..., language_code: _Optional[str] = ..., file_id: _Optional[str] = ..., file_size: _Optional[int] = ..., user_text: _Optional[str] = ..., received_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., image: _Optional[_Union[ImageInfo, _Mapping]] = ..., caption: _Optional[_Union[Caption, _Mapping]] = ..., caption_message_id: _Optional[int] = ..., message_thread_id: _Optional[int] = ..., album_text: _Optional[str] = ..., album_newest_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., first_caption: _Optional[bool] = ..., channel_post: _Optional[bool] = ...) -> None: ...

class Picture(_message.Message):
    __slots__ = ("image", "seed", "model", "file_id")
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    FILE_ID_FIELD_NUMBER: _ClassVar[int]
    image: ImageInfo
    seed: int
    model: str
    file_id: str
    def __init__(self, image: _Optional[_Union[ImageInfo, _Mapping]] = ..., seed: _Optional[int] = ..., model: _Optional[str] = ..., file_id: _Optional[str] = ...) -> None: ...

class Error(_message.Message):
    __slots__ = ("code", "message", "goes_on_at")
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    GOES_ON_AT_FIELD_NUMBER: _ClassVar[int]
    code: str
    message: str
    goes_on_at: str
    def __init__(self, code: _Optional[str] = ..., message: _Optional[str] = ..., goes_on_at: _Optional[str] = ...) -> None: ...

class Sending(_message.Message):
    __slots__ = ("kind", "after", "unseen")
    KIND_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    UNSEEN_FIELD_NUMBER: _ClassVar[int]
    kind: MessageKind
    after: int
    unseen: int
    def __init__(self, kind: _Optional[_Union[MessageKind, str]] = ..., after: _Optional[int] = ..., unseen: _Optional[int] = ...) -> None: ...

class Generation(_message.Message):
    __slots__ = ("id", "photo_id", "state", "parameters", "status_message_id", "result_message_id", "user_notified", "picture", "error", "created_at", "closed_at", "attempts", "sending", "ending_message_id", "recipe", "parent_id", "reply_to_message_id", "starred", "deleted_at", "pictures", "set_id", "place", "choices_message_id", "traceparent")
    ID_FIELD_NUMBER: _ClassVar[int]
    PHOTO_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    STATUS_MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    RESULT_MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    USER_NOTIFIED_FIELD_NUMBER: _ClassVar[int]
    PICTURE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    CLOSED_AT_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    SENDING_FIELD_NUMBER: _ClassVar[int]
    ENDING_MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    RECIPE_FIELD_NUMBER: _ClassVar[int]
    PARENT_ID_FIELD_NUMBER: _ClassVar[int]
    REPLY_TO_MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    STARRED_FIELD_NUMBER: _ClassVar[int]
    DELETED_AT_FIELD_NUMBER: _ClassVar[int]
    PICTURES_FIELD_NUMBER: _ClassVar[int]
    SET_ID_FIELD_NUMBER: _ClassVar[int]
    PLACE_FIELD_NUMBER: _ClassVar[int]
    CHOICES_MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    TRACEPARENT_FIELD_NUMBER: _ClassVar[int]
    id: str
    photo_id: str
    state: GenerationState
    parameters: Parameters
    status_message_id: int
    result_message_id: int
    user_notified: bool
    picture: Picture
    error: Error
    created_at: _timestamp_pb2.Timestamp
    closed_at: _timestamp_pb2.Timestamp
    attempts: int
    sending: Sending
    ending_message_id: int
    recipe: Recipe
    parent_id: str
    reply_to_message_id: int
    starred: bool
    deleted_at: _timestamp_pb2.Timestamp
    pictures: int
    set_id: str
    place: int
    choices_message_id: int
    traceparent: str
    def __init__(self, id: _Optional[str] = ..., photo_id: _Optional[str] = ..., state: _Optional[_Union[GenerationState, str]] = ..., parameters: _Optional[_Union[Parameters, _Mapping]] = ..., status_message_id: _Optional[int] = ..., result_message_id: _Optional[int] = ..., user_notified: _Optional[bool] = ..., picture: _Optional[_Union[Picture, _Mapping]] = ..., error: _Optional[_Union[Error, _Mapping]] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., closed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., attempts: _Optional[int] = ..., sending: _Optional[_Union[Sending, _Mapping]] = ..., ending_message_id: _Optional[int] = ..., recipe: _Optional[_Union[Recipe, _Mapping]] = ..., parent_id: _Optional[str] = ..., reply_to_message_id: _Optional[int] = ..., starred: _Optional[bool] = ..., deleted_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., pictures: _Optional[int] = ..., set_id: _Optional[str] = ..., place: _Optional[int] = ..., choices_message_id: _Optional[int] = ..., traceparent: _Optional[str] = ...) -> None: ...

class Item(_message.Message):
    __slots__ = ("photo", "generation", "members")
    PHOTO_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    photo: Photo
    generation: Generation
    members: _containers.RepeatedCompositeFieldContainer[Generation]
    def __init__(self, photo: _Optional[_Union[Photo, _Mapping]] = ..., generation: _Optional[_Union[Generation, _Mapping]] = ..., members: _Optional[_Iterable[_Union[Generation, _Mapping]]] = ...) -> None: ...

class ReceivePhotoRequest(_message.Message):
    __slots__ = ("bot_id", "chat_id", "message_id", "user_id", "language_code", "file_id", "file_size", "user_text", "parameters", "message_thread_id", "media_group_id", "recipe", "exempt", "asking_message_id", "of_another", "only_with_album", "channel_post")
    BOT_ID_FIELD_NUMBER: _ClassVar[int]
    CHAT_ID_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_CODE_FIELD_NUMBER: _ClassVar[int]
    FILE_ID_FIELD_NUMBER: _ClassVar[int]
    FILE_SIZE_FIELD_NUMBER: _ClassVar[int]
    USER_TEXT_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_THREAD_ID_FIELD_NUMBER: _ClassVar[int]
    MEDIA_GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    RECIPE_FIELD_NUMBER: _ClassVar[int]
    EXEMPT_FIELD_NUMBER: _ClassVar[int]
    ASKING_MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    OF_ANOTHER_FIELD_NUMBER: _ClassVar[int]
    ONLY_WITH_ALBUM_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_POST_FIELD_NUMBER: _ClassVar[int]
    bot_id: int
    chat_id: int
    message_id: int
    user_id: int
    language_code: str
    file_id: str
    file_size: int
    user_text: str
    parameters: Parameters
    message_thread_id: int
    media_group_id: str
    recipe: Recipe
    exempt: bool
    asking_message_id: int
    of_another: bool
    only_with_album: bool
    channel_post: bool
    def __init__(self, bot_id: _Optional[int] = ..., chat_id: _Optional[int] = ..., message_id: _Optional[int] = ..., user_id: _Optional[int] = ..., language_code: _Optional[str] = ..., file_id: _Optional[str] = ..., file_size: _Optional[int] = ..., user_text: _Optional[str] = ..., parameters: _Optional[_Union[Parameters, _Mapping]] = ..., message_thread_id: _Optional[int] = ..., media_group_id: _Optional[str] = ..., recipe: _Optional[_Union[Recipe, _Mapping]] = ..., exempt: _Optional[bool] = ..., asking_message_id: _Optional[int] = ..., of_another: _Optional[bool] = ..., only_with_album: _Optional[bool] = ..., channel_post: _Optional[bool] = ...) -> None: ...

class ReceivePhotoResponse(_message.Message):
    __slots__ = ("item", "created")
    ITEM_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    item: Item
    created: bool
    def __init__(self, item: _Optional[_Union[Item, _Mapping]] = ..., created: _Optional[bool] = ...) -> None: ...

class StorePhotoRequest(_message.Message):
    __slots__ = ("info", "chunk")
    class Info(_message.Message):
        __slots__ = ("generation_id", "fence", "image")
        GENERATION_ID_FIELD_NUMBER: _ClassVar[int]
        FENCE_FIELD_NUMBER: _ClassVar[int]
        IMAGE_FIELD_NUMBER: _ClassVar[int]
        generation_id: str
        fence: int
        image: ImageInfo
        def __init__(self, generation_id: _Optional[str] = ..., fence: _Optional[int] = ..., image: _Optional[_Union[ImageInfo, _Mapping]] = ...) -> None: ...
    INFO_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    info: StorePhotoRequest.Info
    chunk: bytes
    def __init__(self, info: _Optional[_Union[StorePhotoRequest.Info, _Mapping]] = ..., chunk: _Optional[bytes] = ...) -> None: ...

class StorePhotoResponse(_message.Message):
    __slots__ = ("item",)
    ITEM_FIELD_NUMBER: _ClassVar[int]
    item: Item
    def __init__(self, item: _Optional[_Union[Item, _Mapping]] = ...) -> None: ...

class GenerationPatch(_message.Message):
    __slots__ = ("caption", "prompt", "caption_message_id", "status_message_id", "result_message_id", "result_file_id", "user_notified", "error", "chat_id", "attempts", "sending", "ending_message_id", "negative_prompt", "choices_message_id", "album")
    CAPTION_FIELD_NUMBER: _ClassVar[int]
    PROMPT_FIELD_NUMBER: _ClassVar[int]
    CAPTION_MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    RESULT_MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    RESULT_FILE_ID_FIELD_NUMBER: _ClassVar[int]
    USER_NOTIFIED_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    CHAT_ID_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    SENDING_FIELD_NUMBER: _ClassVar[int]
    ENDING_MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    NEGATIVE_PROMPT_FIELD_NUMBER: _ClassVar[int]
    CHOICES_MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    ALBUM_FIELD_NUMBER: _ClassVar[int]
    caption: Caption
    prompt: str
    caption_message_id: int
    status_message_id: int
    result_message_id: int
    result_file_id: str
    user_notified: bool
    error: Error
    chat_id: int
    attempts: int
    sending: Sending
    ending_message_id: int
    negative_prompt: str
    choices_message_id: int
    album: _containers.RepeatedCompositeFieldContainer[SentPicture]
    def __init__(self, caption: _Optional[_Union[Caption, _Mapping]] = ..., prompt: _Optional[str] = ..., caption_message_id: _Optional[int] = ..., status_message_id: _Optional[int] = ..., result_message_id: _Optional[int] = ..., result_file_id: _Optional[str] = ..., user_notified: _Optional[bool] = ..., error: _Optional[_Union[Error, _Mapping]] = ..., chat_id: _Optional[int] = ..., attempts: _Optional[int] = ..., sending: _Optional[_Union[Sending, _Mapping]] = ..., ending_message_id: _Optional[int] = ..., negative_prompt: _Optional[str] = ..., choices_message_id: _Optional[int] = ..., album: _Optional[_Iterable[_Union[SentPicture, _Mapping]]] = ...) -> None: ...

class SentPicture(_message.Message):
    __slots__ = ("generation_id", "message_id", "file_id")
    GENERATION_ID_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    FILE_ID_FIELD_NUMBER: _ClassVar[int]
    generation_id: str
    message_id: int
    file_id: str
    def __init__(self, generation_id: _Optional[str] = ..., message_id: _Optional[int] = ..., file_id: _Optional[str] = ...) -> None: ...

class AdvanceGenerationRequest(_message.Message):
    __slots__ = ("generation_id", "fence", "from_state", "to_state", "patch")
    GENERATION_ID_FIELD_NUMBER: _ClassVar[int]
    FENCE_FIELD_NUMBER: _ClassVar[int]
    FROM_STATE_FIELD_NUMBER: _ClassVar[int]
    TO_STATE_FIELD_NUMBER: _ClassVar[int]
    PATCH_FIELD_NUMBER: _ClassVar[int]
    generation_id: str
    fence: int
    from_state: GenerationState
    to_state: GenerationState
    patch: GenerationPatch
    def __init__(self, generation_id: _Optional[str] = ..., fence: _Optional[int] = ..., from_state: _Optional[_Union[GenerationState, str]] = ..., to_state: _Optional[_Union[GenerationState, str]] = ..., patch: _Optional[_Union[GenerationPatch, _Mapping]] = ...) -> None: ...

class AdvanceGenerationResponse(_message.Message):
    __slots__ = ("item",)
    ITEM_FIELD_NUMBER: _ClassVar[int]
    item: Item
    def __init__(self, item: _Optional[_Union[Item, _Mapping]] = ...) -> None: ...

class CreateGenerationRequest(_message.Message):
    __slots__ = ("user_id", "parameters", "bot_id", "chat_id", "message_id", "request_id", "parent_id", "button", "recipe", "caption", "language_code", "message_thread_id", "several", "exempt")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    BOT_ID_FIELD_NUMBER: _ClassVar[int]
    CHAT_ID_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PARENT_ID_FIELD_NUMBER: _ClassVar[int]
    BUTTON_FIELD_NUMBER: _ClassVar[int]
    RECIPE_FIELD_NUMBER: _ClassVar[int]
    CAPTION_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_THREAD_ID_FIELD_NUMBER: _ClassVar[int]
    SEVERAL_FIELD_NUMBER: _ClassVar[int]
    EXEMPT_FIELD_NUMBER: _ClassVar[int]
    user_id: int
    parameters: Parameters
    bot_id: int
    chat_id: int
    message_id: int
    request_id: str
    parent_id: str
    button: str
    recipe: Recipe
    caption: str
    language_code: str
    message_thread_id: int
    several: bool
    exempt: bool
    def __init__(self, user_id: _Optional[int] = ..., parameters: _Optional[_Union[Parameters, _Mapping]] = ..., bot_id: _Optional[int] = ..., chat_id: _Optional[int] = ..., message_id: _Optional[int] = ..., request_id: _Optional[str] = ..., parent_id: _Optional[str] = ..., button: _Optional[str] = ..., recipe: _Optional[_Union[Recipe, _Mapping]] = ..., caption: _Optional[str] = ..., language_code: _Optional[str] = ..., message_thread_id: _Optional[int] = ..., several: _Optional[bool] = ..., exempt: _Optional[bool] = ...) -> None: ...

class CreateGenerationResponse(_message.Message):
    __slots__ = ("item", "created")
    ITEM_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    item: Item
    created: bool
    def __init__(self, item: _Optional[_Union[Item, _Mapping]] = ..., created: _Optional[bool] = ...) -> None: ...

class BeginEpochRequest(_message.Message):
    __slots__ = ("bot_id", "address", "holder", "before")
    BOT_ID_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    HOLDER_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    bot_id: int
    address: str
    holder: str
    before: str
    def __init__(self, bot_id: _Optional[int] = ..., address: _Optional[str] = ..., holder: _Optional[str] = ..., before: _Optional[str] = ...) -> None: ...

class BeginEpochResponse(_message.Message):
    __slots__ = ("epoch",)
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    epoch: int
    def __init__(self, epoch: _Optional[int] = ...) -> None: ...

class ConfirmEpochRequest(_message.Message):
    __slots__ = ("bot_id", "epoch", "holder")
    BOT_ID_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    HOLDER_FIELD_NUMBER: _ClassVar[int]
    bot_id: int
    epoch: int
    holder: str
    def __init__(self, bot_id: _Optional[int] = ..., epoch: _Optional[int] = ..., holder: _Optional[str] = ...) -> None: ...

class ConfirmEpochResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class LeaseGenerationsRequest(_message.Message):
    __slots__ = ("bot_id", "limit", "stopping", "holder", "epoch", "busy_chat_ids")
    BOT_ID_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    STOPPING_FIELD_NUMBER: _ClassVar[int]
    HOLDER_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    BUSY_CHAT_IDS_FIELD_NUMBER: _ClassVar[int]
    bot_id: int
    limit: int
    stopping: bool
    holder: str
    epoch: int
    busy_chat_ids: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, bot_id: _Optional[int] = ..., limit: _Optional[int] = ..., stopping: _Optional[bool] = ..., holder: _Optional[str] = ..., epoch: _Optional[int] = ..., busy_chat_ids: _Optional[_Iterable[int]] = ...) -> None: ...

class LeaseGenerationsResponse(_message.Message):
    __slots__ = ("leases", "bots", "has_broadcast", "has_exports", "has_forgettings")
    class Lease(_message.Message):
        __slots__ = ("item", "fence", "expires_at")
        ITEM_FIELD_NUMBER: _ClassVar[int]
        FENCE_FIELD_NUMBER: _ClassVar[int]
        EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
        item: Item
        fence: int
        expires_at: _timestamp_pb2.Timestamp
        def __init__(self, item: _Optional[_Union[Item, _Mapping]] = ..., fence: _Optional[int] = ..., expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
    LEASES_FIELD_NUMBER: _ClassVar[int]
    BOTS_FIELD_NUMBER: _ClassVar[int]
    HAS_BROADCAST_FIELD_NUMBER: _ClassVar[int]
    HAS_EXPORTS_FIELD_NUMBER: _ClassVar[int]
    HAS_FORGETTINGS_FIELD_NUMBER: _ClassVar[int]
    leases: _containers.RepeatedCompositeFieldContainer[LeaseGenerationsResponse.Lease]
    bots: int
    has_broadcast: bool
    has_exports: bool
    has_forgettings: bool
    def __init__(self, leases: _Optional[_Iterable[_Union[LeaseGenerationsResponse.Lease, _Mapping]]] = ..., bots: _Optional[int] = ..., has_broadcast: _Optional[bool] = ..., has_exports: _Optional[bool] = ..., has_forgettings: _Optional[bool] = ...) -> None: ...

class ClaimRequest(_message.Message):
    __slots__ = ("bot_id", "holder", "name", "seconds")
    BOT_ID_FIELD_NUMBER: _ClassVar[int]
    HOLDER_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    bot_id: int
    holder: str
    name: str
    seconds: int
    def __init__(self, bot_id: _Optional[int] = ..., holder: _Optional[str] = ..., name: _Optional[str] = ..., seconds: _Optional[int] = ...) -> None: ...

class ClaimResponse(_message.Message):
    __slots__ = ("yours",)
    YOURS_FIELD_NUMBER: _ClassVar[int]
    yours: bool
    def __init__(self, yours: _Optional[bool] = ...) -> None: ...

class FinalizeGenerationRequest(_message.Message):
    __slots__ = ("info", "chunk")
    class Info(_message.Message):
        __slots__ = ("generation_id", "fence", "picture", "failed", "refused", "place")
        GENERATION_ID_FIELD_NUMBER: _ClassVar[int]
        FENCE_FIELD_NUMBER: _ClassVar[int]
        PICTURE_FIELD_NUMBER: _ClassVar[int]
        FAILED_FIELD_NUMBER: _ClassVar[int]
        REFUSED_FIELD_NUMBER: _ClassVar[int]
        PLACE_FIELD_NUMBER: _ClassVar[int]
        generation_id: str
        fence: int
        picture: Picture
        failed: Error
        refused: Error
        place: int
        def __init__(self, generation_id: _Optional[str] = ..., fence: _Optional[int] = ..., picture: _Optional[_Union[Picture, _Mapping]] = ..., failed: _Optional[_Union[Error, _Mapping]] = ..., refused: _Optional[_Union[Error, _Mapping]] = ..., place: _Optional[int] = ...) -> None: ...
    INFO_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    info: FinalizeGenerationRequest.Info
    chunk: bytes
    def __init__(self, info: _Optional[_Union[FinalizeGenerationRequest.Info, _Mapping]] = ..., chunk: _Optional[bytes] = ...) -> None: ...

class FinalizeGenerationResponse(_message.Message):
    __slots__ = ("item",)
    ITEM_FIELD_NUMBER: _ClassVar[int]
    item: Item
    def __init__(self, item: _Optional[_Union[Item, _Mapping]] = ...) -> None: ...

class CloseGenerationRequest(_message.Message):
    __slots__ = ("generation_id", "fence")
    GENERATION_ID_FIELD_NUMBER: _ClassVar[int]
    FENCE_FIELD_NUMBER: _ClassVar[int]
    generation_id: str
    fence: int
    def __init__(self, generation_id: _Optional[str] = ..., fence: _Optional[int] = ...) -> None: ...

class CloseGenerationResponse(_message.Message):
    __slots__ = ("item",)
    ITEM_FIELD_NUMBER: _ClassVar[int]
    item: Item
    def __init__(self, item: _Optional[_Union[Item, _Mapping]] = ...) -> None: ...

class CancelGenerationsRequest(_message.Message):
    __slots__ = ("bot_id", "chat_id", "user_id", "generation_id", "before_message_id")
    BOT_ID_FIELD_NUMBER: _ClassVar[int]
    CHAT_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    GENERATION_ID_FIELD_NUMBER: _ClassVar[int]
    BEFORE_MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    bot_id: int
    chat_id: int
    user_id: int
    generation_id: str
    before_message_id: int
    def __init__(self, bot_id: _Optional[int] = ..., chat_id: _Optional[int] = ..., user_id: _Optional[int] = ..., generation_id: _Optional[str] = ..., before_message_id: _Optional[int] = ...) -> None: ...

class CancelGenerationsResponse(_message.Message):
    __slots__ = ("cancelled", "too_late", "cancelled_count", "too_late_count")
    CANCELLED_FIELD_NUMBER: _ClassVar[int]
    TOO_LATE_FIELD_NUMBER: _ClassVar[int]
    CANCELLED_COUNT_FIELD_NUMBER: _ClassVar[int]
    TOO_LATE_COUNT_FIELD_NUMBER: _ClassVar[int]
    cancelled: _containers.RepeatedCompositeFieldContainer[Item]
    too_late: _containers.RepeatedCompositeFieldContainer[Item]
    cancelled_count: int
    too_late_count: int
    def __init__(self, cancelled: _Optional[_Iterable[_Union[Item, _Mapping]]] = ..., too_late: _Optional[_Iterable[_Union[Item, _Mapping]]] = ..., cancelled_count: _Optional[int] = ..., too_late_count: _Optional[int] = ...) -> None: ...

class GetStatusRequest(_message.Message):
    __slots__ = ("bot_id", "chat_id", "user_id", "exempt")
    BOT_ID_FIELD_NUMBER: _ClassVar[int]
    CHAT_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    EXEMPT_FIELD_NUMBER: _ClassVar[int]
    bot_id: int
    chat_id: int
    user_id: int
    exempt: bool
    def __init__(self, bot_id: _Optional[int] = ..., chat_id: _Optional[int] = ..., user_id: _Optional[int] = ..., exempt: _Optional[bool] = ...) -> None: ...

class GetStatusResponse(_message.Message):
    __slots__ = ("items", "count", "kept_bytes", "max_kept_bytes", "retention_days", "pictures_left", "goes_on_at")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    KEPT_BYTES_FIELD_NUMBER: _ClassVar[int]
    MAX_KEPT_BYTES_FIELD_NUMBER: _ClassVar[int]
    RETENTION_DAYS_FIELD_NUMBER: _ClassVar[int]
    PICTURES_LEFT_FIELD_NUMBER: _ClassVar[int]
    GOES_ON_AT_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[Item]
    count: int
    kept_bytes: int
    max_kept_bytes: int
    retention_days: int
    pictures_left: int
    goes_on_at: str
    def __init__(self, items: _Optional[_Iterable[_Union[Item, _Mapping]]] = ..., count: _Optional[int] = ..., kept_bytes: _Optional[int] = ..., max_kept_bytes: _Optional[int] = ..., retention_days: _Optional[int] = ..., pictures_left: _Optional[int] = ..., goes_on_at: _Optional[str] = ...) -> None: ...

class ListHistoryRequest(_message.Message):
    __slots__ = ("bot_id", "chat_id", "user_id", "page_size", "cursor", "generation_id")
    BOT_ID_FIELD_NUMBER: _ClassVar[int]
    CHAT_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    GENERATION_ID_FIELD_NUMBER: _ClassVar[int]
    bot_id: int
    chat_id: int
    user_id: int
    page_size: int
    cursor: str
    generation_id: str
    def __init__(self, bot_id: _Optional[int] = ..., chat_id: _Optional[int] = ..., user_id: _Optional[int] = ..., page_size: _Optional[int] = ..., cursor: _Optional[str] = ..., generation_id: _Optional[str] = ...) -> None: ...

class ListHistoryResponse(_message.Message):
    __slots__ = ("items", "newer_cursor", "older_cursor", "newer_count", "count")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    NEWER_CURSOR_FIELD_NUMBER: _ClassVar[int]
    OLDER_CURSOR_FIELD_NUMBER: _ClassVar[int]
    NEWER_COUNT_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[Item]
    newer_cursor: str
    older_cursor: str
    newer_count: int
    count: int
    def __init__(self, items: _Optional[_Iterable[_Union[Item, _Mapping]]] = ..., newer_cursor: _Optional[str] = ..., older_cursor: _Optional[str] = ..., newer_count: _Optional[int] = ..., count: _Optional[int] = ...) -> None: ...

class GetGenerationRequest(_message.Message):
    __slots__ = ("bot_id", "chat_id", "user_id", "generation_id", "message_id", "administrator")
    BOT_ID_FIELD_NUMBER: _ClassVar[int]
    CHAT_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    GENERATION_ID_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    ADMINISTRATOR_FIELD_NUMBER: _ClassVar[int]
    bot_id: int
    chat_id: int
    user_id: int
    generation_id: str
    message_id: int
    administrator: bool
    def __init__(self, bot_id: _Optional[int] = ..., chat_id: _Optional[int] = ..., user_id: _Optional[int] = ..., generation_id: _Optional[str] = ..., message_id: _Optional[int] = ..., administrator: _Optional[bool] = ...) -> None: ...

class GetGenerationResponse(_message.Message):
    __slots__ = ("item", "kind")
    ITEM_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    item: Item
    kind: MessageKind
    def __init__(self, item: _Optional[_Union[Item, _Mapping]] = ..., kind: _Optional[_Union[MessageKind, str]] = ...) -> None: ...

class NoteMessageRequest(_message.Message):
    __slots__ = ("bot_id", "chat_id", "user_id", "generation_id", "message_id", "kind")
    BOT_ID_FIELD_NUMBER: _ClassVar[int]
    CHAT_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    GENERATION_ID_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    bot_id: int
    chat_id: int
    user_id: int
    generation_id: str
    message_id: int
    kind: MessageKind
    def __init__(self, bot_id: _Optional[int] = ..., chat_id: _Optional[int] = ..., user_id: _Optional[int] = ..., generation_id: _Optional[str] = ..., message_id: _Optional[int] = ..., kind: _Optional[_Union[MessageKind, str]] = ...) -> None: ...

class NoteMessageResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DeleteGenerationRequest(_message.Message):
    __slots__ = ("bot_id", "chat_id", "user_id", "generation_id", "administrator")
    BOT_ID_FIELD_NUMBER: _ClassVar[int]
    CHAT_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    GENERATION_ID_FIELD_NUMBER: _ClassVar[int]
    ADMINISTRATOR_FIELD_NUMBER: _ClassVar[int]
    bot_id: int
    chat_id: int
    user_id: int
    generation_id: str
    administrator: bool
    def __init__(self, bot_id: _Optional[int] = ..., chat_id: _Optional[int] = ..., user_id: _Optional[int] = ..., generation_id: _Optional[str] = ..., administrator: _Optional[bool] = ...) -> None: ...

class DeleteGenerationResponse(_message.Message):
    __slots__ = ("item", "message_ids")
    ITEM_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_IDS_FIELD_NUMBER: _ClassVar[int]
    item: Item
    message_ids: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, item: _Optional[_Union[Item, _Mapping]] = ..., message_ids: _Optional[_Iterable[int]] = ...) -> None: ...

class StarGenerationRequest(_message.Message):
    __slots__ = ("bot_id", "chat_id", "user_id", "generation_id", "starred")
    BOT_ID_FIELD_NUMBER: _ClassVar[int]
    CHAT_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    GENERATION_ID_FIELD_NUMBER: _ClassVar[int]
    STARRED_FIELD_NUMBER: _ClassVar[int]
    bot_id: int
    chat_id: int
    user_id: int
    generation_id: str
    starred: bool
    def __init__(self, bot_id: _Optional[int] = ..., chat_id: _Optional[int] = ..., user_id: _Optional[int] = ..., generation_id: _Optional[str] = ..., starred: _Optional[bool] = ...) -> None: ...

class StarGenerationResponse(_message.Message):
    __slots__ = ("item",)
    ITEM_FIELD_NUMBER: _ClassVar[int]
    item: Item
    def __init__(self, item: _Optional[_Union[Item, _Mapping]] = ...) -> None: ...

class UserSettings(_message.Message):
    __slots__ = ("dial", "pictures", "language", "time_zone", "news", "style")
    DIAL_FIELD_NUMBER: _ClassVar[int]
    PICTURES_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    NEWS_FIELD_NUMBER: _ClassVar[int]
    STYLE_FIELD_NUMBER: _ClassVar[int]
    dial: Dial
    pictures: int
    language: str
    time_zone: str
    news: bool
    style: str
    def __init__(self, dial: _Optional[_Union[Dial, str]] = ..., pictures: _Optional[int] = ..., language: _Optional[str] = ..., time_zone: _Optional[str] = ..., news: _Optional[bool] = ..., style: _Optional[str] = ...) -> None: ...

class GetSettingsRequest(_message.Message):
    __slots__ = ("bot_id", "user_id", "chat_id")
    BOT_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    CHAT_ID_FIELD_NUMBER: _ClassVar[int]
    bot_id: int
    user_id: int
    chat_id: int
    def __init__(self, bot_id: _Optional[int] = ..., user_id: _Optional[int] = ..., chat_id: _Optional[int] = ...) -> None: ...

class GetSettingsResponse(_message.Message):
    __slots__ = ("settings",)
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    settings: UserSettings
    def __init__(self, settings: _Optional[_Union[UserSettings, _Mapping]] = ...) -> None: ...

class ChangeSettingsRequest(_message.Message):
    __slots__ = ("bot_id", "user_id", "settings", "language_code", "reset")
    BOT_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_CODE_FIELD_NUMBER: _ClassVar[int]
    RESET_FIELD_NUMBER: _ClassVar[int]
    bot_id: int
    user_id: int
    settings: UserSettings
    language_code: str
    reset: bool
    def __init__(self, bot_id: _Optional[int] = ..., user_id: _Optional[int] = ..., settings: _Optional[_Union[UserSettings, _Mapping]] = ..., language_code: _Optional[str] = ..., reset: _Optional[bool] = ...) -> None: ...

class ChangeSettingsResponse(_message.Message):
    __slots__ = ("settings",)
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    settings: UserSettings
    def __init__(self, settings: _Optional[_Union[UserSettings, _Mapping]] = ...) -> None: ...

class GetImageRequest(_message.Message):
    __slots__ = ("photo_id", "generation_id", "user_id", "thumbnail")
    PHOTO_ID_FIELD_NUMBER: _ClassVar[int]
    GENERATION_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    THUMBNAIL_FIELD_NUMBER: _ClassVar[int]
    photo_id: str
    generation_id: str
    user_id: int
    thumbnail: ThumbnailFormat
    def __init__(self, photo_id: _Optional[str] = ..., generation_id: _Optional[str] = ..., user_id: _Optional[int] = ..., thumbnail: _Optional[_Union[ThumbnailFormat, str]] = ...) -> None: ...

class GetImageResponse(_message.Message):
    __slots__ = ("info", "chunk")
    INFO_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    info: ImageInfo
    chunk: bytes
    def __init__(self, info: _Optional[_Union[ImageInfo, _Mapping]] = ..., chunk: _Optional[bytes] = ...) -> None: ...

class ForgetUserRequest(_message.Message):
    __slots__ = ("bot_id", "user_id")
    BOT_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    bot_id: int
    user_id: int
    def __init__(self, bot_id: _Optional[int] = ..., user_id: _Optional[int] = ...) -> None: ...

class ForgetUserResponse(_message.Message):
    __slots__ = ("photos", "generations")
    PHOTOS_FIELD_NUMBER: _ClassVar[int]
    GENERATIONS_FIELD_NUMBER: _ClassVar[int]
    photos: int
    generations: int
    def __init__(self, photos: _Optional[int] = ..., generations: _Optional[int] = ...) -> None: ...

class GetAccessRequest(_message.Message):
    __slots__ = ("bot_id", "user_id", "chat_id")
    BOT_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    CHAT_ID_FIELD_NUMBER: _ClassVar[int]
    bot_id: int
    user_id: int
    chat_id: int
    def __init__(self, bot_id: _Optional[int] = ..., user_id: _Optional[int] = ..., chat_id: _Optional[int] = ...) -> None: ...

class GetAccessResponse(_message.Message):
    __slots__ = ("owned", "owner", "member", "banned")
    OWNED_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    MEMBER_FIELD_NUMBER: _ClassVar[int]
    BANNED_FIELD_NUMBER: _ClassVar[int]
    owned: bool
    owner: bool
    member: bool
    banned: bool
    def __init__(self, owned: _Optional[bool] = ..., owner: _Optional[bool] = ..., member: _Optional[bool] = ..., banned: _Optional[bool] = ...) -> None: ...

class ClaimBotRequest(_message.Message):
    __slots__ = ("bot_id", "user_id")
    BOT_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    bot_id: int
    user_id: int
    def __init__(self, bot_id: _Optional[int] = ..., user_id: _Optional[int] = ...) -> None: ...

class ClaimBotResponse(_message.Message):
    __slots__ = ("owner",)
    OWNER_FIELD_NUMBER: _ClassVar[int]
    owner: bool
    def __init__(self, owner: _Optional[bool] = ...) -> None: ...

class Invite(_message.Message):
    __slots__ = ("id", "max_uses", "uses", "expires_at")
    ID_FIELD_NUMBER: _ClassVar[int]
    MAX_USES_FIELD_NUMBER: _ClassVar[int]
    USES_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    id: int
    max_uses: int
    uses: int
    expires_at: _timestamp_pb2.Timestamp
    def __init__(self, id: _Optional[int] = ..., max_uses: _Optional[int] = ..., uses: _Optional[int] = ..., expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class CreateInviteRequest(_message.Message):
    __slots__ = ("bot_id", "max_uses", "lifetime_seconds")
    BOT_ID_FIELD_NUMBER: _ClassVar[int]
    MAX_USES_FIELD_NUMBER: _ClassVar[int]
    LIFETIME_SECONDS_FIELD_NUMBER: _ClassVar[int]
    bot_id: int
    max_uses: int
    lifetime_seconds: int
    def __init__(self, bot_id: _Optional[int] = ..., max_uses: _Optional[int] = ..., lifetime_seconds: _Optional[int] = ...) -> None: ...

class CreateInviteResponse(_message.Message):
    __slots__ = ("invite", "secret")
    INVITE_FIELD_NUMBER: _ClassVar[int]
    SECRET_FIELD_NUMBER: _ClassVar[int]
    invite: Invite
    secret: str
    def __init__(self, invite: _Optional[_Union[Invite, _Mapping]] = ..., secret: _Optional[str] = ...) -> None: ...

class ListInvitesRequest(_message.Message):
    __slots__ = ("bot_id",)
    BOT_ID_FIELD_NUMBER: _ClassVar[int]
    bot_id: int
    def __init__(self, bot_id: _Optional[int] = ...) -> None: ...

class ListInvitesResponse(_message.Message):
    __slots__ = ("invites",)
    INVITES_FIELD_NUMBER: _ClassVar[int]
    invites: _containers.RepeatedCompositeFieldContainer[Invite]
    def __init__(self, invites: _Optional[_Iterable[_Union[Invite, _Mapping]]] = ...) -> None: ...

class RevokeInviteRequest(_message.Message):
    __slots__ = ("bot_id", "id")
    BOT_ID_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    bot_id: int
    id: int
    def __init__(self, bot_id: _Optional[int] = ..., id: _Optional[int] = ...) -> None: ...

class RevokeInviteResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RedeemInviteRequest(_message.Message):
    __slots__ = ("bot_id", "user_id", "secret")
    BOT_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    SECRET_FIELD_NUMBER: _ClassVar[int]
    bot_id: int
    user_id: int
    secret: str
    def __init__(self, bot_id: _Optional[int] = ..., user_id: _Optional[int] = ..., secret: _Optional[str] = ...) -> None: ...

class RedeemInviteResponse(_message.Message):
    __slots__ = ("redemption",)
    REDEMPTION_FIELD_NUMBER: _ClassVar[int]
    redemption: Redemption
    def __init__(self, redemption: _Optional[_Union[Redemption, str]] = ...) -> None: ...

class BanUserRequest(_message.Message):
    __slots__ = ("bot_id", "user_id")
    BOT_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    bot_id: int
    user_id: int
    def __init__(self, bot_id: _Optional[int] = ..., user_id: _Optional[int] = ...) -> None: ...

class BanUserResponse(_message.Message):
    __slots__ = ("banned", "changed")
    BANNED_FIELD_NUMBER: _ClassVar[int]
    CHANGED_FIELD_NUMBER: _ClassVar[int]
    banned: bool
    changed: bool
    def __init__(self, banned: _Optional[bool] = ..., changed: _Optional[bool] = ...) -> None: ...

class UnbanUserRequest(_message.Message):
    __slots__ = ("bot_id", "user_id")
    BOT_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    bot_id: int
    user_id: int
    def __init__(self, bot_id: _Optional[int] = ..., user_id: _Optional[int] = ...) -> None: ...

class UnbanUserResponse(_message.Message):
    __slots__ = ("changed",)
    CHANGED_FIELD_NUMBER: _ClassVar[int]
    changed: bool
    def __init__(self, changed: _Optional[bool] = ...) -> None: ...

class BeginForgettingRequest(_message.Message):
    __slots__ = ("bot_id", "user_id", "chat_id", "message_id", "language_code")
    BOT_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    CHAT_ID_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_CODE_FIELD_NUMBER: _ClassVar[int]
    bot_id: int
    user_id: int
    chat_id: int
    message_id: int
    language_code: str
    def __init__(self, bot_id: _Optional[int] = ..., user_id: _Optional[int] = ..., chat_id: _Optional[int] = ..., message_id: _Optional[int] = ..., language_code: _Optional[str] = ...) -> None: ...

class BeginForgettingResponse(_message.Message):
    __slots__ = ("pending",)
    PENDING_FIELD_NUMBER: _ClassVar[int]
    pending: bool
    def __init__(self, pending: _Optional[bool] = ...) -> None: ...

class Forgetting(_message.Message):
    __slots__ = ("user_id", "chat_id", "message_id", "language_code", "unfinished", "elsewhere")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    CHAT_ID_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_CODE_FIELD_NUMBER: _ClassVar[int]
    UNFINISHED_FIELD_NUMBER: _ClassVar[int]
    ELSEWHERE_FIELD_NUMBER: _ClassVar[int]
    user_id: int
    chat_id: int
    message_id: int
    language_code: str
    unfinished: bool
    elsewhere: bool
    def __init__(self, user_id: _Optional[int] = ..., chat_id: _Optional[int] = ..., message_id: _Optional[int] = ..., language_code: _Optional[str] = ..., unfinished: _Optional[bool] = ..., elsewhere: _Optional[bool] = ...) -> None: ...

class ListForgettingsRequest(_message.Message):
    __slots__ = ("bot_id", "holder")
    BOT_ID_FIELD_NUMBER: _ClassVar[int]
    HOLDER_FIELD_NUMBER: _ClassVar[int]
    bot_id: int
    holder: str
    def __init__(self, bot_id: _Optional[int] = ..., holder: _Optional[str] = ...) -> None: ...

class ListForgettingsResponse(_message.Message):
    __slots__ = ("forgettings",)
    FORGETTINGS_FIELD_NUMBER: _ClassVar[int]
    forgettings: _containers.RepeatedCompositeFieldContainer[Forgetting]
    def __init__(self, forgettings: _Optional[_Iterable[_Union[Forgetting, _Mapping]]] = ...) -> None: ...

class EndForgettingRequest(_message.Message):
    __slots__ = ("bot_id", "user_id")
    BOT_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    bot_id: int
    user_id: int
    def __init__(self, bot_id: _Optional[int] = ..., user_id: _Optional[int] = ...) -> None: ...

class EndForgettingResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class CountCaptionRequest(_message.Message):
    __slots__ = ("generation_id", "fence", "exempt")
    GENERATION_ID_FIELD_NUMBER: _ClassVar[int]
    FENCE_FIELD_NUMBER: _ClassVar[int]
    EXEMPT_FIELD_NUMBER: _ClassVar[int]
    generation_id: str
    fence: int
    exempt: bool
    def __init__(self, generation_id: _Optional[str] = ..., fence: _Optional[int] = ..., exempt: _Optional[bool] = ...) -> None: ...

class CountCaptionResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetStatisticsRequest(_message.Message):
    __slots__ = ("bot_id",)
    BOT_ID_FIELD_NUMBER: _ClassVar[int]
    bot_id: int
    def __init__(self, bot_id: _Optional[int] = ...) -> None: ...

class Statistics(_message.Message):
    __slots__ = ("people", "photos", "pictures", "refusals", "captions", "waiting_seconds", "painting_seconds")
    PEOPLE_FIELD_NUMBER: _ClassVar[int]
    PHOTOS_FIELD_NUMBER: _ClassVar[int]
    PICTURES_FIELD_NUMBER: _ClassVar[int]
    REFUSALS_FIELD_NUMBER: _ClassVar[int]
    CAPTIONS_FIELD_NUMBER: _ClassVar[int]
    WAITING_SECONDS_FIELD_NUMBER: _ClassVar[int]
    PAINTING_SECONDS_FIELD_NUMBER: _ClassVar[int]
    people: int
    photos: int
    pictures: int
    refusals: int
    captions: int
    waiting_seconds: float
    painting_seconds: float
    def __init__(self, people: _Optional[int] = ..., photos: _Optional[int] = ..., pictures: _Optional[int] = ..., refusals: _Optional[int] = ..., captions: _Optional[int] = ..., waiting_seconds: _Optional[float] = ..., painting_seconds: _Optional[float] = ...) -> None: ...

class GetStatisticsResponse(_message.Message):
    __slots__ = ("today", "week", "all", "days", "unfinished", "kept_bytes", "free_bytes")
    class Day(_message.Message):
        __slots__ = ("date", "pictures")
        DATE_FIELD_NUMBER: _ClassVar[int]
        PICTURES_FIELD_NUMBER: _ClassVar[int]
        date: str
        pictures: int
        def __init__(self, date: _Optional[str] = ..., pictures: _Optional[int] = ...) -> None: ...
    TODAY_FIELD_NUMBER: _ClassVar[int]
    WEEK_FIELD_NUMBER: _ClassVar[int]
    ALL_FIELD_NUMBER: _ClassVar[int]
    DAYS_FIELD_NUMBER: _ClassVar[int]
    UNFINISHED_FIELD_NUMBER: _ClassVar[int]
    KEPT_BYTES_FIELD_NUMBER: _ClassVar[int]
    FREE_BYTES_FIELD_NUMBER: _ClassVar[int]
    today: Statistics
    week: Statistics
    all: Statistics
    days: _containers.RepeatedCompositeFieldContainer[GetStatisticsResponse.Day]
    unfinished: int
    kept_bytes: int
    free_bytes: int
    def __init__(self, today: _Optional[_Union[Statistics, _Mapping]] = ..., week: _Optional[_Union[Statistics, _Mapping]] = ..., all: _Optional[_Union[Statistics, _Mapping]] = ..., days: _Optional[_Iterable[_Union[GetStatisticsResponse.Day, _Mapping]]] = ..., unfinished: _Optional[int] = ..., kept_bytes: _Optional[int] = ..., free_bytes: _Optional[int] = ...) -> None: ...

class Recipient(_message.Message):
    __slots__ = ("user_id", "language_code")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_CODE_FIELD_NUMBER: _ClassVar[int]
    user_id: int
    language_code: str
    def __init__(self, user_id: _Optional[int] = ..., language_code: _Optional[str] = ...) -> None: ...

class ListAdminsRequest(_message.Message):
    __slots__ = ("bot_id", "user_ids")
    BOT_ID_FIELD_NUMBER: _ClassVar[int]
    USER_IDS_FIELD_NUMBER: _ClassVar[int]
    bot_id: int
    user_ids: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, bot_id: _Optional[int] = ..., user_ids: _Optional[_Iterable[int]] = ...) -> None: ...

class ListAdminsResponse(_message.Message):
    __slots__ = ("admins",)
    ADMINS_FIELD_NUMBER: _ClassVar[int]
    admins: _containers.RepeatedCompositeFieldContainer[Recipient]
    def __init__(self, admins: _Optional[_Iterable[_Union[Recipient, _Mapping]]] = ...) -> None: ...

class Audience(_message.Message):
    __slots__ = ("everyone", "members", "user_ids")
    EVERYONE_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    USER_IDS_FIELD_NUMBER: _ClassVar[int]
    everyone: bool
    members: bool
    user_ids: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, everyone: _Optional[bool] = ..., members: _Optional[bool] = ..., user_ids: _Optional[_Iterable[int]] = ...) -> None: ...

class CountRecipientsRequest(_message.Message):
    __slots__ = ("bot_id", "user_id", "audience")
    BOT_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    AUDIENCE_FIELD_NUMBER: _ClassVar[int]
    bot_id: int
    user_id: int
    audience: Audience
    def __init__(self, bot_id: _Optional[int] = ..., user_id: _Optional[int] = ..., audience: _Optional[_Union[Audience, _Mapping]] = ...) -> None: ...

class CountRecipientsResponse(_message.Message):
    __slots__ = ("count",)
    COUNT_FIELD_NUMBER: _ClassVar[int]
    count: int
    def __init__(self, count: _Optional[int] = ...) -> None: ...

class Broadcast(_message.Message):
    __slots__ = ("user_id", "message_id", "source_message_id", "language_code", "state", "total", "sent", "blocked", "failed", "left_out", "step", "in_flight", "after")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_CODE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    SENT_FIELD_NUMBER: _ClassVar[int]
    BLOCKED_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    LEFT_OUT_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    IN_FLIGHT_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    user_id: int
    message_id: int
    source_message_id: int
    language_code: str
    state: BroadcastState
    total: int
    sent: int
    blocked: int
    failed: int
    left_out: int
    step: int
    in_flight: _containers.RepeatedCompositeFieldContainer[Recipient]
    after: int
    def __init__(self, user_id: _Optional[int] = ..., message_id: _Optional[int] = ..., source_message_id: _Optional[int] = ..., language_code: _Optional[str] = ..., state: _Optional[_Union[BroadcastState, str]] = ..., total: _Optional[int] = ..., sent: _Optional[int] = ..., blocked: _Optional[int] = ..., failed: _Optional[int] = ..., left_out: _Optional[int] = ..., step: _Optional[int] = ..., in_flight: _Optional[_Iterable[_Union[Recipient, _Mapping]]] = ..., after: _Optional[int] = ...) -> None: ...

class BeginBroadcastRequest(_message.Message):
    __slots__ = ("bot_id", "user_id", "message_id", "source_message_id", "language_code", "total")
    BOT_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_CODE_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    bot_id: int
    user_id: int
    message_id: int
    source_message_id: int
    language_code: str
    total: int
    def __init__(self, bot_id: _Optional[int] = ..., user_id: _Optional[int] = ..., message_id: _Optional[int] = ..., source_message_id: _Optional[int] = ..., language_code: _Optional[str] = ..., total: _Optional[int] = ...) -> None: ...

class BeginBroadcastResponse(_message.Message):
    __slots__ = ("broadcast",)
    BROADCAST_FIELD_NUMBER: _ClassVar[int]
    broadcast: Broadcast
    def __init__(self, broadcast: _Optional[_Union[Broadcast, _Mapping]] = ...) -> None: ...

class GetBroadcastRequest(_message.Message):
    __slots__ = ("bot_id", "holder")
    BOT_ID_FIELD_NUMBER: _ClassVar[int]
    HOLDER_FIELD_NUMBER: _ClassVar[int]
    bot_id: int
    holder: str
    def __init__(self, bot_id: _Optional[int] = ..., holder: _Optional[str] = ...) -> None: ...

class GetBroadcastResponse(_message.Message):
    __slots__ = ("broadcast",)
    BROADCAST_FIELD_NUMBER: _ClassVar[int]
    broadcast: Broadcast
    def __init__(self, broadcast: _Optional[_Union[Broadcast, _Mapping]] = ...) -> None: ...

class AdvanceBroadcastRequest(_message.Message):
    __slots__ = ("bot_id", "message_id", "step", "sent", "blocked", "failed", "unsent", "source_gone", "after", "limit", "audience")
    BOT_ID_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    SENT_FIELD_NUMBER: _ClassVar[int]
    BLOCKED_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    UNSENT_FIELD_NUMBER: _ClassVar[int]
    SOURCE_GONE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    AUDIENCE_FIELD_NUMBER: _ClassVar[int]
    bot_id: int
    message_id: int
    step: int
    sent: int
    blocked: int
    failed: int
    unsent: _containers.RepeatedScalarFieldContainer[int]
    source_gone: bool
    after: int
    limit: int
    audience: Audience
    def __init__(self, bot_id: _Optional[int] = ..., message_id: _Optional[int] = ..., step: _Optional[int] = ..., sent: _Optional[int] = ..., blocked: _Optional[int] = ..., failed: _Optional[int] = ..., unsent: _Optional[_Iterable[int]] = ..., source_gone: _Optional[bool] = ..., after: _Optional[int] = ..., limit: _Optional[int] = ..., audience: _Optional[_Union[Audience, _Mapping]] = ...) -> None: ...

class AdvanceBroadcastResponse(_message.Message):
    __slots__ = ("broadcast",)
    BROADCAST_FIELD_NUMBER: _ClassVar[int]
    broadcast: Broadcast
    def __init__(self, broadcast: _Optional[_Union[Broadcast, _Mapping]] = ...) -> None: ...

class CancelBroadcastRequest(_message.Message):
    __slots__ = ("bot_id", "user_id", "message_id")
    BOT_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    bot_id: int
    user_id: int
    message_id: int
    def __init__(self, bot_id: _Optional[int] = ..., user_id: _Optional[int] = ..., message_id: _Optional[int] = ...) -> None: ...

class CancelBroadcastResponse(_message.Message):
    __slots__ = ("broadcast",)
    BROADCAST_FIELD_NUMBER: _ClassVar[int]
    broadcast: Broadcast
    def __init__(self, broadcast: _Optional[_Union[Broadcast, _Mapping]] = ...) -> None: ...

class CloseBroadcastRequest(_message.Message):
    __slots__ = ("bot_id", "message_id")
    BOT_ID_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    bot_id: int
    message_id: int
    def __init__(self, bot_id: _Optional[int] = ..., message_id: _Optional[int] = ...) -> None: ...

class CloseBroadcastResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class BeginExportRequest(_message.Message):
    __slots__ = ("bot_id", "user_id", "message_id", "language_code")
    BOT_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_CODE_FIELD_NUMBER: _ClassVar[int]
    bot_id: int
    user_id: int
    message_id: int
    language_code: str
    def __init__(self, bot_id: _Optional[int] = ..., user_id: _Optional[int] = ..., message_id: _Optional[int] = ..., language_code: _Optional[str] = ...) -> None: ...

class BeginExportResponse(_message.Message):
    __slots__ = ("answer", "next_at")
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    NEXT_AT_FIELD_NUMBER: _ClassVar[int]
    answer: ExportAnswer
    next_at: _timestamp_pb2.Timestamp
    def __init__(self, answer: _Optional[_Union[ExportAnswer, str]] = ..., next_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Export(_message.Message):
    __slots__ = ("user_id", "message_id", "language_code", "asked_at", "parts", "cursor", "shown_message_id", "lost", "after", "sending", "abandoned")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_CODE_FIELD_NUMBER: _ClassVar[int]
    ASKED_AT_FIELD_NUMBER: _ClassVar[int]
    PARTS_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    SHOWN_MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    LOST_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    SENDING_FIELD_NUMBER: _ClassVar[int]
    ABANDONED_FIELD_NUMBER: _ClassVar[int]
    user_id: int
    message_id: int
    language_code: str
    asked_at: _timestamp_pb2.Timestamp
    parts: int
    cursor: str
    shown_message_id: int
    lost: int
    after: int
    sending: bool
    abandoned: bool
    def __init__(self, user_id: _Optional[int] = ..., message_id: _Optional[int] = ..., language_code: _Optional[str] = ..., asked_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., parts: _Optional[int] = ..., cursor: _Optional[str] = ..., shown_message_id: _Optional[int] = ..., lost: _Optional[int] = ..., after: _Optional[int] = ..., sending: _Optional[bool] = ..., abandoned: _Optional[bool] = ...) -> None: ...

class ListExportsRequest(_message.Message):
    __slots__ = ("bot_id", "holder")
    BOT_ID_FIELD_NUMBER: _ClassVar[int]
    HOLDER_FIELD_NUMBER: _ClassVar[int]
    bot_id: int
    holder: str
    def __init__(self, bot_id: _Optional[int] = ..., holder: _Optional[str] = ...) -> None: ...

class ListExportsResponse(_message.Message):
    __slots__ = ("exports",)
    EXPORTS_FIELD_NUMBER: _ClassVar[int]
    exports: _containers.RepeatedCompositeFieldContainer[Export]
    def __init__(self, exports: _Optional[_Iterable[_Union[Export, _Mapping]]] = ...) -> None: ...

class ReadExportRequest(_message.Message):
    __slots__ = ("bot_id", "user_id", "cursor")
    BOT_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    bot_id: int
    user_id: int
    cursor: str
    def __init__(self, bot_id: _Optional[int] = ..., user_id: _Optional[int] = ..., cursor: _Optional[str] = ...) -> None: ...

class ExportEntry(_message.Message):
    __slots__ = ("photo", "generation", "cursor", "missing")
    PHOTO_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    MISSING_FIELD_NUMBER: _ClassVar[int]
    photo: Photo
    generation: Generation
    cursor: str
    missing: bool
    def __init__(self, photo: _Optional[_Union[Photo, _Mapping]] = ..., generation: _Optional[_Union[Generation, _Mapping]] = ..., cursor: _Optional[str] = ..., missing: _Optional[bool] = ...) -> None: ...

class ReadExportResponse(_message.Message):
    __slots__ = ("about", "entries", "cursor")
    class About(_message.Message):
        __slots__ = ("settings", "owner", "joined_at", "kept_bytes")
        SETTINGS_FIELD_NUMBER: _ClassVar[int]
        OWNER_FIELD_NUMBER: _ClassVar[int]
        JOINED_AT_FIELD_NUMBER: _ClassVar[int]
        KEPT_BYTES_FIELD_NUMBER: _ClassVar[int]
        settings: UserSettings
        owner: bool
        joined_at: _timestamp_pb2.Timestamp
        kept_bytes: int
        def __init__(self, settings: _Optional[_Union[UserSettings, _Mapping]] = ..., owner: _Optional[bool] = ..., joined_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., kept_bytes: _Optional[int] = ...) -> None: ...
    ABOUT_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    about: ReadExportResponse.About
    entries: _containers.RepeatedCompositeFieldContainer[ExportEntry]
    cursor: str
    def __init__(self, about: _Optional[_Union[ReadExportResponse.About, _Mapping]] = ..., entries: _Optional[_Iterable[_Union[ExportEntry, _Mapping]]] = ..., cursor: _Optional[str] = ...) -> None: ...

class AdvanceExportRequest(_message.Message):
    __slots__ = ("bot_id", "user_id", "message_id", "sending_after", "shown_message_id", "part")
    class Part(_message.Message):
        __slots__ = ("number", "cursor", "last")
        NUMBER_FIELD_NUMBER: _ClassVar[int]
        CURSOR_FIELD_NUMBER: _ClassVar[int]
        LAST_FIELD_NUMBER: _ClassVar[int]
        number: int
        cursor: str
        last: bool
        def __init__(self, number: _Optional[int] = ..., cursor: _Optional[str] = ..., last: _Optional[bool] = ...) -> None: ...
    BOT_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    SENDING_AFTER_FIELD_NUMBER: _ClassVar[int]
    SHOWN_MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    PART_FIELD_NUMBER: _ClassVar[int]
    bot_id: int
    user_id: int
    message_id: int
    sending_after: int
    shown_message_id: int
    part: AdvanceExportRequest.Part
    def __init__(self, bot_id: _Optional[int] = ..., user_id: _Optional[int] = ..., message_id: _Optional[int] = ..., sending_after: _Optional[int] = ..., shown_message_id: _Optional[int] = ..., part: _Optional[_Union[AdvanceExportRequest.Part, _Mapping]] = ...) -> None: ...

class AdvanceExportResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class EndExportRequest(_message.Message):
    __slots__ = ("bot_id", "user_id", "message_id")
    BOT_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    bot_id: int
    user_id: int
    message_id: int
    def __init__(self, bot_id: _Optional[int] = ..., user_id: _Optional[int] = ..., message_id: _Optional[int] = ...) -> None: ...

class EndExportResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListUploadsRequest(_message.Message):
    __slots__ = ("bot_id", "user_id", "cursor")
    BOT_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    bot_id: int
    user_id: int
    cursor: str
    def __init__(self, bot_id: _Optional[int] = ..., user_id: _Optional[int] = ..., cursor: _Optional[str] = ...) -> None: ...

class ListUploadsResponse(_message.Message):
    __slots__ = ("image_sha256", "cursor")
    IMAGE_SHA256_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    image_sha256: _containers.RepeatedScalarFieldContainer[str]
    cursor: str
    def __init__(self, image_sha256: _Optional[_Iterable[str]] = ..., cursor: _Optional[str] = ...) -> None: ...

class FindPicturesRequest(_message.Message):
    __slots__ = ("bot_id", "user_id", "words", "generation_id", "page_size", "cursor", "with_unsent")
    BOT_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    WORDS_FIELD_NUMBER: _ClassVar[int]
    GENERATION_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    WITH_UNSENT_FIELD_NUMBER: _ClassVar[int]
    bot_id: int
    user_id: int
    words: str
    generation_id: str
    page_size: int
    cursor: str
    with_unsent: bool
    def __init__(self, bot_id: _Optional[int] = ..., user_id: _Optional[int] = ..., words: _Optional[str] = ..., generation_id: _Optional[str] = ..., page_size: _Optional[int] = ..., cursor: _Optional[str] = ..., with_unsent: _Optional[bool] = ...) -> None: ...

class FindPicturesResponse(_message.Message):
    __slots__ = ("items", "cursor")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[Item]
    cursor: str
    def __init__(self, items: _Optional[_Iterable[_Union[Item, _Mapping]]] = ..., cursor: _Optional[str] = ...) -> None: ...

class GetFamilyRequest(_message.Message):
    __slots__ = ("bot_id", "user_id", "generation_id")
    BOT_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    GENERATION_ID_FIELD_NUMBER: _ClassVar[int]
    bot_id: int
    user_id: int
    generation_id: str
    def __init__(self, bot_id: _Optional[int] = ..., user_id: _Optional[int] = ..., generation_id: _Optional[str] = ...) -> None: ...

class GetFamilyResponse(_message.Message):
    __slots__ = ("item", "parent", "children")
    ITEM_FIELD_NUMBER: _ClassVar[int]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    CHILDREN_FIELD_NUMBER: _ClassVar[int]
    item: Item
    parent: Item
    children: _containers.RepeatedCompositeFieldContainer[Item]
    def __init__(self, item: _Optional[_Union[Item, _Mapping]] = ..., parent: _Optional[_Union[Item, _Mapping]] = ..., children: _Optional[_Iterable[_Union[Item, _Mapping]]] = ...) -> None: ...

class MoveChatRequest(_message.Message):
    __slots__ = ("bot_id", "from_chat_id", "to_chat_id")
    BOT_ID_FIELD_NUMBER: _ClassVar[int]
    FROM_CHAT_ID_FIELD_NUMBER: _ClassVar[int]
    TO_CHAT_ID_FIELD_NUMBER: _ClassVar[int]
    bot_id: int
    from_chat_id: int
    to_chat_id: int
    def __init__(self, bot_id: _Optional[int] = ..., from_chat_id: _Optional[int] = ..., to_chat_id: _Optional[int] = ...) -> None: ...

class MoveChatResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
