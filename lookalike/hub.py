"""Fetches weights from the Hugging Face hub, once their licence is accepted.

The hub's own client starts a file over when it was interrupted; here, what has arrived is kept.
Finished files end up in the hub's cache, just where that client would put them.
"""

import argparse
import contextlib
import fcntl
import hashlib
import os
import shutil
import sys
import time
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NoReturn, Protocol

import click
import huggingface_hub
from huggingface_hub import constants
from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError
from huggingface_hub.file_download import get_hf_file_metadata, hf_hub_url, repo_folder_name
from huggingface_hub.utils import (  # type: ignore[attr-defined]  # they are exported lazily
    build_hf_headers,
    disable_progress_bars,
    get_session,
)

from lookalike.checks import size
from lookalike.errors import StartError
from lookalike.proxies import proxy_for

_HUB_SECONDS = 10.0
_TRIES = 5  # in a row without a single byte
_PAUSE_SECONDS = 1.0
_SHA256_CHARACTERS = 64


class Choice(Protocol):
    """Chooses among a repository's files."""

    def __call__(self, revision: str, sizes: Mapping[str, int], /) -> Iterable[str]:
        """Given a revision and its files' sizes by name: which of them are needed."""


Terms = Callable[[str], str]
"""Given the licence as the hub names it, "" if it does not: what people are told of it."""


@dataclass(frozen=True)
class Consent:
    """What whoever runs a download has said.

    Attributes:
        accepted: the licence is accepted: nobody is asked.
        ask_only: tell the size and the licence, ask, and fetch nothing.
    """

    accepted: bool
    ask_only: bool


@dataclass(frozen=True)
class _Offer:
    """What the hub has: a repository at a revision, and which of its files are needed.

    Attributes:
        repository: owner/name.
        revision: the commit.
        files: names, and sizes in bytes.
        terms: what people are told of its licence.
    """

    repository: str
    revision: str
    files: dict[str, int]
    terms: str


def parser() -> argparse.ArgumentParser:
    """A parser of `lookalike download`, with the options that every download has."""
    made = argparse.ArgumentParser(prog="lookalike download")
    made.add_argument("--accept-licence", action="store_true", help="do not ask")
    made.add_argument("--ask-only", action="store_true", help="ask, and fetch nothing")
    return made


def run(
    parser: argparse.ArgumentParser, main: Callable[[argparse.Namespace, Consent], None]
) -> NoReturn:
    """Parses the command line, downloads, and exits."""
    arguments = parser.parse_args()
    try:
        main(arguments, Consent(arguments.accept_licence, arguments.ask_only))
    except StartError as error:
        click.echo(f"lookalike download: {error}", err=True)
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        click.echo("\nStopped. What has come so far is kept; the next download goes on from there.")
        sys.exit(130)
    sys.exit(0)


def fetch(repository: str, choose: Choice, terms: Terms, consent: Consent) -> bool:
    """Fetches files of a repository into the hub's cache.

    Args:
        repository: owner/name.
        choose: which files are needed.
        terms: says what the licence asks for.
        consent: what was said before.

    Returns:
        Whether they are there now: not if it was only to ask.

    Raises:
        StartError: the hub does not give them, the disk has no room, or nobody accepts the licence.
    """
    if constants.HF_HUB_OFFLINE:
        raise StartError(f"{repository} is not on this machine, and HF_HUB_OFFLINE is set.")
    proxy_for(constants.ENDPOINT)  # the hub's client takes it from the environment, too
    disable_progress_bars()
    with _translated(repository):
        offer = _ask_hub(repository, choose, terms)
        _accept(offer, accepted=consent.accepted)
        if consent.ask_only:
            return False
        _fetch_files(offer)
        # All bytes are there; this gives them their names.
        huggingface_hub.snapshot_download(repository, allow_patterns=list(offer.files))
    return True


def fetch_small(repository: str, revision: str, name: str, length: int) -> Path:
    """Fetches one file that says which others are needed, and gives its path in the cache."""
    # Not by the hub's client, which takes what comes: only the name is left to it.
    _fetch_file(repository, revision, name, length, lambda _count: None)
    return Path(huggingface_hub.hf_hub_download(repository, name, revision=revision))


def are_whole(weights: Iterable[Path], check: Callable[[Path], object]) -> bool:
    """Whether files in the cache are whole. Broken ones are removed, to be fetched again.

    Args:
        weights: the files.
        check: raises where one is broken.
    """
    well = True
    for path in weights:
        try:
            check(path)
        except Exception as error:  # noqa: BLE001, whatever a library raises at broken bytes
            click.echo(f"{path.parent.name}/{path.name} is broken and is fetched again: {error}.")
            path.resolve().unlink()  # the bytes; the name is a link to them
            path.unlink(missing_ok=True)
            well = False
    return well


@contextlib.contextmanager
def _translated(repository: str) -> Generator[None, None, None]:
    """Turns the faults of the hub, and of the way there, into a sentence each."""
    try:
        yield
    except (StartError, click.Abort):
        raise
    except GatedRepoError:
        reason = "the hub wants its terms accepted first, and HF_TOKEN set"
    except RepositoryNotFoundError:
        reason = "the hub knows no such model"
    except Exception as error:  # noqa: BLE001, the hub's client has another HTTP library each version
        first = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
        reason = (
            f"the hub cannot be reached or broke off ({first}); is there a network? What has come "
            "so far is kept, and the next download goes on from there"
        )
    else:
        return
    raise StartError(f"{repository} was not fetched: {reason}.")


def _ask_hub(repository: str, choose: Choice, terms: Terms) -> _Offer:
    info = huggingface_hub.model_info(repository, files_metadata=True, timeout=_HUB_SECONDS)
    sizes = {file.rfilename: file.size or 0 for file in info.siblings or ()}
    revision = info.sha or "main"
    names = choose(revision, sizes)
    card = info.card_data
    licence = str((card and (card.get("license_name") or card.get("license"))) or "")
    return _Offer(
        repository=repository,
        revision=revision,
        files={name: sizes[name] for name in names},
        terms=terms(licence),
    )


def _accept(offer: _Offer, *, accepted: bool) -> None:
    """Shows size and licence, and asks; checks that the disk has room."""
    total = sum(offer.files.values())
    click.echo(f"{offer.repository}: {size(total)} in {len(offer.files)} files.")
    click.echo(f"Licence: {offer.terms}")
    there = Path(constants.HF_HUB_CACHE)
    while not there.exists():
        there = there.parent
    blobs = _blobs(offer.repository)
    needed = total - sum(path.stat().st_size for path in blobs.glob("*"))
    free = shutil.disk_usage(there).free
    if free < needed:
        raise StartError(f"{needed} bytes are needed on the disk of {there}, {free} are free.")
    if accepted:
        return
    if not sys.stdin.isatty():
        raise StartError("there is no terminal to ask at: accept with --accept-licence.")
    click.confirm("Accept the licence and download?", abort=True)


def _blobs(repository: str) -> Path:
    folder = repo_folder_name(repo_id=repository, repo_type="model")
    return Path(constants.HF_HUB_CACHE) / folder / "blobs"


def _fetch_files(offer: _Offer) -> None:
    with click.progressbar(length=sum(offer.files.values()), label="Downloading") as bar:
        for name, length in offer.files.items():
            _fetch_file(offer.repository, offer.revision, name, length, bar.update)


def _fetch_file(
    repository: str, revision: str, name: str, length: int, advance: Callable[[int], None]
) -> None:
    """Fetches a file of a repository into the cache, unless it is there."""
    blobs = _blobs(repository)
    blobs.mkdir(parents=True, exist_ok=True)
    url = hf_hub_url(repository, name, revision=revision)
    etag = get_hf_file_metadata(url, timeout=_HUB_SECONDS).etag
    if not etag or "/" in etag:
        raise OSError(f"the hub gives {name} no usable ETag")
    if (blobs / etag).exists():
        advance(length)
    else:
        _fetch_blob(url, blobs / etag, length, advance)


def _fetch_blob(url: str, target: Path, length: int, advance: Callable[[int], None]) -> None:
    """Fetches a file into the cache, resuming where an earlier try ended."""
    part = target.with_name(f"{target.name}.lookalike")
    with part.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StartError(f"another download of {target} is running.") from None
        if file.tell() > length:
            file.truncate(0)
        advance(file.tell())
        tries = 0
        while file.tell() < length:
            before = file.tell()
            try:
                _append(url, file, length, advance)
            except Exception:  # whatever broke off, the next try may get further
                file.flush()
                tries = 0 if file.tell() > before else tries + 1
                if tries >= _TRIES or not before:  # what never began may not exist at all
                    raise
                time.sleep(_PAUSE_SECONDS)
        file.flush()
        os.fsync(file.fileno())
        if file.tell() != length or not _matches(part, target.name):
            part.unlink()
            raise OSError("a file arrived damaged and was removed")
        part.replace(target)


def _append(url: str, file: BinaryIO, length: int, advance: Callable[[int], None]) -> None:
    start = file.tell()
    # Compressed, a range would count other bytes.
    headers = {**build_hf_headers(), "Accept-Encoding": "identity", "Range": f"bytes={start}-"}
    with get_session().stream("GET", url, headers=headers, follow_redirects=True) as response:
        response.raise_for_status()
        if response.status_code != 206:  # noqa: PLR2004, RFC 9110: the whole file comes again
            file.truncate(0)
            advance(-start)
        for chunk in response.iter_raw():  # as it came: unpacked it may be any size
            if file.tell() + len(chunk) > length:
                raise OSError("the hub sends more than it said")
            file.write(chunk)
            advance(len(chunk))


def _matches(path: Path, etag: str) -> bool:
    """Whether the bytes are those of the hub, whose ETag of a large file is its sha256."""
    if len(etag) != _SHA256_CHARACTERS:
        return True
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == etag
