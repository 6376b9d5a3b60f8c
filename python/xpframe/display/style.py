"""The style sheet of all displays, in colours of the page around them, and the colours of states."""

from __future__ import annotations

__all__ = ["COLOURS", "STYLE", "SYMBOLS", "panel"]

# in the order of a state bar; white text has a contrast of 4.5 on each, and each has one of 3 on black
COLOURS = {
    "done": "#278352",
    "error": "#d6382a",
    "running": "#2675c2",
    "scheduled": "#247e90",
    "ready": "#707b18",
    "waiting": "#8e6e15",
    "unscheduled": "#936b50",
    "lost": "#8d5dc0",
    "transient": "#6a7480",
}
# each state has a sign and a word too, never a colour alone
SYMBOLS = {
    "done": "✓",
    "error": "✗",
    "running": "▸",
    "scheduled": "▹",
    "ready": "○",
    "waiting": "…",
    "unscheduled": "·",
    "lost": "?",
    "transient": "~",
}

_STATES = "".join(f".xpf .s-{state}{{background:{colour}}}" for state, colour in COLOURS.items())

# repeating .xpf outweighs the rules of the page for tables and lists, without !important
STYLE = (
    """<style>
.xpf{--soft:color-mix(in srgb,currentColor 66%,transparent);
--line:color-mix(in srgb,currentColor 16%,transparent);
--wash:color-mix(in srgb,currentColor 6%,transparent);
--name:color-mix(in srgb,#2f83d6 72%,currentColor);
--value:color-mix(in srgb,#2f9e63 66%,currentColor);--warn:color-mix(in srgb,#d9483b 78%,currentColor);
--mono:var(--jp-code-font-family,var(--vscode-editor-font-family,ui-monospace,Menlo,Consolas,monospace));
--sans:var(--jp-ui-font-family,var(--vscode-font-family,system-ui,sans-serif));
font:13px/1.5 var(--sans);color:inherit;max-width:68em;overflow-wrap:break-word;overflow-x:auto}
@media print{.xpf{overflow:visible}}
.xpf .id{white-space:nowrap}
.xpf .pc{display:inline-block;max-width:100%}
.xpf .path{display:inline-block;max-width:100%;overflow-x:auto;text-overflow:ellipsis;white-space:nowrap;
vertical-align:bottom}
.xpf .h{display:flex;flex-wrap:wrap;align-items:baseline;gap:2px 10px;margin:2px 0 0}
.xpf .h b{font-size:16px}
.xpf .o,.xpf .n,.xpf .m,.xpf .w,.xpf .a{color:var(--soft)}
.xpf .o{font-size:12px;margin:0 0 6px}
.xpf .l{border:1px solid var(--line);border-radius:9px;padding:0 8px;font-size:12px;white-space:nowrap}
.xpf .dot{display:inline-block;width:8px;height:8px;border-radius:50%;margin-right:5px}
.xpf .bar{display:flex;gap:2px;height:8px;margin:6px 0 4px;border-radius:4px;overflow:hidden;
background:var(--wash)}
.xpf .bar span{min-width:3px}
.xpf table .bar{margin:5px 0;min-width:90px;width:100%}
.xpf .legend{display:flex;flex-wrap:wrap;gap:0 14px;font-size:12px;margin:0 0 4px}
.xpf.xpf.xpf table{border-collapse:collapse;border:0;margin:8px 0 4px;font-size:12px;
width:auto;table-layout:auto;color:inherit}
.xpf.xpf.xpf tr{background:none;border:0;border-top:1px solid var(--line)}
.xpf.xpf.xpf thead tr,.xpf.xpf.xpf tr:first-child{border-top:0}
.xpf.xpf.xpf tbody tr:first-child{border-top:1px solid var(--line)}
.xpf.xpf.xpf :is(th,td){text-align:left;vertical-align:top;padding:3px 18px 3px 0;border:0;
max-width:44em;white-space:normal;background:none;color:inherit;line-height:1.5}
.xpf.xpf.xpf thead th{font-weight:600;color:var(--soft);font-size:11px}
.xpf.xpf.xpf tbody th{font-weight:400}
.xpf.xpf.xpf td:is(.m,.n){color:var(--soft)}
.xpf.xpf.xpf :is(td,th).num{text-align:right;font-variant-numeric:tabular-nums}
.xpf code,.xpf .k,.xpf .v,.xpf .t,.xpf .d,.xpf .w,.xpf pre{font-family:var(--mono);font-size:12px}
.xpf.xpf.xpf code{background:none;padding:0;color:inherit}
.xpf .k{color:var(--name)}.xpf li .k{margin-right:4px}.xpf .v{color:var(--value)}.xpf .t{font-weight:600}
.xpf .d,.xpf .e{color:var(--warn)}
.xpf .t i{font-style:normal;font-weight:400;color:var(--soft)}
.xpf .n{font-size:12px}
.xpf .c{display:inline-block;background:var(--wash);border-radius:4px;padding:0 6px;
margin:0 5px 2px 0;font-family:var(--mono)}
.xpf .c small{color:var(--soft);font-size:11px;margin-left:5px;font-family:var(--sans)}
.xpf.xpf.xpf ul{list-style:none;margin:0 0 0 5px;padding:0 0 0 14px;border-left:1px solid var(--line)}
.xpf.xpf.xpf li{margin:0;padding:0;position:relative;line-height:1.6;list-style:none}
.xpf details{position:relative;margin:0}
.xpf summary{cursor:pointer;list-style:none;display:block;margin:0;padding:0}
.xpf summary::-webkit-details-marker{display:none}
.xpf summary::before{content:"▸";display:inline-block;width:14px;margin-left:-14px;color:var(--soft)}
.xpf details[open]>summary::before{content:"▾"}
.xpf>details{margin-left:14px}
.xpf>details>ul{margin-left:-9px}
.xpf summary:hover,.xpf .r:hover{background:var(--wash)}
.xpf summary:focus-visible{outline:1px solid var(--name)}
.xpf .w{display:inline;margin-left:8px}
.xpf details[open]>summary .w{display:none}
.xpf .p{display:none;position:absolute;right:0;top:0;user-select:all;color:var(--soft);max-width:60%}
.xpf.xpf.xpf .p{background:var(--jp-layout-color0,var(--vscode-editor-background,Canvas));padding:0 4px}
.xpf li:hover>.p,.xpf details:hover>.p{display:block}
.xpf li:has(li:hover)>details>.p,.xpf details:has(ul:hover)>.p{display:none}
.xpf .a code{user-select:all}
.xpf pre{margin:2px 0 4px;padding:6px 8px;max-height:22em;overflow:auto;background:var(--wash);color:inherit;
white-space:pre;border-radius:4px}
"""
    + _STATES
    + "</style>"
)


def panel(content: str) -> str:
    """A display: the style sheet and its content."""
    return f'{STYLE}<div class="xpf">{content}</div>'
