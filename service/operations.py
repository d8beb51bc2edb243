"""Everything that an edge can ask for: one line a feature."""

from service.alarms.operations import AlarmOperations
from service.approvals.operations import ApprovalOperations
from service.archive.operations import ArchiveOperations
from service.campaigns.operations import CampaignOperations
from service.consent.operations import ConsentOperations
from service.deletion.operations import DeletionOperations
from service.disclosure.operations import DisclosureOperations
from service.gate.operations import GateOperations
from service.guardians.operations import GuardianOperations
from service.inbound.operations import InboundOperations
from service.inspection.operations import InspectionOperations
from service.notices.operations import NoticeOperations
from service.oversight.operations import OversightOperations
from service.personalisation.operations import PersonalisationOperations
from service.propagation.operations import PropagationOperations
from service.receipts.operations import ReceiptOperations
from service.senders.operations import SenderOperations
from service.subscriptions.operations import SubscriptionOperations
from service.tally.operations import TallyOperations


class Operations(
    InspectionOperations,
    OversightOperations,
    InboundOperations,
    SenderOperations,
    GateOperations,
    CampaignOperations,
    GuardianOperations,
    DisclosureOperations,
    ReceiptOperations,
    PersonalisationOperations,
    DeletionOperations,
    SubscriptionOperations,
    ConsentOperations,
    PropagationOperations,
    NoticeOperations,
    ArchiveOperations,
    AlarmOperations,
    TallyOperations,
    ApprovalOperations,
):
    """All operations of all features, over one `Units`."""
