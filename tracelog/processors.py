"""structlog processors, named in YAML or given as they are, run on every event of a formatter."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Any, Final, Protocol, TypeAlias

from tracelog.errors import ConfigError
from tracelog.fields import LEADING


__all__ = ["Chain", "Event", "Processor", "make_chain", "resolve"]

Event: TypeAlias = dict[str, Any]
Chain: TypeAlias = Callable[[str, str, Event], Event | None]

_EXT: Final = "ext://"
_HINT: Final = 'processors: [my_app.logs.add_region, {"()": my_app.logs.make_masker, keys: [iban]}]'
_log = logging.getLogger("tracelog.internal")


class Processor(Protocol):
    """Changes an event, or replaces it, as structlog's processors do."""

    def __call__(self, logger: Any, method_name: str, event_dict: Event, /) -> Any:
        """Process *event_dict*."""


def make_chain(processors: Iterable[Any] | None) -> Chain | None:
    """Build what runs *processors* one after the other; None if there are none.

    The chain gives None for an event that a processor dropped (`structlog.DropEvent`). A processor
    that raises is reported once, to `tracelog.internal`; the event goes on without it.

    Raises:
        ConfigError: If one of them can't be found or isn't callable.
    """
    resolved = [resolve(item, where=f"processors[{i}]") for i, item in enumerate(processors or ())]
    if not resolved:
        return None

    failed: set[int] = set()

    def run(name: str, method: str, event: Event) -> Event | None:
        logger = logging.root.manager.loggerDict.get(name)
        leading = {key: event[key] for key in LEADING}
        for number, processor in enumerate(resolved):
            try:
                result = processor(logger, method, event)
                event = result if isinstance(result, dict) else dict(result)
            except _drop_event():
                return None
            except Exception:  # noqa: BLE001 -- a processor may raise anything
                if number not in failed:
                    failed.add(number)
                    _log.exception("processor %r failed; its events go on without it", processor)
        # Whatever they did: five keys first, on every line.
        return {**leading, **event}

    return _never_within_itself(run)


def _never_within_itself(chain: Chain) -> Chain:
    """Let what a processor logs pass as it is: processing that, too, might never end."""
    inside = threading.local()

    def run(name: str, method: str, event: Event) -> Event | None:
        if hasattr(inside, "name"):
            return event

        inside.name = name
        try:
            return chain(name, method, event)
        finally:
            del inside.name

    return run


def resolve(item: Any, *, where: str) -> Processor:
    """Find the processor that *item* names or is.

    Raises:
        ConfigError: If it can't be found, can't be made, or isn't callable.
    """
    if isinstance(item, Mapping) and "()" in item:
        arguments = {key: value for key, value in item.items() if key != "()"}
        found = _called(_found(item["()"], where), arguments, where)
    else:
        found = _found(item, where)
        # A class can't process an event; what it makes can.
        found = _called(found, {}, where) if isinstance(found, type) else found
    if not callable(found):
        raise ConfigError(where, f"{item!r} is no processor: it can't be called", hint=_HINT)

    return found  # type: ignore[no-any-return]


def _called(factory: Any, arguments: dict[str, Any], where: str) -> Any:
    try:
        return factory(**arguments)
    except Exception as error:
        raise ConfigError(
            where, f"{factory!r} refused {arguments!r}: {error}", hint=_HINT
        ) from error


def _found(name: Any, where: str) -> Any:
    if not isinstance(name, str):
        return name

    path = name.removeprefix(_EXT)
    module, _, attribute = path.rpartition(".")
    try:
        return _attribute(module, attribute)
    except Exception as error:
        raise ConfigError(where, f"can't find {name!r}: {error}", hint=_HINT) from error


def _attribute(module: str, attribute: str) -> Any:
    if not module:
        raise ImportError(f"{attribute!r} names no module; a dotted name is expected")

    try:
        return getattr(import_module(module), attribute)
    except ModuleNotFoundError:
        outer, _, inner = module.rpartition(".")  # a class's attribute: "module.Class.method"
        if not outer:
            raise
        return getattr(_attribute(outer, inner), attribute)


def _drop_event() -> Any:
    """Tell structlog's DropEvent, no Exception: nobody can raise it who hasn't loaded structlog."""
    return getattr(sys.modules.get("structlog.exceptions"), "DropEvent", ())
