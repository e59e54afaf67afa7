from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidentml.incidents.counting import counted, in_digits


@pytest.mark.parametrize(
    ("said", "digits"),
    [
        ("из пятьдесят четвертого дома", "из 54 дома"),
        ("двадцатый дом четвертого микрорайона", "20 дом 4 микрорайона"),
        ("в тридцать пятой школе", "в 35 школе"),
        ("двадцать пять автобус", "25 автобус"),
        ("две недели без воды", "две недели без воды"),
        ("двадцать", "20"),
    ],
)
def test_numbers_in_words_become_digits(said: str, digits: str) -> None:
    assert in_digits(said.split()) == digits.split()


def shared(left: str, right: str) -> tuple[int, int]:
    """Return how many numbered things, and how many things whatever their numbers, two texts share."""
    (_, things_a, both_a), (_, things_b, both_b) = counted(left.split()), counted(right.split())
    return len({*both_a} & {*both_b}), len({*things_a} & {*things_b})


def test_one_house_in_digits_and_in_words_is_one_thing() -> None:
    assert shared("оломоуцкая 54 лифт стоит", "оломоуцкая пятьдесят четвертый лифт стоит")[0] > 0


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("республики 143 над входом сосульки", "республики 145 сосульки и у нас"),
        ("88 й маршрут не ходит", "77 й маршрут не ходит"),
        ("в 35 школе холодно", "в школе 37 холодно"),
    ],
)
def test_other_numbers_of_one_thing_are_seen(left: str, right: str) -> None:
    same, things = shared(left, right)
    assert same == 0
    assert things > 0


@pytest.mark.parametrize(
    "text", ["третий день нет воды", "сидим 5 часов", "ждали 40 минут", "заплатили 500 рублей"]
)
def test_measures_and_times_number_nothing(text: str) -> None:
    assert counted(text.split()) == ([], [], [])


@given(st.lists(st.text(alphabet="абвгдежзик0123456789²½٣①", min_size=1, max_size=8), max_size=12))
def test_whatever_is_said_hashes_fit_their_columns(tokens: list[str]) -> None:
    for hashes in counted(tokens):
        assert hashes == sorted(set(hashes))
        assert all(0 < number < 2**32 for number in hashes)
