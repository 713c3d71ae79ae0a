"""Whole instances in simulated time, with everything that can go wrong going wrong; see `running`."""
