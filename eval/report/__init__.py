"""A run as people read it: one HTML file with its plots, and Markdown."""
