# Owns: values in the contract's JSON form (`wit/VERSIONING.md`) as the classes that componentize-py generates.
# Does not own: what the values mean.

import dataclasses
import enum
import functools
import re
import types
import typing

HUMP = re.compile(r"(?<!^)(?=[A-Z])")


def typed(kind, value):
    """A value in the JSON form as `kind`. Lists, options and bools that are left out are empty."""
    return maker(kind)(value)


@functools.cache
def maker(kind):
    """
    What makes values of a type. Made once: what is made while a component is built lies ready in its memory.
    """
    if dataclasses.is_dataclass(kind):
        return _record(kind)
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return {one.name.lower(): one for one in kind}.__getitem__
    if typing.get_origin(kind) is list:
        one = maker(typing.get_args(kind)[0])
        return lambda values: [one(value) for value in values]
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        cases = [case for case in typing.get_args(kind) if case is not type(None)]
        of_value = maker(cases[0]) if len(cases) == 1 else _variant(cases)
        return lambda value: None if value is None else of_value(value)
    return lambda value: value


def _record(kind):
    fields = {field.name: (maker(field.type), _empty(field.type)) for field in dataclasses.fields(kind)}

    def make(value):
        if foreign := value.keys() - fields.keys():
            raise ValueError(f"{kind.__name__} has no `{foreign.pop()}`; it has {', '.join(fields)}")
        return kind(*[of(value[name]) if name in value else of(empty) for name, (of, empty) in fields.items()])

    return make


def _empty(kind):
    """What stands for a field that is left out."""
    return () if typing.get_origin(kind) is list else False if kind is bool else None


def _variant(cases):
    names = {}
    for case in cases:
        fields = dataclasses.fields(case)
        names[_case(case)] = (case, maker(fields[0].type) if fields else None)

    def make(value):
        name, payload = next(iter(value.items())) if isinstance(value, dict) else (value, None)
        if name not in names:
            raise ValueError(f"there is no case `{name}`; there are {', '.join(names)}")
        case, of_payload = names[name]
        return case(of_payload(payload)) if of_payload else case()

    return make


@functools.cache
def _case(kind):
    name = kind.__name__.partition("_")[2].rstrip("_")
    return HUMP.sub("_", name).lower()


def case(value):
    """The name of a variant's case, as the JSON form writes it."""
    return _case(type(value))
