"""What the tables are made of: their metadata, and the types of their columns."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

metadata = sa.MetaData()

Record = Any
"""A row of a query, with its columns as attributes."""

Key = sa.String().with_variant(sa.String(collation="C"), "postgresql")
"""Text that is compared byte by byte on both databases."""
Json = sa.Text().with_variant(JSONB(none_as_null=True), "postgresql")
"""A JSON value to search in; read and written as text."""
