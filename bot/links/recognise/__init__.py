"""Recognise the product in a page: title, price, currency, availability, and how sure each is."""

from bot.links.recognise.recogniser import recognise
from bot.links.recognise.sighting import Sighting, Variant

__all__ = ["Sighting", "Variant", "recognise"]
