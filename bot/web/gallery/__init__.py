"""The gallery: a Telegram Mini App with one's own pictures, at `/app/`.

What it does goes the same way as the chat's buttons: dbservice records it, the tick does the rest.
"""
