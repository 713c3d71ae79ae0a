"""Whole instances in simulated time, where everything goes wrong that can; see `running`."""
