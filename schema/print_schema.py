"""`python -m schema.print_schema` writes the contract into schema/schema.graphql; a test compares, so no change goes unseen."""

from pathlib import Path

from graphql import build_schema, lexicographic_sort_schema, print_schema

from schema.root import schema

FILE = Path(__file__).with_name("schema.graphql")


def text() -> str:
    """The schema as SDL, sorted, with every description."""
    return print_schema(lexicographic_sort_schema(build_schema(schema.as_str()))) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
