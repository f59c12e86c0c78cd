"""The database of the job queue: transactions, one after another, and the events they cause."""

from pathlib import Path

from generator.jobs.events import JobEvents
from lookalike.database import create_engine
from lookalike.migrations import migrate
from lookalike.sqlite import path_of
from lookalike.transactions import Transactional

_MIGRATIONS = Path(__file__).with_name("migrations")


class JobDatabase(Transactional):
    """The database. Transactions raise OSError if it is full, busy or broken.

    Create it while an event loop runs.

    Attributes:
        path: the file.
        events: wakes whoever waits for jobs to change.
    """

    def __init__(self, url: str) -> None:
        """Opens a database, creating it if it is missing, and brings it up to date.

        Args:
            url: as SQLAlchemy writes it.

        Raises:
            StartError: it cannot be used, another process uses it, or there is no room to upgrade
                it.
        """
        engine = create_engine(url)
        try:
            migrate(engine, _MIGRATIONS)
        except BaseException:
            engine.dispose()
            raise
        super().__init__(engine)
        self.path = path_of(url)
        self.events = JobEvents(self._sessions)
