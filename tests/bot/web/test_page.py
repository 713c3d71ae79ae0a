"""The chat's page in a real browser."""

import asyncio
import os
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest
from playwright.async_api import Browser, ConsoleMessage, Error, Page, expect

from bot.cards import Button, Card, Line, Role, Style, Tone
from bot.events import Message, Tap

if TYPE_CHECKING:
    from tests.bot.web.conftest import House

HOSTILE = "<img src=x onerror=\"document.title='hacked'\"><b>bold</b> &amp; \u202e</div>"
LINK = "http://127.0.0.1:8081/p/qinghua-teacup"

# Every text on the screen against the ground it stands on, by WCAG's formula.
LOW_CONTRAST = """() => {
  const rgba = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const low = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    if (!own || !element.checkVisibility() || element.closest(".unseen, svg, noscript")) continue;
    let ground = element;
    while (ground && (rgba(getComputedStyle(ground).backgroundColor)[3] ?? 1) < 1) {
      ground = ground.parentElement;
    }
    const style = getComputedStyle(element);
    const a = light(rgba(style.color));
    const b = light(rgba(getComputedStyle(ground ?? document.body).backgroundColor));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    if (ratio < (large ? 3 : 4.5)) low.push(`${ratio.toFixed(2)} ${element.textContent}`);
  }
  return low;
}"""


@asynccontextmanager
async def page_of(
    chromium: Browser,
    house: "House",
    room: str = "lobby",
    scheme: Literal["light", "dark"] = "light",
    size: tuple[int, int] = (1280, 860),
    clock_off_s: float | None = None,
) -> AsyncIterator[Page]:
    """A person's page; it fails when the page breaks one of its own rules."""
    complaints: list[str] = []

    def note(message: ConsoleMessage) -> None:
        broken_line = "WebSocket" in message.text or "DISCONNECTED" in message.text
        if message.type in {"error", "warning"} and not broken_line:
            complaints.append(message.text)

    def fail(error: Error) -> None:
        complaints.append(str(error))

    phone = size[0] < 600
    context = await chromium.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme=scheme,
        is_mobile=phone,
        has_touch=phone,
        device_scale_factor=2 if phone else 1,
        locale="en-GB",
    )
    page = await context.new_page()
    page.on("console", note)
    page.on("pageerror", fail)
    if clock_off_s is not None:
        await page.clock.install(time=time.time() + clock_off_s)
    await page.goto(f"{house.server.url}/r/{room}")
    await expect(page.locator("#state")).to_have_text("Connected")
    yield page
    await context.close()
    assert complaints == []


async def say(page: Page, text: str) -> None:
    await page.fill("#words", text)
    await page.press("#words", "Enter")


async def until_heard(house: "House", kind: type, count: int = 1) -> None:
    async with asyncio.timeout(30):
        while sum(isinstance(event, kind) for event in house.heard) < count:  # noqa: ASYNC110 - the house has no bell
            await asyncio.sleep(0.02)


async def test_a_newcomer_is_told_what_to_do_and_can_try_it_at_once(
    chromium: Browser, house: "House"
) -> None:
    async with page_of(chromium, house) as page:
        await expect(page.get_by_role("heading", name="Share a link")).to_be_visible()
        shop = page.get_by_role("link", name="Open the shop")
        assert await shop.get_attribute("href") == "http://127.0.0.1:8081/"
        assert "noopener" in (await shop.get_attribute("rel") or "")
        await page.get_by_role("button", name="Try this link").click()
        await expect(page.locator("#words")).to_have_value(LINK)
        await page.get_by_role("button", name="Send").click()
        await expect(page.locator(".card.product")).to_be_visible()
        await expect(page.locator("#welcome")).to_be_hidden()
        await page.get_by_role("button", name="How it works").click()
        await expect(page.get_by_role("dialog")).to_contain_text("Tap Pay")
        await page.keyboard.press("Escape")


async def test_a_shared_link_becomes_a_card_and_one_tap_pays(
    chromium: Browser, house: "House"
) -> None:
    house.undo_s = 30
    async with page_of(chromium, house) as ann, page_of(chromium, house) as bob:
        await say(bob, f"看这个 {LINK}，很好看！")
        link = ann.locator(".bubble a")
        assert await link.get_attribute("href") == LINK
        card = ann.locator(".card.product")
        await expect(card.locator(".price")).to_have_text("¥199.00")
        await expect(card.locator(".seller .verified")).to_be_visible()
        image = card.locator("img")
        assert await image.get_attribute("width") == "960"
        await ann.wait_for_function("document.querySelector('.product img').naturalWidth === 960")

        pay = card.get_by_role("button")
        await expect(pay).to_have_text("Pay ¥199.00")
        await pay.click()
        mine = ann.locator(".message.private")
        await expect(mine).to_contain_text("Only you can see this")
        await expect(mine).to_contain_text("Paid ¥199.00")
        await expect(mine.locator(".seconds")).to_have_text(re.compile("^[12][0-9]$"))
        await expect(bob.locator(".status")).to_have_text("1 bought")
        await expect(bob.locator(".message.private")).to_have_count(0)

        await mine.get_by_role("button", name="Undo").click()
        await expect(mine).to_contain_text("Nothing was charged")
        await expect(mine.locator(".countdown")).to_have_count(0)


async def test_a_pressed_button_waits_for_its_answer_and_cannot_be_pressed_twice(
    chromium: Browser, house: "House"
) -> None:
    async with page_of(chromium, house, clock_off_s=0) as page:
        offer = await house.say(house.offer())
        house.answers = False
        pay = page.locator(".card .pay")
        await pay.focus()
        for _ in range(3):
            await page.keyboard.press("Enter")
        await expect(pay).to_have_text("Paying…")
        await expect(pay).to_have_attribute("aria-disabled", "true")
        await expect(pay).to_be_focused()
        await until_heard(house, Tap)
        await page.clock.fast_forward(10_500)
        await expect(pay).to_have_text("Pay ¥199.00")
        await expect(page.locator(".card-note")).to_contain_text("cannot charge you twice")
        assert sum(isinstance(event, Tap) for event in house.heard) == 1

        await pay.click()
        await expect(pay).to_have_text("Paying…")
        await expect(page.locator(".card-note")).to_have_text("")
        await house.say(house.offer(bought=1), edits=offer)
        await expect(pay).to_have_text("Pay ¥199.00")


async def test_a_tap_that_is_refused_says_why_under_the_button(
    chromium: Browser, house: "House"
) -> None:
    async with page_of(chromium, house) as page:
        await house.say(house.offer())
        button = page.locator(".card .pay")
        await expect(button).to_be_visible()
        # As if another process had edited the card and its word were still on the way.
        house.chat._rooms.clear()
        ref = await page.locator(".message.bot").get_attribute("data-id")
        await house.say(Card(title="Sold out. Not charged."), edits=ref)
        await button.click()
        await expect(page.locator(".card-note")).to_have_text("That button is no longer there.")
        await expect(button).not_to_have_attribute("aria-disabled", "true")


async def test_a_card_that_changes_is_told_to_people_who_listen_in_sentences(
    chromium: Browser, house: "House"
) -> None:
    async with page_of(chromium, house) as page:
        await say(page, "hello")
        await until_heard(house, Message)
        person_id = house.heard[0].person_id
        ref = await house.say(Card(title="Paid ¥1.00"), person_id=person_id)
        await expect(page.locator(".message.private").last).to_contain_text("Paid ¥1.00")
        undone = Card(title="Undone. ¥1.00 is back.", lines=(Line("Tea"), Line("Well?")))
        await house.say(undone, person_id=person_id, edits=ref)
        said = page.locator("#announcer")
        await expect(said).to_contain_text("Undone. ¥1.00 is back. Tea. Well?")


@pytest.mark.parametrize("clock_off_s", [-3600.0, 0.0, 86_400.0])
async def test_the_countdown_follows_the_servers_clock_and_takes_the_buttons_with_it(
    chromium: Browser, house: "House", clock_off_s: float
) -> None:
    async with page_of(chromium, house, clock_off_s=clock_off_s) as page:
        undo = Button(label="Undo", action="undo")
        until_s = time.time() + 60
        await house.say(Card(title="Paid", buttons=(undo,), countdown_until_s=until_s))
        seconds = page.locator(".countdown .seconds")
        await expect(seconds).to_be_visible()
        assert 50 <= int(await seconds.inner_text()) <= 60
        await page.get_by_role("button", name="Undo").focus()
        await page.clock.fast_forward(30_000)
        assert 15 <= int(await seconds.inner_text()) <= 31
        await page.clock.fast_forward(31_000)
        await expect(page.locator(".card-actions > *")).to_have_count(0)
        await expect(page.locator(".message")).to_be_focused()


async def test_what_anybody_wrote_is_shown_as_text(chromium: Browser, house: "House") -> None:
    house.answers = False
    async with page_of(chromium, house) as ann, page_of(chromium, house) as bob:
        await bob.get_by_role("button", name="Rename").click()
        await bob.fill("#me-input", "<i>Bob</i>")
        await bob.press("#me-input", "Enter")
        await expect(bob.locator("#me-name")).to_have_text("<i>Bob</i>")
        await say(bob, HOSTILE)
        await expect(ann.locator(".message.other .name")).to_have_text("<i>Bob</i>")
        await say(bob, 'javascript:alert(1) data:text/html,x (https://a.example/x_(y)?q="). ok')
        await house.say(
            Card(
                title=HOSTILE,
                link_url="javascript:document.title='hacked'",
                lines=tuple(Line(HOSTILE, role) for role in Role),
                buttons=(
                    Button(label=HOSTILE, action="x", style=Style.PAY),
                    Button(label="go", url="javascript:document.title='hacked'"),
                ),
            )
        )
        await expect(ann.locator(".card-title")).to_contain_text("onerror")
        await expect(ann.locator(".bubble").first).to_contain_text("<b>bold</b> &amp;")
        assert await ann.locator("#messages b, #messages i, .card img").count() == 0
        hrefs = [await a.get_attribute("href") for a in await ann.locator("#messages a").all()]
        assert hrefs == ["https://a.example/x_(y)?q="]
        assert await ann.title() == "#lobby · Payontap"


async def test_all_of_it_can_be_done_from_the_keyboard(chromium: Browser, house: "House") -> None:
    house.undo_s = 30
    async with page_of(chromium, house) as page:
        keys = page.keyboard
        await expect(page.locator("#words")).to_be_focused()
        await keys.type(f"look {LINK}")
        await keys.press("Enter")
        await expect(page.locator(".card .pay")).to_be_visible()
        await keys.press("ArrowUp")
        await expect(page.locator(".card .pay")).to_be_focused()
        await keys.press("Enter")
        await expect(page.locator(".countdown")).to_be_visible()
        await expect(page.locator(".card .pay")).to_be_focused()
        await keys.press("Tab")
        await expect(page.get_by_role("button", name="Undo")).to_be_focused()
        ring = await page.get_by_role("button", name="Undo").evaluate(
            "element => getComputedStyle(element).outlineStyle"
        )
        assert ring == "solid"
        await keys.press("Space")
        await expect(page.locator(".message.private")).to_contain_text("Nothing was charged")
        await expect(page.locator("#announcer")).to_contain_text("Nothing was charged")
        assert await page.locator(".message.private").evaluate(
            "element => element === document.activeElement"
        )


async def test_commands_are_offered_while_one_types(chromium: Browser, house: "House") -> None:
    async with page_of(chromium, house) as page:
        box = page.get_by_role("combobox", name="Message")
        await box.press_sequentially("/h")
        options = page.get_by_role("option")
        await expect(options).to_have_count(2)
        await box.press("ArrowDown")
        await expect(options.nth(1)).to_have_attribute("aria-selected", "true")
        assert await box.get_attribute("aria-activedescendant") == "command-1"
        await box.press("Enter")
        await expect(box).to_have_value("/history ")
        await expect(options).to_have_count(0)
        for typed in ("/balance", "/Balance", "／balance"):
            await box.fill(typed)
            await expect(options).to_have_count(1)
            await box.press("Enter")
            await expect(box).to_have_value("")
            await expect(page.locator(".message.own").last).to_contain_text(typed)
            await expect(page.locator(".message.bot.private").last).to_contain_text("¥301.00")


async def test_enter_that_ends_an_input_methods_word_does_not_send(
    chromium: Browser, house: "House"
) -> None:
    async with page_of(chromium, house) as page:
        await page.fill("#words", "你好")
        await page.evaluate(
            """() => document.getElementById("words").dispatchEvent(new KeyboardEvent("keydown",
               { key: "Enter", isComposing: true, bubbles: true, cancelable: true }))"""
        )
        await expect(page.locator("#words")).to_have_value("你好")
        await page.press("#words", "Shift+Enter")
        await page.press("#words", "Enter")
        await expect(page.locator(".message.own .bubble")).to_have_text("你好")


async def test_what_is_written_without_a_line_is_kept_and_sent_once(
    chromium: Browser, house: "House"
) -> None:
    async with page_of(chromium, house) as ann, page_of(chromium, house) as bob:
        await ann.context.set_offline(True)
        await expect(ann.locator("#state")).to_have_text("Offline")
        await say(ann, "written in a tunnel")
        await expect(ann.locator(".pending")).to_contain_text("Sending…")
        await expect(ann.locator("#trouble")).to_contain_text("kept and sent")
        await say(bob, "said meanwhile")
        await expect(bob.locator(".message.own:not(.pending)")).to_have_count(1)
        await ann.context.set_offline(False)
        await expect(ann.locator("#state")).to_have_text("Connected")
        await expect(ann.locator(".pending")).to_have_count(0)
        await expect(ann.locator(".bubble")).to_have_text(["said meanwhile", "written in a tunnel"])
        await expect(bob.locator(".bubble")).to_have_count(2)
        await ann.reload()
        await expect(ann.locator(".bubble")).to_have_count(2)
        texts = [event.text for event in house.heard if isinstance(event, Message)]
        assert sorted(texts) == ["said meanwhile", "written in a tunnel"]


async def test_a_tap_without_a_line_is_not_kept_for_later(
    chromium: Browser, house: "House"
) -> None:
    async with page_of(chromium, house, clock_off_s=0) as page:
        await house.say(house.offer())
        await expect(page.locator(".card .pay")).to_be_visible()
        await page.context.set_offline(True)
        await expect(page.locator("#state")).to_have_text("Offline")
        await page.locator(".card .pay").click()
        await page.clock.fast_forward(10_500)
        await expect(page.locator(".card-note")).to_contain_text("Nothing was charged")
        await page.context.set_offline(False)
        await expect(page.locator("#state")).to_have_text("Connected")
        await say(page, "back")
        await until_heard(house, Message)
        assert not any(isinstance(event, Tap) for event in house.heard)


async def test_an_undo_that_never_left_is_not_called_a_tap_that_charged_nothing(
    chromium: Browser, house: "House"
) -> None:
    house.undo_s = 60
    async with page_of(chromium, house, clock_off_s=0) as page:
        await say(page, LINK)
        await page.locator(".card .pay").click()
        mine = page.locator(".message.private")
        await expect(mine).to_contain_text("Paid ¥199.00")
        await page.context.set_offline(True)
        await expect(page.locator("#state")).to_have_text("Offline")
        await page.clock.fast_forward(1_500)
        await expect(page.locator("#trouble")).to_contain_text("Offline. What you write")
        await mine.get_by_role("button", name="Undo").click()
        await page.clock.fast_forward(10_500)
        note = mine.locator(".card-note")
        await expect(note).to_contain_text("Nothing was undone: your payment stands.")
        await expect(note).not_to_contain_text("charged")

        # Back again the card tells what became of it, and the old note is gone.
        await page.context.set_offline(False)
        await expect(page.locator("#state")).to_have_text("Connected")
        paid = Card(title="Paid ¥199.00", buttons=(Button(label="Buy another", action="again:q"),))
        tap = next(event for event in house.heard if isinstance(event, Tap))
        ref = await mine.get_attribute("data-id")
        await house.say(paid, person_id=tap.person_id, edits=ref)
        await expect(mine.get_by_role("button", name="Buy another")).to_be_visible()
        await expect(note).to_have_text("")


async def test_a_button_that_takes_nothing_from_its_presser_never_says_that_he_pays(
    chromium: Browser, house: "House"
) -> None:
    async with page_of(chromium, house) as page:
        confirm = Button(label="Confirm ¥500.00", action="confirm:4F7K9Q", style=Style.PAY)
        await house.say(Card(title="Top-up of ¥500.00", buttons=(confirm,)))
        button = page.locator(".card .pay")
        await button.click()
        await expect(button).to_have_attribute("aria-busy", "true")
        await expect(button).to_have_text("Confirm ¥500.00")


async def test_a_name_that_is_refused_is_asked_for_again_with_the_reason(
    chromium: Browser, house: "House"
) -> None:
    async with page_of(chromium, house) as page:
        before = await page.locator("#me-name").inner_text()
        await page.get_by_role("button", name="Rename").click()
        await page.fill("#me-input", "✅ Payontap")
        await page.press("#me-input", "Enter")
        field = page.locator("#me-input")
        await expect(field).to_be_focused()
        await expect(field).to_have_js_property(
            "validationMessage", "That is the bot's own name. Please choose another."
        )
        await expect(page.locator("#me-name")).to_have_text(before)
        await field.fill("Ann")
        await field.press("Enter")
        await expect(page.locator("#me-name")).to_have_text("Ann")


async def test_a_text_for_machines_is_copied_whole(chromium: Browser, house: "House") -> None:
    async with page_of(chromium, house, size=(390, 844)) as page:
        await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        receipt = "eyJ" + "x7Zq" * 400
        card = Card(title="Receipt", lines=(Line("Paid"), Line(receipt, Role.CODE)))
        await house.say(card)
        code = page.locator(".card code")
        await expect(code).to_have_text(receipt)
        box = await code.bounding_box()
        assert box is not None
        assert box["height"] < 200
        await page.get_by_role("button", name="Copy the text").click()
        await expect(page.get_by_role("button", name="Copied ✓")).to_be_visible()
        assert await page.evaluate("navigator.clipboard.readText()") == receipt


async def test_on_the_narrowest_phone_nothing_lies_on_anything(
    chromium: Browser, house: "House"
) -> None:
    async with page_of(chromium, house, size=(320, 640)) as page, page_of(chromium, house):
        await expect(page.locator("#people")).to_have_text("2 people here")
        people = await page.locator("#people").bounding_box()
        button = await page.locator("#how").bounding_box()
        assert people is not None
        assert button is not None
        assert people["x"] + people["width"] <= button["x"]
        choices = "open|host|verify|hosts|catalogue|accept|orders|ship|release|refund|withdraw"
        await house.say(Card(title="Help", lines=(Line(f"/merchant [{choices}]"),)))
        line = page.locator(".card .line span")
        await expect(line).to_have_text(f"/merchant [{choices}]")
        # A word that was broken would stand in two lines.
        broken = await line.evaluate(
            """span => [...span.childNodes].filter((node) => node.nodeType === 3).some((node) => {
                 const range = document.createRange();
                 range.selectNodeContents(node);
                 const lines = new Set([...range.getClientRects()].map((box) => box.top));
                 return !node.data.includes(" ") && lines.size > 1;
               })"""
        )
        assert not broken


async def test_rooms_are_opened_and_remembered(chromium: Browser, house: "House") -> None:
    async with page_of(chromium, house) as page:
        await page.fill("#room-name", "  Kaffee & Küche! ")
        await page.press("#room-name", "Enter")
        await expect(page).to_have_url(f"{house.server.url}/r/kaffee-kuche")
        await expect(page.locator("#rooms a")).to_have_text(["#lobby", "#kaffee-kuche"])
        await expect(page.locator('#rooms [aria-current="page"]')).to_have_text("#kaffee-kuche")


async def test_words_of_every_script_run_their_own_way_and_long_ones_wrap(
    chromium: Browser, house: "House"
) -> None:
    async with page_of(chromium, house, size=(360, 700)) as page:
        await say(page, "שלום עולם")
        await say(page, "x" * 900)
        await house.say(
            Card(title="ل" * 400, lines=(Line("漢" * 300), Line("W" * 300, Role.PRICE)))
        )
        await expect(page.locator(".card-title")).to_be_visible()
        direction = await page.locator(".bubble").first.evaluate(
            "e => getComputedStyle(e).direction"
        )
        assert direction == "rtl"
        width = await page.evaluate("document.documentElement.scrollWidth")
        assert width == 360
        assert await page.locator("#log").evaluate("e => e.scrollWidth <= e.clientWidth")


async def test_whoever_reads_further_up_is_left_there(chromium: Browser, house: "House") -> None:
    for number in range(90):
        await house.say(Card(title=f"Card {number}"))
    async with page_of(chromium, house) as page:
        log = page.locator("#log")
        await expect(page.get_by_text("Card 89", exact=True)).to_be_in_viewport()
        await log.evaluate("e => { e.scrollTop = 0; }")
        await page.get_by_role("button", name="Earlier messages").click()
        await expect(page.locator(".message")).to_have_count(90)
        await log.evaluate("e => { e.scrollTop = 0; }")
        await house.say(Card(title="Card 90"))
        newest = page.get_by_role("button", name="New messages")
        await expect(newest).to_be_visible()
        assert await log.evaluate("e => e.scrollTop") == 0
        await newest.click()
        await expect(page.get_by_text("Card 90", exact=True)).to_be_in_viewport()


async def test_the_admin_link_leaves_the_address_at_once(chromium: Browser, house: "House") -> None:
    async with page_of(chromium, house) as page:
        await page.goto(f"{house.server.url}/claim?token=good-token-1234")
        await expect(page).to_have_url(f"{house.server.url}/claim")
        await page.get_by_role("button", name="Make me admin").click()
        await expect(page).to_have_url(f"{house.server.url}/r/lobby")
        assert len(house.claimed) == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [(1280, 860), (390, 844)], ids=["desktop", "phone"])
async def test_it_can_be_read_in_the_light_and_in_the_dark(
    chromium: Browser,
    house: "House",
    scheme: Literal["light", "dark"],
    size: tuple[int, int],
    tmp_path: Path,
) -> None:
    pictures = Path(os.environ.get("SCREENSHOTS", tmp_path))
    kind = f"{'desktop' if size[0] > 600 else 'phone'}-{scheme}"
    house.undo_s = 30
    async with (
        page_of(chromium, house, scheme=scheme, size=size) as ann,
        page_of(chromium, house) as bob,
    ):
        await expect(ann.locator("#welcome")).to_be_visible()
        assert await ann.evaluate(LOW_CONTRAST) == []
        await ann.screenshot(path=pictures / f"welcome-{kind}.png")
        await say(bob, f"Tea at four? I am getting this one 看这个 {LINK}")
        await ann.locator(".card .pay").click()
        await expect(ann.locator(".countdown")).to_be_visible()
        await expect(ann.locator(".status")).to_have_text("1 bought")
        await ann.screenshot(path=pictures / f"chat-{kind}.png")
        for tone in Tone:
            lines = tuple(Line(f"A {role} line", role) for role in Role)
            buttons = tuple(Button(label=style, action=style, style=style) for style in Style)
            await house.say(Card(title=f"{tone} news", tone=tone, lines=lines, buttons=buttons))
        await expect(ann.get_by_text("waiting news")).to_be_visible()
        await ann.fill("#words", "/")
        assert await ann.evaluate(LOW_CONTRAST) == []
        targets = await ann.locator("main button:visible").evaluate_all(
            "all => all.map((e) => e.getBoundingClientRect()).filter((r) => r.height < 44).length"
        )
        assert targets == 0
