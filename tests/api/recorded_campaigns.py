"""What has to have happened before the calls of `recorded_cases.py` that are about campaigns."""

from service.app import Parts
from tests.api.recorded import Ask, Given
from tests.service.campaigns import desk


async def drafted(running: Parts, ask: Ask, _given: Given) -> Given:
    """A template and a draft of it, and others of both to write."""
    template = await desk.a_template(ask)
    draft = await desk.answer(ask, desk.CREATE, content=desk.content(running, template))
    return {
        "template": template,
        "campaign": draft["campaignId"],
        "digest": draft["digest"],
        "words": desk.words(title="冬季新品"),
        "content": desk.content(running, template, title="冬季上新"),
    }


async def submitted(running: Parts, ask: Ask, given: Given) -> Given:
    """The draft waits for its review."""
    found = await drafted(running, ask, given)
    await desk.answer(ask, desk.SUBMIT, id=found["campaign"])
    return found
