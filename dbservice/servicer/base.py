"""What the RPCs are served from."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from dbservice.store import Store
from dbservice.thumbnails import Thumbnails
from dbservice.tombstones import Tombstones
from dbservice.transactions.limits import Limits
from dbservice.transactions.quotas import Quotas
from lookalike.blobs import Blobs


class Serving:
    """Has what is served."""

    def __init__(
        self,
        store: Store,
        blobs: Blobs,
        limits: Limits,
        bounds: Quotas,
        folders: Sequence[Path],
        *,
        tombstones: Tombstones,
        forget_elsewhere: Callable[[], Awaitable[None]],
    ) -> None:
        """Serves.

        Args:
            store: the rows.
            blobs: the bytes.
            limits: what may be begun.
            bounds: what of it in a day.
            folders: where rows and bytes are, as far as on this machine; nothing is begun while a
                disk of theirs is full.
            tombstones: of whom was forgotten.
            forget_elsewhere: takes out of copies and logs what was deleted from the database.
        """
        self._store = store
        self._blobs = blobs
        self._thumbnails = Thumbnails(blobs)
        self._limits = limits
        self._quotas = bounds
        self._folders = folders
        self._tombstones = tombstones
        self._forget_elsewhere = forget_elsewhere
