"""`lookalike doctor`: every check of every service, a line each, and what to do."""

import os
import stat
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click

from lookalike import checks
from lookalike.checks import Finding, Mark
from lookalike.errors import StartError
from lookalike.processes import service_command
from lookalike.settings import Settings

SERVICES = ("dbservice", "generator", "bot")

_SECONDS = 180.0
_MOST_FAILED = 64  # what is above has meanings of its own (sysexits.h, shells)
_COLOURS = {Mark.OK: "green", Mark.WARNING: "yellow", Mark.FAILED: "red"}
_INDENT = " " * 12


def run(*, spend: bool) -> int:
    """Makes all checks and prints what they find.

    Args:
        spend: whether to make those that cost money, too.

    Returns:
        The exit code: how many checks failed, 64 at most.
    """
    arguments = ["--spend"] if spend else []
    with ThreadPoolExecutor() as threads:
        services = {
            name: threads.submit(findings, name, os.environ, arguments) for name in SERVICES
        }
        failures = tell("machine", _machine())
        for name, found in services.items():
            failures += tell(name, found.result())
    if not failures:
        click.echo("All is well.")
    else:
        click.echo(f"{failures} {'check' if failures == 1 else 'checks'} failed.")
    return min(failures, _MOST_FAILED)


def findings(
    service: str, environment: Mapping[str, str], arguments: Sequence[str] = ()
) -> list[Finding]:
    """What the checks of a service find; they run as a process of the service's own."""
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
        words = f"The checks of {service} took more than {_SECONDS:g} s."
        return [checks.failed("checks", words, "Try again when the machine has less to do.")]
    found = [Finding.from_json(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        words = f"The checks of {service} broke off: {said[-1].rstrip('.')}."
        remedy = f"Is it installed? pip install 'lookalike[{service}]'"
        found.append(checks.failed("checks", words, remedy))
    return found


def _machine() -> list[Finding]:
    try:
        settings = Settings.load()
    except StartError as error:
        return [checks.failed("settings", str(error), "Mend it in .env.")]
    found = [checks.folder("disk", settings.lookalike_home)]
    secrets = Path(".env")
    if secrets.exists() and secrets.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        words = "Others on this machine can read .env, which holds secrets."
        found.append(checks.warning(".env", words, "chmod 600 .env"))
    return found


def tell(group: str, found: list[Finding]) -> int:
    """Prints a group of findings.

    Returns:
        How many of them are failures.
    """
    click.secho(group, bold=True)
    for finding in found:
        mark = click.style(f"{finding.mark:>9}", fg=_COLOURS[finding.mark])
        click.echo(f"{mark}  {finding.check}: {finding.words}")
        if finding.remedy:
            click.echo(f"{_INDENT} {finding.remedy}")
    return sum(finding.mark is Mark.FAILED for finding in found)
