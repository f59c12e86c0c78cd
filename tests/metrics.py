"""What a scrape says."""

from collections.abc import Mapping

import httpx
from prometheus_client.parser import text_string_to_metric_families


def samples(exposition: str) -> Mapping[str, float]:
    """The values, by their names with the labels, such as `lookalike_up{service="dbservice"}`."""
    found = {}
    for family in text_string_to_metric_families(exposition):
        for sample in family.samples:
            labels = ",".join(f'{name}="{value}"' for name, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


async def scrape(address: str) -> Mapping[str, float]:
    """What a service tells whoever asks on the same machine."""
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(f"http://{address}/metrics", timeout=20)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    return samples(answer.text)
