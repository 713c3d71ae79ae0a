"""What commits touch: nothing that they lock is left out."""

import pytest

from wallet_core.ledger import accounts
from wallet_core.ledger.commits import Commit
from wallet_core.ledger.transfers import Authorise, EndingAction, Leg, Post, Transfer, named
from wallet_core.storage.touching import accounts_of, touched_by

ANNA, TEA = accounts.wallet("anna", "CNY"), accounts.merchant("tea", "CNY")
POST = Post(id=named("post"), legs=(Leg(ANNA, -5), Leg(TEA, 5)))
HOLD = Authorise(
    id=named("hold"),
    payer=ANNA,
    payee=TEA,
    amount_minor=5,
    ending=EndingAction.CAPTURE,
    ends_after_s=1.0,
)


@pytest.mark.parametrize("transfer", [POST, HOLD], ids=["post", "hold"])
@pytest.mark.parametrize("key", ["", "key"])
def test_what_is_made_anew_touches_every_account_that_it_enters_something_on(
    transfer: Transfer, key: str
) -> None:
    touched = touched_by(Commit(key=key, transfers=(transfer,)))
    assert set(accounts_of([transfer])) <= set(touched)
