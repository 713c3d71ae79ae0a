"""Accounts, transfers, holds and the one way to write them."""
