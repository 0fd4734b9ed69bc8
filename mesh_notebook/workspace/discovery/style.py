"""How the card looks: the notebook's own colours where there are any, else light or dark ones."""

from __future__ import annotations

__all__ = ["CARD_CSS", "PAGE_CSS"]

# Each colour is the theme's (JupyterLab's, then VS Code's), then the page's, then a light one; what
# lies under text is translucent, so that it is right on any ground.
_COLOURS = {
    "ink": ("--jp-content-font-color1", "--vscode-editor-foreground", "#1f2328"),
    "faint": ("--jp-content-font-color2", "--vscode-descriptionForeground", "#656d76"),
    "line": ("--jp-border-color2", "--vscode-panel-border", "#7f8ca055"),
    "soft": ("--jp-layout-color2", "--vscode-textCodeBlock-background", "#7f8ca022"),
    "brand": ("--jp-brand-color1", "--vscode-textLink-foreground", "#2563c9"),
    "good": ("--jp-success-color1", "--vscode-testing-iconPassed", "#1a7f37"),
    "warn": ("--jp-warn-color1", "--vscode-editorWarning-foreground", "#9a6700"),
    "bad": ("--jp-error-color1", "--vscode-errorForeground", "#cf222e"),
}
_DARK = {
    "ink": "#e6e8eb",
    "faint": "#9aa4b0",
    "line": "#373e47",
    "soft": "#22282f",
    "brand": "#6ea8fe",
    "good": "#57c46f",
    "warn": "#dba642",
    "bad": "#ff7b72",
}


def _colour(name: str) -> str:
    jupyter, vscode, light = _COLOURS[name]
    return f"--{name}:var({jupyter},var({vscode},var(--page-{name},{light})))"


# The class twice: else JupyterLab's own rules for tables, lists and code weigh more.
CARD_CSS = (
    f".mesh-card{{{';'.join(map(_colour, _COLOURS))};"
    """color:var(--ink);max-width:60em;font-size:14px;line-height:1.45;
font-family:var(--jp-content-font-family,system-ui,-apple-system,"Segoe UI",sans-serif);
border:1px solid var(--line);border-top:3px solid var(--brand);border-radius:8px;
padding:16px 22px 18px;margin:4px 0;overflow-x:auto}
.mesh-card.mesh-card h2{font-size:1.5em;font-weight:650;margin:0;line-height:1.3}
.mesh-card.mesh-card h3{font-size:1.12em;font-weight:650;margin:0 0 8px;line-height:1.3}
.mesh-card.mesh-card h3 .mesh-faint{font-weight:400;margin-left:8px}
.mesh-card.mesh-card h4{font-size:.85em;font-weight:400;margin:0 0 6px;color:var(--faint)}
.mesh-card.mesh-card section{border-top:1px solid var(--line);margin-top:18px;padding-top:14px}
.mesh-card.mesh-card p{margin:0 0 8px}
.mesh-card.mesh-card header p:last-child{margin:8px 0 0}
.mesh-card.mesh-card .mesh-purpose{font-size:1.08em;margin:4px 0 12px}
.mesh-card.mesh-card .mesh-faint{color:var(--faint);font-size:.9em}
.mesh-card.mesh-card code,.mesh-card.mesh-card pre{
font-family:var(--jp-code-font-family,ui-monospace,Menlo,monospace);
font-size:.9em;background:none;color:inherit;padding:0;overflow-wrap:anywhere}
.mesh-card.mesh-card a{color:var(--brand)}
.mesh-card.mesh-card dl{display:flex;flex-wrap:wrap;gap:8px 28px;margin:0 0 10px;
width:auto;float:none;overflow:visible}
.mesh-card.mesh-card dt{color:var(--faint);font-size:.85em;font-weight:400;margin:0;padding:0;
float:none;width:auto}
.mesh-card.mesh-card dd{margin:0;padding:0;float:none;width:auto}
.mesh-card.mesh-card table{border-collapse:collapse;width:100%;margin:6px 0 4px;font-size:1em;
border:none;table-layout:auto}
.mesh-card.mesh-card th{color:var(--faint);font-weight:400;font-size:.85em;text-align:left;
padding:3px 18px 3px 0;border:none;border-bottom:1px solid var(--line);background:none}
.mesh-card.mesh-card td{text-align:left;vertical-align:top;padding:7px 18px 7px 0;border:none;
border-bottom:1px solid var(--line);background:none;white-space:normal;max-width:26em}
.mesh-card.mesh-card td:first-child{min-width:10.5em}
.mesh-card.mesh-card tbody tr:nth-child(n){background:none}
.mesh-card.mesh-card table+table,.mesh-card.mesh-card table+.mesh-lines{margin-top:16px}
.mesh-card.mesh-card tbody tr:last-child td{border-bottom:none}
.mesh-card.mesh-card td:last-child,.mesh-card.mesh-card th:last-child{padding-right:0}
.mesh-badge{display:inline-block;font-size:11px;font-weight:600;line-height:16px;padding:0 7px;
margin-left:6px;border:1px solid currentColor;border-radius:9px;vertical-align:2px;
white-space:nowrap}
.mesh-card.mesh-card td .mesh-badge:first-child{margin-left:0}
.mesh-good{color:var(--good)}.mesh-warn{color:var(--warn)}.mesh-bad{color:var(--bad)}
.mesh-plain{color:var(--faint)}
.mesh-mode{display:inline-block;background:var(--soft);border-radius:4px;padding:0 7px;
margin-right:2px;font-size:.9em}
.mesh-picture{color:var(--brand);display:inline-block;vertical-align:top;overflow:visible}
.mesh-picture text{fill:var(--ink);font-size:11px;font-family:inherit}
.mesh-picture .mesh-share{fill:var(--faint)}
.mesh-picture .mesh-median{fill:var(--ink)}
.mesh-card.mesh-card .mesh-flow{display:flex;gap:18px;align-items:center;flex-wrap:wrap}
.mesh-card.mesh-card .mesh-flow ul{list-style:none;margin:0;padding:0}
.mesh-card.mesh-card .mesh-flow li{margin:0 0 6px;padding:0;overflow-wrap:anywhere;max-width:24em}
.mesh-card.mesh-card .mesh-policies{border-left:3px solid var(--line);padding:0 0 1px 12px;
margin:0 0 12px}
.mesh-card.mesh-card .mesh-policies h4{margin:0 0 2px}
.mesh-card.mesh-card .mesh-policies ul{list-style:none;margin:0;padding:0}
.mesh-card.mesh-card .mesh-policies li{margin:0 0 2px;padding:0;overflow-wrap:anywhere}
.mesh-arrow{color:var(--faint);font-size:1.4em}
.mesh-self{border:1px solid var(--brand);border-radius:6px;padding:6px 12px;font-weight:600}
.mesh-lines{display:flex;flex-wrap:wrap;gap:8px 14px;margin-top:4px}
.mesh-card.mesh-card pre{background:var(--soft);border-radius:5px;padding:5px 10px;margin:2px 0 0;
white-space:pre-wrap}"""
)

PAGE_CSS = (
    ":root{color-scheme:light dark}body{margin:0;padding:24px 16px;background:#fff;display:flex;"
    "justify-content:center}.mesh-card{width:100%;box-sizing:border-box}"
    "@media(prefers-color-scheme:dark){body{background:#14181d}:root{"
    + ";".join(f"--page-{name}:{value}" for name, value in _DARK.items())
    + "}}"
)
