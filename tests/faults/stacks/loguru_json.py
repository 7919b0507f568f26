"""loguru, `serialize=True`, with its defaults."""

from __future__ import annotations

from loguru import logger


TITLE = "loguru"
_FORMAT = "<green>{time}</green> <level>{level: <8}</level> {name} <level>{message}</level> {extra}\n{exception}"
_bound = []


class Logger:
    """Keyword arguments through `bind`, its way to structured logging."""

    def __init__(self, base):
        self._base = base

    def __reduce__(self):
        return Logger, (self._base,)

    def __getattr__(self, method):
        def log(message, /, *args, exc_info=None, **fields):
            bound = self._base.bind(**fields) if fields else self._base
            bound = bound.opt(exception=exc_info) if exc_info is not None else bound
            getattr(bound, method)(message, *args)

        return log


def get_logger(name):
    return Logger(logger)


def setup(sink, *, console=False, **options):
    logger.remove()
    if console:
        options = {"format": _FORMAT, "colorize": True}
    logger.add(sink, level="DEBUG", serialize=not console, **options)


def setup_rotating(path, max_bytes, backups):
    setup(path, rotation=max_bytes, retention=backups)


def bind(**values):
    _bound.append(logger.contextualize(**values))  # it ends with its object
    _bound[-1].__enter__()


def add_handler(handler):
    logger.add(handler, level="DEBUG")


def read(line):
    record = line["record"]
    return record["message"], record["level"]["name"].lower(), {**record["extra"], **line}
