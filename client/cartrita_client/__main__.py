"""`python -m cartrita_client`."""

import sys

from cartrita_client.cli.main import main

sys.exit(main())
