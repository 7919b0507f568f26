"""Methods of other people's classes: wrapped while that is wanted, and given back."""

from __future__ import annotations

import importlib
import importlib.util
import logging
import sys
from functools import wraps

import pytest

from tracelog.patches import Patches, Target


SOURCE = """
class Base:
    def inherited(self):
        return "inherited"


class Server(Base):
    def made(self, transport):
        return f"made {transport}"

    attribute = 1
"""


def shout(original):
    @wraps(original)
    def method(self, *args):
        return original(self, *args).upper()

    return method


WRAPS = dict.fromkeys(["made", "inherited", "attribute", "gone"], shout)


@pytest.fixture
def make_module(tmp_path, monkeypatch):
    """Make a module to import; it is forgotten afterwards."""
    monkeypatch.syspath_prepend(tmp_path)

    def make(source=SOURCE):
        (tmp_path / "served_by.py").write_text(source)
        importlib.invalidate_caches()

    yield make
    sys.modules.pop("served_by", None)


@pytest.fixture
def patches():
    patches = Patches([Target("served_by", "Server", {"made": 1}, WRAPS)])
    yield patches
    patches.undo()


def load():
    return importlib.import_module("served_by")


def use(server):
    return server.made("x"), server.inherited()


def test_what_is_loaded_already_is_wrapped(make_module, patches):
    """Its own methods and what it inherits; not what isn't a method, or isn't there."""
    make_module()
    module = load()

    patches.apply()

    assert use(module.Server()) == ("MADE X", "INHERITED")
    assert module.Server.attribute == 1
    assert module.Base().inherited() == "inherited"


def test_what_is_loaded_later_is_wrapped_then(make_module, patches):
    """A server may be imported after logging was configured; its module stays as it would be."""
    make_module()

    patches.apply()
    module = load()

    assert use(module.Server()) == ("MADE X", "INHERITED")
    loaders = module.__loader__, module.__spec__.loader
    assert not [each for each in loaders if type(each).__module__.startswith("tracelog")]


def test_applying_twice_is_applying_once(make_module, patches):
    """Each method is wrapped once, and found once."""
    make_module()
    load()
    finders = len(sys.meta_path)

    patches.apply()
    patches.apply()

    assert patches.applied
    assert len(sys.meta_path) == finders + 1


def test_undoing_leaves_nothing(make_module, patches):
    """Each class has its own methods back, and no more."""
    make_module()
    module = load()
    before, finders = dict(vars(module.Server)), [*sys.meta_path]
    patches.apply()

    patches.undo()
    patches.undo()

    assert dict(vars(module.Server)) == before
    assert sys.meta_path == finders
    assert not patches.applied
    assert use(module.Server()) == ("made x", "inherited")


def test_another_module_is_nobodys_business(make_module, patches, tmp_path):
    """It is found and loaded as ever."""
    (tmp_path / "beside.py").write_text("x = 1")
    patches.apply()

    assert importlib.import_module("beside").x == 1
    with pytest.raises(ModuleNotFoundError, match="served_by"):
        load()


@pytest.mark.parametrize(
    ("source", "strange"),
    [
        pytest.param("", "isn't there", id="no class"),
        pytest.param("Server = 5", "isn't there", id="no class of that name"),
        pytest.param("class Server: pass", "has no method made", id="no method"),
        pytest.param(
            "class Server:\n  def made(self): pass", "made that takes other arguments", id="fewer"
        ),
        pytest.param(
            "class Server:\n  def made(self, a, b): pass", "takes other arguments", id="more"
        ),
    ],
)
def test_a_strange_class_is_left_alone(make_module, patches, caplog, source, strange):
    """Another version's class isn't touched; that is said once, with the version."""
    make_module(source)

    patches.apply()
    module = load()
    importlib.reload(module)

    [record] = caplog.records
    assert (record.name, record.levelno) == ("tracelog.internal", logging.WARNING)
    assert strange in record.getMessage()
    assert f"served_by {sys.version.split()[0]}: served_by.Server" in record.getMessage()
    assert not hasattr(getattr(module, "Server", None), "__wrapped__")


def test_the_version_is_the_packages(caplog):
    """Who reads the warning knows which release to look at."""
    patches = Patches([Target("structlog.stdlib", "BoundLogger", {"nothing": 1}, {})])

    importlib.import_module("structlog.stdlib")
    patches.apply()
    patches.undo()

    version = importlib.import_module("structlog").__version__
    assert f"structlog {version}: structlog.stdlib.BoundLogger" in caplog.text


def test_a_compiled_method_need_not_tell_its_arguments(make_module):
    """It is the one that was expected, as far as can be seen."""
    make_module("class Server(dict): made = dict.update")
    patches = Patches([Target("served_by", "Server", {"made": 1}, {"get": shout})])

    patches.apply()

    assert load().Server(a="x").get("a") == "X"
    patches.undo()


def test_a_class_that_can_t_be_changed_is_left_alone(make_module, caplog):
    """Its import, within which we are, goes on."""
    make_module("Server = type('').__class__ and dict")
    patches = Patches([Target("served_by", "Server", {"get": 1}, {"get": shout})])
    patches.apply()

    assert load().Server is dict
    assert "can't be changed" in caplog.text
    patches.undo()


def test_what_others_have_wrapped_since_is_theirs(make_module, patches):
    """Undoing doesn't take their wrapper away."""
    make_module()
    module = load()
    patches.apply()
    theirs = module.Server.made = lambda self, transport: "theirs"

    patches.undo()

    assert module.Server.made is theirs
    assert module.Server().inherited() == "inherited"


def test_a_spec_may_be_looked_at_without_loading(make_module, patches, tmp_path):
    """Tools ask its loader for the source."""
    make_module()
    patches.apply()

    spec = importlib.util.find_spec("served_by")

    assert spec.loader.get_filename("served_by") == str(tmp_path / "served_by.py")
