"""The bot's metrics: what its observers hear."""

from prometheus_client import CollectorRegistry, Counter, Histogram

from bot.observers import Closed, Delivered, Observer, RpcDone, SendDone, StageEnded
from lookalike.metrics import CALL_SECONDS, PATIENCE_SECONDS, STAGE_SECONDS


class MetricsObserver(Observer):
    """Counts what happens."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Nothing has happened yet."""
        self._closed = Counter(
            "lookalike_pictures",
            "Pictures that are over and done with, by how they ended and why.",
            ["end", "code"],
            registry=registry,
        )
        self._delivery = Histogram(
            "lookalike_delivery_seconds",
            "From a photo, a button or words to the picture in the chat.",
            buckets=PATIENCE_SECONDS,
            registry=registry,
        )
        self._captioning = Histogram(
            "lookalike_caption_seconds",
            "From asking the captioner to its answer, of pictures that were sent.",
            buckets=CALL_SECONDS,
            registry=registry,
        )
        self._waiting = Histogram(
            "lookalike_waiting_seconds",
            "From submitting a job to seeing it run, of pictures that were sent; 0 where no look "
            "saw it wait.",
            buckets=PATIENCE_SECONDS,
            registry=registry,
        )
        self._painting = Histogram(
            "lookalike_painting_seconds",
            "From seeing a job run to seeing it finished, of pictures that were sent.",
            buckets=PATIENCE_SECONDS,
            registry=registry,
        )
        self._stages = Histogram(
            "lookalike_stage_seconds",
            "What a stage took.",
            ["stage", "outcome"],
            buckets=STAGE_SECONDS,
            registry=registry,
        )
        self._sends = Histogram(
            "lookalike_send_seconds",
            "What a call of the Bot API took, its turn included. The outcome too-many-requests is "
            "Telegram's 429.",
            ["method", "outcome"],
            buckets=STAGE_SECONDS,
            registry=registry,
        )
        self._rpcs = Histogram(
            "lookalike_call_seconds",
            "What a call of dbservice or the generator took.",
            ["service", "method", "outcome"],
            buckets=CALL_SECONDS,
            registry=registry,
        )

    def stage_ended(self, event: StageEnded) -> None:
        """A stage has ended."""
        self._stages.labels(event.stage, event.outcome).observe(event.seconds)

    def delivered(self, event: Delivered) -> None:
        """A picture was sent, and that is recorded."""
        self._delivery.observe(event.seconds)
        if event.caption_seconds is not None:
            self._captioning.observe(event.caption_seconds)
        if event.picture_seconds is not None:
            # Those that need not wait count, too: without them waits would look longer.
            self._waiting.observe(event.waiting_seconds or 0.0)
            self._painting.observe(event.picture_seconds)

    def closed(self, event: Closed) -> None:
        """A generation is over."""
        for ending in event.endings:
            self._closed.labels(*ending).inc()

    def send_done(self, event: SendDone) -> None:
        """A call of the Bot API has ended."""
        self._sends.labels(event.method, event.outcome).observe(event.seconds)

    def rpc_done(self, event: RpcDone) -> None:
        """A call of another service has ended."""
        self._rpcs.labels(event.service, event.method, event.outcome).observe(event.seconds)
