"""Reads what residents write in social networks and names the concrete problems behind it."""

__version__ = "0.1.0"
