"""Tab completion of the REPL: names in scope, attributes, modules after import."""

import keyword

from adder_vm import drive, importer


def _modules() -> "set[str]":
    names = set(importer.overlays) | set(importer.SHARED_STDLIB) | set(importer.native_names())
    for folder in ("/", "/lib"):
        try:
            for name in drive.listdir(folder):
                stem, dot, ext = name.partition(".")
                if not dot or ext == "py":
                    names.add(stem)
        except OSError:
            pass
    return {n for n in names if "." not in n and not n.startswith("_")}


def _word(lead: str) -> str:
    at = len(lead)
    while at and (lead[at - 1].isalnum() or lead[at - 1] in "_."):
        at -= 1
    return lead[at:]


def _candidates(lead: str, word: str, scope: dict) -> "tuple[str, set[str]]":
    """(what is typed of the last name, all names possible there)."""
    if lead.lstrip().startswith(("import ", "from ")) and " import " not in lead and "." not in word:
        return word, _modules()
    *path, prefix = word.split(".")
    if not path:
        return prefix, set(scope) | set(importer.builtins) | set(keyword.kwlist)
    if path[0] not in scope:
        return prefix, set()
    value = scope[path[0]]
    for name in path[1:]:
        value = getattr(value, name)
    return prefix, set(dir(value))


def complete(lead: str, scope: dict) -> "tuple[str, list[str]]":
    """(text to insert, or "") and the choices when there is more than one."""
    word = _word(lead)
    if lead.endswith(" ") and not lead.lstrip().startswith(("import ", "from ")):
        return "", []
    try:
        prefix, names = _candidates(lead, word, scope)
    except Exception:
        return "", []
    found = sorted(n for n in names if n.startswith(prefix) and (prefix.startswith("_") or not n.startswith("_")))
    if not found:
        return "", []
    shared = found[0]
    for name in found[1:]:
        while not name.startswith(shared):
            shared = shared[:-1]
    return shared[len(prefix):], found if len(found) > 1 else []
