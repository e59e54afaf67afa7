"""What an operator reads of an incident: its place, its title, its line in the table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import StringIO

import numpy as np
import pytest

import incidentml
from incidentml.assembly import TITLE_LENGTH, shared_place, title_of
from incidentml.pipeline_state import HeldPost
from incidentml.places import PlaceExtractor
from incidentml.places.display import words_of
from incidentml.report import incident_table
from incidentml.types import Place, Post

START = datetime(2024, 2, 3, 8, tzinfo=UTC)
ROW = np.zeros(1, np.float32)


def held(*texts: str) -> list[HeldPost]:
    extract = PlaceExtractor().extract
    return [
        HeldPost(Post(str(n), "vk", text, START + timedelta(hours=n)), extract(text), ROW, ROW)
        for n, text in enumerate(texts)
    ]


def test_the_place_is_the_one_that_most_posts_name() -> None:
    posts = held("На Мира 5 нет воды", "ул. Мира, 5 — воды нет", "на Ленина 7 тоже нет воды")
    place = shared_place(posts)
    assert (place.street, place.house) == ("улица мира", "5")


def test_a_house_of_another_street_is_not_taken_over() -> None:
    posts = held("На улице Мира нет воды", "На улице Мира воды нет", "На улице Ленина 7 нет воды")
    assert shared_place(posts).house is None


def test_posts_without_a_place_have_none() -> None:
    assert shared_place(held("нет воды второй день")) == Place()


def test_a_title_is_one_short_line() -> None:
    title = title_of(held("Нет воды на Мира 5.\n\nЗвонили в УК " + "и звонили " * 50), Place())
    assert len(title) <= TITLE_LENGTH + 1
    assert "\n" not in title
    assert title.endswith("…")


def test_a_title_comes_from_a_post_that_names_the_place() -> None:
    posts = held("у нас тоже нет, сидим ждем когда же дадут эту воду, сил уже нет никаких", "Мира 5, нет воды")
    assert title_of(posts, shared_place(posts)) == "Мира 5, нет воды"


def test_a_title_comes_from_a_post_that_stands_on_its_own() -> None:
    posts = held(
        "Рождествено без света с ночи, котлы встали", "на Пионерской тоже темно, час остался, люди, откликнитесь"
    )
    assert title_of(posts, shared_place(posts)).startswith("Рождествено без света")
    assert title_of(posts[1:], shared_place(posts)).startswith("на Пионерской тоже темно")


def test_a_title_begins_with_what_happened() -> None:
    for text in (
        "Добрый день, уважаемые соседи! Нет воды на Мира 5",
        "⚠️ Нет воды на Мира 5",
        "Нет воды на Мира 5",
    ):
        assert title_of(held(text), Place()) == "Нет воды на Мира 5"
    assert title_of(held("Здравствуйте!"), Place()) == "Здравствуйте!"
    assert title_of(held("«Нет воды», пишут с Мира 5"), Place()) == "«Нет воды», пишут с Мира 5"


def test_a_title_masks_phones_but_not_streets_named_after_people() -> None:
    title = title_of(held("На Сергея Лазо 5 нет воды, звоните +7 900 000-00-00"), Place())
    assert "Сергея Лазо" in title
    assert "900" not in title


@pytest.mark.parametrize(
    ("landmark", "words"),
    [
        ("гора липовой", "Липовая гора"),
        ("мост чусовской", "Чусовской мост"),
        ("рынок центральном", "Центральный рынок"),
        ("кладбище новом", "Новое кладбище"),
        ("площадь крупской", "площадь Крупской"),
        ("микрорайон северный", "микрорайон Северный"),
        ("школа 28", "школа 28"),
    ],
)
def test_the_adjective_of_a_landmark_stands_as_one_says_it(landmark: str, words: str) -> None:
    assert words_of(Place(landmark=landmark)) == words


def test_the_table_tells_what_where_who_and_when() -> None:
    from rich.console import Console

    pipe = incidentml.load()
    result = pipe.process(
        [
            {
                "id": "1",
                "network": "vk",
                "published_at": "2024-02-03T08:12:00+05:00",
                "region": "Пермский край",
                "text": "Пермь, Гагарина 12, второй день нет горячей воды",
            }
        ]
    )
    console = Console(width=160, record=True, file=StringIO())
    console.print(incident_table(result.incidents, 7))
    text = console.export_text()
    for part in ("Отсутствие горячей воды", "улица Гагарина, 12", "04.02", "1 из 7"):
        assert part in text


def test_the_town_of_the_page_answers_where_no_post_names_one() -> None:
    post = {
        "id": "1",
        "network": "vk",
        "published_at": "2025-02-03T08:12:00+04:00",
        "text": "На Мира огромная яма у дома 12, колесо пробил, почините дорогу",
        "source": "Типичный Тольятти",
        "region": "Самарская область",
    }
    pipe = incidentml.load()
    (by_page,) = pipe.process([post]).incidents
    assert "Тольятти" in by_page.route.executor
    assert "город по названию страницы: Тольятти" in by_page.route.reasons
    (told,) = pipe.process([{**post, "text": f"Сызрань. {post['text']}"}]).incidents
    assert "Сызрань" in told.route.executor
    assert not any("страницы" in reason for reason in told.route.reasons)
