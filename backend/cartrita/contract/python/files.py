"""All files of the Python client that are written from the contract."""

from cartrita.contract.model import Contract
from cartrita.contract.python.errors import errors_file
from cartrita.contract.python.layout import NOTICE
from cartrita.contract.python.methods import ASYNCHRONOUS, BLOCKING, methods_file
from cartrita.contract.python.models import models_file
from cartrita.contract.python.requests import requests_file
from cartrita.contract.python.table import table_file

FOLDER = "client/cartrita_client/generated"


def python_files(contract: Contract) -> dict[str, str]:
    """Their contents, by their paths in a checkout."""
    written = {
        "__init__": f'{NOTICE}"""What is generated from the contract."""\n',
        "errors": errors_file(contract),
        "models": models_file(contract),
        "operations_async": methods_file(contract, ASYNCHRONOUS),
        "operations_sync": methods_file(contract, BLOCKING),
        "requests": requests_file(contract),
        "table": table_file(contract),
    }
    return {f"{FOLDER}/{name}.py": text for name, text in written.items()}
