"""What holds for all tests."""

from hypothesis import settings

# A property is about answers: on a noisy machine a deadline of 200 ms fails those that are right.
settings.register_profile("incidentml", deadline=None)
settings.load_profile("incidentml")
