"""Money. Knows no network, no chat and no HTML."""
