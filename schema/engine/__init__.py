"""How a document is executed: parsed once, its wishes worked out once, plain fields read without a detour."""
