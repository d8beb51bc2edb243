"""Our executor answers what graphql-core's own answers, for good values and for bad ones: same data, same errors, same paths."""

import asyncio
from datetime import date
from itertools import count
from types import SimpleNamespace
from typing import Annotated, Any

import pytest
import strawberry
from graphql import execute as graphql_execute
from graphql import parse, validate
from hypothesis import given, settings
from hypothesis import strategies as st

from schema.engine.documents import Documents
from schema.engine.execution import execute
from schema.http.limits import Limits


@strawberry.type
class Leafy:
    """Fields of every sort."""

    text: str | None
    must: str
    number: int | None
    day: date | None
    many: list[str] | None
    holes: list[str | None] | None

    @strawberry.field
    def counted(self, times: int = 1) -> int:
        return times

    @strawberry.field
    async def later(self) -> str:
        await asyncio.sleep(0)
        return "later"


@strawberry.type
class Other:
    """The other half of a union."""

    text: str | None


@strawberry.type
class Tree(Leafy):
    """Leaves, one object, a list of objects, a list with holes."""

    child: Leafy | None
    sure: Leafy
    children: list[Leafy] | None
    loose: list[Leafy | None] | None
    leaves: list[Leafy]
    grid: list[list[int | None]] | None
    either: Annotated[Leafy | Other, strawberry.union("Either")] | None


@strawberry.type
class Root:
    """The root: one tree, now or later."""

    @strawberry.field
    def tree(self, info: strawberry.Info) -> Tree | None:
        return info.context.tree

    @strawberry.field
    async def soon(self, info: strawberry.Info) -> Tree | None:
        await asyncio.sleep(0)
        return info.context.tree

    plain: str | None = None


forest = strawberry.Schema(Root)._schema
DOCUMENTS = Documents(forest, Limits(fields=100_000, repeats=100, aliases=1000, depth=50), production=False)


class Broken:
    """An attribute that is there and raises."""

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        raise RuntimeError("13800138000")


class Bad:
    text = Broken()
    must = "x"


values = st.sampled_from(["a", None, 7, 3.5, date(2026, 1, 2), (), ("a", "b"), ("a", None), [1], {}, object(), ValueError("x")])
leafy = st.builds(
    lambda **given: SimpleNamespace(**{name: value for name, value in given.items() if value != "missing"}),
    **{name: values | st.just("missing") for name in ("text", "must", "number", "day", "many", "holes")},
) | st.builds(Bad)


@st.composite
def trees(draw: st.DrawFn) -> Any:
    tree = draw(leafy)
    few = st.lists(leafy | st.none(), max_size=3)
    for name, value in {
        "child": draw(leafy | st.none()),
        "sure": draw(leafy | st.none()),
        "children": draw(few | st.none() | st.just("no list")),
        "loose": draw(few | few.map(tuple)),
        "leaves": draw(few),
        "grid": draw(st.lists(st.lists(st.none() | st.integers(0, 9) | st.just("x"), max_size=2) | st.none(), max_size=2)),
        "either": draw(leafy | st.just(Other(text="other"))),
    }.items():
        if isinstance(tree, SimpleNamespace):
            setattr(tree, name, value)
    return tree


LEAVES = ["text", "must", "number", "day", "many", "holes", "counted", "counted(times: 3)", "later", "__typename"]
OBJECTS = ["child", "sure", "children", "loose", "leaves"]


@st.composite
def queries(draw: st.DrawFn) -> str:
    keys = count()

    def leaves() -> str:
        return " ".join(f"k{next(keys)}: {leaf}" for leaf in draw(st.lists(st.sampled_from(LEAVES), min_size=1, max_size=5)))

    def objects() -> str:
        return " ".join(
            f"k{next(keys)}: {name} {{ {leaves()} }}" for name in draw(st.lists(st.sampled_from(OBJECTS), max_size=3))
        )

    wild = draw(st.sampled_from(["", "grid", "g: grid", "either { ... on Leafy { text must } ... on Other { text } }"]))
    root = draw(st.sampled_from(["tree", "soon"]))
    return f"{{ {root} {{ {leaves()} {objects()} {wild} {leaves()} }} plain again: {root} {{ {objects()} {leaves()} }} {root} {{ {leaves()} }} }}"


@settings(max_examples=150, deadline=None)
@given(queries(), trees())
async def test_it_answers_as_graphql_core_does(query: str, tree: Any) -> None:
    context = SimpleNamespace(tree=tree)
    assert not validate(forest, parse(query))
    operation = DOCUMENTS.read(query).operation(None)
    assert operation is not None
    for _ in range(2):  # the second time from memory
        ours = await execute(forest, operation, {}, context)  # type: ignore[arg-type]
        theirs = graphql_execute(forest, parse(query), None, context)
        theirs = await theirs if asyncio.iscoroutine(theirs) else theirs
        assert ours.data == theirs.data
        assert list((ours.data or {}).items()) == list((theirs.data or {}).items())
        assert _told(ours.errors) == _told(theirs.errors)


def _told(errors: Any) -> list[tuple[Any, ...]]:
    """Errors in no order: fields that wait are told when they are done."""
    return sorted((str(error.path), type(error.original_error).__name__, str(error.locations)) for error in errors or ())


async def test_an_execution_leaves_no_garbage_behind() -> None:
    import gc

    tree = SimpleNamespace(text="a", must="b", number=1, day=None, many=None, holes=None, children=[])
    operation = DOCUMENTS.read("{ soon { text must number children { text } } }").operation(None)
    assert operation is not None
    await execute(forest, operation, {}, SimpleNamespace(tree=tree))  # type: ignore[arg-type]
    gc.collect()
    gc.disable()
    try:
        await execute(forest, operation, {}, SimpleNamespace(tree=tree))  # type: ignore[arg-type]
        assert gc.collect() <= 10
    finally:
        gc.enable()


@pytest.mark.parametrize("variables", [{"x": 1}, {"x": None}])
async def test_variables_reach_the_fields(variables: dict[str, Any]) -> None:
    operation = DOCUMENTS.read("query ($x: Int = 5) { tree { counted(times: 4) } plain }").operation(None)
    assert operation is None  # a variable that nobody uses is a mistake
    operation = DOCUMENTS.read("query ($x: Int! = 5) { tree { counted(times: $x) } }").operation(None)
    assert operation is not None
    tree = SimpleNamespace()
    result = await execute(forest, operation, {}, SimpleNamespace(tree=tree))  # type: ignore[arg-type]
    assert result.data == {"tree": {"counted": 5}}
