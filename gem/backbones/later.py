"""Parts of other packages that are imported when they are used, not when they are named.

open_clip imports timm for towers that are not supported here, and torchvision the compiler of torch
for one function: together longer than torch itself takes. Whoever imports open_clip within `later`
gets stand-ins for those names. A stand-in does not change what is done, only when: called, it
imports the module and calls what it stands for, in the process of whoever calls. So open_clip's
towers of timm work as ever, for us and for others who use the package beside us.

A stand-in is seen only by what is imported within `later`. Afterwards ``import timm`` is timm.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any


@contextmanager
def later(names: Mapping[str, tuple[str, ...]]) -> Iterator[None]:
    """Within, these names of modules stand for what they are in modules not yet imported.

    Only names that are called, whose attributes are read, or that `isinstance` asks for, and
    nothing else, by all who import them within. Any other name of such a module imports it at once.
    Modules that are imported already, or that are not installed, are left as they are.
    """
    sys.modules.update({one: StandIn(one, names[one]) for one in names if _can_wait(one)})
    try:
        yield
    finally:
        _withdraw()


class StandIn(ModuleType):
    """A module that is imported when a name of it is needed, some when they are called."""

    def __init__(self, module: str, names: tuple[str, ...]) -> None:
        super().__init__(module)
        self._later = frozenset(names)

    def __getattr__(self, name: str) -> Any:
        """A name that was not asked for before."""
        own = self.__name__
        waits = sys.modules.get(own) is self
        if waits and name.startswith("__"):
            raise AttributeError(name)  # whoever looks at all modules asks, and needs none
        found = Later(own, name) if waits and name in self._later else getattr(_real(own), name)
        setattr(self, name, found)
        return found


class Later:
    """A function or a class of a module that is imported when it is used."""

    def __init__(self, module: str, name: str) -> None:
        self._module, self._name = module, name

    @cached_property
    def _called(self) -> Any:
        return getattr(_real(self._module), self._name)

    def __call__(self, *given: Any, **named: Any) -> Any:
        """Call what this stands for."""
        return self._called(*given, **named)

    def __getattr__(self, name: str) -> Any:
        """A class method, for one."""
        if name.startswith("__"):
            raise AttributeError(name)  # asked by whoever looks at all things, and needs none
        return getattr(self._called, name)

    def __instancecheck__(self, value: object) -> bool:
        """Whether a value is of the class that this stands for."""
        return isinstance(value, self._called)


def _can_wait(module: str) -> bool:
    """Whether a module is installed, as far as its package says, and not imported yet."""
    package = module.partition(".")[0]
    return module not in sys.modules and (package in sys.modules or find_spec(package) is not None)


def _real(module: str) -> ModuleType:
    _withdraw()  # all: the module may import others that have a stand-in
    return import_module(module)


def _withdraw() -> None:
    """Leave the places of modules to the modules."""
    for name in [name for name, held in sys.modules.copy().items() if isinstance(held, StandIn)]:
        del sys.modules[name]
