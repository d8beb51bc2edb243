"""The two ways in which something that came from outside is not to be believed."""


class Malformed(ValueError):
    """These bytes are not of the format that they claim. The one error of every parser here, whatever the bytes."""


class Forged(ValueError):
    """The bytes are of the format, and a signature under a key that we know does not fit, or one that must be there is missing."""
