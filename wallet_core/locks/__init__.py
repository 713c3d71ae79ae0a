"""Leases on wallets, around flows of several steps: see `port` for what they promise."""

from wallet_core.locks.leases import Leases
from wallet_core.locks.port import (
    TTL_S,
    WAIT_S,
    Lease,
    LeaseCounts,
    LeaseLost,
    LeasePort,
    LeaseUnavailable,
    NoLeases,
    RaiseFence,
)

__all__ = [
    "TTL_S",
    "WAIT_S",
    "Lease",
    "LeaseCounts",
    "LeaseLost",
    "LeasePort",
    "LeaseUnavailable",
    "Leases",
    "NoLeases",
    "RaiseFence",
]
