# Owns: values in the contract's JSON form (`wit/VERSIONING.md`) as the classes that componentize-py generates.
# Does not own: what the values mean.

import dataclasses
import enum
import re
import types
import typing


def typed(kind, value):
    """A value in the JSON form as `kind`. Lists, options and bools that are left out are empty."""
    if dataclasses.is_dataclass(kind):
        fields = {field.name: field.type for field in dataclasses.fields(kind)}
        if foreign := value.keys() - fields.keys():
            raise ValueError(f"{kind.__name__} has no `{foreign.pop()}`; it has {', '.join(fields)}")
        return kind(**{name: typed(of, value.get(name, _empty(of))) for name, of in fields.items()})
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return kind[value.upper()]
    if typing.get_origin(kind) is list:
        return [typed(typing.get_args(kind)[0], one) for one in value]
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        cases = [case for case in typing.get_args(kind) if case is not type(None)]
        if value is None:
            return None
        return typed(cases[0], value) if len(cases) == 1 else _variant(cases, value)
    return value


def _empty(kind):
    """What stands for a field that is left out."""
    return [] if typing.get_origin(kind) is list else False if kind is bool else None


def _variant(cases, value):
    name, payload = next(iter(value.items())) if isinstance(value, dict) else (value, None)
    for case in cases:
        if _snake(case.__name__.partition("_")[2].rstrip("_")) == name:
            fields = dataclasses.fields(case)
            return case(typed(fields[0].type, payload)) if fields else case()
    raise ValueError(f"there is no case `{name}` among {', '.join(case.__name__ for case in cases)}")


def _snake(name):
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def case(value):
    """The name of a variant's case, as the JSON form writes it."""
    return _snake(type(value).__name__.partition("_")[2].rstrip("_"))
