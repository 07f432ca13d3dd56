"""Set-up, and the keeping of the notebooks and of the recordings."""
