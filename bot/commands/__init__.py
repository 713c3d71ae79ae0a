"""Commands, one file a topic; declared once, they work in every network."""
