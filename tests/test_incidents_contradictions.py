"""Posts that contradict each other stay apart, however alike they sound."""

from __future__ import annotations

from functools import cache

import pytest

import incidentml

TOGETHER = [
    ("Дом 12 по Гагарина без отопления третий день", "на Гагарина 12 холод в квартирах, батареи ледяные"),
    ("Нет воды на Мира 5 с утра", "Подписчики сообщают: на Мира, 5 с утра нет воды. Прислать новость @bot"),
    ("На Ленина 3 яма огромная у подъезда, машины бьются", "На Ленина 3 яма огромная у подъезда, машины бьются"),
]
APART = [
    ("Гагарина 12, второй день нет отопления, дома +14", "Гагарина 45, батареи холодные, нет отопления со вчера"),
    ("Шишкина 18, мусор не вывозят неделю", "Шишкина 18, в третьем подъезде нет света на лестнице"),
    ("Гагарина 12 нет отопления третий день", "Гагарина 12: лифт не работает неделю"),
    ("Пермь, Гагарина 12 нет воды", "Березники, Гагарина 12 нет воды"),
    ("Чусовой, Мира 4 второй день нет света", "Лысьва, Мира 4 второй день нет света"),
    ("В посёлке Лесной нет воды второй день", "В деревне Сосновка нет воды второй день"),
    ("Возле школы 5 огромная яма на дороге", "Возле школы 9 огромная яма на дороге"),
    ("Кунгур, второй день нет воды во всём доме", "Губаха, второй день нет воды во всём доме"),
    ("Автобус 40 не пришел утром, ждали час", "Автобус 77 не пришел утром, ждали час"),
    ("Оломоуцкая 52, лифт застрял на восьмом этаже", "На Оломоуцкой в пятьдесят четвёртом доме лифт стоит неделю"),
    (
        "Металлургов 44, крысы бегают по подъезду",
        "Металлургов 44, ребёнка искусали собаки во дворе, отлов не едет",
    ),
    ("Не ходит автобус 12 из Осиново вечером", "Школа 12 в Осиново, в классах +13, дети в куртках"),
    ("на крупской яма размером с ванну, пробил колесо", "Крупской: третий день без горячей воды в доме 40"),
]


@cache
def pipe() -> incidentml.IncidentPipeline:
    return incidentml.load()


def incidents(*texts: str) -> int:
    result = pipe().process(
        {
            "id": str(number),
            "network": ("vk", "ok")[number % 2],
            "text": text,
            "published_at": f"2024-01-10T0{number + 1}:00:00+05:00",
            "region": "Пермский край",
            "author_id": f"a{number}",
        }
        for number, text in enumerate(texts)
    )
    assert all(post.incident_id for post in result.posts)
    return len(result.incidents)


@pytest.mark.parametrize("texts", TOGETHER, ids=lambda pair: pair[0][:20])
def test_one_problem_in_two_voices_is_one_incident(texts: tuple[str, str]) -> None:
    assert incidents(*texts) == 1


@pytest.mark.parametrize("texts", APART, ids=lambda pair: pair[0][:20])
def test_another_house_town_route_or_fault_is_another_incident(texts: tuple[str, str]) -> None:
    assert incidents(*texts) == len(texts)


def test_fifty_copies_are_one_incident() -> None:
    copies = [
        {"id": str(n), "network": "vk", "text": "Мира 5, нет воды второй день", "author_id": f"a{n}",
         "published_at": f"2024-01-10T08:{n:02d}:00+05:00"}
        for n in range(50)
    ]  # fmt: skip
    assert [incident.size for incident in pipe().process(copies).incidents] == [50]
