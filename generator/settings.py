"""The generator's settings."""

from typing import Annotated, Literal

from pydantic import Field

from generator.diffusion.options import Previews
from lookalike.settings import BlobUrl, DatabaseUrl, HttpUrl, ListenAddress, StorageSettings


class GeneratorSettings(StorageSettings):
    """What the generator is told.

    Attributes:
        generator_listen: where the web service listens.
        generator_model: a hub id, a diffusers folder, a single .safetensors file, or `emoji`.
        generator_database_url: the job queue's database; empty: in the home folder.
        generator_results_url: where computed pictures are; empty: a folder in the home folder.
        generator_executor: where jobs are computed: in this process, or by replicas in Ray Serve.
        generator_ray_url: where the HTTP proxy of Ray Serve is.
        generator_meanwhile: what paints while a model on the hub is not on this machine; empty:
            nothing, and the generator does not start.
        generator_device: what computes.
        generator_preset: of requests that name none.
        generator_lcm_lora: the weights that the preset fast needs: a hub id, a folder or a file.
        generator_previews: whether running jobs have previews: 0: none has; 1: unless the model has
            a safety checker, which sees no preview; always: with a safety checker, too.
        generator_max_queue: how many unfinished jobs there may be; more are answered with 429. Each
            state that is told of a queued job looks at all of them.
        generator_max_attempts: after how many broken attempts a job is given up.
    """

    generator_listen: ListenAddress = "127.0.0.1:5001"
    generator_model: Annotated[str, Field(min_length=1)] = (
        "stable-diffusion-v1-5/stable-diffusion-v1-5"
    )
    generator_database_url: DatabaseUrl = ""
    generator_results_url: BlobUrl = ""
    generator_executor: Literal["inprocess", "ray"] = "inprocess"
    generator_ray_url: HttpUrl | None = None
    generator_meanwhile: str = ""
    generator_device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    generator_preset: Literal["faithful", "balanced", "quick", "fast"] = "balanced"
    generator_lcm_lora: Annotated[str, Field(min_length=1)] = "latent-consistency/lcm-lora-sdv1-5"
    generator_previews: Previews = "1"
    generator_max_queue: Annotated[int, Field(ge=1, le=5_000)] = 1000
    generator_max_attempts: Annotated[int, Field(ge=1, le=100)] = 3

    def model_now(self) -> str:
        """What paints: the model, or what does so while that one is not on this machine."""
        from generator.models import missing  # brings the hub's client along

        if self.generator_meanwhile and missing.is_missing(self.generator_model):
            return self.generator_meanwhile
        return self.generator_model

    @property
    def database_url(self) -> str:
        """The job queue's database, `sqlite:///` and an absolute path, or `postgresql://...`."""
        return self.generator_database_url or f"sqlite:///{self.folder('generator') / 'jobs.db'}"

    @property
    def results(self) -> str:
        """Where computed pictures are, `file:///` and a folder, or `s3://` and a bucket."""
        return self.generator_results_url or (self.folder("generator") / "results").as_uri()
