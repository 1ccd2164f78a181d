"""What every store guarantees, written once and run on each database."""

import pytest

pytest.register_assert_rewrite(
    *(
        f"tests.contract.{name}"
        for name in (
            "audit",
            "base",
            "callers",
            "catalogue",
            "deleted",
            "filters",
            "lists",
            "people",
            "references",
            "resources",
            "sorting",
            "timed",
            "validity",
            "varying",
        )
    )
)
