"""What `benchmarks.ledger` measures: ours, the peers, and the machine that they share."""
