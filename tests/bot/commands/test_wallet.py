from bot.commands.wallet import history_line
from tests.bot.commands.chat import Chat
from wallet_core.ledger.commits import Commit, Update
from wallet_core.money import AMOUNT_MINOR_MAX
from wallet_core.storage.lookups import HistoryEntry


async def test_an_empty_wallet_says_so_and_how_to_fill_it(chat: Chat) -> None:
    answer = await chat.ask("anna", "/balance")
    assert "¥0.00" in answer.text
    assert "/topup 100" in answer.text
    assert answer.actions == ["topup:CNY:10000"]


async def test_what_is_free_and_what_is_held(chat: Chat) -> None:
    shop = await chat.open_shop("mei")
    await chat.fund("anna", 50000)
    offer = await chat.offer(shop)
    await chat.tap("anna", offer.actions[0])
    answer = await chat.ask("anna", "/balance")
    assert "¥301.00" in answer.text
    assert "¥199.00 more is held" in answer.text
    assert answer.actions == []


async def test_more_than_moves_at_once_is_told_like_any_other_sum(chat: Chat) -> None:
    await chat.make_admin("boss")
    shop = await chat.open_shop("mei")
    for _ in range(2):
        await chat.fund("anna", AMOUNT_MINOR_MAX)
        await chat.earn(shop, AMOUNT_MINOR_MAX)
    whole = "¥20,000,000,000,000.00"
    assert whole in (await chat.ask("anna", "/balance")).text
    assert f"balance {whole}" in (await chat.ask("anna", "/history")).text
    assert whole in (await chat.ask("anna", "/wallets")).text
    assert whole in (await chat.ask("mei", "/merchant", room="kitchen")).text


async def test_points_that_the_config_no_longer_knows_hide_nothing(chat: Chat) -> None:
    await chat.make_admin("boss")
    await chat.fund("anna", 1_500, "GONE")
    await chat.fund("anna", 50_000)
    for command in ("/balance", "/history", "/wallets"):
        text = (await chat.ask("anna", command)).text
        assert "1,500 smallest units of GONE" in text
        assert "¥500.00" in text
    assert "1500 minor units of GONE" in (await chat.ask("boss", "/admin books")).text


async def test_a_frozen_wallet_says_so(chat: Chat) -> None:
    person = await chat.meet("anna")
    row = Update(table="wallets", where={"id": person.wallet_id}, values={"mode": "frozen"})
    await chat.writer.commit(Commit(key="freeze", rows=(row,)))
    assert "frozen" in (await chat.ask("anna", "/balance")).text


async def test_a_second_delivery_is_not_answered_again(chat: Chat) -> None:
    assert len(await chat.write("anna", "/balance", event_id="web:same")) == 1
    await chat.fund("anna", 100)
    assert await chat.write("anna", "/balance", event_id="web:same") == []


async def test_whoami_is_one_line_with_what_an_admin_needs(chat: Chat) -> None:
    person = await chat.meet("anna")
    text = (await chat.ask("anna", "/whoami")).text
    assert "\n" not in text
    assert text == f"web:anna · person {person.id} · wallet {person.wallet_id}"


async def test_nothing_happened_yet(chat: Chat) -> None:
    assert "Nothing has happened yet" in (await chat.ask("anna", "/history")).text


async def test_history_tells_a_purchase_from_hold_to_refund_without_double_lines(
    chat: Chat,
) -> None:
    shop = await chat.open_shop("mei")
    await chat.ask("mei", "/merchant accept on", room="kitchen")
    await chat.fund("anna", 50000)
    offer = await chat.offer(shop)
    await chat.tap("anna", offer.actions[0])
    (order,) = await chat.desk.reader.recent_orders((await chat.meet("anna")).wallet_id, 5)
    green_tea = f"Green tea (order {order.number})"

    lines = (await chat.ask("anna", "/history")).card.lines
    assert [line.text.rpartition(" · ")[0] for line in lines] == [
        f"−¥199.00 {green_tea}, held · balance ¥301.00",
        "+¥500.00 Top-up · balance ¥500.00",
    ]
    await chat.settle()
    lines = (await chat.ask("anna", "/history")).card.lines
    assert [line.text.partition(" · ")[0] for line in lines] == [
        f"−¥199.00 {green_tea}",
        "+¥500.00 Top-up",
    ]
    await chat.write("mei", f"/merchant refund {order.number} 99", room="kitchen")
    lines = (await chat.ask("anna", "/history 1")).card.lines
    assert [line.text.rpartition(" · ")[0] for line in lines] == [
        f"+¥99.00 Refund of {green_tea} · balance ¥400.00"
    ]
    assert lines[0].text.endswith(" UTC")


async def test_history_tells_what_came_back_and_why(chat: Chat) -> None:
    shop = await chat.open_shop("mei")
    await chat.fund("anna", 50000)
    await chat.tap("anna", (await chat.offer(shop)).actions[0])
    await chat.write("anna", "/undo")
    await chat.tap("anna", (await chat.offer(shop)).actions[0])
    wallet_id = (await chat.meet("anna")).wallet_id
    (order, undone) = await chat.desk.reader.recent_orders(wallet_id, 5)
    await chat.tap("mei", f"decline:{order.id}", room="kitchen")
    texts = [line.text for line in (await chat.ask("anna", "/history 4")).card.lines]
    assert texts[0].startswith(f"+¥199.00 Green tea (order {order.number}), declined by the seller")
    assert texts[2].startswith(f"+¥199.00 Green tea (order {undone.number}), undone")
    assert "held" not in "".join(texts)


async def test_history_tells_a_withdrawal_and_its_end(chat: Chat) -> None:
    await chat.make_admin("boss")
    await chat.fund("anna", 50000)
    await chat.write("anna", "/withdraw 100")
    (request,) = await chat.desk.reader.pending_funding(5)
    withdrawal = f"Withdrawal (code {request.code})"
    newest = (await chat.ask("anna", "/history 1")).text
    assert f"−¥100.00 {withdrawal}, held · balance ¥400.00" in newest
    await chat.write("boss", f"/admin decline {request.code}")
    newest = (await chat.ask("anna", "/history 1")).text
    assert f"+¥100.00 {withdrawal}, given back · balance ¥500.00" in newest


async def test_a_count_that_cannot_be_is_answered_with_an_example(chat: Chat) -> None:
    for count in ("0", "31", "-1", "ten", "9" * 50, "1.5", "²"):
        assert "/history 20" in (await chat.ask("anna", f"/history {count}")).text


async def test_everybody_sees_his_own_history_only(chat: Chat) -> None:
    await chat.fund("anna", 50000)
    assert "Nothing has happened yet" in (await chat.ask("ben", "/history")).text


def test_an_entry_of_another_kind_and_a_long_title_have_words_too() -> None:
    entry = HistoryEntry(
        amount_minor=-1,
        balance_after_minor=0,
        currency="SAT",
        kind="post",
        subject="",
        at_us=0,
    )
    assert history_line(entry) == "−1 SAT Transfer · balance 0 SAT · 1970-01-01 00:00 UTC"
    long = HistoryEntry(
        amount_minor=-100,
        balance_after_minor=0,
        currency="CNY",
        kind="authorise",
        subject="order:o",
        at_us=0,
        order_number="4F7K9QX2",
        order_title="tea" * 100,
        order_state="paid",
    )
    assert len(history_line(long)) < 150


async def test_whoever_has_one_wallet_is_not_asked_which_other_one(chat: Chat) -> None:
    for line in ("/wallet use 2", "/wallet move 50 2", "/wallet use"):
        said = await chat.ask("anna", line)
        assert said.text.startswith("This is your only wallet; /link brings in")
        assert said.text.endswith("No money moved.")
