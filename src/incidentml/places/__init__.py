"""Where it is: settlement, street, house and landmark in messy Russian, and whether two places are one.

Examples
--------
>>> place = PlaceExtractor().extract("Пермь, на Гагарина 12 опять нет воды")[0]
>>> place.settlement, place.street, place.house
('пермь', 'улица гагарина', '12')
"""

from incidentml.places.compare import PlaceAgreement, PlaceComparison, PlaceTable, compare
from incidentml.places.extractor import PlaceExtractor
from incidentml.places.gazetteer import Gazetteer

__all__ = ["Gazetteer", "PlaceAgreement", "PlaceComparison", "PlaceExtractor", "PlaceTable", "compare"]
