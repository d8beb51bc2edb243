"""The pack for a compliance audit (PIPL 54; docs/formats/audit-pack.md): rows without values, figures over them, and what is not held."""
