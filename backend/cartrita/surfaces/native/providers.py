"""Provider endpoints: which there are, and tests of the connection to them."""

from collections.abc import Iterable
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from cartrita.domain.provider_checks import CheckReport, CheckStep, ProviderSummary
from cartrita.gateway.health import DeploymentHealth
from cartrita.surfaces.dependencies import AppServices, CurrentPrincipal, PublicId, operator_only
from cartrita.surfaces.native.request_bodies import JsonBody, RequestModel

router = APIRouter(prefix="/api/providers", tags=["providers"])


class DeploymentHealthView(BaseModel):
    """A model whose last call failed, as this process has seen it."""

    model: str
    state: str = Field(description="ok, failing, ejected, limited or exhausted")
    failures: int
    seconds: float = Field(description="Until it is called again.")
    code: str = Field(description="Of its last error.")

    @classmethod
    def of(cls, health: DeploymentHealth) -> "DeploymentHealthView":
        return cls(
            model=health.model,
            state=health.state,
            failures=health.failures,
            seconds=round(health.seconds, 1),
            code=health.code,
        )


class ProviderView(BaseModel):
    """One provider, without secrets."""

    name: str = Field(examples=["openai"])
    dialect: str | None = Field(description="The wire that it speaks; null for our own model.")
    base_url: str | None
    has_credential: bool = Field(description="Whether it is called with a key or a token.")
    default_model: str | None
    models: int | None = Field(description="How many models it lists; null if it does not tell.")
    health: list[DeploymentHealthView] = Field(description="Its models whose last call failed.")

    @classmethod
    def of(
        cls, summary: ProviderSummary, models: int | None, health: Iterable[DeploymentHealth]
    ) -> "ProviderView":
        return cls(
            name=summary.name,
            dialect=summary.dialect,
            base_url=summary.base_url,
            has_credential=summary.has_credential,
            default_model=summary.default_model,
            models=models,
            health=[DeploymentHealthView.of(one) for one in health if one.provider == summary.name],
        )


class ProviderList(BaseModel):
    """All providers, preferred ones first."""

    providers: list[ProviderView]
    total: int


class CheckRequest(RequestModel):
    """How thorough a test is."""

    full: Annotated[
        bool, Field(description="Also call a model at each endpoint, whole and streamed.")
    ] = False


class CheckStepView(BaseModel):
    """One step of a test."""

    name: str = Field(examples=["models"])
    ok: bool
    seconds: float
    detail: str
    code: str | None
    status: int | None = Field(description="The HTTP status of the provider, if there was one.")
    advice: str | None = Field(description="What to do about a failure.")

    @classmethod
    def of(cls, step: CheckStep) -> "CheckStepView":
        return cls(
            name=step.name,
            ok=step.ok,
            seconds=round(step.seconds, 3),
            detail=step.detail,
            code=step.code,
            status=step.status,
            advice=step.advice,
        )


class ProviderCheck(BaseModel):
    """The report of a test; `ok` if every step succeeded."""

    provider: str
    ok: bool
    steps: list[CheckStepView]

    @classmethod
    def of(cls, report: CheckReport) -> "ProviderCheck":
        steps = [CheckStepView.of(step) for step in report.steps]
        return cls(provider=report.provider, ok=report.ok, steps=steps)


@router.get("")
async def list_providers(principal: CurrentPrincipal, services: AppServices) -> ProviderList:
    """The configured providers that the key may call."""
    counts: dict[str, int] = {}
    for model in await services.models(principal.scopes):
        counts[model.provider] = counts.get(model.provider, 0) + 1
    health = services.health()
    views = [
        ProviderView.of(summary, counts.get(summary.name), health)
        for summary in services.provider_checks.summaries()
        if principal.scopes.allows_provider(summary.name)
    ]
    return ProviderList(providers=views, total=len(views))


@router.post("/{name}/check", dependencies=[Depends(operator_only)])
async def check_provider(
    name: PublicId,
    principal: CurrentPrincipal,
    body: Annotated[CheckRequest, Depends(JsonBody(CheckRequest, optional=True))],
    services: AppServices,
) -> ProviderCheck:
    """Test the connection: reach the provider and list its models; `full` also calls a model.

    A full test costs a few tokens at each endpoint of the provider. The server's credential pays
    for it, so that it is for those who administer the server.
    """
    principal.scopes.require_provider(name)
    return ProviderCheck.of(await services.provider_checks.check(name, full=body.full))
