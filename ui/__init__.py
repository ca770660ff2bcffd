"""The user interfaces: the `abstractqa` command and the web page."""
