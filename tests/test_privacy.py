from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incidentml.places import PlaceExtractor
from incidentml.privacy import find, mask
from incidentml.types import Span

CASES = [
    line.replace("\\n", "\n").split("\t")
    for line in (Path(__file__).parent / "data" / "privacy_cases.txt").read_text("utf-8").splitlines()
    if line and not line.startswith("#")
]


def test_there_are_at_least_200_cases():
    assert len(CASES) >= 200


@pytest.mark.parametrize(
    ("kinds", "wanted"),
    [({"phone", "email", "card"}, 0.99), ({"passport", "snils", "account", "link"}, 0.99), ({"name"}, 0.90)],
)
def test_private_words_are_hidden(kinds, wanted):
    rows = [(secret, text) for kind, secret, text in CASES if kind in kinds]
    shown = [(text, mask(text)) for secret, text in rows if secret in mask(text)]
    assert 1 - len(shown) / len(rows) >= wanted, shown


@pytest.mark.parametrize("text", [text for kind, _, text in CASES if kind == "-"])
def test_streets_officials_and_plain_numbers_stay(text):
    assert mask(text) == text


def test_every_occurrence_is_hidden():
    text = "8 900 123-45-67!\n> 8 900 123-45-67\nповторяю 89001234567 и ivan@mail.ru, ivan@mail.ru"
    assert not any(char.isdigit() for char in mask(text))
    assert "ivan" not in mask(text)


def test_a_mask_of_lengths_keeps_every_position():
    text = "Звоните 8 900 123-45-67, Анна Смирнова"
    masked = mask(text, style="length")
    assert len(masked) == len(text)
    assert masked.startswith("Звоните ***")


def test_an_unknown_style_is_an_error():
    with pytest.raises(ValueError, match="expected 'tag' or 'length'"):
        mask("текст", style="stars")  # type: ignore[arg-type]


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=120) | st.text("0123456789+-() @.ивИВ[]|id", max_size=120))
def test_spans_are_ordered_and_apart_and_masking_leaves_nothing_out(text):
    spans = find(text)
    at = 0
    for span in spans:
        assert at <= span.start < span.end <= len(text)
        at = span.end
    assert len(mask(text, style="length")) == len(text)


@pytest.mark.parametrize("piece", ["1", "1-", "a@", "+7 ", "Иван ", "[id1|", "https://a?b", "семь девять "])
def test_hostile_repetitions_take_linear_time(piece):
    import time

    start = time.process_time()
    find(piece * (100_000 // len(piece)))
    assert time.process_time() - start < 4


@pytest.mark.parametrize(
    "text",
    [
        "Гололёд, Дуси Ковальчук возле дома 5",
        "Дуси Ковальчук 12, прорвало трубу",
        "угол Розы Люксембург и Мира",
        "Павла Шаманова, дом 5",
    ],
)
def test_streets_named_after_people_stay_readable(text):
    assert mask(text) == text


@pytest.mark.parametrize(
    "text", ["Марии Кузнецовой 80 лет, помогите", "Александра Петрова, дом 5", "дом Ивана Петрова"]
)
def test_people_in_the_genitive_are_no_streets(text):
    assert "[имя]" in mask(text)


def test_a_resident_that_is_read_as_a_street_stays_hidden():
    text = "Здравствуйте, я Сидорова Мария Петровна, на Мира 5 нет тепла, пишу и за Адама Мицкевича 7"
    whole = Span(0, len(text))
    assert "Сидорова" not in mask(text, places=[whole])
    assert "Адама Мицкевича 7" in mask(text, places=[whole])
    assert not any("петровна" in (place.street or "") for place in PlaceExtractor().extract(text))


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Иванов И.И. из 5 подъезда", "[имя] из 5 подъезда"),
        ("врач Кузнецова Е. В.", "врач [имя]"),
        ("ИНН 590212345678", "ИНН 590212345678"),
        ("8\u200b912\u200b345\u206067\u00ad89", "[телефон]"),
        ("\uff18\uff19\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19", "[телефон]"),
    ],
)
def test_initials_and_disguised_numbers_are_hidden_as_a_whole(text, masked):
    assert mask(text) == masked
