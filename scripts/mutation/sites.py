"""Find every check in a module's source, and each way to take it out or turn it round.

A mutant is named by its module, function, kind and the normalised text of its check, so that its
name outlives edits elsewhere in the file.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

_CHECKING_CALL = re.compile(r"_*(require|refuse|check|reject|forbid|ask|verify|settimeout)")
_CONSTANT = re.compile(r"_?[A-Z][A-Z0-9_]*")
_BOUNDARY = {ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">"}
_SHOWN = 110


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One change of one check.

    Attributes:
        id: ``module:function:kind:check``; a second like it in one function ends in ``#2``.
        module: dotted, within the package.
        check: which check it changes: several mutants share one.
        name: the constant's name if it is one, whose users are then tested; else empty.
        lines: first and last line that a test must pass through to notice.
        refusal: first and last line of what is done when the check strikes, or of nothing.
        start: first byte replaced.
        end: byte after the last one replaced.
        text: what stands there instead.
    """

    id: str
    module: str
    check: str
    name: str
    lines: tuple[int, int]
    refusal: tuple[int, int]
    start: int
    end: int
    text: str

    def applied(self, source: bytes) -> bytes:
        """Return the module with this one change."""
        return source[: self.start] + self.text.encode() + source[self.end :]


def mutants(
    source: str,
    module: str,
    *,
    errors: frozenset[str] = frozenset(),
    wording: frozenset[str] = frozenset(),
) -> list[Mutant]:
    """Return every mutant of a module.

    Args:
        source: the module.
        module: its dotted name.
        errors: names of exception classes, whose arguments are words for a reader.
        wording: ``module:function`` names that only compose a message: left out.
    """
    finder = _Finder(source, module, errors, wording)
    finder.visit(ast.parse(source))
    return finder.found


class _Finder(ast.NodeVisitor):
    """Walks one module. What is inside a raised error's arguments is wording, not a check."""

    def __init__(
        self, source: str, module: str, errors: frozenset[str], wording: frozenset[str]
    ) -> None:
        self.found: list[Mutant] = []
        self._errors = errors
        self._module = module
        self._wording = wording
        self._scope: list[str] = []
        self._statement: tuple[int, int] = (1, 1)
        self._refusal: tuple[int, int] = (0, 0)
        self._ids: dict[str, int] = {}
        self._starts = [0]
        for line in source.encode().splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))

    # -- scopes -------------------------------------------------------------------------------

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        """Enter a function, unless it only composes words."""
        self._scope.append(node.name)
        returned = ast.unparse(node.returns) if node.returns else ""
        composes = self._is_error(returned) or node.name in ("__repr__", "__str__")
        if not composes and f"{self._module}:{self._qualname}" not in self._wording:
            self._defaults(node)
            for statement in node.body:
                self.visit(statement)
        self._scope.pop()

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        """Enter a class; protocols have nothing to check."""
        if any(ast.unparse(base).startswith("Protocol") for base in node.bases):
            return
        self._scope.append(node.name)
        for statement in node.body:
            self.visit(statement)
        self._scope.pop()

    # -- statements ---------------------------------------------------------------------------

    def visit(self, node: ast.AST) -> None:
        """Visit a node; a statement's lines are those a test must pass through."""
        if isinstance(node, ast.stmt):
            last = node.test if isinstance(node, (ast.If, ast.While)) else node
            self._statement = (node.lineno, last.end_lineno or node.lineno)
            self._refusal = (0, 0)
            if isinstance(node, ast.If):
                self._refusal = (node.body[0].lineno, node.body[-1].end_lineno or 0)
        super().visit(node)

    def visit_If(self, node: ast.If) -> None:
        """Take the condition out, or turn it round."""
        if ast.unparse(node.test) == "TYPE_CHECKING":
            return
        refused_elsewhere = _raises(node.orelse) and not _raises(node.body)
        self._condition(node.test, removed="True" if refused_elsewhere else "False")
        self.generic_visit(node)

    def visit_While(self, node: ast.While) -> None:
        """Turn the loop's condition round."""
        self._condition(node.test, removed="False")
        self.generic_visit(node)

    def visit_Raise(self, node: ast.Raise) -> None:
        """Leave out what an error says."""

    def visit_Call(self, node: ast.Call) -> None:
        """Leave out what an error says; swap all and any."""
        called = _called(node)
        if self._is_error(called):
            return
        if called in ("all", "any"):
            other = {"all": "any", "any": "all"}[called]
            self._add(f"{called} to {other}", node, node.func, other)
        self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> None:
        """Delete calls that exist to refuse."""
        if isinstance(node.value, ast.Call) and _CHECKING_CALL.match(_called(node.value)):
            self._add("call deleted", node.value, node.value, "None")
        self.generic_visit(node)

    def visit_Return(self, node: ast.Return) -> None:
        """Answer a yes-or-no question always alike."""
        value = node.value
        if isinstance(value, (ast.BoolOp, ast.Compare)) or (
            isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.Not)
        ):
            self._add("always true", value, value, "True")
            self._add("always false", value, value, "False")
        self.generic_visit(node)

    def visit_Try(self, node: ast.Try) -> None:
        """Let through what is caught, or forget it."""
        tried = (node.body[0].lineno, node.body[-1].end_lineno or 0)
        for handler in node.handlers:
            if handler.type is None:
                continue
            last = handler.body[-1]
            self._statement, self._refusal = tried, (handler.lineno, last.end_lineno or 0)
            self._add("not caught", handler.type, handler.type, "()")
            if isinstance(last, (ast.Raise, ast.Return)):
                self._add("forgotten", handler.type, (handler.body[0], last), "pass")
            several = handler.type.elts if isinstance(handler.type, ast.Tuple) else []
            for caught in several:
                rest = ", ".join(ast.unparse(e) for e in several if e is not caught)
                kind = f"{ast.unparse(caught)} not caught"
                self._add(kind, handler.type, handler.type, f"({rest},)")
        self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        """Shift a constant, or drop an entry of a table."""
        self._constant(node.targets[0], node.value)
        self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        """Shift a constant, or drop an entry of a table."""
        self._constant(node.target, node.value)
        self.generic_visit(node)

    # -- expressions --------------------------------------------------------------------------

    def visit_IfExp(self, node: ast.IfExp) -> None:
        """Decide a conditional expression always alike."""
        self._decided(node.test)
        self.generic_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        """Decide a filter always alike."""
        for condition in node.ifs:
            self._decided(condition)
        self.generic_visit(node)

    def visit_match_case(self, node: ast.match_case) -> None:
        """Decide a pattern's guard always alike."""
        if node.guard is not None:
            self._statement = (node.pattern.lineno, node.guard.end_lineno or 0)
            self._decided(node.guard)
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        """Drop each operand."""
        word = " and " if isinstance(node.op, ast.And) else " or "
        for dropped in node.values:
            rest = word.join(f"({ast.unparse(v)})" for v in node.values if v is not dropped)
            self._add(f"without {_short(dropped)}", node, node, f"({rest})")
        self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> None:
        """Shift each boundary to either side, and drop each half of ``a <= b <= c``."""
        sides = [node.left, *node.comparators]
        for place, operator in enumerate(node.ops):
            other = _BOUNDARY.get(type(operator))
            if other is not None:
                self._add(f"{other} instead", node, node, _compared(sides, node.ops, place, other))
                self._shift(node, sides[place], left=True, operator=operator)
                self._shift(node, sides[place + 1], left=False, operator=operator)
        for half in range(len(node.ops) if len(node.ops) > 1 else 0):
            text = f"({_compared(sides[half : half + 2], node.ops[half : half + 1])})"
            self._add(f"only {text[1:-1]}", node, node, text)
        self.generic_visit(node)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        """Leave out what is formatted for a reader."""

    # -- making mutants -----------------------------------------------------------------------

    def _is_error(self, name: str) -> bool:
        return name in self._errors or name.endswith("Error")

    @property
    def _qualname(self) -> str:
        return ".".join(self._scope)

    def _condition(self, test: ast.expr, removed: str) -> None:
        self._add("removed", test, test, removed)
        self._add("inverted", test, test, f"(not ({ast.unparse(test)}))")

    def _decided(self, test: ast.expr) -> None:
        self._add("always true", test, test, "True")
        self._add("always false", test, test, "False")

    def _shift(self, node: ast.Compare, side: ast.expr, *, left: bool, operator: ast.cmpop) -> None:
        """Shift a literal bound the way that the changed operator does not."""
        if not isinstance(side, ast.Constant) or type(side.value) is not int:
            return
        step = 1 if isinstance(operator, (ast.LtE, ast.Gt)) != left else -1
        self._add(f"{side.value} to {side.value + step}", node, side, str(side.value + step))

    def _defaults(self, node: ast.FunctionDef) -> None:
        named = [*node.args.posonlyargs, *node.args.args][-len(node.args.defaults or [1]) :]
        pairs = [*zip(named, node.args.defaults, strict=False)]
        pairs += [
            (arg, default)
            for arg, default in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
            if default is not None
        ]
        for argument, default in pairs:
            if isinstance(default, ast.Constant) and type(default.value) in (int, float):
                self._statement = (node.body[0].lineno, node.body[-1].end_lineno or 0)
                self._shifted(argument.arg, default, "")

    def _constant(self, target: ast.expr, value: ast.expr | None) -> None:
        in_function = any(not part[:1].isupper() for part in self._scope)
        if in_function or value is None or not isinstance(target, ast.Name):
            return
        if _CONSTANT.fullmatch(target.id) is None:
            return
        if _is_number(value):
            self._shifted(target.id, value, target.id)
        else:
            self._entries(target.id, value)

    def _shifted(self, name: str, value: ast.expr, users: str) -> None:
        for step in ("+ 1", "- 1"):
            text = f"({ast.unparse(value)}) {step}"
            self._add(step, ast.Name(name), value, text, name=users)

    def _entries(self, name: str, value: ast.expr) -> None:
        if isinstance(value, ast.Call) and _called(value) == "frozenset" and value.args:
            value = value.args[0]
        if isinstance(value, ast.Dict):
            pairs = [
                (key, f"{ast.unparse(key) if key else '**'}: {ast.unparse(entry)}")
                for key, entry in zip(value.keys, value.values, strict=True)
            ]
            for key, pair in pairs:
                rest = "{" + ", ".join(other for _, other in pairs if other != pair) + "}"
                label = f"entry {ast.unparse(key) if key else pair} dropped"
                self._add(label, ast.Name(name), value, rest, name=name)
        elif isinstance(value, (ast.Tuple, ast.List, ast.Set)):
            for entry in value.elts:
                kept = "".join(f"{ast.unparse(e)}, " for e in value.elts if e is not entry)
                label = f"entry {ast.unparse(entry)} dropped"
                self._add(label, ast.Name(name), value, f"({kept})", name=name)

    def _add(
        self,
        kind: str,
        check: ast.AST,
        where: ast.expr | tuple[ast.stmt, ast.stmt],
        text: str,
        *,
        name: str = "",
    ) -> None:
        first, last = where if isinstance(where, tuple) else (where, where)
        site = f"{self._module}:{self._qualname}:{_short(check)}"
        wanted = f"{self._module}:{self._qualname}:{kind}:{_short(check)}"
        count = self._ids[wanted] = self._ids.get(wanted, 0) + 1
        start = self._offset(first.lineno, first.col_offset)
        self.found.append(
            Mutant(
                id=wanted if count == 1 else f"{wanted}#{count}",
                module=self._module,
                check=f"{site} {self._statement[0]}",
                name=name,
                lines=self._statement,
                refusal=self._refusal,
                start=start,
                end=self._offset(last.end_lineno or 0, last.end_col_offset or 0),
                text=text,
            )
        )

    def _offset(self, line: int, column: int) -> int:
        return self._starts[line - 1] + column


def _compared(
    sides: list[ast.expr], operators: list[ast.cmpop], place: int = -1, other: str = ""
) -> str:
    text = f"({ast.unparse(sides[0])})"
    for at, (operator, side) in enumerate(zip(operators, sides[1:], strict=False)):
        probe = ast.Compare(ast.Name("a"), [operator], [ast.Name("b")])
        sign = other if at == place else ast.unparse(probe)[2:-2]
        text += f" {sign} ({ast.unparse(side)})"
    return text


def _short(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def _called(node: ast.Call) -> str:
    return ast.unparse(node.func).rpartition(".")[2]


def _raises(body: list[ast.stmt]) -> bool:
    return any(isinstance(node, ast.Raise) for statement in body for node in ast.walk(statement))


def _is_number(value: ast.expr) -> bool:
    simple = (ast.Constant, ast.BinOp, ast.UnaryOp, ast.operator, ast.unaryop)
    return all(isinstance(node, simple) for node in ast.walk(value)) and all(
        type(node.value) in (int, float)
        for node in ast.walk(value)
        if isinstance(node, ast.Constant)
    )


def error_classes(source: str, known: frozenset[str] = frozenset()) -> frozenset[str]:
    """Return the exception classes ``known``, and those that a module derives from them."""
    names = {"Exception", "ValueError", *known}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef) and any(ast.unparse(b) in names for b in node.bases):
            names.add(node.name)
    return frozenset(names)


def uses(source: str, name: str) -> list[tuple[int, int]]:
    """Return the first and last line of each function that uses a module's constant."""
    return [
        (function.lineno, function.end_lineno or function.lineno)
        for function in ast.walk(ast.parse(source))
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef))
        and any(isinstance(n, ast.Name) and n.id == name for n in ast.walk(function))
    ]
