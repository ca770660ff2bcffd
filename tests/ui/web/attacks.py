"""What a page of another origin tries: scripts that run in it, and the addresses they ask."""

from browsing import script

LIST_CONVERSATIONS, TRY_ALL = script("list_conversations"), script("try_all")
ASKED_FOR = ("/config", "/gradio_api/queue/join", "/gradio_api/queue/data?session_hash=foreign")
POSTED = "api/ask api/papers mcp login gradio_api/queue/join gradio_api/upload"
ROUTES = [("GET", f"/{path}") for path in ("config", "logout", "api/openapi.json")]
ROUTES += [("POST", f"/{path}") for path in POSTED.split()]
