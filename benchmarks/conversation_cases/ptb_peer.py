"""python-telegram-bot as its examples use it, with its own defaults.

    python -m benchmarks.conversation_cases.ptb_peer bare|echo PORT API_URL

The custom webhook of its documentation: the application's own updater is off, the web server puts
each update into the queue and answers 200, and the application takes them from there. The example's
web server is Starlette on uvicorn; here it is aiohttp, whose parser is compiled, as the bot's own.
`bare` has one handler, for messages with a link, which does nothing. `echo` is the echo bot with a
keyboard below its answer.
"""

import asyncio
import sys

from aiohttp import web
from telegram import InlineKeyboardButton, InlineKeyboardMarkup, Update
from telegram.ext import Application, ContextTypes, MessageHandler, filters

from benchmarks.conversation_cases.bot_api import TOKEN

PATH = "/telegram"


async def nothing(_update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
    """Do nothing with a link."""


async def echo(update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
    """Say the same, with a button."""
    if update.message is None or update.message.text is None:
        return
    button = InlineKeyboardButton("Pay ¥19.90", callback_data="pay:q_AAAAAAAAAAAAAAAAAAAAAA")
    await update.message.reply_text(
        update.message.text, reply_markup=InlineKeyboardMarkup([[button]])
    )


async def serve(what: str, port: int, api_url: str) -> None:
    """Listen until the process is ended."""
    application = (
        Application.builder().token(TOKEN).base_url(f"{api_url}/bot").updater(None).build()
    )
    wanted = filters.Entity("url") if what == "bare" else filters.TEXT
    application.add_handler(MessageHandler(wanted, nothing if what == "bare" else echo))

    async def receive(request: web.Request) -> web.Response:
        update = Update.de_json(data=await request.json(), bot=application.bot)
        await application.update_queue.put(update)
        return web.Response()

    app = web.Application()
    app.router.add_post(PATH, receive)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    async with application:
        await application.start()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
