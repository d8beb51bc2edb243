"""Everything that an edge can ask for: one line a feature."""

from service.consent.operations import ConsentOperations
from service.disclosure.operations import DisclosureOperations


class Operations(DisclosureOperations, ConsentOperations):
    """All operations of all features, over one `Units`."""
