"""The whole loop as people see it: two browsers, the real bot, the demo shop."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.instances import RunningInstance, instance

#: Where the pictures for the README go, if somebody wants new ones.
PICTURES = os.environ.get("SCREENSHOTS")


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[RunningInstance]:
    async with instance(tmp_path / "data") as running:
        yield running


async def say(page: Page, text: str) -> None:
    await page.fill("#words", text)
    await page.press("#words", "Enter")


async def enter(context: BrowserContext, url: str, room: str) -> Page:
    page = await context.new_page()
    await page.goto(f"{url}/r/{room}")
    await expect(page.locator("#state")).to_have_text("Connected")
    return page


async def become_admin(browser: Browser, bot: RunningInstance) -> Page:
    assert bot.admin_link is not None
    context = await browser.new_context()
    page = await context.new_page()
    await page.goto(bot.admin_link)
    assert "token" not in page.url
    await page.get_by_role("button").click()
    await page.wait_for_url("**/r/lobby")
    return page


async def test_from_an_empty_wallet_to_a_refunded_order_in_two_browsers(
    chromium: Browser, bot: RunningInstance, tmp_path: Path
) -> None:
    pictures = Path(PICTURES or tmp_path)
    admin = await become_admin(chromium, bot)
    desktop = await chromium.new_context(viewport={"width": 1180, "height": 1000})
    anna = await enter(desktop, bot.url, "lobby")

    await say(anna, "/topup 500")
    await admin.get_by_role("button", name="Confirm ¥500.00").click()
    await expect(anna.get_by_text("¥500.00 is in your wallet")).to_be_visible()

    port = (tmp_path / "data" / "demo-shop.port").read_text()
    await say(anna, f"看这个 http://127.0.0.1:{port}/p/qinghua-teacup 好看吗？")
    pay = anna.get_by_role("button", name="Pay ¥199.00")
    await expect(pay).to_be_visible()
    await expect(anna.get_by_text("12 in stock")).to_be_visible()
    await pay.click()
    undo = anna.get_by_role("button", name="Undo")
    await expect(undo).to_be_visible()
    await expect(anna.get_by_text("1 bought")).to_be_visible()
    await anna.wait_for_timeout(400)
    await anna.screenshot(path=pictures / "web-chat.png")

    # Everybody sees that one was bought; nobody else sees who, or the receipt.
    await expect(admin.get_by_text("1 bought")).to_be_visible()
    assert await admin.get_by_role("button", name="Undo").count() == 0

    shop = await admin.context.new_page()
    await shop.goto(f"{bot.url}/r/corner-shop")
    refund = shop.get_by_role("button", name="Refund ¥199.00")
    await expect(refund).to_be_visible(timeout=20_000)
    await expect(undo).to_have_count(0)
    await refund.click()
    await expect(anna.get_by_text("¥199.00 refunded", exact=True)).to_be_visible()
    await say(anna, "/balance")
    await expect(anna.get_by_text("Your wallet", exact=True)).to_be_visible()
    await shop.screenshot(path=pictures / "merchant.png")

    pocket = await chromium.new_context(
        viewport={"width": 390, "height": 844},
        color_scheme="dark",
        storage_state=await desktop.storage_state(),
    )
    phone = await enter(pocket, bot.url, "lobby")
    await expect(phone.get_by_text("Your wallet", exact=True)).to_be_visible()
    await phone.screenshot(path=pictures / "phone.png")


async def test_a_double_click_on_pay_pays_once(
    chromium: Browser, bot: RunningInstance, tmp_path: Path
) -> None:
    page = await become_admin(chromium, bot)
    await say(page, "/topup 1000")
    await page.get_by_role("button", name="Confirm ¥1,000.00").click()
    await expect(page.get_by_text("¥1,000.00 is in your wallet")).to_be_visible()
    port = (tmp_path / "data" / "demo-shop.port").read_text()
    await say(page, f"http://127.0.0.1:{port}/p/last-red-umbrella")
    await page.get_by_role("button", name="Pay").dblclick()
    await expect(page.get_by_role("button", name="Undo")).to_be_visible()
    await expect(page.get_by_text("1 bought")).to_be_visible()
    await expect(page.get_by_text("Sold out")).to_be_visible()
    await say(page, "/merchant orders")
    await say(page, "/balance")
    await expect(page.get_by_text("Your wallet", exact=True)).to_be_visible()
    await expect(page.get_by_text("2 bought")).to_have_count(0)


async def test_without_money_the_tapper_alone_is_told_and_the_top_up_leads_back_to_pay(
    chromium: Browser, bot: RunningInstance, tmp_path: Path
) -> None:
    anna = await enter(await chromium.new_context(), bot.url, "lobby")
    ben = await enter(await chromium.new_context(), bot.url, "lobby")
    port = (tmp_path / "data" / "demo-shop.port").read_text()
    await say(anna, f"look: http://127.0.0.1:{port}/p/qinghua-teacup.")
    await ben.get_by_role("button", name="Pay ¥199.00").click()
    await expect(ben.get_by_text("You have ¥0.00; this needs ¥199.00.")).to_be_visible()
    await ben.get_by_role("button", name="Top up ¥199.00").click()
    await expect(ben.get_by_text("No money has moved yet.")).to_be_visible()
    await expect(anna.get_by_text("You have ¥0.00")).to_have_count(0)
    admin = await become_admin(chromium, bot)
    await admin.get_by_role("button", name="Confirm ¥199.00").click()
    await expect(ben.get_by_text("It was for 青花瓷茶杯, ¥199.00.")).to_be_visible()
    await ben.get_by_role("button", name="Pay ¥199.00").last.dblclick()
    await expect(ben.get_by_role("button", name="Undo", exact=True)).to_be_visible()
    await expect(anna.get_by_text("1 bought")).to_be_visible()
