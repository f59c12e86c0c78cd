"""With this folder in PYTHONPATH a generator computes with the scripted pipeline in it."""

import importlib.util
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

_REPLACED = "generator.diffusion.pipeline"


class _Finder:
    """Finds the scripted pipeline in place of the real one, which would import PyTorch."""

    def find_spec(
        self, name: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != _REPLACED:
            return None
        return importlib.util.spec_from_file_location(name, Path(__file__).with_name("pipeline.py"))


sys.meta_path.insert(0, _Finder())
