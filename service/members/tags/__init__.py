"""A member's tags: words of the closed vocabulary, where each came from, and which the member does not want back (AD-02, AD-06)."""
