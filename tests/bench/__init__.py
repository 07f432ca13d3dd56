"""Measurements, run by ``make bench``: ratios within one run, on the same bytes."""
