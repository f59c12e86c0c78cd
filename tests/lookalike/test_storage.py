"""Which store an address opens, what is said of one that cannot be, and what the doctor finds."""

import importlib.util
import subprocess
import sys

import pytest

from lookalike import storage
from lookalike.checks import Mark
from lookalike.errors import StartError
from lookalike.settings import StorageSettings
from tests.s3 import KEY_ID, S3, SECRET

pytestmark = pytest.mark.scale


def settings(s3: S3, **others: str) -> StorageSettings:
    return StorageSettings.model_validate({**s3.settings, **others})


async def refusal(url: str, told: StorageSettings) -> tuple[int, str]:
    with pytest.raises(StartError) as caught:
        await storage.open_blobs(url, told)
    return caught.value.exit_code, str(caught.value)


async def test_a_bucket_that_is_not_there_lasts(s3: S3) -> None:
    assert await refusal("s3://nobodys/photos", settings(s3)) == (
        78,
        (
            "s3://nobodys/photos cannot be used: the bucket is not there. "
            "Make the bucket, or name another one."
        ),
    )


async def test_one_that_does_not_answer_passes(s3: S3) -> None:
    s3.go_away()
    code, said = await refusal(s3.url, settings(s3))
    assert code == 75
    assert said.startswith(
        f"{s3.url} cannot be used: S3 does not answer. See that AWS_ENDPOINT_URL"
    )
    assert KEY_ID not in said
    s3.come_back()
    await storage.open_blobs(s3.url, settings(s3))


async def test_half_of_the_credentials_is_one_sentence(s3: S3) -> None:
    told = {name: value for name, value in s3.settings.items() if "secret" not in name}
    code, said = await refusal(s3.url, StorageSettings.model_validate(told))
    assert code == 78
    assert said == f"{s3.url} cannot be used: a variable of AWS's has a value that cannot be used."


async def test_the_package_that_is_missing_is_named(
    s3: S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    code, said = await refusal(s3.url, settings(s3))
    assert code == 78
    assert "pip install" in said


async def test_a_proxy_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "ftp://user:password@proxy.example.org")
    code, said = await refusal("s3://bucket", StorageSettings())
    assert code == 78
    assert said.startswith("HTTPS_PROXY cannot be used for s3.amazonaws.com")


async def test_the_doctor_tries_all_that_is_needed_and_leaves_nothing(s3: S3) -> None:
    (found,) = await storage.check("photos", s3.url, settings(s3))
    assert (found.mark, found.summary) == (
        Mark.OK,
        f"{s3.url} can be listed, written, read and deleted from.",
    )
    assert s3.keys() == []


async def test_the_doctor_warns_of_versions_that_stay(s3: S3) -> None:
    s3.keep_versions()
    (found,) = await storage.check("photos", s3.url, settings(s3))
    assert found.mark is Mark.WARNING
    assert "what people delete stays" in found.summary


async def test_the_doctor_says_what_fails(s3: S3) -> None:
    (missing,) = await storage.check("photos", "s3://nobodys", settings(s3))
    assert (missing.mark, missing.passes) == (Mark.FAILED, False)
    assert missing.summary == "s3://nobodys cannot be listed: the bucket is not there."
    s3.go_away()
    (away,) = await storage.check("photos", s3.url, settings(s3))
    assert (away.mark, away.passes) == (Mark.FAILED, True)
    assert away.summary == f"{s3.url} cannot be listed: S3 does not answer."


def test_credentials_are_secrets(s3: S3) -> None:
    assert {KEY_ID, SECRET} <= set(settings(s3).given_secrets())
    assert SECRET not in repr(settings(s3))


@pytest.mark.slow
def test_nobody_imports_it_who_does_not_use_it() -> None:
    code = (
        "import dbservice.server, dbservice.doctor, sys; "
        "print([name for name in sys.modules if 'obstore' in name])"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
