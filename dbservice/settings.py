"""What the database service is told."""

from datetime import timedelta
from pathlib import Path

from pydantic import Field

from lookalike.settings import BlobUrl, DatabaseUrl, ListenAddress, StorageSettings


class DbserviceSettings(StorageSettings):
    """The database service's settings.

    Attributes:
        dbservice_listen: where it serves.
        database_url: where the rows are; empty: a file in the home folder.
        blob_url: where the bytes of photos and pictures are; empty: a folder in the home folder.
        dbservice_metrics_listen: where its metrics are served, over HTTP; None: nowhere.
        user_max_unfinished: how many generations of one user may be unfinished at once; an album
            that begins below it is taken whole.
        user_max_megabytes: how much is kept of one user's photos and pictures, in megabytes of a
            million bytes; None: no bound.
        max_megabytes: how much is kept of all; None: no bound.
        user_daily_pictures: how many pictures a user, or a group, may begin in a day; None: no
            bound.
        bot_daily_pictures: how many all of a bot's users may; None: no bound.
        bot_daily_captions: how many captions a captioner that costs may be asked for; None: no
            bound.
        retention_days: after how many days what is closed is deleted; None: never.
        move_database_url: where `lookalike move` brings the rows; empty: they stay.
        move_blob_url: where it brings the bytes; empty: they stay.
    """

    dbservice_listen: ListenAddress = "127.0.0.1:5002"
    dbservice_metrics_listen: ListenAddress | None = None
    database_url: DatabaseUrl = ""
    blob_url: BlobUrl = ""
    user_max_unfinished: int = Field(default=10, ge=1, le=1000)
    user_max_megabytes: int | None = Field(default=None, ge=1, le=1_000_000_000)
    max_megabytes: int | None = Field(default=None, ge=1, le=1_000_000_000)
    user_daily_pictures: int | None = Field(default=None, ge=0, le=1_000_000_000)
    bot_daily_pictures: int | None = Field(default=None, ge=0, le=1_000_000_000)
    bot_daily_captions: int | None = Field(default=None, ge=0, le=1_000_000_000)
    retention_days: int | None = Field(default=None, ge=1, le=36_500)
    move_database_url: DatabaseUrl = ""
    move_blob_url: BlobUrl = ""

    @property
    def database(self) -> str:
        """The database's address, `sqlite:///` and an absolute path, or `postgresql://...`."""
        return self.database_url or f"sqlite:///{self.file_at_home}"

    @property
    def file_at_home(self) -> Path:
        """Where the rows are unless the settings say otherwise."""
        return self.folder("dbservice") / "lookalike.db"

    @property
    def retention(self) -> timedelta | None:
        """How long what is closed is kept; None: for ever."""
        return None if self.retention_days is None else timedelta(days=self.retention_days)

    @property
    def blobs(self) -> str:
        """Where the bytes are, `file:///` and a folder, or `s3://` and a bucket."""
        return self.blob_url or (self.folder("dbservice") / "blobs").as_uri()
