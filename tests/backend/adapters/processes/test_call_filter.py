"""The filter of system calls, machine by machine."""

import errno
import struct

import pytest

from cartrita.adapters.processes.call_filter import call_filter, family_filter

ALLOW, KILL, REFUSE, UNKNOWN = 0x7FFF0000, 0x80000000, 0x00050001, 0x00050026
X86_64, AARCH64 = 0xC000003E, 0xC00000B7


def decided(program: bytes, machine: int, number: int, argument: int = 0) -> int:
    """What the kernel would decide about a call: an interpreter of the instructions used."""
    data = struct.pack("=IIQQ", number, machine, 0, argument)
    steps = list(struct.iter_unpack("=HBBI", program))
    at = value = 0
    while True:
        code, if_true, if_false, operand = steps[at]
        at += 1
        match code:
            case 0x20:
                (value,) = struct.unpack_from("=I", data, operand)
            case 0x06:
                return operand
            case _:
                holds = {0x15: value == operand, 0x35: value >= operand, 0x45: value & operand}
                at += if_true if holds[code] else if_false


@pytest.mark.parametrize(
    ("machine", "identity", "refused", "allowed", "clone"),
    [
        ("x86_64", X86_64, (41, 42, 101, 272, 165, 169, 321, 425, 442), (0, 1, 53, 59, 231), 56),
        ("aarch64", AARCH64, (198, 203, 117, 97, 40, 142, 280, 425, 442), (63, 64, 199, 221), 220),
    ],
)
def test_what_is_refused(
    machine: str, identity: int, refused: tuple[int, ...], allowed: tuple[int, ...], clone: int
) -> None:
    program = call_filter(machine)
    assert program is not None
    assert {decided(program, identity, number) for number in refused} == {REFUSE}
    assert {decided(program, identity, number) for number in allowed} == {ALLOW}
    assert decided(program, identity, 435) == UNKNOWN
    assert decided(program, identity, clone, 0x01200011) == ALLOW
    for namespace in (0x00020000, 0x10000000, 0x20000000, 0x40000000):
        assert decided(program, identity, clone, namespace | 17) == REFUSE
    assert decided(program, identity, 0x40000000 | 1) == REFUSE
    assert decided(program, identity ^ 1, 0) == KILL


@pytest.mark.parametrize(
    ("machine", "identity", "others"),
    [
        ("x86_64", X86_64, (56, 57, 58, 59, 62, 200, 234, 322, 424, 434)),
        ("aarch64", AARCH64, (129, 130, 131, 220, 221, 281, 424, 434)),
    ],
)
def test_a_process_that_is_alone(machine: str, identity: int, others: tuple[int, ...]) -> None:
    program, with_others = call_filter(machine, alone=True), call_filter(machine)
    assert program is not None
    assert with_others is not None
    assert {decided(program, identity, number, 17) for number in others} == {REFUSE}
    assert {decided(with_others, identity, number, 17) for number in others} == {ALLOW}


def test_a_machine_whose_calls_are_not_known() -> None:
    assert call_filter("vax") is None


@pytest.mark.parametrize(
    ("machine", "identity", "socket", "others"),
    [
        ("x86_64", X86_64, 41, (0, 1, 42, 53, 56, 59, 101)),
        ("aarch64", AARCH64, 198, (63, 64, 199, 203, 220, 221, 117)),
    ],
)
def test_sockets_of_few_families_are_had(
    machine: str, identity: int, socket: int, others: tuple[int, ...]
) -> None:
    program = family_filter(machine)
    assert program is not None
    had = {family for family in range(64) if decided(program, identity, socket, family) == ALLOW}
    assert had == {1, 2, 10, 16}
    assert decided(program, identity, socket, 40) == 0x00050000 | errno.EAFNOSUPPORT
    assert {decided(program, identity, number, 40) for number in others} == {ALLOW}
    assert decided(program, identity, 425) == UNKNOWN, "which makes sockets, too"
    assert decided(program, identity, 0x40000000 | socket, 1) == UNKNOWN
    assert decided(program, identity ^ 1, 0) == KILL


def test_where_calls_are_not_known_there_is_no_filter_of_families() -> None:
    assert family_filter("riscv64") is None
