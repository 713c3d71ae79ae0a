import pytest

from bot.commands import COMMANDS
from bot.commands.command import Command, split_word
from bot.commands.registry import table_of
from bot.conversation.turn import Desk, Turn
from tests.bot.commands.chat import Chat
from wallet_core.ledger.wallets import WalletMode


async def test_help_lists_every_command_for_people_and_none_for_admins(chat: Chat) -> None:
    text = (await chat.ask("anna", "/help")).text
    for command in COMMANDS:
        assert (f"/{command.usage}" in text) is not command.admin
    assert "For admins" not in text


async def test_help_shows_admins_their_commands_too(chat: Chat) -> None:
    await chat.make_admin("boss")
    text = (await chat.ask("boss", "/help")).text
    assert all(f"/{command.usage}" in text for command in COMMANDS)


async def test_help_speaks_with_the_prefix_that_the_asker_wrote(chat: Chat) -> None:
    (answer,) = await chat.write("@anna:example.org", "!help", network="matrix")
    assert "!topup AMOUNT [CURRENCY]" in answer.text
    assert "/topup" not in answer.text


async def test_help_about_one_command(chat: Chat) -> None:
    assert (await chat.ask("anna", "/help /topup")).card.title == "/topup AMOUNT [CURRENCY]"
    assert "/wallet" in (await chat.ask("anna", "/help wallet")).text
    assert "no command /fly" in (await chat.ask("anna", "/help fly")).text
    assert "no command /admin" in (await chat.ask("anna", "/help admin")).text


async def test_an_alias_is_the_command(chat: Chat) -> None:
    assert (await chat.ask("anna", "/WALLET")).card.title == "Your wallet"
    assert (await chat.ask("anna", "/start")).card.title == "Glad to help"


async def test_an_unknown_command_is_left_to_the_dispatch(chat: Chat) -> None:
    assert "no command /fly" in (await chat.ask("anna", "/fly away")).text


async def test_an_admin_command_is_refused_to_everybody_else(chat: Chat) -> None:
    for line in ("/admin", "/admin books", "/admin freeze anna", "/admin parked"):
        answer = await chat.ask("anna", line)
        assert answer.text == "Only an admin of this instance can do that."
    assert await chat.desk.people.mode_of((await chat.meet("anna")).wallet_id) is WalletMode.OPEN


async def test_two_commands_cannot_have_one_name() -> None:
    async def run(_desk: Desk, _turn: Turn, _args: str) -> None: ...

    one = Command("pay", "pay", "Pays.", run)
    with pytest.raises(ValueError, match="pay"):
        table_of([one, Command("send", "send", "Sends.", run, aliases=("pay",))])


def test_the_rest_keeps_its_letters() -> None:
    assert split_word("  OPEN Tea  House ") == ("open", "Tea  House")
    assert split_word("") == ("", "")


@pytest.mark.parametrize(
    ("line", "meant"), [("/topupp 500", "topup"), ("/balence", "balance"), ("／histroy", "history")]
)
async def test_a_slip_of_the_finger_is_answered_with_what_was_meant(
    chat: Chat, line: str, meant: str
) -> None:
    answer = await chat.ask("anna", line)
    assert f"Did you mean {line[0]}{meant}?" in answer.text


async def test_nobody_is_told_of_commands_that_are_not_his(chat: Chat) -> None:
    assert "Did you mean" not in (await chat.ask("anna", "/admni")).text
    await chat.make_admin("boss")
    assert "Did you mean /admin?" in (await chat.ask("boss", "/admni")).text


@pytest.mark.parametrize("line", ["/topup\u3000500", "/topup\n500", "／topup 500"])
async def test_any_blank_and_a_wide_slash_make_a_command(chat: Chat, line: str) -> None:
    assert "Top-up of ¥500.00" in (await chat.ask("anna", line)).text


@pytest.mark.parametrize("line", ["/ balance", "/"])
async def test_what_nobody_else_was_shown_is_answered(chat: Chat, line: str) -> None:
    assert (await chat.write("anna", line)) == []
    answer = await chat.ask("anna", line, aside=True)
    assert "Your wallet" in answer.text or "no command /." in answer.text


async def test_a_command_in_another_script_is_answered_where_only_the_bot_was_shown_it(
    chat: Chat,
) -> None:
    assert "no command /余额" in (await chat.ask("anna", "/余额", aside=True)).text
    # Where everybody sees it, it may be meant for anybody.
    assert await chat.write("anna", "/余额") == []
