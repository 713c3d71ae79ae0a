"""Tables of catalogues. Instants are microseconds since the epoch (`…_at_us`)."""

import sqlalchemy as sa

from wallet_core.storage.database import metadata

_BIG = sa.BigInteger()
_NAMED = sa.String(500)
#: Names of items and pages are digests: hex, so that every collation sorts them alike.
_DIGEST = sa.String(32)

catalogue_sources = sa.Table(
    "catalogue_sources",
    metadata,
    # Made from the merchant and the address.
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("merchant_id", sa.String(40), nullable=False, index=True),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("kind", sa.String(20)),
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("reading", sa.Integer, nullable=False),
    # Up to which key of the staged items the approved reading was taken over.
    sa.Column("taken_to", _DIGEST, nullable=False),
    sa.Column("due_at_us", _BIG),
    sa.Column("loud", sa.Boolean, nullable=False),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("error", sa.Text),
    sa.Column("read_at_us", _BIG),
    sa.Column("item_count", sa.Integer, nullable=False),
    sa.Column("validators", sa.Text),
    sa.Column("network", sa.String(20), nullable=False),
    sa.Column("room_id", _NAMED, nullable=False),
    sa.Column("network_person_id", _NAMED, nullable=False),
    sa.Column("created_at_us", _BIG, nullable=False),
    # Who works on it until when; the fence rises with each claim, and only its holder writes.
    sa.Column("claimed_until_us", _BIG),
    sa.Column("fence", sa.Integer, nullable=False),
    sa.Index("ix_catalogue_sources_due", "due_at_us"),
)

catalogue_items = sa.Table(
    "catalogue_items",
    metadata,
    sa.Column("source_id", sa.String(40), primary_key=True),
    sa.Column("key", _DIGEST, primary_key=True),
    sa.Column("merchant_id", sa.String(40), nullable=False),
    # Digests of what identifies its own address, and its product's page.
    sa.Column("name", _DIGEST, nullable=False),
    sa.Column("page", _DIGEST, nullable=False),
    sa.Column("listed", sa.Boolean, nullable=False),
    # wallet_core.commerce.catalogue.CatalogueItem as JSON.
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("changed_at_us", _BIG, nullable=False),
    sa.Index("ix_catalogue_items_name", "merchant_id", "name"),
    sa.Index("ix_catalogue_items_page", "merchant_id", "page"),
)

# What the newest reading of a source found, until it is taken over.
catalogue_staged = sa.Table(
    "catalogue_staged",
    metadata,
    sa.Column("source_id", sa.String(40), primary_key=True),
    sa.Column("key", _DIGEST, primary_key=True),
    sa.Column("body", sa.LargeBinary, nullable=False),
)
