"""`lookalike init` asks, checks, and writes a .env that the services read."""

import os
import pty
import re
import stat
import subprocess
from collections.abc import Generator, Sequence
from contextlib import suppress
from pathlib import Path

import click
import pytest
from dotenv import dotenv_values

from bot.captioners import blip
from generator.models import EMOJI
from lookalike import ownership
from lookalike.cli.init import dotenv, questions
from lookalike.cli.init.questions import Known
from lookalike.processes import clean_environment
from lookalike.processes.stack import Stack
from tests import azure
from tests.azure import AzureServer
from tests.bot.captioners import test_blip
from tests.commands import LOOKALIKE, run
from tests.generator import hub
from tests.stack import TOKEN, fixed_ports, keep_polls_short, running_stack
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

EXAMPLE = Path(dotenv.__file__).parents[3] / ".env.example"
FOR_ME = ["--bot-access", "me"]
SCRIPTED = [*FOR_ME, "--captioner", "offline", "--generator-model", "emoji"]


@pytest.fixture(scope="module")
def telegram(tmp_path_factory: pytest.TempPathFactory) -> Generator[Stack, None, None]:
    """A sandbox, which stands in for Telegram, and addresses at which nobody listens."""
    with running_stack(tmp_path_factory.mktemp("home"), fixed_ports(), "sandbox") as stack:
        keep_polls_short(stack)
        yield stack


@pytest.fixture(scope="module")
def vision() -> Generator[AzureServer, None, None]:
    with azure.serve_in_thread() as server:
        yield server


def environment(telegram: Stack, folder: Path) -> dict[str, str]:
    listen = {name: telegram.environment[name] for name in ("BOT_LISTEN", "GENERATOR_LISTEN")}
    return {
        **clean_environment(),
        **listen,
        "TELEGRAM_API_URL": telegram.url("sandbox"),
        "LOOKALIKE_HOME": str(folder / "home"),
        "OMP_NUM_THREADS": "2",
    }


def script(
    telegram: Stack, folder: Path, *arguments: str, **more: str
) -> subprocess.CompletedProcess[str]:
    """`lookalike init` where nobody can be asked."""
    return run("init", *arguments, folder=folder, environment=environment(telegram, folder) | more)


def type_at(
    telegram: Stack, folder: Path, dialogue: Sequence[tuple[str, str]], **more: str
) -> tuple[int, str]:
    """Answers each question at a terminal; gives the exit code and what the terminal showed."""
    parent, terminal = pty.openpty()
    with subprocess.Popen(
        # The shell opens the terminal as a session's leader does, which makes it the session's own.
        ["sh", "-c", 'exec "$@" <"$0" >"$0" 2>&1', os.ttyname(terminal), *LOOKALIKE, "init"],
        env=environment(telegram, folder) | more,
        cwd=folder,
        start_new_session=True,
    ) as process:
        shown = b""
        for question, answer in dialogue:
            start = len(shown)
            while question.encode() not in shown[start:]:
                shown += os.read(parent, 10_000)
            os.write(parent, f"{answer}\n".encode())
        os.close(terminal)
        with suppress(OSError):  # what the end of a terminal is on Linux
            while part := os.read(parent, 10_000):
                shown += part
        os.close(parent)
        return process.wait(30), shown.decode()


@pytest.mark.long
def test_it_asks_checks_and_writes(telegram: Stack, vision: AzureServer, tmp_path: Path) -> None:
    wrong = TOKEN[:-1] + "y"
    code, shown = type_at(
        telegram,
        tmp_path,
        [
            ("token", wrong),
            ("Use it anyway?", "n"),
            ("token", TOKEN),
            ("It is for", ""),
            ("The captioner", "azure"),
            ("endpoint", vision.url),
            ("keys", vision.key),
            ("The model", "emoji"),
            ("Start it now?", "n"),
        ],
    )
    assert code == 0, shown
    assert re.search(
        r"anything; about \d+ (s|minutes) a picture on .* of memory, a download", shown
    )
    assert "Telegram does not know this TELEGRAM_BOT_TOKEN." in shown
    assert "Azure AI Vision takes the key" in shown
    assert "emoji loads" in shown
    for secret in (wrong, TOKEN, vision.key):
        assert secret not in shown
    link = re.search(r"be the first to write this to @\w+ at \S+:\s+/start o_(\S+)", shown)
    assert link is not None, shown
    kept = tmp_path / "home" / "owner-links"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert link[1] not in kept.read_text()
    assert ownership.is_good(kept.parent, link[1])
    written = tmp_path / ".env"
    assert stat.S_IMODE(written.stat().st_mode) == 0o600
    expected = {
        "TELEGRAM_BOT_TOKEN": TOKEN,
        "BOT_ACCESS": "me",
        "CAPTIONER": "azure",
        "AZURE_VISION_ENDPOINT": vision.url,
        "AZURE_VISION_KEY": vision.key,
        "GENERATOR_MODEL": "emoji",
    }
    assert dotenv_values(written) == expected
    comments = [line for line in EXAMPLE.read_text().splitlines() if line.startswith("# ")]
    assert set(comments) <= set(written.read_text().splitlines())
    assert {path.name for path in tmp_path.iterdir()} == {".env", "home"}
    assert [path.name for path in kept.parent.iterdir()] == [kept.name]


@pytest.mark.long
def test_a_token_moves_into_a_file_and_back(telegram: Stack, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"TELEGRAM_BOT_TOKEN={TOKEN[:-1]}y\n")
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    given = [*SCRIPTED, "--overwrite", "--telegram-bot-token-file", "token"]
    done = script(telegram, tmp_path, *given)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "token: The token is that of @" in done.stdout
    written = (tmp_path / ".env").read_text()
    assert dotenv.read(written)["TELEGRAM_BOT_TOKEN_FILE"] == "token"
    assert written.startswith("TELEGRAM_BOT_TOKEN=\n")
    assert questions.token(Known({}, written)) == {"TELEGRAM_BOT_TOKEN_FILE": "token"}

    again = questions.token(Known({"TELEGRAM_BOT_TOKEN": TOKEN}, written))
    assert again == {"TELEGRAM_BOT_TOKEN": TOKEN, "TELEGRAM_BOT_TOKEN_FILE": ""}

    both = script(telegram, tmp_path, *given, TELEGRAM_BOT_TOKEN=TOKEN)
    assert both.returncode == 1
    assert "TELEGRAM_BOT_TOKEN_FILE is set as well; keep one of them." in both.stdout
    assert (tmp_path / ".env").read_text() == written


@pytest.mark.long
def test_a_file_that_is_gone_can_be_replaced_by_a_token(telegram: Stack, tmp_path: Path) -> None:
    kept = "BOT_ACCESS=everyone\nCAPTIONER=offline\nGENERATOR_MODEL=emoji\n"
    (tmp_path / ".env").write_text(f"TELEGRAM_BOT_TOKEN_FILE=gone\n{kept}")
    code, shown = type_at(
        telegram,
        tmp_path,
        [
            ("now in gone", ""),
            ("Use it anyway?", ""),
            ("now in gone", TOKEN),
            ("now everyone", ""),
            ("now offline", ""),
            ("now emoji", ""),
            ("Start it now?", "n"),
        ],
    )
    assert code == 0, shown
    assert "TELEGRAM_BOT_TOKEN_FILE names cannot be read: No such file" in shown
    assert TOKEN not in shown
    written = (tmp_path / ".env").read_text()
    assert written == f"TELEGRAM_BOT_TOKEN_FILE=\n{kept}TELEGRAM_BOT_TOKEN={TOKEN}\n"


@pytest.mark.long
def test_it_takes_options_and_changes_what_is_there_only_when_told(
    telegram: Stack, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("# mine\nCAPTIONER=azure\nBOT_POLL_SECONDS=3")
    refused = script(telegram, tmp_path, *SCRIPTED, TELEGRAM_BOT_TOKEN=TOKEN)
    assert refused.returncode == 1
    assert "There is a .env already; --overwrite" in refused.stderr
    done = script(telegram, tmp_path, "--overwrite", *SCRIPTED, TELEGRAM_BOT_TOKEN=TOKEN)
    assert done.returncode == 0, done.stdout + done.stderr
    assert TOKEN not in done.stdout + done.stderr
    assert (tmp_path / ".env").read_text() == (
        "# mine\nCAPTIONER=offline\nBOT_POLL_SECONDS=3\n"
        f"TELEGRAM_BOT_TOKEN={TOKEN}\nBOT_ACCESS=me\nGENERATOR_MODEL=emoji\n"
    )


@pytest.mark.long
def test_it_fetches_a_model_that_is_not_here_and_tells_its_conditions(
    telegram: Stack, tmp_path: Path
) -> None:
    model = "stable-diffusion-v1-5/stable-diffusion-v1-5"
    arguments = ["--bot-access", "me", "--captioner", "offline", "--generator-model", model]
    with hub.serve(model, EMOJI) as served:
        settings = {
            "TELEGRAM_BOT_TOKEN": TOKEN,
            "HF_ENDPOINT": served.url,
            "HF_HUB_CACHE": str(tmp_path / "cache"),
        }
        refused = script(telegram, tmp_path, *arguments, **settings)
        assert refused.returncode == 1
        assert f"model missing: GENERATOR_MODEL {model} is not on this machine" in refused.stdout
        done = script(telegram, tmp_path, "--accept-licence", *arguments, **settings)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Licence: CreativeML OpenRAIL-M" in done.stdout
    assert "stable-diffusion-v1-5 loads" in done.stdout
    written = dotenv_values(tmp_path / ".env")
    assert written["GENERATOR_MODEL"] == model
    assert "paragraph 5 and Attachment A" in str(written["BOT_NOTICE"])
    changed = script(telegram, tmp_path, "--overwrite", *SCRIPTED, TELEGRAM_BOT_TOKEN=TOKEN)
    assert changed.returncode == 0, changed.stdout + changed.stderr
    assert dotenv_values(tmp_path / ".env")["BOT_NOTICE"] == ""


@pytest.mark.long
def test_a_notice_of_ones_own_stays(telegram: Stack, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("BOT_NOTICE='Be kind.'\n")
    done = script(telegram, tmp_path, "--overwrite", *SCRIPTED, TELEGRAM_BOT_TOKEN=TOKEN)
    assert done.returncode == 0, done.stdout + done.stderr
    assert dotenv_values(tmp_path / ".env")["BOT_NOTICE"] == "Be kind."


@pytest.mark.long
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Give --telegram-bot-token: there is no terminal"),
        (["--telegram-bot-token", "1:no"], "TELEGRAM_BOT_TOKEN: the check failed"),
        (
            ["--telegram-bot-token", TOKEN, *FOR_ME, "--captioner", "azure"],
            "Give --azure-vision-endpoint",
        ),
        (["--telegram-bot-token", TOKEN, "--captioner", "offline"], "Give --bot-access"),
        (
            ["--telegram-bot-token", TOKEN, *SCRIPTED[:-1], "./no"],
            "GENERATOR_MODEL: the check failed",
        ),
    ],
)
def test_a_script_with_a_missing_or_wrong_answer_writes_nothing(
    telegram: Stack, tmp_path: Path, arguments: list[str], message: str
) -> None:
    result = script(telegram, tmp_path, *arguments)
    assert result.returncode == 1
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / ".env").exists()


@pytest.mark.parametrize(
    "value", ["plain/v-1.5", "a b", "it's", 'a "b" #c', "back\\slash", "Füße", "a=b", "~/x"]
)
def test_every_value_is_read_as_it_was_given(value: str, tmp_path: Path) -> None:
    text = dotenv.fill(EXAMPLE.read_text(), {"GENERATOR_MODEL": value})
    (tmp_path / ".env").write_text(text)
    assert dotenv_values(tmp_path / ".env")["GENERATOR_MODEL"] == value


@pytest.mark.parametrize("value", ["${HOME}", "a\nb=c"])
def test_what_a_env_cannot_hold_is_refused(value: str) -> None:
    with pytest.raises(click.ClickException, match="characters that"):
        dotenv.fill("", {"GENERATOR_MODEL": value})


# The first minutes at a terminal.


@pytest.mark.long
def test_it_begins_on_the_small_model_while_the_large_one_downloads(
    telegram: Stack, tmp_path: Path
) -> None:
    model = "stable-diffusion-v1-5/stable-diffusion-v1-5"
    with hub.serve(model, EMOJI) as served:
        here = {"HF_ENDPOINT": served.url, "HF_HUB_CACHE": str(tmp_path / "cache")}
        code, shown = type_at(
            telegram,
            tmp_path,
            [
                ("token", TOKEN),
                ("It is for", "everyone"),
                ("The captioner", "offline"),
                ("The model", ""),
                ("Accept the licence", "y"),
                ("Begin with the small model", ""),
                ("Start it now?", "n"),
            ],
            **here,
        )
        assert code == 0, shown
        assert "Licence: CreativeML OpenRAIL-M." in shown
        assert "owns the bot" not in shown
        written = dotenv_values(tmp_path / ".env")
        assert (written["GENERATOR_MODEL"], written["GENERATOR_MEANWHILE"]) == (model, "emoji")
        log = tmp_path / "home" / "download.log"
        wait_until(lambda: f"{model} is on this machine." in log.read_text())


@pytest.mark.long
def test_what_a_env_has_is_kept_unless_it_is_answered_anew(telegram: Stack, tmp_path: Path) -> None:
    kept = f"TELEGRAM_BOT_TOKEN={TOKEN}\nBOT_ACCESS=invited\nCAPTIONER=offline\n"
    before = f"{kept}GENERATOR_MODEL=emoji\nMINE=x\n"
    (tmp_path / ".env").write_text(before)
    (tmp_path / "home" / "dbservice").mkdir(parents=True)
    keep = [
        ("token", ""),
        ("now invited", ""),
        ("now offline", ""),
        ("now emoji", ""),
        ("Start it now?", "n"),
    ]
    code, shown = type_at(telegram, tmp_path, keep)
    assert code == 0, shown
    assert shown.count("[keep]") == 4
    assert "While nobody owns the bot, `lookalike up` prints a link" in shown
    assert TOKEN not in shown
    assert (tmp_path / ".env").read_text() == before


@pytest.mark.long
def test_the_weights_of_blip_are_fetched_as_a_model_is(telegram: Stack, tmp_path: Path) -> None:
    folder = tmp_path / "blip"
    test_blip.save_tiny(folder, "cat")
    (folder / "pytorch_model.bin").write_bytes(b"nobody needs it")
    with hub.serve(blip.MODEL, folder) as served:
        served.licence = "bsd-3-clause"
        settings = {"HF_ENDPOINT": served.url, "HF_HUB_CACHE": str(tmp_path / "cache")}
        home = environment(telegram, tmp_path) | settings
        arguments = [*FOR_ME, "--captioner", "blip", "--generator-model", "emoji"]
        done = script(
            telegram,
            tmp_path,
            "--accept-licence",
            *arguments,
            TELEGRAM_BOT_TOKEN=TOKEN,
            **settings,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Licence: BSD-3-Clause. It allows commercial use" in done.stdout
        assert "The blip captioner works." in done.stdout
        again = run("download", "--captions", folder=tmp_path, environment=home)
        assert again.stdout == f"{blip.MODEL} is on this machine already.\n"
        (weights,) = tmp_path.glob(f"cache/*/snapshots/*/{blip.WEIGHTS[0]}")
        weights.resolve().write_bytes(b"broken")
        mended = run(
            "download", "--captions", "--accept-licence", folder=tmp_path, environment=home
        )
        assert f"{blip.WEIGHTS[0]} is broken and is fetched again" in mended.stdout
        assert mended.stdout.endswith(f"{blip.MODEL} is on this machine.\n"), mended.stderr
    assert not list(tmp_path.glob("cache/*/snapshots/*/*.bin"))
