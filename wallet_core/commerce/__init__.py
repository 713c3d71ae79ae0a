"""Merchants, offers, quotes, orders: what is bought with money."""
