"""How the policy folder is read, strictly: one module a file, and the rules that no single file can show."""
