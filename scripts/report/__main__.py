"""The report of a network as one HTML page: ``make report``."""

from common import cli
from scripts.report.html import parser, run

if __name__ == "__main__":
    cli.main(run, parser())
