"""Getting data sets ready: say what is missing, download, unpack, convert, verify, write down.

Every step leaves whole files or none, and skips what is there, so that a killed run goes on and a
second run does nothing. ``scripts/prepare.py`` is the command.
"""
