"""The ways in: the command and the web page."""
