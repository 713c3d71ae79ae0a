"""Leases on wallets, around flows of several steps: see `port` for what they promise."""
