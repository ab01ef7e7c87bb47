"""How the surfaces are configured."""

from importlib.metadata import version

from cartrita.settings import Settings
from cartrita.surfaces.inbound_rates import InboundRate, over_defaults
from cartrita.surfaces.services import SocketLimits, SurfaceConfig


def surface_config(settings: Settings) -> SurfaceConfig:
    """The limits and modes that the surfaces apply to every request."""
    return SurfaceConfig(
        keyless=settings.auth.mode == "loopback",
        loopback=settings.server.loopback,
        byok=settings.auth.byok,
        legacy_query_keys=settings.auth.legacy_query_keys or settings.compat.cartrita_frontend,
        older_frontends=settings.compat.cartrita_frontend,
        cors_origins=settings.server.cors_origins,
        cors_max_age_s=settings.server.cors_max_age_s,
        hsts_s=settings.server.hsts_s,
        body_max_bytes=settings.server.body_max_bytes,
        v1_body_max_bytes=settings.server.v1_body_max_bytes,
        body_timeout_s=settings.server.body_timeout_s,
        upload_max_bytes=settings.files.max_bytes,
        uploads_max=settings.files.per_request_max,
        upload_timeout_s=settings.files.upload_timeout_s,
        recording_max_bytes=settings.voice.recording_max_bytes,
        session_s=settings.auth.session_s,
        ticket_s=settings.auth.ticket_s,
        heartbeat_s=settings.run_log.heartbeat_s,
        v1=settings.openai_compat.enable,
        translated_choices=settings.openai_compat.max_choices,
        sockets=SocketLimits(
            auth_s=settings.websocket.auth_s,
            idle_s=settings.websocket.idle_s,
            runs_max=settings.websocket.runs_max,
        ),
        inbound_rates=_inbound_rates(settings),
        tracing_keys=frozenset(settings.tracing.trusted_keys),
        version=version("cartrita"),
    )


def _inbound_rates(settings: Settings) -> tuple[InboundRate, ...]:
    inbound = settings.limits.inbound
    if not inbound.enabled:
        return ()
    return over_defaults(InboundRate(one.name, one.count, one.period_s) for one in inbound.rates)
