"""The report: all records of a folder as one HTML page that needs neither server nor network."""
