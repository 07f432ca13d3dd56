"""``python -m lab_server``."""

from lab_server.cli import main

main(prog_name="python -m lab_server")
