"""The database of the job queue: one transaction after another, and who is told of them."""

from pathlib import Path

from generator.jobs.events import JobEvents
from lookalike import database
from lookalike.transactions import Transactional

_MIGRATIONS = Path(__file__).with_name("migrations")


class JobDatabase(Transactional):
    """The database. Transactions raise OSError where it is full, busy or broken.

    It is made where a loop runs.

    Attributes:
        events: wakes who waits for a change of jobs.
    """

    def __init__(self, url: str) -> None:
        """Opens a database, which is made if it is missing, and brings it up to date.

        Args:
            url: as SQLAlchemy writes it.

        Raises:
            StartError: it cannot be used, or another process uses it.
        """
        engine = database.create_engine(url)
        try:
            database.migrate(engine, _MIGRATIONS)
        except BaseException:
            engine.dispose()
            raise
        super().__init__(engine)
        self.events = JobEvents(self._sessions)
