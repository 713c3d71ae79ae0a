"""Which tables an audit checks, and which it does not because no money stands in them.

A table that is in neither list fails a test: whoever adds one has to say which it is.
"""

from collections.abc import Mapping

#: Tables that say that money moved, is held, is owed or was agreed on: the audit reads every row.
CHECKED = (
    "accounts",
    "attempts",
    "chains",
    "commits",
    "consented_payments",
    "conversions",
    "entries",
    "funding_requests",
    "holds",
    "journal",
    "liability_leaves",
    "liability_nodes",
    "liability_statements",
    "orders",
    "quotes",
    "settlements",
    "transfers",
)

#: The others, with what they hold instead.
NO_MONEY: Mapping[str, str] = {
    "catalogue_items": "prices that a merchant asks; what is bought has its quote",
    "catalogue_sources": "where catalogues are read",
    "catalogue_staged": "the same prices before they are taken over",
    "checkpoints": "where chains stood; `payontap audit --checkpoint` compares them",
    "conversion_consents": "how much a payer lets taps convert unasked",
    "cursors": "up to where networks were heard",
    "identities": "who is who on the networks",
    "inbox": "what was heard",
    "limit_groups": "which wallets count together; what they spent is counted by their accounts",
    "link_homes": "who brought what into a joined person",
    "link_requests": "codes that join people",
    "merchant_hosts": "proofs of hosts",
    "merchant_members": "who acts for a shop",
    "merchants": "shops, and what the house takes of them from now on",
    "offers": "what is sold, and how many of it",
    "one_time_tokens": "tokens that are used once",
    "outbox": "what is to be said",
    "payees": "since when a wallet knows those it pays",
    "person_groups": "people who were ever joined",
    "persons": "people",
    "pictures": "pictures",
    "wallet_changes": "a counter",
    "wallets": "whose a wallet is, its mode, its limits and its fence",
    "web_edits": "the web chat",
    "web_messages": "the web chat",
    "web_people": "the web chat",
    "web_rooms": "the web chat",
}
