"""The laws of ARCHITECTURE.md, read from the source: who may import whom, and what each says."""

from __future__ import annotations

import ast
import importlib
import resource
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import chondria

SOURCE = Path(__file__).parents[1] / "src"

FLOORS = {
    "errors": 0,
    "volume": 0,
    "tiling": 0,
    "allocation": 0,
    "config": 1,
    "io": 2,
    "data": 2,
    "networks": 2,
    "postprocessing": 2,
    "supervoxels": 2,
    "evaluation": 2,
    "morphometrics": 2,
    "trust": 2,
    "review": 2,
    "groups": 2,
    "report": 2,
    "models": 3,
    "training": 3,
    "inference": 3,
    "export": 3,
    "experiments": 4,
    "cli": 5,
}
# Rooms of one floor do not know each other, but for these.
NEIGHBOURS = {("data", "io"), ("inference", "models"), ("export", "models")}
NEIGHBOURS |= {("volume", "errors"), ("tiling", "errors"), ("tiling", "volume")}

WITHOUT_TORCH = (
    "allocation",
    "cli",
    "config",
    "data.fetching",
    "data.inspection",
    "data.normalize",
    "data.phantom",
    "data.presence",
    "data.registry",
    "data.resample",
    "data.splits",
    "errors",
    "evaluation",
    "groups",
    "io",
    "morphometrics",
    "postprocessing",
    "report",
    "review",
    "supervoxels",
    "tiling",
    "trust",
    "volume",
)


def module_name(path: Path) -> str:
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


TREES = {module_name(path): ast.parse(path.read_text()) for path in SOURCE.rglob("*.py")}
INSIDE = sorted(TREES.keys() - {"chondria"})
ROOMS = {module: module.split(".")[1] for module in INSIDE}


def imports(module: str) -> Iterator[tuple[str, str]]:
    """Modules that a module imports anywhere, each with the name taken from it."""
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively; write the whole name"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield (whole, "") if whole in TREES else (str(node.module), alias.name)


def own_imports(module: str) -> set[str]:
    return {name for name, _ in imports(module) if name in ROOMS}


def members(module: str) -> list[str]:
    """Modules of a room, or the module itself."""
    return [name for name in INSIDE if name == module or name.startswith(f"{module}.")]


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )


def test_every_room_has_a_floor():
    assert set(ROOMS.values()) == FLOORS.keys()


@pytest.mark.parametrize("room", FLOORS)
def test_imports_only_go_down(room):
    wrong = [
        f"{module} -> {imported}"
        for module in members(f"chondria.{room}")
        for imported in own_imports(module)
        if (there := ROOMS[imported]) != room
        and FLOORS[there] >= FLOORS[room]
        and (room, there) not in NEIGHBOURS
    ]
    assert not wrong


def test_allowed_neighbours_stand_on_one_floor():
    assert all(FLOORS[here] == FLOORS[there] for here, there in NEIGHBOURS)


def test_no_import_cycles():
    # `prepare` raises a CycleError that names the modules of a cycle.
    TopologicalSorter({module: own_imports(module) for module in INSIDE}).prepare()


def test_the_root_gives_its_own_modules_nothing_but_the_version():
    taken = {
        (module, what) for module in INSIDE for name, what in imports(module) if name == "chondria"
    }
    assert not [(module, what) for module, what in taken if what != "__version__"]


def test_settings_objects_stay_on_the_upper_floors():
    lower = [module for module in INSIDE if FLOORS[ROOMS[module]] < FLOORS["experiments"]]
    knowing = [
        (module, name)
        for module in lower
        for name in own_imports(module)
        if ROOMS[name] == "config" != ROOMS[module]
    ]
    assert not knowing


def test_torch_free_rooms_load_no_torch():
    modules = [name for room in WITHOUT_TORCH for name in members(f"chondria.{room}")]
    assert modules
    code = f"""
import importlib, sys
for name in {modules!r}:
    importlib.import_module(name)
    if "torch" in sys.modules:
        sys.exit(f"importing {{name}} loads torch")
"""
    python(code)


@pytest.mark.parametrize("room", [room for room in WITHOUT_TORCH if room not in ("cli",)])
def test_torch_free_rooms_never_import_torch_later(room):
    for module in members(f"chondria.{room}"):
        assert not [name for name, _ in imports(module) if name.split(".")[0] == "torch"], module


def declared(tree: ast.Module) -> list[str] | None:
    """Read the names in a module's `__all__`; None where it has none."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return list(ast.literal_eval(node.value))
    return None


def is_only_a_docstring(tree: ast.Module) -> bool:
    return len(tree.body) == 1 and isinstance(tree.body[0], ast.Expr)


@pytest.mark.parametrize("module", INSIDE)
def test_all_is_exact(module):
    tree = TREES[module]
    assert ast.get_docstring(tree), "a module says what it is for"
    if is_only_a_docstring(tree):
        return
    names = declared(tree)
    assert names is not None, "no __all__"
    assert len(names) == len(set(names))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    public = {n.name for n in tree.body if isinstance(n, kinds) and not n.name.startswith("_")}
    assert public <= set(names), "public, but not in __all__"
    loaded = importlib.import_module(module)
    assert not [name for name in names if not hasattr(loaded, name)]


def test_the_public_names_are_exact():
    visible = set(vars(chondria)["_HOMES"])
    assert visible | {"__version__"} == set(chondria.__all__)
    for name, home in vars(chondria)["_HOMES"].items():
        value = getattr(chondria, name)
        assert value is getattr(importlib.import_module(f"chondria.{home}"), name)
        assert value.__module__.startswith("chondria."), name
    assert set(chondria.__all__) <= set(dir(chondria))
    assert chondria.__version__[0].isdigit()


def test_type_checkers_see_the_same_public_names():
    seen = {taken: name for name, taken in imports("chondria") if name.startswith("chondria.")}
    homes = vars(chondria)["_HOMES"]
    assert seen == {name: f"chondria.{home}" for name, home in homes.items()}


def test_an_unknown_public_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="mitochondria"):
        _ = chondria.mitochondria


def test_importing_chondria_loads_neither_torch_nor_numpy():
    python("import chondria, sys; assert not {'torch', 'numpy'} & sys.modules.keys()")


def test_help_is_instant():
    code = """
import sys
sys.argv = ["chondria", "--help"]
from chondria.cli.main import main
try:
    main()
except SystemExit as end:
    assert not end.code
assert not {"torch", "numpy"} & sys.modules.keys()
"""
    # Processor time: what others do on the machine does not count.
    seconds = []
    for _ in range(4):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert "Usage" in python(code).stdout
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(seconds) < 0.3, seconds
