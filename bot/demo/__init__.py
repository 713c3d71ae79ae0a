"""A small shop to try the bot with: ordinary product pages on a port of its own."""
