import pytest

from training.captions import Captions
from training.concepts import reviewed
from training.words import TOKENS, tokenizer, tokens

pytestmark = pytest.mark.slow

WORDS = tokenizer(Captions(reviewed(), [()] * len(reviewed()), noto=0).corpus())


def test_each_word_of_the_captions_is_one_token() -> None:
    pieces = WORDS.tokenize("a photo of a tabby cat, 3d emoji")

    assert [piece.removesuffix("</w>") for piece in pieces] == [
        *("a", "photo", "of", "a", "tabby", "cat", ",", "3", "d", "emoji")
    ]


@pytest.mark.parametrize("text", ["", "zyzzyva", "Ein schöner Tag 🐈", "猫", "a " * 1_000])
def test_any_text_has_tokens(text: str) -> None:
    ids = tokens(WORDS, [text])

    assert ids.shape == (1, TOKENS)
    assert ids.min() >= 0
    assert ids.max() < len(WORDS)
    unknown = WORDS.unk_token_id
    assert [int(number) for number in ids[0]].count(unknown) == TOKENS - 1 - min(
        len(WORDS.tokenize(text)), TOKENS - 2
    )


def test_the_tokenizer_is_the_same_each_time() -> None:
    assert (
        tokenizer(["a cat", "the cats"]).get_vocab() == tokenizer(["the cats", "a cat"]).get_vocab()
    )
