from bot.captioners import offline
from training.art import LETTERED
from training.concepts import concepts, imagenet, numbers


def test_every_label_of_the_offline_captioner_has_a_concept() -> None:
    table = imagenet()

    assert set(table) == set(offline.names())
    assert set(table.values()) <= set(numbers())


def test_concepts_are_many_and_their_words_differ() -> None:
    words = [word for concept in concepts() for word in (concept.name, *concept.words)]

    assert len(concepts()) >= 300
    assert len(words) == len(set(words))
    assert set(numbers()) >= LETTERED


def test_the_photos_of_the_front_page_have_their_concepts() -> None:
    table = imagenet()

    assert table["a tabby cat"] == "cat"
    assert table["a moped"] == table["a Vespa scooter"] == "motor scooter"
    assert table["a palace"] == "classical building"
