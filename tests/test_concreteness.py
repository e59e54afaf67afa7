import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incidentml.concreteness import SLOTS, concreteness
from incidentml.places import PlaceExtractor
from incidentml.types import Place

_CONTACT = "Как с вами связаться, чтобы уточнить подробности?"


def read(text):
    return concreteness(text, PlaceExtractor().extract(text))


def test_a_full_claim_fills_every_slot_and_is_guaranteed():
    found = read("У нас на Мира 5 третий день нет воды, почините! Звоните 8 900 123-45-67")
    assert found.missing == ()
    assert found.score == 1.0
    assert found.entry_guaranteed
    assert found.question is None


@pytest.mark.parametrize(
    ("text", "question"),
    [
        (
            "Третий день нет воды, почините",
            "Подскажите, пожалуйста, где это: населённый пункт, улица и номер дома?",
        ),
        ("Пермь. Третий день нет воды, почините!", "Подскажите, пожалуйста, на какой это улице и у какого дома?"),
        ("На Мира 5 красота", "Расскажите, пожалуйста, что именно случилось?"),
        ("На Мира 5 нет воды", "Когда это началось?"),
        (
            "На Мира 5 вчера из-под земли бьёт кипяток, двор весь в пару, а бригаду ждём до сих пор",
            _CONTACT,
        ),
    ],
)
def test_the_question_asks_for_what_would_help_most(text, question):
    assert read(text).question == question


def test_general_discontent_is_less_concrete_than_a_claim():
    assert read("Воры и бездельники, куда страна катится").score < 0.3 < read("На Мира 5 течёт крыша").score


def test_without_a_contact_nothing_is_guaranteed():
    assert not read("На Мира 5 нет воды").entry_guaranteed


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=100))
def test_scores_and_spans_are_sound(text):
    found = concreteness(text, (Place(),))
    assert 0 <= found.score <= 1
    assert set(found.slots) | set(found.missing) == set(SLOTS)
    for spans in found.slots.values():
        for span in spans:
            assert 0 <= span.start < span.end <= len(text)


def test_the_bot_of_a_channel_is_no_contact() -> None:
    text = "На Мира 5 прорвало трубу. Прислать новость — @chp_bot"
    assert "contact" not in concreteness(text, PlaceExtractor().extract(text)).slots
    assert "contact" in concreteness("Мира 5 прорвало трубу, пишите @anna_k", ()).slots


@pytest.mark.parametrize("phone", ["８９００１２３４５６７", "8\u200b900\u200b123\u200b45\u200b67"])
def test_a_phone_of_wide_digits_or_with_invisible_signs_is_a_contact(phone):
    found = concreteness(f"Мира 5, нет воды, звоните {phone}", ())
    assert "contact" not in found.missing
