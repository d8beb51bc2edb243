"""What a resolver can reach: who is calling, the operations, the policy. No session, no vault: those belong to one unit each."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from graphql import GraphQLResolveInfo
from strawberry import Info as StrawberryInfo

from policies.terms import Catalogue
from schema.engine.documents import Operation
from service.errors import Unauthenticated
from service.operations import Operations
from service.values import Call


@dataclass(slots=True)
class Context:
    """One request's context. `signed` is None where no token was sent: then only public fields can be answered. `public_url` is where
    this service is reached from outside, "" where nothing says so: links are then relative.
    """

    signed: Call | None
    ops: Operations
    catalogue: Catalogue
    request_id: str
    now: datetime
    operation: Operation
    public_url: str = ""

    @property
    def call(self) -> Call:
        """The signed-in call. Raises Unauthenticated without one."""
        if self.signed is None:
            raise Unauthenticated
        return self.signed


class Info(StrawberryInfo[Context, Any]):
    """What every resolver here is given: strawberry's info, with graphql-core's own in the open."""

    @property
    def raw(self) -> GraphQLResolveInfo[Context]:
        """graphql-core's info: nodes, fragments, variables."""
        return self._raw_info
