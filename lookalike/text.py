"""Text that any XML document and any chat can carry."""

import re
from typing import Final

# Controls, and what the `Char` production of XML 1.0 (section 2.2) leaves out.
_FORBIDDEN: Final = re.compile(r"[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def printable(text: str, replacement: str = "") -> str:
    """`text` with `replacement` for controls, lone surrogates and whatever XML 1.0 forbids."""
    return _FORBIDDEN.sub(replacement, text)
