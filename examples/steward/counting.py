"""Counting what Python files hold, by parsing them; nothing is imported."""

import ast
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

_BRANCHES = (
    ast.If, ast.IfExp, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler,
    ast.comprehension, ast.match_case,
)  # fmt: skip


class Unreadable(Exception):
    """The file does not parse; the message says where."""


@dataclass(frozen=True)
class Function:
    """One function: where it is, how long, how many ways lead through it."""

    name: str
    row: int
    lines: int
    complexity: int


def lines(content: bytes) -> int:
    """Lines as git counts them."""
    return content.count(b"\n") + (bool(content) and not content.endswith(b"\n"))


def functions(content: bytes) -> list[Function]:
    """Every function of a file; raises Unreadable."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(content)
        return [_measured(node) for node in ast.walk(tree) if isinstance(node, _FUNCTION)]
    except SyntaxError as error:
        raise Unreadable(f"line {error.lineno}: {error.msg}") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise Unreadable(str(error) or type(error).__name__) from None


_FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)


def _measured(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Function:
    length = (node.end_lineno or node.lineno) - node.lineno + 1
    return Function(node.name, node.lineno, length, 1 + sum(map(_weight, _own_nodes(node))))


def _own_nodes(function: ast.AST) -> Iterator[ast.AST]:
    """What is inside a function but not inside a function in it."""
    waiting = list(ast.iter_child_nodes(function))
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, (*_FUNCTION, ast.Lambda)):
            waiting.extend(ast.iter_child_nodes(node))


def _weight(node: ast.AST) -> int:
    if isinstance(node, ast.BoolOp):
        return len(node.values) - 1
    return int(isinstance(node, _BRANCHES))
