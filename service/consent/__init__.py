"""The consent ledger: what was asked, in which words, and how the member answered."""
