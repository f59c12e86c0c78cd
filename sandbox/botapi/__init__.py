"""The Bot API's side: what a bot talks to (core.telegram.org/bots/api).

It refuses what Telegram refuses, in the same words; where Telegram is lenient with malformed values
(a `limit` that is no number), the sandbox refuses, too. These differences are on purpose:

* parse_mode is HTML or none; Markdown is refused.
* The bot reads all messages of its groups (privacy mode off); an administrator it is where people
  have made it one.
* Inline mode is off until people turn it on; results are photos that Telegram has.
* Reactions in channels are told to nobody: Telegram tells how many there are.
* No HTTP address is fetched for a photo: "failed to get HTTP URL content".
* A webhook is plain HTTP, on this machine only; a Mini App may be.
* What an opened Mini App is told is signed with the bot's token only, and not by Telegram
  (`signature`); `answerWebAppQuery` is not there.
"""
