"""Where the bytes are that are backed up, and come back."""

from pathlib import Path

from dbservice.settings import DbserviceSettings
from lookalike.errors import StartError
from lookalike.settings import folder_of


def local_folder(settings: DbserviceSettings) -> Path:
    """The folder of the photos and pictures.

    Raises:
        StartError: they are in S3.
    """
    folder = folder_of(settings.blobs)
    if folder is None:
        raise StartError(
            "BLOB_URL names S3: `lookalike backup` and `lookalike restore` are for photos and"
            " pictures in a folder; docs/running.md says what to do for a bucket."
        )
    return folder
