"""What stands behind receipts and proofs: the instance's key, and what is read for them."""

from dataclasses import dataclass

from wallet_core.audit.signing import SigningKey
from wallet_core.storage.liabilities import Liabilities
from wallet_core.storage.receipts import ReceiptReader


@dataclass(frozen=True)
class Evidence:
    """Signs what people can show to others."""

    key: SigningKey
    receipts: ReceiptReader
    liabilities: Liabilities
