"""An aiohttp application on a free port of this machine, for fakes of networks."""

from aiohttp import web

_ENDS_WITHIN_S = 0.1


async def serve(app: web.Application) -> tuple[web.AppRunner, str]:
    """Start it; gives what stops it (`cleanup`), and its address."""
    runner = web.AppRunner(app, shutdown_timeout=_ENDS_WITHIN_S)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    return runner, f"http://127.0.0.1:{port}"
