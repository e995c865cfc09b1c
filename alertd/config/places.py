"""Finding the node of something that has been read already, to note a problem where it is written."""

from __future__ import annotations

from alertd.model.document import Node


def place_of(node: Node, *path: str | int) -> Node:
    """Give what stands at a path of keys and positions below a node, or the nearest above that is there."""
    for step in path:
        found = next((below for name, below in _children(node) if name == step), None)
        if found is None:
            return node
        node = found
    return node


def items_of(node: Node) -> list[Node]:
    """Give the entries of a list; none where it is no list, which has been noted then."""
    return node.sequence() if node.found == "a list" else []


def _children(node: Node) -> list[tuple[str | int, Node]]:
    if node.found == "a mapping":
        return [*node.entries()]
    return [*enumerate(items_of(node))]
