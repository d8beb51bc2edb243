"""Parts joined so that they cannot be taken for other parts: each behind its length (docs/formats/sealed-field.md,
"Conventions").
"""

from typing import Final

from service.errors import BadInput

LONGEST: Final = 0xFFFF


def framed(*parts: bytes) -> bytes:
    """Each part behind its length in two bytes. Raises BadInput for a part of more than 65,535."""
    if any(len(part) > LONGEST for part in parts):
        raise BadInput(f"longer than {LONGEST:,} bytes")
    return b"".join([len(part).to_bytes(2, "big") + part for part in parts])


def framed_text(text: str) -> bytes:
    """One text, in UTF-8, behind its length. Raises BadInput, also for text that UTF-8 cannot write."""
    part = utf8(text)
    if len(part) > LONGEST:
        raise BadInput(f"longer than {LONGEST:,} bytes")
    return len(part).to_bytes(2, "big") + part


def framed_generation(generation: int) -> bytes:
    """A generation in four bytes, behind its length. Raises OverflowError below 0 and above 2^32 - 1."""
    return b"\x00\x04" + generation.to_bytes(4, "big")


def utf8(text: str) -> bytes:
    """UTF-8. Raises BadInput for a lone surrogate: Python's own error would quote the text."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        pass
    # Outside the handler, so that the error with the text in it does not travel along as the context of ours.
    raise BadInput("not a Unicode text")
