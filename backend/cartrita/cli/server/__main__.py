"""The program of a worker, which looks for no garbage while it imports: nothing is garbage yet."""

import gc
from importlib import import_module

if __name__ == "__main__":
    gc.disable()  # until it serves
    import_module("cartrita.cli.server.worker").main()
