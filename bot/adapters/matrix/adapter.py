"""The Matrix network as the port sees it: log in, read until cancelled, send."""

import asyncio
from pathlib import Path
from typing import NoReturn

import msgspec
import structlog

from bot.adapters.base import (
    Capabilities,
    Cursor,
    CursorStore,
    Edits,
    Hear,
    NetworkDown,
    PictureSource,
    RateLimited,
    SendRejected,
    Unreachable,
)
from bot.adapters.matrix.faults import LoggedOut
from bot.adapters.matrix.homeserver import Homeserver
from bot.adapters.matrix.invitations import Invitations
from bot.adapters.matrix.listening import Listener
from bot.adapters.matrix.rooms import Origins, Rooms
from bot.adapters.matrix.session import Session, load_session, save_session
from bot.adapters.matrix.speaking import Speaker
from bot.adapters.patience import Patience
from bot.cards import Outgoing

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_PAUSE_S_MIN = 0.5
_CAPABILITIES = Capabilities(
    buttons=False,
    reactions=True,
    edits=Edits.SPARING,
    private_in_room=False,
    pictures=True,
    # What fits into an event of 65,536 bytes whatever the characters are.
    text_length_max=15_000,
    command_prefixes=("!", "/"),
)
_ENCRYPTED_CAPABILITIES = msgspec.structs.replace(
    # Before encryption makes four bytes of three, an emoji is written in twelve.
    _CAPABILITIES,
    reactions=False,
    polls=True,
    text_length_max=3_300,
)


class Matrix:
    """One account on a homeserver.

    Give `password` (the bot logs in once and keeps the token in `store_dir`, mode 0600) or an
    `access_token` of its own. With `encryption` (an extra) the bot has keys of its own in
    `store_dir`, and reads and writes encrypted rooms; there people vote instead of reacting.
    Without it the bot leaves encrypted rooms with a reason, and into one that it is in all the
    same `send` says nothing, which it tells by `Unreachable`. `poll_s` is how long the
    homeserver holds a request when nothing happens; `pause_s_max` bounds the pauses between tries
    in an outage. Raises `ValueError` when there is neither a password nor a token.
    """

    network = "matrix"
    capabilities = _CAPABILITIES

    def __init__(
        self,
        homeserver: str,
        user: str,
        *,
        cursors: CursorStore,
        store_dir: Path,
        pictures: PictureSource,
        password: str | None = None,
        access_token: str | None = None,
        device_name: str = "Payontap",
        encryption: bool = False,
        poll_s: float = 30.0,
        pause_s_max: float = 30.0,
    ) -> None:
        if not password and not access_token:
            raise ValueError("Matrix needs a password or an access token.")
        self._url = homeserver.rstrip("/")
        self._login = user
        self._password = password
        self._access_token = access_token
        self._device_name = device_name
        self._key_store = store_dir / "keys" if encryption else None
        self._cursors = cursors
        self._store_dir = store_dir
        self._poll_s = poll_s
        self._pause_s_max = pause_s_max
        self._rooms = Rooms()
        self._origins = Origins()
        self._speaker = Speaker(self._rooms, self._origins, pictures)
        self._home: Homeserver | None = None
        self._connecting = asyncio.Lock()
        self._caught_up = asyncio.Event()

    async def run(self, hear: Hear) -> None:
        """Read the rooms until cancelled.

        Outages are waited out. Raises `AdapterError` when the homeserver refuses the login or
        no longer accepts the token.
        """
        self._caught_up.clear()
        try:
            home = await self._patient_login()
            invitations = Invitations(home, self._speaker.direct)
            try:
                await self._read(home, invitations, hear)
            finally:
                await invitations.close()
        finally:
            await self.close()

    async def caught_up(self) -> None:
        """Return once everything that happened while the bot was away has been heard."""
        await self._caught_up.wait()

    async def capabilities_in(self, room_id: str, person_id: str | None) -> Capabilities:
        """In encrypted rooms people vote, since reactions there are clear text.

        Raises the `AdapterError` that fits.
        """
        if self._key_store is None:
            # Nothing is said in encrypted rooms.
            return _CAPABILITIES
        try:
            home = await self._connected()
            place = await self._speaker.place(home, room_id, person_id)
            if await self._rooms.is_encrypted(home, place):
                return _ENCRYPTED_CAPABILITIES
        except LoggedOut as error:
            raise NetworkDown(str(error)) from error
        return _CAPABILITIES

    async def send(self, outgoing: Outgoing) -> str:
        """Send a card, or replace one; gives the message's id, for an edit that of the original.

        Raises the `AdapterError` that fits. A dead token is a `NetworkDown`: the card stays
        sendable, and `run` tells what is wrong.
        """
        try:
            return await self._speaker.send(await self._connected(), outgoing)
        except LoggedOut as error:
            raise NetworkDown(str(error)) from error

    async def close(self) -> None:
        """Close the connections; `run` does it at its end. A later `send` opens them again."""
        async with self._connecting:
            home, self._home = self._home, None
            if home is not None:
                await home.close()

    async def _connected(self) -> Homeserver:
        """The homeserver, logged in. Raises `AdapterError` when that cannot be."""
        async with self._connecting:
            if self._home is None:
                home = Homeserver(self._url, self._login, key_store=self._key_store)
                try:
                    await self._log_in(home)
                    await self._open_keys(home)
                except BaseException:
                    await home.close()
                    raise
                self._home = home
            return self._home

    async def _open_keys(self, home: Homeserver) -> None:
        if self._key_store is not None:
            # Imported only where it is switched on: it is an extra.
            from bot.adapters.matrix.cross_signing import sign_own_device  # noqa: PLC0415

            await home.open_keys()
            await sign_own_device(home, self._key_store, self._password)

    async def _patient_login(self) -> Homeserver:
        pause_s = _PAUSE_S_MIN
        while True:
            try:
                return await self._connected()
            except RateLimited as error:
                log.warning("matrix_login_waits", wait_s=error.retry_after_s)
                await asyncio.sleep(error.retry_after_s)
            except NetworkDown as error:
                log.warning("matrix_login_waits", wait_s=pause_s, reason=str(error))
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, self._pause_s_max)

    async def _log_in(self, home: Homeserver) -> None:
        try:
            if self._access_token:
                await self._take_token(home, self._access_token)
            elif self._password:
                await self._take_password(home, self._password)
        except (Unreachable, SendRejected) as error:
            raise LoggedOut(
                f"The homeserver refuses to log in {self._login}: check user name and"
                f" password. {error}"
            ) from error

    async def _take_token(self, home: Homeserver, token: str) -> None:
        home.resume(Session(self._url, self._login, "", "", token))
        owner = await home.whoami()
        if self._login not in {owner.user_id, owner.user_id[1:].partition(":")[0]}:
            raise LoggedOut(
                f"The access token belongs to {owner.user_id}, the configured user is"
                f" {self._login}."
            )
        device_id = owner.device_id or ""
        home.resume(Session(self._url, self._login, owner.user_id, device_id, token))

    async def _take_password(self, home: Homeserver, password: str) -> None:
        kept = load_session(self._store_dir, self._url, self._login)
        if kept is not None:
            home.resume(kept)
            try:
                await home.whoami()
            except LoggedOut:
                log.warning("matrix_session_ended", user_id=kept.user_id)
            else:
                return
        # The same device again where there was one: transaction ids belong to a device.
        device_id = None if kept is None else kept.device_id
        session = Session(
            self._url, self._login, *await home.log_in(password, self._device_name, device_id)
        )
        save_session(self._store_dir, session)
        home.resume(session)

    async def _read(self, home: Homeserver, invitations: Invitations, hear: Hear) -> NoReturn:
        listener = Listener(self.network, home, self._rooms, self._origins, invitations)
        patience = Patience(self.network, LoggedOut, pause_s_max=self._pause_s_max)
        since: str | None = None
        first = True

        async def sync() -> None:
            nonlocal since, first
            if first:
                since = await self._load_since(home)
            since = await self._read_once(home, listener, invitations, hear, since, first=first)
            first = False

        while True:
            if await patience.bears(sync) and not listener.is_waiting:
                self._caught_up.set()

    async def _read_once(
        self,
        home: Homeserver,
        listener: Listener,
        invitations: Invitations,
        hear: Hear,
        since: str | None,
        *,
        first: bool,
    ) -> str:
        answer = await home.sync(since, full_state=first, wait_s=self._poll_s)
        if home.encryption is not None:
            await home.encryption.take(answer)
        invitations.accept(answer.rooms.invite)
        events = await listener.events(answer, since)
        if listener.is_waiting:
            # The place in the stream stays before a message whose key has not come: after a crash
            # it is read again.
            await hear(events)
        elif events or answer.next_batch != since:
            await hear(events, Cursor(self.network, f"{home.user_id} {answer.next_batch}"))
        return answer.next_batch

    async def _load_since(self, home: Homeserver) -> str | None:
        """Where reading stopped, unless that was under another account."""
        user_id, _, since = (await self._cursors.load_cursor(self.network) or "").partition(" ")
        return since if since and user_id == home.user_id else None
