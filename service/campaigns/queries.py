"""Campaigns as the gate reads them."""

from policies.terms import Catalogue
from service.campaigns.model import Campaign, Template


def compliant(catalogue: Catalogue, campaign: Campaign, template: Template) -> bool:
    """Whether the template goes out over its campaign's channel, in the name of a registered sender of its brand and class (SMS-05)."""
    content, body = campaign.content, template.body
    sender = catalogue.senders.get(body.sender)
    if sender is None or body.channel != content.channel:
        return False
    return (sender.channel, sender.brand) == (content.channel, content.brand) and body.message_class in sender.classes
