"""What `benchmarks.conversation` measures: the bot, the peers, and the network that both speak."""
