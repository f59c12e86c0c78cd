"""The people's side: tests, the demo and the chat page play users here. JSON, loopback only.

Acting (`acting.py`, `sharing.py`, `apps.py`):

    POST   /sandbox/users                    {first_name, last_name?, username?, id?,
                                             language_code?} -> User
    POST   /sandbox/chats                    {type: group|supergroup|channel, title, members,
                                             is_forum?} -> chat; the first member administers it,
                                             and alone posts in a channel
    POST   /sandbox/chats/{chat}/messages    a form: user, and text, or photo (1 to 10 files;
                                             several are an album) or document, each with caption;
                                             reply_to, thread (a forum's topic), anonymous (the
                                             administrator, in the group's name) -> the messages, a
                                             list
    PATCH  /sandbox/chats/{chat}/messages/{message}
                                             {user, text} -> Message; its text or caption
    DELETE /sandbox/chats/{chat}/messages/{message}
                                             204; the bot gets no update
    POST   /sandbox/chats/{chat}/messages/{message}/age
                                             {hours} -> 204; it is that much older: after 48
                                             hours bots delete nothing
    POST   /sandbox/chats/{chat}/messages/{message}/press
                                             {user, data, wait?} -> {id, answer}; waits for the
                                             answer {text, show_alert}, null if none came
    PUT    /sandbox/chats/{chat}/bot         {status: member|administrator|left|kicked} -> chat;
                                             kicked from a private chat is blocked
    POST   /sandbox/chats/{chat}/migrate     -> the new supergroup
    PUT    /sandbox/chats/{chat}/messages/{message}/reaction
                                             {user, emoji: a list} -> 204; all of the user's
    PUT    /sandbox/inline                   {enabled} -> 204; inline mode, as of @BotFather
    POST   /sandbox/inline                   {user, chat, query, offset?, wait?} -> {id, answer};
                                             waits for the answer {results, next_offset, button,
                                             cache_time, is_personal}, null if none came; a result
                                             is {id, content}, the fields of a Message
    POST   /sandbox/inline/{id}/choose       {user, chat, result} -> the Message that it becomes
    POST   /sandbox/chats/{chat}/app         {user, url, message?, theme?} -> {url}; opens a Mini
                                             App that a message's button or the menu button offers:
                                             the address with who opens it, signed, and the colours
    GET    /sandbox/prepared/{id}            ?user -> {id, content, kinds, expiration_date}; what an
                                             app has prepared for its user, the fields of a Message
    POST   /sandbox/prepared/{id}/send       {user, chat} -> the Message that it becomes
    POST   /sandbox/updates                  a list of objects, each an Update without its number,
                                             however odd -> 204; the bot gets them as they are

Watching (`watching.py`, `streaming.py`):

    GET    /sandbox/bot                      {user, profile, listening, note, inline_mode, commands,
                                             menu_buttons, pending_updates, webhook,
                                             unknown_methods}; profile is {name, description,
                                             short_description}, each by language, and photo, a
                                             file_id; menu_buttons are {chat_id, button}, of all
                                             chats without a chat_id
    GET    /sandbox/users                    all users
    GET    /sandbox/chats                    all chats, each {id, type, title or first_name,
                                             members, bot_status, migrated_to}
    GET    /sandbox/chats/{chat}/messages    ?after&before&limit; each Message as it is now, with
                                             `edits`; where there are any, `reactions`, a list of
                                             {user, emoji}; and where it changes the field in which
                                             people write `client_markup`: a keyboard, a ForceReply
    GET    /sandbox/files/{file_id}          the bytes as they were uploaded, by either side
    DELETE /sandbox/files/{file_id}          204; the Bot API no longer takes the file_id
    GET    /sandbox/events                   ?after&wait&kind&limit -> {events, last}; without
                                             `after` only `last`, the newest event's number
    GET    /sandbox/stream                   ?after; server-sent events (`streaming.py`)
    POST   /sandbox/faults                   a FaultOrder (`sandbox/faults.py`) -> Fault
    GET    /sandbox/faults                   all
    DELETE /sandbox/faults                   204; releases and ends all
    DELETE /sandbox/faults/{id}              204; releases what it holds and ends it

A private chat has its user's id. An event is {n, time, kind, data}; numbers grow and are never
used twice. Kinds and their data:

    message  {chat_id, message}              edit     {chat_id, message}
    delete   {chat_id, message_id}           action   {chat_id, action}
    reaction {chat_id, message_id, reactions}
    answer   {chat_id, callback_query_id, answer}
    chat     {chat_id, chat}: a chat is new or has changed
    fault    {id, method}: a fault met a call, which is not performed yet
    call     {method, params, files, status, answer, fault}: the transcript of the Bot API, with
             the method `download` for files, whose answer is null

An error is {detail}: 404 for what is not there, 409 for what cannot be done now, 422 for what is
malformed; 400 in Telegram's words for a file that it would not accept.
"""
