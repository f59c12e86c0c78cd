"""`lookalike doctor`: every check of every service in a line, and what to do about it."""

import os
import stat
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click

from lookalike import checks, secret_files
from lookalike.checks import Finding, Mark
from lookalike.cli import given, report
from lookalike.cli.spelling import misspelt
from lookalike.processes import service_command
from lookalike.settings import ENV_FILE, Settings, SettingsError
from lookalike.tokens import known_service_token

SERVICES = ("dbservice", "generator", "bot")

_SECONDS = 180.0
_MOST_FAILED = 64  # codes above it have meanings of their own (sysexits.h, shells)
_COLOURS = {Mark.OK: "green", Mark.WARNING: "yellow", Mark.FAILED: "red"}
_INDENT = " " * 12


def run(*, spend: bool, report_file: Path | None = None) -> int:
    """Runs all checks and prints what they find.

    Args:
        spend: whether to run those that cost money, too.
        report_file: where all of it is written for others, as `report.write` does; None: nowhere.

    Returns:
        The exit code: how many checks failed, 64 at most.

    Raises:
        click.ClickException: the file is there already, or cannot be written.
    """
    if report_file is None:
        failures, _ = _run(spend=spend)
    else:
        with report.create(report_file):  # before the checks, which take minutes
            failures, groups = _run(spend=spend)
            report.write(report_file, groups)
        click.echo(f"Written to {report_file}, without secrets; read it before you pass it on.")
    return min(failures, _MOST_FAILED)


def _run(*, spend: bool) -> tuple[int, list[str]]:
    """Runs all checks, prints what they find, and gives how many failed, and each group's text."""
    arguments = ["--spend"] if spend else []
    with ThreadPoolExecutor() as threads:
        services = {
            name: threads.submit(findings, name, os.environ, arguments) for name in SERVICES
        }
        told: set[tuple[str, str]] = set()
        groups = {"machine": _new(_machine(), told)}
        failures = show("machine", groups["machine"])
        for name, job in services.items():
            found = job.result()
            if nothing_runs := _is_down(found):
                found = [each for each in found if each.remedy != checks.START]
                if _has_run():
                    found.append(checks.failed("services", "None of them runs.", checks.START))
            groups[name] = _new(found, told)
            failures += show(name, groups[name])
    if not failures:
        click.echo("Nothing runs yet: lookalike up" if nothing_runs else "Everything is fine.")
    else:
        click.echo(f"{failures} {'check' if failures == 1 else 'checks'} failed.")
    return failures, [click.unstyle(_text(*group)) for group in groups.items()]


def _new(found: list[Finding], told: set[tuple[str, str]]) -> list[Finding]:
    """What was not told before, as services share settings."""
    new = [each for each in found if (each.check, each.summary) not in told]
    told |= {(each.check, each.summary) for each in new if each.check == "settings"}
    return new


def _is_down(found: list[Finding]) -> bool:
    """Whether none of the services answers the bot's checks."""
    return {each.check for each in found if each.remedy == checks.START} >= set(SERVICES)


def _has_run() -> bool:
    """Whether a service has ever been started in this home: the first one makes the token."""
    return known_service_token(Settings.load().lookalike_home) is not None


def findings(
    service: str, environment: Mapping[str, str], arguments: Sequence[str] = ()
) -> list[Finding]:
    """What the checks of a service find; they run in a process of their own.

    Args:
        service: whose checks.
        environment: all environment variables of the process.
        arguments: see `lookalike.checks.run`.
    """
    try:
        done = subprocess.run(  # noqa: S603, our own modules
            [*service_command(f"{service}.doctor"), *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        summary = f"The checks of {service} took more than {_SECONDS:g} s."
        return [checks.failed("checks", summary, checks.BUSY, passes=True)]
    found = [Finding.from_json(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        summary = f"The checks of {service} broke off: {said[-1].rstrip('.')}."
        remedy = f"Is it installed? pip install 'lookalike[{service}]'"
        found.append(checks.failed("checks", summary, remedy, passes=True))
    return found


def _machine() -> list[Finding]:
    try:
        settings = Settings.load()
    except SettingsError as error:
        return [checks.failed("settings", fault, "Correct it in .env.") for fault in error.faults]
    found = [checks.folder("disk", settings.lookalike_home)]
    found += [
        checks.warning(".env", sentence, "Correct it; it has no effect.") for sentence in misspelt()
    ]
    if ENV_FILE.exists() and _is_open(ENV_FILE.stat()):
        summary = "Other users of this machine can read .env, which holds secrets."
        found.append(checks.warning(".env", summary, "chmod 600 .env"))
    return found + [
        checks.warning(
            "secrets",
            f"Other users of this machine can read the file that {name} names.",
            "Let only yourself read it: chmod 600.",
        )
        for name, value in given.given().items()
        if name.endswith(secret_files.ENDING) and _is_exposed(Path(value))
    ]


def _is_exposed(path: Path) -> bool:
    """Whether a file is ours, and others may read it: who has given us theirs knows why."""
    try:
        found = path.expanduser().stat()
    except (OSError, RuntimeError):  # which loading the settings tells
        return False
    return found.st_uid == os.geteuid() and _is_open(found)


def _is_open(file: os.stat_result) -> bool:
    """Whether others than its owner may do anything with a file."""
    return bool(file.st_mode & (stat.S_IRWXG | stat.S_IRWXO))


def show(group: str, found: list[Finding]) -> int:
    """Prints a group of findings.

    Returns:
        How many of them are failures.
    """
    click.echo(_text(group, found))
    return sum(finding.mark is Mark.FAILED for finding in found)


def _text(group: str, found: list[Finding]) -> str:
    """A group of findings: a line for its name, one for each, and one for what to do about it."""
    lines = [click.style(group, bold=True)]
    for finding in found:
        mark = click.style(f"{finding.mark:>9}", fg=_COLOURS[finding.mark])
        lines.append(f"{mark}  {finding.check}: {finding.summary}")
        if finding.remedy:
            lines.append(f"{_INDENT} {finding.remedy}")
    return "\n".join(lines)
