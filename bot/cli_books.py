"""The commands about the books: audits, explanations, receipts, proofs, backups."""

import re
import sys
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from bot import event_loop
from bot.cli_ground import ConfigFile, plainly, require_text, say, settings_of
from wallet_core.errors import PayontapError

T = TypeVar("T")

KnownKey = Annotated[
    str | None,
    typer.Option("--key", metavar="PUBLIC", help="The instance's public key (payontap keys)."),
]

_SIGNED = re.compile(r"eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_BRACES = re.compile(r"\{.*\}", re.DOTALL)


class UnreadableFile(PayontapError):
    """A file that was named cannot be read."""


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command()(audit)
    app.command()(checkpoint)
    app.command()(explain)
    app.command()(keys)
    app.command()(verify_receipt)
    app.command()(prove)
    app.command()(verify_proof)
    app.command()(backup)
    app.command()(restore)


def audit(
    checkpoint: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Signed checkpoints that must still hold."),
    ] = None,
    key: KnownKey = None,
    config: ConfigFile = None,
) -> None:
    """Derive every balance and hash anew; exit status 1 where the books are wrong."""
    from bot import bookkeeping  # noqa: PLC0415 - other commands need no database
    from wallet_core.audit.signing import PublicKey  # noqa: PLC0415 - same

    with plainly():
        known = PublicKey.of_text(key) if key is not None else None
        found = bookkeeping.audit(settings_of(config), say, checkpoint, known)
        right = event_loop.run(found)
    raise typer.Exit(0 if right else 1)


def checkpoint(
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Add it to this file instead of printing.")
    ] = None,
    config: ConfigFile = None,
) -> None:
    """Sign where the journal stands now, to be kept elsewhere."""
    from bot import bookkeeping  # noqa: PLC0415 - same

    with plainly():
        event_loop.run(bookkeeping.checkpoint(settings_of(config), out, say))


def explain(
    account: Annotated[
        str, typer.Argument(help="An account, or the id of a wallet, a person or a merchant.")
    ],
    config: ConfigFile = None,
) -> None:
    """Tell where each cent of an account came from."""
    from bot import bookkeeping  # noqa: PLC0415 - same

    with plainly():
        require_text(account)
        found = event_loop.run(bookkeeping.explain(settings_of(config), account, say))
    if not found:
        typer.echo(f"payontap: No account of {account} has ever had an entry.", err=True)
        raise typer.Exit(2)


def keys(config: ConfigFile = None) -> None:
    """Show the public key with which receipts and proofs are checked."""
    from bot import bookkeeping  # noqa: PLC0415 - same

    with plainly():
        public = bookkeeping.public_key(settings_of(config))
        say(public.text)
    typer.echo(f"Ed25519, base64url; its RFC 7638 thumbprint is {public.id}.", err=True)


def verify_receipt(
    receipt: Annotated[
        str, typer.Argument(metavar="FILE-OR-TEXT", help="The receipt; - reads it.")
    ],
    key: KnownKey = None,
) -> None:
    """Check a receipt without any database, and say what it proves; exit status 1 if nothing."""
    from wallet_core.audit.receipts import opened_receipt, receipt_words  # noqa: PLC0415 - same
    from wallet_core.audit.signing import NotProven, PublicKey  # noqa: PLC0415 - same

    with plainly():
        text = _content(receipt, may_be_text=True)
        signed = _SIGNED.search(text)
        try:
            known = PublicKey.of_text(key) if key is not None else None
            found, signer = opened_receipt(signed[0] if signed else text, known)
        except NotProven as error:
            say(f"It proves nothing. {error}")
            raise typer.Exit(1) from None
        for line in receipt_words(found, signer, key_is_known=known is not None):
            say(line)


def prove(
    out: Annotated[
        Path | None, typer.Option(help="The public file; otherwise one in the data folder.")
    ] = None,
    config: ConfigFile = None,
) -> None:
    """Publish what the instance owes: one signed Merkle sum tree for each currency."""
    from bot import bookkeeping  # noqa: PLC0415 - same

    with plainly():
        event_loop.run(bookkeeping.prove(settings_of(config), out, say))


def verify_proof(
    proof: Annotated[str, typer.Argument(metavar="FILE", help="What /proof gave; - reads it.")],
    root: Annotated[
        str | None, typer.Option(metavar="FILE", help="The public file of payontap prove.")
    ] = None,
    key: KnownKey = None,
) -> None:
    """Check that a balance is in the published total; exit status 1 if it is not."""
    from wallet_core.audit import liabilities  # noqa: PLC0415 - same
    from wallet_core.audit.signing import NotProven, PublicKey  # noqa: PLC0415 - same

    with plainly():
        text = _content(proof)
        public_text = _content(root) if root is not None else None
        braces = _BRACES.search(text)
        try:
            personal = _decoded(braces[0] if braces else text, liabilities.PersonalProof, "It")
            published = None
            if public_text is not None:
                published = _decoded(public_text, liabilities.RootFile, "The published file")
            known = PublicKey.of_text(key) if key is not None else None
            statement, signer = liabilities.checked_proof(personal, known, published)
        except NotProven as error:
            say(f"It proves nothing. {error}")
            raise typer.Exit(1) from None
        is_published = published is not None
        for line in liabilities.proof_words(personal, statement, signer, is_published=is_published):
            say(line)


def backup(
    target: Annotated[Path, typer.Argument(metavar="FILE", help="Must not be there yet.")],
    config: ConfigFile = None,
) -> None:
    """Write a backup of a running instance."""
    from bot import bookkeeping  # noqa: PLC0415 - same

    with plainly():
        bookkeeping.backup(settings_of(config), target, say)


def restore(
    source: Annotated[Path, typer.Argument(metavar="FILE", help="What payontap backup wrote.")],
    config: ConfigFile = None,
) -> None:
    """Fill an empty data folder from a backup, and audit it."""
    from bot import bookkeeping  # noqa: PLC0415 - same

    with plainly():
        right = event_loop.run(bookkeeping.restore(settings_of(config), source, say))
    raise typer.Exit(0 if right else 1)


def _content(named: str, *, may_be_text: bool = False) -> str:
    """What a file holds; `-` is standard input. Raises `UnreadableFile`."""
    if may_be_text and _SIGNED.search(named):
        return named
    try:
        raw = sys.stdin.buffer.read() if named == "-" else Path(named).read_bytes()
        return raw.decode("utf-8")
    except (OSError, ValueError) as error:
        what = "Standard input" if named == "-" else named[:80]
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise UnreadableFile(f"{what} cannot be read: {reason}.") from error


def _decoded(text: str, kind: type[T], what: str) -> T:
    """What a JSON text says. Raises `NotProven`, which says that `what` cannot be read."""
    import msgspec  # noqa: PLC0415 - other commands need none of it

    from wallet_core.audit.signing import NotProven  # noqa: PLC0415 - same

    try:
        return msgspec.json.decode(text, type=kind)
    except (msgspec.DecodeError, RecursionError) as error:
        raise NotProven(f"{what} cannot be read: {error}.") from error
