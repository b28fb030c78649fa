"""Where the language of a board is not quite CPython's: user code is compiled through here.

Annotations are not evaluated (the __future__ flag). `str(text, "utf-8")` takes a str as well, because a
MicroPython str is a buffer: such calls are compiled as calls of `str_of`, since replacing the name `str`
itself would break `type(x) is str`."""

import __future__

ANNOTATIONS = __future__.annotations.compiler_flag
STR_OF = "__adder_str_of__"  # its name in the builtins of user code


def str_of(value: object, *args: object, **kwargs: object) -> str:
    return value if isinstance(value, str) else str(value, *args, **kwargs)


def compile_user(source: "bytes | str", name: str, mode: str = "exec") -> object:
    has_str = (b"str(" in source) if isinstance(source, bytes) else ("str(" in source)
    if not has_str:
        return compile(source, name, mode, flags=ANNOTATIONS, dont_inherit=True)

    import ast  # only where nothing is cached yet

    tree = compile(source, name, mode, flags=ANNOTATIONS | ast.PyCF_ONLY_AST, dont_inherit=True)
    for node in ast.walk(tree):
        if (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "str"
                and len(node.args) == 2):
            node.func.id = STR_OF
    return compile(tree, name, mode, flags=ANNOTATIONS, dont_inherit=True)
