"""The Starlette side: routes, middleware, content negotiation, errors as responses."""
