"""The web interface: a Gradio page, and endpoints for programs over HTTP and MCP."""
