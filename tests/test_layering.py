"""The storeys hold: a part imports from storeys below its own, never from a neighbour, never in a circle.

The rules read source text alone, so each is also tried on a few lines that break it.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

STOREYS: tuple[frozenset[str], ...] = (
    frozenset({"core"}),
    frozenset({"plugins", "stats", "engines", "scorers", "store", "report"}),
    frozenset({"content", "calibration", "comparison"}),
    frozenset({"runner"}),
    frozenset({"cli", "label"}),
)
# The package itself hands names on; `python -m evalkit` is the command. Both stand above everything.
ROOF = len(STOREYS)
HOMELESS_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers"}


def storey_of(module: str) -> int:
    """0 = core. Raises KeyError for a part of the package that stands on no storey."""
    part = part_of(module)
    if part in ("", "__main__"):
        return ROOF
    for number, parts in enumerate(STOREYS):
        if part in parts:
            return number
    raise KeyError(part)


def part_of(module: str) -> str:
    """`evalkit.core.score` -> `core`; `evalkit` -> ``."""
    return module.partition(".")[2].partition(".")[0]


def is_type_checking(node: ast.AST) -> bool:
    """Whether a node is `if TYPE_CHECKING:`, whose body never runs."""
    return isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")


def imports_of(tree: ast.Module, modules: set[str], *, at_runtime: bool = False) -> Iterator[tuple[int, str]]:
    """(line, imported evalkit module), wherever it stands; `at_runtime` leaves out what only type checkers read."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names if is_ours(alias.name))
        elif isinstance(node, ast.ImportFrom) and is_ours(node.module or ""):
            for alias in node.names:
                deeper = f"{node.module}.{alias.name}"
                yield node.lineno, deeper if deeper in modules else str(node.module)
        elif isinstance(node, ast.If) and at_runtime and is_type_checking(node):
            waiting.extend(node.orelse)
        else:
            waiting.extend(ast.iter_child_nodes(node))


def is_ours(module: str) -> bool:
    return module == "evalkit" or module.startswith("evalkit.")


def storey_faults(module: str, source: str, modules: set[str]) -> list[str]:
    """Imports that go up, or to a neighbour on the same storey."""
    own = storey_of(module)
    faults = []
    for line, imported in imports_of(ast.parse(source), modules):
        if imported == "evalkit" or part_of(imported) == part_of(module):
            continue
        if storey_of(imported) >= own:
            way = "a neighbour" if storey_of(imported) == own else "a storey above"
            faults.append(f"{module}:{line} imports {imported}, {way}")
    return faults


def hidden_import_faults(module: str, source: str) -> list[str]:
    """Imports inside a function."""
    functions = (n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))
    inside = {node.lineno for f in functions for node in ast.walk(f) if isinstance(node, ast.Import | ast.ImportFrom)}
    return [f"{module}:{line} imports inside a function" for line in sorted(inside)]


def package_faults(module: str, source: str) -> list[str]:
    """Imports of the package's own handed-on names: import from the file that defines a name."""
    return [
        f"{module}:{node.lineno} imports {alias.name} from evalkit, not from the file that defines it"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom) and node.module == "evalkit"
        for alias in node.names
        if alias.name != "__version__"
    ]


def find_circle(imports: dict[str, set[str]]) -> list[str]:
    """The modules of one circle of imports, first named again at the end; empty when there is none."""
    done: set[str] = set()

    def walk(module: str, path: list[str]) -> list[str]:
        if module in path:
            return [*path[path.index(module) :], module]
        if module in done:
            return []
        for imported in sorted(imports.get(module, ())):
            if circle := walk(imported, [*path, module]):
                return circle
        done.add(module)
        return []

    for module in sorted(imports):
        if circle := walk(module, []):
            return circle
    return []


@pytest.fixture(scope="module")
def sources(repository: Path) -> dict[str, str]:
    """Module name -> source, for every file of the package."""
    found = {}
    for path in sorted((repository / "evalkit").rglob("*.py")):
        parts = path.relative_to(repository).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path.read_text(encoding="utf-8")
    assert len(found) > 20, "the package was not found"
    return found


def test_every_part_of_the_package_stands_on_a_storey(sources: dict[str, str]) -> None:
    known = frozenset({"", "__main__"}).union(*STOREYS)
    assert {part_of(module) for module in sources} <= known


def test_no_import_goes_up_or_to_a_neighbour(sources: dict[str, str]) -> None:
    assert [f for module, source in sources.items() for f in storey_faults(module, source, set(sources))] == []


def test_imports_stand_at_the_top_of_a_module(sources: dict[str, str]) -> None:
    assert [f for module, source in sources.items() for f in hidden_import_faults(module, source)] == []


def test_names_are_imported_from_the_file_that_defines_them(sources: dict[str, str]) -> None:
    inside = {module: source for module, source in sources.items() if module != "evalkit"}
    assert [f for module, source in inside.items() for f in package_faults(module, source)] == []


def test_imports_make_no_circle(sources: dict[str, str]) -> None:
    imports = {
        module: {name for _, name in imports_of(ast.parse(source), set(sources), at_runtime=True)} - {"evalkit", module}
        for module, source in sources.items()
    }
    assert find_circle(imports) == []


def test_no_file_is_called_after_nothing_in_particular(repository: Path) -> None:
    folders = (repository / "evalkit", repository / "tests")
    assert [p for folder in folders for p in folder.rglob("*") if p.stem in HOMELESS_NAMES] == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("evalkit.core.score", "from evalkit.stats import intervals"),
        ("evalkit.stats.kappa", "import evalkit.store.labels"),
        ("evalkit.comparison.pair", "from evalkit.calibration.card import make_card"),
        ("evalkit.runner.run", "if TYPE_CHECKING:\n    from evalkit.cli.app import main"),
    ],
)
def test_an_import_that_goes_up_or_sideways_is_found(module: str, source: str) -> None:
    assert len(storey_faults(module, source, set())) == 1


@pytest.mark.parametrize(
    "source", ["from evalkit.core.score import Score", "from evalkit import __version__", "import numpy"]
)
def test_an_import_from_below_is_no_fault(source: str) -> None:
    assert storey_faults("evalkit.stats.kappa", source, set()) + package_faults("evalkit.stats.kappa", source) == []


def test_an_import_inside_a_function_is_found() -> None:
    assert hidden_import_faults("evalkit.x", "async def f():\n    if True:\n        import json\n") != []


def test_a_name_taken_from_the_package_is_found() -> None:
    assert package_faults("evalkit.cli.run", "from evalkit import run") != []


def test_a_circle_is_found_and_named() -> None:
    assert find_circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]


def test_a_circle_through_a_package_member_is_seen() -> None:
    modules = {"evalkit.core", "evalkit.core.score"}
    tree = ast.parse("from evalkit.core import score")
    assert [name for _, name in imports_of(tree, modules, at_runtime=True)] == ["evalkit.core.score"]


def test_what_only_type_checkers_read_makes_no_circle() -> None:
    tree = ast.parse("if TYPE_CHECKING:\n    from evalkit.core.score import Score")
    assert list(imports_of(tree, set(), at_runtime=True)) == []
