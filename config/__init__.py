"""Every setting of an instance: typed, explained, read once."""
