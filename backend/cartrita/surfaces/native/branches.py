"""Branch endpoints: where a conversation branches, and the choice of its current branch."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from cartrita.domain.messages import Siblings
from cartrita.kit import ids
from cartrita.surfaces.dependencies import STORED, AppServices, CurrentPrincipal, PublicId
from cartrita.surfaces.native.schemas import ConversationView

router = APIRouter(
    prefix="/api/conversations/{conversation_id}", tags=["messages"], dependencies=STORED
)


class SiblingsView(BaseModel):
    """Messages under one parent: versions of a question, or of its answer."""

    parent_id: str | None = Field(description="Null for versions of the first message.")
    message_ids: list[str] = Field(description="The oldest first.")

    @classmethod
    def of(cls, siblings: Siblings) -> "SiblingsView":
        parent = siblings.parent_id
        return cls(
            parent_id=None if parent is None else ids.public("msg", parent),
            message_ids=[ids.public("msg", each) for each in siblings.message_ids],
        )


class BranchList(BaseModel):
    """Every place where a conversation branches; of more than 1,000 the lowest."""

    items: list[SiblingsView]
    total: int


@router.get("/branches")
async def list_branches(
    principal: CurrentPrincipal, conversation_id: PublicId, services: AppServices
) -> BranchList:
    """The messages that have siblings, by their parents, on whichever branch."""
    found = await services.branches.siblings(principal, conversation_id)
    return BranchList(items=[SiblingsView.of(each) for each in found], total=len(found))


@router.post("/messages/{message_id}/select")
async def select_branch(
    principal: CurrentPrincipal,
    conversation_id: PublicId,
    message_id: PublicId,
    services: AppServices,
) -> ConversationView:
    """Make the branch through a message the current one, down to its newest end.

    409 `conversation_busy` while something is being answered there.
    """
    changed = await services.branches.select(principal, conversation_id, message_id)
    return ConversationView.of(changed)
