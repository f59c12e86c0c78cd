"""Pictures to start from: their rows, and the bytes that these name.

Like a result, a picture is stored first, and then the row that names it is committed. It stays
while an unfinished job names it, and for a while after it was last used.
"""

from collections.abc import Sequence

from sqlalchemy import and_, delete, exists, or_, select, update
from sqlalchemy.orm import Session

from generator.jobs.clock import advance
from generator.jobs.database import JobDatabase
from generator.jobs.errors import ImageInUse, NoSuchImage
from generator.jobs.results import Results, StoredImage
from generator.jobs.tables import UNFINISHED, Job, UploadedImage
from generator.observers import Observer
from generator.tasks import Picture
from lookalike.transactions import atomic

KEEP_SECONDS = 24 * 3600.0
"""How long a picture is kept after it was last used."""

_AT_ONCE = 1000
"""Pictures that are deleted in one transaction, for which everybody waits."""

_NAMED = select(Job.init_sha256).where(Job.state.in_(UNFINISHED), Job.init_sha256.is_not(None))
"""The pictures that unfinished jobs are to start from."""


def use(session: Session, sha256: str | None, now: float) -> UploadedImage | None:
    """Notes that a picture is used now; None: there is no such picture."""
    if sha256 is None:
        return None
    used = update(UploadedImage).where(UploadedImage.sha256 == sha256).values(used_at=now)
    return session.scalar(used.returning(UploadedImage))


class Uploads:
    """The pictures that jobs may start from; see `JobDatabase` for what its methods raise."""

    def __init__(
        self,
        database: JobDatabase,
        results: Results,
        observers: Sequence[Observer],
        *,
        fence: int,
    ) -> None:
        """Pictures in a database and a storage.

        Args:
            database: where their rows are.
            results: where their bytes are, beside the computed pictures'.
            observers: are told of what is lost.
            fence: of the Holder that takes them.
        """
        self.run = database.run
        self._results = results
        self._observers = observers
        self._now = database.now
        self._fence = fence

    async def add(self, sha256: str, picture: Picture) -> bool:
        """Takes a picture; after return it survives a power cut.

        Args:
            sha256: of the file that was uploaded, in hex.
            picture: what was made of it.

        Returns:
            Whether it is new.

        Raises:
            OSError: the storage does not take it.
        """
        image = await self._results.put(sha256, self._fence, picture)
        try:
            added = await self._add(sha256, image)
        except OSError:
            if await self._row(sha256, image.key) is None:
                await self._results.discard([image.key])
            raise
        if not added:
            await self._results.discard([image.key])
        return added

    async def find(self, sha256: str) -> bool:
        """Whether the picture's row is there, and a file for its bytes."""
        row = await self._row(sha256)
        return row is not None and await self._results.find(row.key)

    async def renew(self, sha256: str) -> bool:
        """Notes that the picture is used now, if its row and its bytes are there."""
        try:
            await self.read(sha256)
        except FileNotFoundError:
            return False
        return await self._use(sha256)

    async def read(self, sha256: str) -> bytes:
        """The bytes of a picture, a PNG.

        Raises:
            FileNotFoundError: they are gone or damaged, and now the row is gone, too: uploaded
                again, the picture is there again.
            OSError: the storage fails.
        """
        row = await self._row(sha256)
        if row is None:
            raise FileNotFoundError(sha256)
        try:
            return await self._results.read(row.key, row.png_sha256)
        except FileNotFoundError as error:
            if await self._forget(sha256, row.key):
                await self._results.discard([row.key])
                for observer in self._observers:
                    observer.upload_lost(sha256, error)
            raise

    async def delete(self, sha256: str) -> None:
        """Deletes a picture.

        Raises:
            NoSuchImage: it is not there.
            ImageInUse: an unfinished job is to start from it.
        """
        await self._results.discard([await self._delete(sha256)])

    async def expire(self, seconds: float = KEEP_SECONDS) -> None:
        """Deletes the pictures that were last used longer ago, and that no unfinished job names."""
        while keys := await self._expire(seconds):
            await self._results.discard(keys)

    @atomic
    def _add(self, session: Session, sha256: str, image: StoredImage) -> bool:
        """False: another upload of the same was faster."""
        advance(session)
        now = self._now(session)
        if use(session, sha256, now) is not None:
            return False
        row = UploadedImage(
            sha256=sha256,
            key=image.key,
            width=image.width,
            height=image.height,
            png_sha256=image.sha256,
            used_at=now,
        )
        session.add(row)
        return True

    @atomic
    def _row(self, session: Session, sha256: str, key: str | None = None) -> UploadedImage | None:
        """The row of a picture, whose bytes have this key if one is given."""
        row = session.get(UploadedImage, sha256)
        return row if row is not None and key in {None, row.key} else None

    @atomic
    def _use(self, session: Session, sha256: str) -> bool:
        return use(session, sha256, self._now(session)) is not None

    @atomic
    def _forget(self, session: Session, sha256: str, key: str) -> bool:
        """Whether that row was there."""
        lost = delete(UploadedImage).where(UploadedImage.sha256 == sha256, UploadedImage.key == key)
        return session.scalar(lost.returning(UploadedImage.key)) is not None

    @atomic
    def _delete(self, session: Session, sha256: str) -> str:
        advance(session)  # whoever submits a job that names it comes before or after
        row = session.get(UploadedImage, sha256)
        if row is None:
            raise NoSuchImage
        if session.scalar(_NAMED.where(Job.init_sha256 == sha256).limit(1)) is not None:
            raise ImageInUse
        session.delete(row)
        return row.key

    @atomic
    def _expire(self, session: Session, seconds: float) -> Sequence[str]:
        now = self._now(session)
        # As with jobs: an earlier start's clock was ahead.
        ahead = UploadedImage.used_at > now
        old = and_(UploadedImage.used_at < now - seconds, UploadedImage.sha256.not_in(_NAMED))
        if not session.scalar(select(exists().where(or_(ahead, old)))):
            return []
        advance(session)
        session.execute(update(UploadedImage).where(ahead).values(used_at=now))
        some = select(UploadedImage.sha256).where(old).limit(_AT_ONCE)
        gone = delete(UploadedImage).where(UploadedImage.sha256.in_(some))
        return session.scalars(gone.returning(UploadedImage.key)).all()
