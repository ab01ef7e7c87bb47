"""The window manager is given the programs as they are, whatever is in their names."""

from defusedxml.ElementTree import fromstring

from cartrita.adapters.desktop.host import menu

MENU = "{http://openbox.org/3.4/menu}"


def test_names_and_commands_are_quoted() -> None:
    apps = {'A "quoted" <name> & more': ("sh", "-c", "echo 'a b' && exit"), "Plain": ("xterm",)}
    items = fromstring(menu.menu(apps)).findall(f".//{MENU}item")
    assert [item.get("label") for item in items] == list(apps)
    commands = [item.findtext(f".//{MENU}command") for item in items]
    assert commands == ["""sh -c 'echo '"'"'a b'"'"' && exit'""", "xterm"]


def test_settings_are_well_formed() -> None:
    assert fromstring(menu.settings()).tag == "{http://openbox.org/3.4/rc}openbox_config"
