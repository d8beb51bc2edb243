"""What policies/lint.py objects to in a template of ours."""

from policies import lint
from policies.lint import Objection
from policies.terms import Catalogue
from service.campaigns.model import TemplateBody, TemplateKind


def objections(catalogue: Catalogue, body: TemplateBody) -> tuple[Objection, ...]:
    """Everything that speaks against these words. None where the sender is not registered: that is refused before (`rules`)."""
    sender = catalogue.senders.get(body.sender)
    if sender is None:
        return ()
    brand = next((brand for brand in catalogue.controller.brands if brand.key == sender.brand), None)
    words = lint.Words(
        message_class=body.message_class,
        channel=body.channel,
        text=body.text,
        subject=body.subject,
        html=body.html,
        variables=body.variables,
        long_term=body.kind is TemplateKind.LONG_TERM,
    )
    return lint.objections(words, sender, brand, catalogue.controller, catalogue.wording)
