"""/metrics: how leases fared in this process, for whoever watches it, as Prometheus reads it."""

import hmac
from collections.abc import Mapping
from dataclasses import fields

from aiohttp import web

from wallet_core.locks import LeaseCounts

PATH = "/metrics"
_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_NAME = "payontap_leases_total"
_HELP = "Leases on wallets by what became of them; queued ones are counted again when they end."


class Metrics:
    """The page. Only who knows the token sees it, for it tells how busy the instance is."""

    def __init__(self, counts: LeaseCounts, token: str) -> None:
        self._counts = counts
        self._allowed = f"Bearer {token}".encode()

    def add_routes(self, app: web.Application) -> None:
        """Put the address into the application."""
        app.router.add_get(PATH, self._show)

    async def _show(self, request: web.Request) -> web.Response:
        given = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(given, self._allowed):
            raise web.HTTPUnauthorized(text="Metrics are for whoever knows metrics.token.")
        text = exposition(self._counts)
        return web.Response(body=text.encode(), headers={"Content-Type": _CONTENT_TYPE})


def exposition(counts: LeaseCounts) -> str:
    """The counts in Prometheus's text format, one line for each thing that can happen."""
    happened: Mapping[str, int] = {
        field.name: getattr(counts, field.name) for field in fields(counts)
    }
    lines = [f"# HELP {_NAME} {_HELP}", f"# TYPE {_NAME} counter"]
    lines += [f'{_NAME}{{outcome="{outcome}"}} {count}' for outcome, count in happened.items()]
    return "\n".join(lines) + "\n"
