"""Conversations: what is heard, what is said, and in which network."""
