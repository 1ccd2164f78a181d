"""/audit: what an outsider needs to verify the audit trail without trusting the server."""

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from scim_server.http.server import Server, server_of
from scim_server.scim.errors import Forbidden, InvalidValue, NotFound
from scim_server.security.principals import VERIFY_AUDIT
from scim_server.services.context import CallContext
from scim_server.services.transparency.verification import Outside

MOST = 10_000
"""Events that one request may have verified."""
_DIGITS = 19


async def checkpoint(request: Request) -> Response:
    """Answer the last checkpoint as a signed note; 404 where none was made."""
    server, call = await _allowed(request)
    note = await server.proofs.checkpoint(call.principal.tenant_id)
    if note is None:
        raise NotFound("There is no checkpoint: none is due yet, or the server has no key to sign one with.")
    return PlainTextResponse(note)


async def proof(request: Request) -> Response:
    """Answer the proof that an event is in the tree of a checkpoint."""
    server, call = await _allowed(request)
    found = await server.proofs.inclusion(call.principal.tenant_id, request.path_params["id"].lower())
    return JSONResponse(found)


async def consistency(request: Request) -> Response:
    """Answer the proof that the tree of one size is the beginning of the tree of another."""
    server, call = await _allowed(request)
    sizes = _number(request, "from"), _number(request, "to")
    if sizes[0] is None or sizes[1] is None:
        raise InvalidValue("Name both sizes: ?from=100&to=200.")
    return JSONResponse(await server.proofs.consistency(call.principal.tenant_id, sizes[0], sizes[1]))


async def verify(request: Request) -> Response:
    """Verify a range of the chain, by default from its beginning, and tell the first bad event."""
    server, call = await _allowed(request)
    start = _number(request, "from") or 1
    end = min(_number(request, "to") or start + MOST - 1, start + MOST - 1)
    if end < start:
        raise InvalidValue("from is not after to.")
    signer = server.keeper.signer
    outside = Outside() if signer is None else Outside(keys=signer.keys)
    principal = call.principal
    found = await server.verification.verify(
        principal.tenant_id, principal.tenant, outside, start=start, end=end
    )
    if start > found.length + 1:
        raise InvalidValue(f"There are {found.length} events, and none from number {start} on.")
    bad = found.bad and {"sequence": found.bad.sequence, "event": found.bad.event_id, "what": found.bad.what}
    return JSONResponse(
        {
            "intact": found.code == 0,
            "from": found.first,
            "to": found.last,
            "events": found.events,
            "checkpoints": found.checkpoints,
            "bad": bad,
            "unknown": found.unknown,
            "remarks": found.remarks,
        }
    )


async def _allowed(request: Request) -> tuple[Server, CallContext]:
    server = server_of(request)
    call = await server.call(request)
    call.principal.require(VERIFY_AUDIT)
    if call.principal.row_scope is not None:
        raise Forbidden("A client that is confined to some users cannot verify what is on record of all.")
    return server, call


def _number(request: Request, name: str) -> int | None:
    """Return a positive number of the query, None where it is not given; raises InvalidValue."""
    text = request.query_params.get(name)
    if text is None:
        return None
    is_number = text.isascii() and text.isdecimal() and len(text) <= _DIGITS
    if not is_number or not 0 < int(text) < 2**62:
        raise InvalidValue(f"{name} is a number from 1 on.")
    return int(text)
