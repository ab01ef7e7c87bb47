"""The contract that the server serves, made once for all tests of a process; none changes it."""

from cartrita.app import openapi_document, websocket_document
from cartrita.contract.model import Contract
from cartrita.contract.walker import contract_of

OPENAPI = openapi_document()
ASYNCAPI = websocket_document()
CONTRACT: Contract = contract_of(OPENAPI, ASYNCAPI)
