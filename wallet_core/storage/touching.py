"""What of the database commits touch, as far as it can be told before they are decided."""

from collections.abc import Collection, Hashable, Iterable, Sequence
from uuid import UUID

from wallet_core.ledger.accounts import AccountRef
from wallet_core.ledger.commits import Commit, Insert, Update
from wallet_core.ledger.transfers import Authorise, Capture, Post, Transfer, Void
from wallet_core.storage.domain_rows import is_sum, key_of


def touched_by(commit: Commit) -> Collection[Hashable]:
    """What a commit locks, as far as it can be told beforehand.

    Two commits that have nothing of it in common can be written side by side.
    """
    transfers = commit.transfers
    if not commit.key and len(transfers) == 1 and type(first := transfers[0]) is Post:
        return [leg.account.id for leg in first.legs]
    touched: set[Hashable] = set()
    for transfer in transfers:
        touched.update(_named_by(transfer))
    for change in commit.rows:
        if isinstance(change, Update):
            touched.add((change.table, key_of(change.table, change.where)))
    touched.update([("wallets", (wallet_id,)) for wallet_id in commit.fences])
    if commit.key:
        touched.add(commit.key)
    return touched


def _named_by(transfer: Transfer) -> Iterable[Hashable]:
    match transfer:
        case Post(legs=legs):
            return [leg.account.id for leg in legs]
        case Authorise(id=hold_id, payer=payer):
            return (payer.id, payer.held.id, hold_id)
        case Capture(hold_id=hold_id, shares=shares):
            return (hold_id, *(share.account.id for share in shares))
        case Void(hold_id=hold_id):
            return (hold_id,)


def accounts_of(transfers: Sequence[Transfer]) -> dict[str, AccountRef]:
    """The accounts that transfers touch, as far as they name them; holds name the rest."""
    refs: dict[str, AccountRef] = {}
    made: dict[UUID, AccountRef] = {}
    for transfer in transfers:
        # Nearly all are of this kind, and a pattern takes longer than to look.
        if type(transfer) is Post:
            for leg in transfer.legs:
                account = leg.account
                refs[account.id] = account
            continue
        match transfer:
            case Authorise(payer=payer):
                held = payer.held
                refs[payer.id] = payer
                refs[held.id] = held
                made[transfer.id] = transfer.payee
            case Capture(hold_id=hold_id, shares=shares):
                refs.update({share.account.id: share.account for share in shares})
                # A hold that is made and captured in one batch.
                if hold_id in made:
                    refs[made[hold_id].id] = made[hold_id]
    return refs


def is_all_new(commits: Sequence[Commit]) -> bool:
    """Whether commits only make what is new: they rest on the balances of accounts alone."""
    for commit in commits:
        if commit.fences or not _moves_or_holds(commit):
            return False
        for change in commit.rows:
            if type(change) is not Insert:
                return False
    return True


def only_adds(commits: Sequence[Commit]) -> bool:
    """Whether commits only add to what stands, so that no row has to be read to decide them.

    The balances that they rest on, the fences that they carry and the bounds that sums must keep
    within can be left to the statement that writes.
    """
    for commit in commits:
        if not _moves_or_holds(commit):
            return False
        for change in commit.rows:
            # Where a wallet's row changes, its fence is not left to the statement that writes it.
            if type(change) is not Insert and (change.table == "wallets" or not is_sum(change)):
                return False
    return True


def _moves_or_holds(commit: Commit) -> bool:
    for transfer in commit.transfers:
        if type(transfer) is not Post and type(transfer) is not Authorise:
            return False
    return True
