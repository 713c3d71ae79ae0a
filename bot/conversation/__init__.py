"""Event, intent, answer: what the bot makes of what it heard."""
