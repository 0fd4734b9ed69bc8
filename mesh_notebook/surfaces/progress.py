"""What takes its time says what it is doing, in one line that goes away again."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["Progress"]


@dataclass
class Progress:
    """One line of progress: under the cell in a notebook, on stderr in a terminal."""

    shell: InteractiveShell
    handle: Any = field(default=None, init=False)

    def __call__(self, step: str) -> None:
        if getattr(self.shell, "kernel", None) is None:
            if sys.stderr.isatty():
                sys.stderr.write(f"\r\x1b[K{step} …")
                sys.stderr.flush()
            return
        if self.handle is None:
            from IPython import display as front

            show: Any = front.display  # untyped
            # It begins and ends empty, so that a saved notebook holds no trace of it.
            self.handle = show(_said(""), raw=True, display_id=True)
        self.handle.update(_said(f"{step} …"), raw=True)

    def done(self) -> None:
        """Take the line away; the next step begins a new one."""
        if self.handle is not None:
            self.handle.update(_said(""), raw=True)
            self.handle = None
        elif getattr(self.shell, "kernel", None) is None and sys.stderr.isatty():
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def _said(text: str) -> dict[str, str]:
    return {"text/plain": text}
