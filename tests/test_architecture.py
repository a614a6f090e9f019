"""The rooms import from rooms before them, never from one after."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "mmbio"
ROOMS = ("data", "embed", "fuse", "measure", "tables", "purge", "cli")
# The plain settings of fuse and the annotations of cli do not load torch.
NO_TORCH = ("data", "tables", "cli")


def imports(tree: ast.AST, top_level: bool = False) -> set[str]:
    nodes = ast.iter_child_nodes(tree) if top_level else ast.walk(tree)
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_rooms_import_only_from_rooms_before_them(path: Path) -> None:
    room = "cli" if path.name == "__main__.py" else path.relative_to(PACKAGE).parts[0]
    later = ROOMS[ROOMS.index(room) + 1 :] if room in ROOMS else ROOMS
    tree = ast.parse(path.read_text(encoding="utf-8"))
    used = {name.split(".")[1] for name in imports(tree) if name.startswith("mmbio.")}
    assert not used & set(later)


@pytest.mark.parametrize("room", NO_TORCH)
def test_no_torch_at_module_level(room: str) -> None:
    for path in (PACKAGE / room).rglob("*.py"):
        names = imports(ast.parse(path.read_text(encoding="utf-8")), top_level=True)
        assert not {n for n in names if n.split(".")[0] in ("torch", "torchvision", "safetensors")}, path
