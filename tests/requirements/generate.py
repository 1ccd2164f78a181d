"""Writes docs/requirements.md and the list of open requirements: `python -m tests.requirements.generate`."""

from tests.requirements.papers import DOCUMENT, OPEN, document, listed, unproved


def main() -> None:
    """Write both files as the marks of the tests have them now."""
    OPEN.write_text(listed(unproved()), encoding="utf-8")
    DOCUMENT.write_text(document(), encoding="utf-8")


if __name__ == "__main__":
    main()
