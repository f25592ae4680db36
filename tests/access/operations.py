"""Every operation of the OpenAPI document, with a valid request for it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from fastapi.routing import iter_route_contexts

from xero_sandbox.samples import ACME_TRADING
from xero_service.app import PREFIX, assemble

PROXY = f"{PREFIX}/bindings/{{bindingId}}/api"
METHODS = ("get", "post", "put", "patch", "delete", "head", "options")
# What nobody needs to prove anything for; every other operation answers 401 (S1).
PUBLIC = {"finishConnection", "finishConnectionHead", "health", "readiness", "metrics"}
PUBLIC |= {"askToUnsubscribe", "unsubscribe"}  # the credential is a signed link (S65)


@dataclass(frozen=True)
class Objects:
    """What a request is about."""

    binding_id: str
    grant_id: str
    tenant_id: str = ACME_TRADING

    @classmethod
    def unknown(cls) -> "Objects":
        return cls(str(uuid4()), str(uuid4()))


@dataclass(frozen=True)
class Operation:
    """One method of one path."""

    id: str
    method: str
    path: str
    names: frozenset[str]  # of all parameters and body fields

    def address(self, about: Objects) -> str:
        named = {"bindingId": about.binding_id, "path": "api.xro/2.0/Organisation"}
        return self.path.format_map(named)

    def sends(self, about: Objects) -> dict[str, Any]:
        """The query or the body that names these objects."""
        match self.id:
            case "listTenants":
                return {"params": {"grantId": about.grant_id}}
            case "selectTenant":
                return {"json": {"grantId": about.grant_id, "tenantId": about.tenant_id}}
            case "disconnectBinding":
                return {"json": {"tenantBindingId": about.binding_id}}
            case "finishConnection" | "finishConnectionHead":
                return {"params": {"state": "unknown", "code": "unknown"}}
        return {}

    @property
    def names_an_object(self) -> bool:
        return bool(self.names & {"bindingId", "grantId", "tenantBindingId"})

    @property
    def is_xeros_answer(self) -> bool:
        return self.id.startswith("callXero")


# HEAD is left out of the document and answered all the same.
HIDDEN = (
    Operation("callXeroOptions", "options", f"{PROXY}/{{path}}", frozenset({"bindingId"})),
    Operation("callXeroHead", "head", f"{PROXY}/{{path}}", frozenset({"bindingId"})),
    Operation("finishConnectionHead", "head", f"{PREFIX}/callback", frozenset({"state"})),
)


def operations() -> list[Operation]:
    """All of them, those that end something last."""
    found = sorted(
        [*_read(), *HIDDEN], key=lambda each: (each.id == "disconnectBinding", each.path, each.id)
    )
    assert len({each.id for each in found}) == len(found)
    return found


def _read() -> Iterator[Operation]:
    document = assemble().openapi()
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method in METHODS:
                names = {each["name"] for each in operation.get("parameters", [])}
                body = operation.get("requestBody", {}).get("content", {})
                for content in body.values():
                    names |= _fields(document, content["schema"])
                yield Operation(operation["operationId"], method, path, frozenset(names))


def _fields(document: dict[str, Any], schema: dict[str, Any]) -> set[str]:
    """The names of a body's fields, through references and alternatives."""
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
    fields = set(schema.get("properties", {}))
    for each in schema.get("anyOf", []):
        fields |= _fields(document, each)
    return fields


def undocumented() -> set[tuple[str, str]]:
    """Methods and paths that the application answers beside the document."""
    documented = {(each.method, each.path) for each in _read()}
    answered = {
        (method.lower(), str(route.path_format or route.path))
        for route in iter_route_contexts(assemble().routes)
        for method in (route.methods or {"mount"})
    }
    return answered - documented
