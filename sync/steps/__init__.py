"""The steps of the journey that `run` strings together: intake, enriching, deciding, writing."""
