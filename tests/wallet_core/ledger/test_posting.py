"""The rules of the books against a model that a person can check: one dictionary of balances."""

from collections import Counter
from dataclasses import dataclass, field
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wallet_core.errors import KeyConflict, MoneyError, Refusal, Refused
from wallet_core.ledger.accounts import (
    ID_LENGTH_MAX,
    AccountRef,
    Purpose,
    clearing,
    escrow,
    merchant,
    wallet,
)
from wallet_core.ledger.commits import Commit
from wallet_core.ledger.posting import AccountState, Books, EntryRow
from wallet_core.ledger.transfers import (
    ENDS_AFTER_S_MAX,
    Authorise,
    Capture,
    EndingAction,
    HoldState,
    Leg,
    Post,
    Transfer,
    Void,
    named,
)
from wallet_core.ledger.wallets import WalletMode, WalletState
from wallet_core.money import AMOUNT_MINOR_MAX

TILL = clearing("cash", "CNY")
WALLETS = [wallet(f"w_{name}", "CNY") for name in ("anna", "ben", "frozen")]
SHOPS = [merchant(f"m_{name}", "CNY") for name in ("tea", "books")]
ACCOUNTS = [TILL, *WALLETS, *SHOPS]
HOLDS = [named("hold", n) for n in range(4)]

amounts = st.integers(1, 50)
accounts = st.sampled_from(ACCOUNTS)


@dataclass(frozen=True)
class Move:
    """`n` names it: the same number may come again, with the same parameters or with others."""

    n: int
    kind: str
    source: AccountRef
    target: AccountRef
    amount_minor: int
    hold_id: UUID

    def transfer(self) -> Transfer:
        match self.kind:
            case "post":
                legs = (Leg(self.source, -self.amount_minor), Leg(self.target, self.amount_minor))
                return Post(id=named("post", self.n), legs=legs)
            case "hold":
                return Authorise(
                    id=self.hold_id,
                    payer=self.source,
                    payee=self.target,
                    amount_minor=self.amount_minor,
                    ending=EndingAction.CAPTURE,
                    ends_after_s=8,
                )
            case "capture":
                return Capture(id=named("end", self.n), hold_id=self.hold_id)
            case _:
                return Void(id=named("end", self.n), hold_id=self.hold_id)


moves = st.builds(
    Move,
    n=st.integers(0, 30),
    kind=st.sampled_from(["post", "post", "hold", "capture", "void"]),
    source=st.sampled_from([*ACCOUNTS, TILL, TILL]),
    target=accounts,
    amount_minor=amounts,
    hold_id=st.sampled_from(HOLDS),
)


@dataclass
class Model:
    """What ought to be: balances, holds, and which transfer ids are spent on what."""

    balances: Counter[str] = field(default_factory=Counter)
    holds: dict[UUID, tuple[AccountRef, AccountRef, int, str]] = field(default_factory=dict)
    spent: dict[UUID, Move] = field(default_factory=dict)

    def copy(self) -> "Model":
        return Model(Counter(self.balances), dict(self.holds), dict(self.spent))

    def apply(self, moves: list[Move]) -> "Model | None":
        """The model after all moves, or None where a rule speaks."""
        after = self.copy()
        return after if all(after._one(move) for move in moves) else None

    def _one(self, move: Move) -> bool:
        transfer = move.transfer()
        if transfer.id in self.spent:
            return self.spent[transfer.id].transfer() == transfer
        self.spent[transfer.id] = move
        match transfer:
            case Post():
                # Leg by leg, as the books do it: what leaves must be there first.
                return self._move(move.source, move.target, move.amount_minor)
            case Authorise():
                self.holds[move.hold_id] = (move.source, move.target, move.amount_minor, "open")
                return self._move(move.source, move.source.held, move.amount_minor)
            case Capture() | Void():
                payer, payee, amount, state = self.holds.get(
                    move.hold_id, (TILL, TILL, 0, "unknown")
                )
                if state != "open":
                    return False
                to = payee if isinstance(transfer, Capture) else payer
                self.holds[move.hold_id] = (payer, payee, amount, move.kind)
                return self._move(payer.held, to, amount, check_frozen=False)

    def _move(
        self, source: AccountRef, target: AccountRef, amount: int, *, check_frozen: bool = True
    ) -> bool:
        if check_frozen and source.wallet_id == "w_frozen":
            return False
        self.balances[source.id] -= amount
        floor = source.floor_minor
        if floor is not None and self.balances[source.id] < floor:
            return False
        self.balances[target.id] += amount
        return True


OPEN = WalletState(WalletMode.OPEN, fence=3)
FROZEN = WalletState(WalletMode.FROZEN, fence=3)


def opened() -> Books:
    books = Books(now_us=1_000)
    books.rules.wallets = {ref.wallet_id or "": OPEN for ref in WALLETS}
    books.rules.wallets["w_frozen"] = FROZEN
    return books


def picture(books: Books) -> object:
    """All that could change, with accounts that have no entries left out."""
    return (
        {i: (a.balance_minor, a.version) for i, a in books.accounts.items() if a.version},
        dict(books.holds),
        dict(books.known_transfers),
        list(books.transfer_rows),
    )


def entries(books: Books) -> list[EntryRow]:
    return [entry for row in books.transfer_rows for entry in row.entries]


def balances(books: Books) -> dict[str, int]:
    return {i: a.balance_minor for i, a in books.accounts.items() if a.balance_minor}


def nonzero(counted: Counter[str]) -> dict[str, int]:
    return {key: value for key, value in counted.items() if value}


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.lists(moves, min_size=1, max_size=4), st.booleans()), max_size=25))
def test_the_books_do_what_the_model_does(commits: list[tuple[list[Move], bool]]) -> None:
    books, model = opened(), Model()
    for n, (group, take_back) in enumerate(commits):
        before = picture(books)
        commit = Commit(key=f"c{n}", transfers=tuple(move.transfer() for move in group))
        expected = model.apply(group)
        if expected is None:
            with pytest.raises((Refused, KeyConflict)):
                books.apply(commit)
            assert picture(books) == before
            continue
        undo = books.apply(commit)
        if take_back:
            undo()
            assert picture(books) == before
            continue
        model = expected
        assert balances(books) == nonzero(model.balances)
        states = {"open": "open", "capture": "captured", "void": "voided"}
        wanted = {hold_id: states[hold[3]] for hold_id, hold in model.holds.items()}
        assert {hold_id: hold.state.value for hold_id, hold in books.holds.items()} == wanted
    assert sum(balances(books).values()) == 0
    _entries_replay(books)


def _entries_replay(books: Books) -> None:
    replayed: Counter[str] = Counter()
    versions: Counter[str] = Counter()
    for entry in entries(books):
        replayed[entry.account.ref.id] += entry.amount_minor
        versions[entry.account.ref.id] += 1
        assert entry.balance_after_minor == replayed[entry.account.ref.id]
        assert entry.seq == versions[entry.account.ref.id]
    assert nonzero(replayed) == balances(books)
    for row in books.transfer_rows:
        assert sum(entry.amount_minor for entry in row.entries) == 0


def hold(amount_minor: int, key: str = "hold") -> Authorise:
    return Authorise(
        id=named(key),
        payer=WALLETS[0],
        payee=SHOPS[0],
        amount_minor=amount_minor,
        ending=EndingAction.CAPTURE,
        ends_after_s=8,
    )


def with_money(amount_minor: int) -> Books:
    books = opened()
    books.accounts[WALLETS[0].id] = AccountState.opened(WALLETS[0], amount_minor, 7)
    return books


def refusal(books: Books, *transfers: Transfer, fences: dict[str, int] | None = None) -> Refusal:
    with pytest.raises(Refused) as refused:
        books.apply(Commit(key="k", transfers=transfers, fences=fences or {}))
    return refused.value.code


def test_each_rule_names_itself() -> None:
    books = with_money(100)
    assert refusal(books, hold(101)) is Refusal.NO_FUNDS
    assert refusal(books, Capture(id=named("c"), hold_id=named("no"))) is Refusal.UNKNOWN_HOLD
    books.apply(Commit(key="a", transfers=(hold(100),)))
    books.apply(Commit(key="b", transfers=(Capture(id=named("c"), hold_id=named("hold")),)))
    late = Void(id=named("late"), hold_id=named("hold"))
    assert refusal(books, late) is Refusal.NOT_OPEN
    assert refusal(books, fences={"w_anna": 2}) is Refusal.STALE_FENCE
    assert refusal(books, fences={"w_anna": 4}) is Refusal.STALE_FENCE
    assert refusal(books, fences={"w_nobody": 0}) is Refusal.STALE_FENCE
    books.apply(Commit(key="fenced", fences={"w_anna": 3}))


def test_a_frozen_wallet_gets_its_hold_back_and_may_be_captured() -> None:
    books = with_money(100)
    books.apply(Commit(key="a", transfers=(hold(60, "one"), hold(40, "two"))))
    books.rules.wallets = {"w_anna": FROZEN}
    books.apply(
        Commit(
            key="b",
            transfers=(
                Void(id=named("v"), hold_id=named("one")),
                Capture(id=named("c"), hold_id=named("two")),
            ),
        )
    )
    assert balances(books) == {WALLETS[0].id: 60, SHOPS[0].id: 40}
    assert refusal(books, hold(1, "three")) is Refusal.WALLET_FROZEN


def test_the_last_transfer_of_a_commit_takes_all_of_it_back() -> None:
    books = with_money(100)
    before = picture(books)
    assert refusal(books, hold(50, "one"), hold(50, "two"), hold(1, "three")) is Refusal.NO_FUNDS
    assert picture(books) == before
    assert books.touched_holds == set()


def test_a_hold_that_was_taken_back_can_be_made_again() -> None:
    books = with_money(100)
    books.apply(Commit(key="a", transfers=(hold(100),)))()
    books.apply(Commit(key="b", transfers=(hold(100),)))
    assert books.holds[named("hold")].state is HoldState.OPEN
    assert books.holds[named("hold")].due_at_us == 1_000 + 8_000_000


def test_transfers_that_cannot_be_are_refused_when_they_are_made() -> None:
    anna, ben = WALLETS[0], WALLETS[1]
    dollars = wallet("w_ben", "USD")
    for legs in (
        (),
        (Leg(anna, 0), Leg(ben, 0)),
        (Leg(anna, -5), Leg(ben, 4)),
        (Leg(anna, -5), Leg(dollars, 5)),
        (Leg(anna, 5),),
        (Leg(anna, -AMOUNT_MINOR_MAX - 1), Leg(ben, AMOUNT_MINOR_MAX + 1)),
    ):
        with pytest.raises(MoneyError):
            Post(id=named("p"), legs=legs)
    for amount in (0, -1, AMOUNT_MINOR_MAX + 1):
        with pytest.raises(MoneyError):
            hold(amount)
    with pytest.raises(MoneyError):
        Void(id=named("v"), hold_id=named("hold"), state=HoldState.CAPTURED)


def test_held_money_moves_by_its_hold_only() -> None:
    """A post from there would leave a hold that can be given back to nobody."""
    anna, shop = WALLETS[0], SHOPS[0]
    with pytest.raises(MoneyError):
        Post(id=named("p"), legs=(Leg(anna.held, -5), Leg(shop, 5)))
    with pytest.raises(MoneyError):
        Post(id=named("p"), legs=(Leg(shop, -5), Leg(anna.held, 5)))
    for payer, payee in ((anna.held, shop), (anna, shop.held)):
        with pytest.raises(MoneyError):
            Authorise(
                id=named("a"),
                payer=payer,
                payee=payee,
                amount_minor=5,
                ending=EndingAction.EXPIRE,
                ends_after_s=1,
            )
    with pytest.raises(MoneyError):
        Capture(id=named("c"), hold_id=named("hold"), shares=(Leg(anna.held, 1),))


NO_ACCOUNTS = {
    "no owner": AccountRef("", Purpose.AVAILABLE, "CNY"),
    "no kind of owner": AccountRef("anna", Purpose.AVAILABLE, "CNY"),
    "nobody of a kind": merchant("", "CNY"),
    "a slash": merchant("m/tea", "CNY"),
    "a line break": merchant("m\ntea", "CNY"),
    "another line break": merchant("m\u2028tea", "CNY"),
    "a line break at the end": AccountRef("merchant:m", Purpose.AVAILABLE, "CNY\n"),
    "NUL": merchant("m\0", "CNY"),
    "no Unicode": merchant("m\ud800", "CNY"),
    "too long": merchant("m" * ID_LENGTH_MAX, "CNY"),
    "no currency": merchant("m", ""),
    "small letters": merchant("m", "nope"),
    "a slash in a currency": merchant("m", "A/B"),
    "a long currency": merchant("m", "ABCDEFGHIJK"),
    "no purpose": AccountRef("merchant:m", "spendable", "CNY"),  # type: ignore[arg-type]
    # It would be the account for held money, and none of its hold's.
    "a purpose in letters": AccountRef("wallet:w", "held", "CNY"),  # type: ignore[arg-type]
    "money of a wallet under no limit": AccountRef("wallet:w", Purpose.PENDING, "CNY"),
}


@pytest.mark.parametrize("what", NO_ACCOUNTS)
def test_no_transfer_names_what_is_no_account(what: str) -> None:
    account = NO_ACCOUNTS[what]
    till = clearing("cash", account.currency)
    with pytest.raises(MoneyError):
        Post(id=named("p"), legs=(Leg(till, -1), Leg(account, 1)))
    with pytest.raises(MoneyError):
        Post(id=named("p"), legs=(Leg(account, -1), Leg(till, 1)))
    one = hold(5)
    for change in ({"payer": account}, {"payee": account}):
        with pytest.raises(MoneyError):
            msgspec.structs.replace(one, **change)
    with pytest.raises(MoneyError):
        Capture(id=named("c"), hold_id=named("hold"), shares=(Leg(account, 1),))


@pytest.mark.parametrize(
    "account",
    [
        escrow("x" * 63 + ".公司.example", "CNY"),
        merchant("M 茶.1", "KRATOM1234"),
        wallet("w_anna", "SAT"),
        merchant("m" * (ID_LENGTH_MAX - len(merchant("", "CNY").id)), "CNY"),
    ],
)
def test_transfers_name_accounts_of_whatever_owner_and_currency(account: AccountRef) -> None:
    till = clearing("cash", account.currency)
    Post(id=named("p"), legs=(Leg(till, -1), Leg(account, 1)))
    assert AccountRef.of_id(account.id) == account


@pytest.mark.parametrize("amount", [1.0, 0.5, True, float("nan")])
def test_an_amount_is_a_whole_number(amount: int) -> None:
    with pytest.raises(MoneyError):
        Post(id=named("p"), legs=(Leg(TILL, -amount), Leg(SHOPS[0], amount)))
    with pytest.raises(MoneyError):
        hold(amount)
    with pytest.raises(MoneyError):
        Capture(id=named("c"), hold_id=named("hold"), amount_minor=amount)
    with pytest.raises(MoneyError):
        Capture(id=named("c"), hold_id=named("hold"), shares=(Leg(SHOPS[0], amount),))


@pytest.mark.parametrize("after_s", [float("nan"), float("inf"), 1e300, ENDS_AFTER_S_MAX + 1])
def test_a_hold_ends_within_a_hundred_years_in_a_way_that_is_known(after_s: float) -> None:
    one = hold(5)
    for seconds in (after_s, -after_s):
        with pytest.raises(MoneyError):
            msgspec.structs.replace(one, ends_after_s=seconds)
    with pytest.raises(MoneyError):
        msgspec.structs.replace(one, ending="never")
