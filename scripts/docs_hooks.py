"""Checks of the built documentation: every public name is in the reference, and no page needs the network."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

#: What a browser fetches by itself to show a page; links that a reader may follow are no fault.
_FETCHED = re.compile(
    r"<(?:script|img|iframe|source)\b[^>]*\bsrc=[\"']?(?:https?:)?//[^\s\"'>]+"
    r"|<link\b(?![^>]*\brel=[\"']?canonical)[^>]*\bhref=[\"']?(?:https?:)?//[^\s\"'>]+"
)
_IMPORTED = re.compile(r"(?:@import\s+|url\()[\"']?(?:https?:)?//[^\s\"')]+")


def on_page_content(html: str, **_: Any) -> str:
    """Undo that the type ``path-like`` is read as a subtraction."""
    return html.replace("path - like", "path-like")


def on_post_build(config: Any, **_: Any) -> None:
    """Stop the build if a page would fetch something from elsewhere or the reference has a gap."""
    from mkdocs.exceptions import PluginError

    site = Path(config["site_dir"])
    faults = []
    for suffix, pattern in ((".html", _FETCHED), (".css", _IMPORTED)):
        for file in sorted(site.rglob(f"*{suffix}")):
            found = pattern.findall(file.read_text(encoding="utf-8"))
            faults += [f"{file.relative_to(site)} fetches {piece[:120]}" for piece in found]
    told = "".join(file.read_text(encoding="utf-8") for file in sorted((site / "reference").glob("*.html")))
    faults += [
        f"incidentml.{name} is not in the reference" for name in _public() if f'id="incidentml.{name}"' not in told
    ]
    if faults:
        raise PluginError("\n".join(faults))


def _public() -> list[str]:
    from incidentml import __all__

    return [name for name in __all__ if not name.startswith("__")]
