"""Money in and money out: one file a provider."""
