"""The captioner, and Azure's key, endpoint and region."""

import pytest

from tests import azure
from tests.azure import AzureServer
from tests.lookalike.doctor.findings import Environment, failures, one

pytestmark = pytest.mark.slow


def test_a_wrong_azure_key(environment: Environment) -> None:
    found = failures(environment, "bot", "captioner", AZURE_VISION_KEY="not-the-key-at-all")
    remedy = one(found, "captioner", "Azure AI Vision refuses AZURE_VISION_KEY: 401")
    assert "AZURE_VISION_KEY" in remedy
    assert "not-the-key" not in str(found)


def test_an_azure_endpoint_that_nobody_serves(environment: Environment) -> None:
    found = failures(environment, "bot", "captioner", AZURE_VISION_ENDPOINT="http://127.0.0.1:9")
    one(found, "captioner", "Azure AI Vision cannot be reached")


def test_a_wrong_region_that_azure_tells(environment: Environment, vision: AzureServer) -> None:
    message = "The feature 'Caption' is not supported in this region"
    vision.script.append(azure.problem(400, "InvalidRequest", message))
    assert "Korea Central" in one(failures(environment, "bot", "captioner"), "captioner", message)


@pytest.mark.parametrize(("region", "right"), [("West US 3", False), ("East US", True)])
def test_a_region_in_a_header(
    environment: Environment, vision: AzureServer, region: str, *, right: bool
) -> None:
    refusal = azure.problem(400, "InvalidRequest", "no image", headers={"x-ms-region": region})
    vision.script.append(refusal)
    found = failures(environment, "bot", "captioner")
    if right:
        assert found == []
    else:
        one(found, "captioner", "is in West US 3, which has no captions")


@pytest.mark.long
def test_an_azure_without_a_key_and_a_captioner_that_works(environment: Environment) -> None:
    one(
        failures(environment, "bot", "captioner", AZURE_VISION_KEY=""),
        "captioner",
        "needs AZURE_VISION",
    )
    assert failures(environment, "bot", "captioner", CAPTIONER="offline") == []
