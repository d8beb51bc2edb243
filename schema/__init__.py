"""The GraphQL edge: translate, call one operation, translate back. It knows no database, no key and no policy of its own."""
