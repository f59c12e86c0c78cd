"""The text encoder and its tokenizer, in which every word of the captions is one token."""

import re
from collections import Counter
from collections.abc import Sequence
from heapq import heapify, heappop, heappush
from itertools import pairwise
from typing import Any, Final

import torch
from torch import Tensor
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from training.sentences import encode

TOKENS: Final = 24
"""A prompt's length in tokens, start and end included; longer ones are cut."""

WIDTH: Final = 192

_START: Final = "<|startoftext|>"
_END: Final = "<|endoftext|>"
_WORD_END: Final = "</w>"
_PIECES: Final = re.compile(r"'s|'t|'re|'ve|'m|'ll|'d|[^\W\d_]+|\d|[^\s\w]+", re.IGNORECASE)
"""How CLIP splits a text into words; source: OpenAI's `simple_tokenizer.py`."""


def tokenizer(corpus: Sequence[str]) -> CLIPTokenizer:
    """A CLIP tokenizer with a token for every word of `corpus`, and bytes for everything else."""
    letters = byte_letters()
    merges = _merges({word for text in corpus for word in _PIECES.findall(text.lower())})
    tokens = [*letters, *(f"{letter}{_WORD_END}" for letter in letters)]
    tokens += [first + second for first, second in merges]
    tokens += [_START, _END]
    vocabulary = {token: number for number, token in enumerate(dict.fromkeys(tokens))}
    return CLIPTokenizer(
        vocab=vocabulary,
        merges=merges,  # type: ignore[arg-type]  # pairs is what the library takes
        pad_token=_END,
        unk_token=_END,
        model_max_length=TOKENS,
    )


def byte_letters() -> list[str]:
    """The printable character that stands for each byte in a byte-level vocabulary.

    Source: `bytes_to_unicode` of OpenAI's GPT-2 and CLIP encoders.
    """
    printable = {*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = (byte for byte in range(256) if byte not in printable)
    stand_ins = {byte: chr(0x100 + number) for number, byte in enumerate(others)}
    return [stand_ins.get(byte, chr(byte)) for byte in range(256)]


def _merges(words: set[str]) -> list[tuple[str, str]]:
    """Byte pair encoding until every word is one token; ties are broken alphabetically."""
    letters = byte_letters()
    spelt = []
    for word in sorted(words):
        pieces = [letters[byte] for byte in word.encode()]
        spelt.append([*pieces[:-1], pieces[-1] + _WORD_END])
    counts = Counter(pair for pieces in spelt for pair in pairwise(pieces))
    holders: dict[tuple[str, str], set[int]] = {}
    for number, pieces in enumerate(spelt):
        for pair in pairwise(pieces):
            holders.setdefault(pair, set()).add(number)
    queue = [(-count, pair) for pair, count in counts.items()]
    heapify(queue)
    merges: list[tuple[str, str]] = []
    while queue:
        count, best = heappop(queue)
        if counts[best] != -count:  # an outdated entry: the pair has a newer one, or is gone
            continue
        merges.append(best)
        changed: set[tuple[str, str]] = set()
        for number in holders.pop(best):
            before, after = spelt[number], _merged(spelt[number], best)
            counts.subtract(pairwise(before))
            counts.update(pairwise(after))
            changed.update(pairwise(before), pairwise(after))
            for pair in pairwise(after):
                holders.setdefault(pair, set()).add(number)
            spelt[number] = after
        for pair in changed:
            if counts[pair] > 0:
                heappush(queue, (-counts[pair], pair))
    return merges


def _merged(pieces: list[str], pair: tuple[str, str]) -> list[str]:
    if pair[0] not in pieces:
        return pieces
    result: list[str] = []
    for piece in pieces:
        if result and (result[-1], piece) == pair:
            result[-1] += piece
        else:
            result.append(piece)
    return result


def build(words: CLIPTokenizer) -> Any:
    """A new text encoder in which words of nearly the same meaning start close together."""
    network = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(words),
            hidden_size=WIDTH,
            intermediate_size=4 * WIDTH,
            projection_dim=WIDTH,
            num_hidden_layers=2,
            num_attention_heads=4,
            max_position_embeddings=TOKENS,
            bos_token_id=words.bos_token_id,
            eos_token_id=words.eos_token_id,
            pad_token_id=words.pad_token_id,
        )
    )
    whole = {
        number: token.removesuffix(_WORD_END)
        for token, number in sorted(words.get_vocab().items())  # it comes in any order
        if re.fullmatch(rf"[a-z]+{_WORD_END}", token)
    }
    vectors = _narrowed(encode(list(whole.values())))
    table: Tensor = network.embeddings.token_embedding.weight.data
    table.normal_(std=_SPREAD)
    table[list(whole)] = vectors * _SPREAD
    return network


_SPREAD: Final = 0.3
"""The standard deviation of a word's numbers: far above CLIP's 0.02, so that words differ."""


def _narrowed(vectors: Tensor) -> Tensor:
    """The first `WIDTH` principal components of vectors, scaled to variance 1 on average."""
    centred = vectors - vectors.mean(0)
    _, _, directions = torch.linalg.svd(centred, full_matrices=False)
    narrow = centred @ directions[:WIDTH].T
    result: Tensor = narrow / narrow.std()
    return result


def tokens(words: CLIPTokenizer, texts: Sequence[str]) -> Tensor:
    """Token ids of texts, as the pipeline gives them to the text encoder: (n, TOKENS)."""
    ids: Tensor = words(
        list(texts), padding="max_length", max_length=TOKENS, truncation=True, return_tensors="pt"
    ).input_ids
    return ids
