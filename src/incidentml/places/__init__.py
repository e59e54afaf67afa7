"""Where it is: settlement, street, house and landmark in messy Russian, and whether two places are one.

Examples
--------
>>> place = PlaceExtractor().extract("Пермь, на Гагарина 12 опять нет воды")[0]
>>> place.settlement, place.street, place.house
('пермь', 'улица гагарина', '12')
"""

from incidentml.places.agreement import PlaceAgreement, PlaceCodes, compare_codes
from incidentml.places.compare import PlaceComparison, PlaceTable, compare
from incidentml.places.extractor import PlaceExtractor
from incidentml.places.gazetteer import Gazetteer

__all__ = [
    "Gazetteer",
    "PlaceAgreement",
    "PlaceCodes",
    "PlaceComparison",
    "PlaceExtractor",
    "PlaceTable",
    "compare",
    "compare_codes",
]
