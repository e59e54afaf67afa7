import pytest

from incidentml.places import PlaceExtractor


@pytest.fixture(scope="module")
def extractor():
    return PlaceExtractor()


LANDMARK_NAMES = """
в парке Южном темно | парк южный
на сквере Центральном лавки | сквер центральный
на остановке Южной, яма | остановка южная
на площади Октябрьской лавки | площадь октябрьская
на рынке Восточном крысы | рынок восточный
у школы Ломоносова темно | школа ломоносова
в детском саду 5 холодно | детский сад 5
Возле детского сада детская площадка сломана | площадка детская
""".strip().splitlines()


@pytest.mark.parametrize("line", LANDMARK_NAMES)
def test_names_of_landmarks_stand_in_the_nominative(extractor, line):
    text, landmark = line.split(" | ")
    assert next(place.landmark for place in extractor.extract(text) if place.landmark) == landmark
