"""Settings of the programs that agents write and run."""

from typing import Annotated

from pydantic import Field

from cartrita.settings.fields import Group, Setting


class Code(Group):
    """Python programs that agents write and run, with the tool `run_code`, in a sandbox."""

    enabled: Annotated[bool, Setting("Whether agents may run programs.")] = False
    partial: Annotated[
        bool,
        Setting(
            "Whether they run even where the system lets no sandbox be complete, so that they may "
            "read files of this server; `/ready` tells what is missing."
        ),
    ] = False
    timeout_s: Annotated[
        float, Field(ge=0.5, le=600), Setting("How long a program may take; then it is ended.")
    ] = 20.0
    memory_bytes: Annotated[
        int,
        Field(ge=64 << 20, le=1 << 40),
        Setting("The address space of each process of a program."),
    ] = 512 << 20
    disk_bytes: Annotated[
        int, Field(ge=1 << 20, le=1 << 40), Setting("How much a program may write, in memory.")
    ] = 64 << 20
    processes_max: Annotated[
        int, Field(ge=4, le=1024), Setting("How many processes and threads a program may have.")
    ] = 16
    output_bytes: Annotated[
        int, Field(ge=1 << 10, le=16 << 20), Setting("How much is read of what a program prints.")
    ] = 64 << 10
    parallel: Annotated[
        int, Field(ge=1, le=256), Setting("How many programs a worker runs at once.")
    ] = 2
