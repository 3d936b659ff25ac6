"""Approvals: Ed25519 signatures of two roles over a draft's hash. Private keys stay with their owners."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from assets.decision.draft import SHORT, Draft, folder, refuse_mixed
from assets.house import House
from assets.lake import write_atomically
from assets.signatures import is_signed_by, raw_key, read_private_key, read_public_keys
from schemas.errors import ApprovalMissing, Refused
from schemas.vocabularies import Role


@dataclass(frozen=True)
class Approval:
    """One role's word on one draft."""

    draft: str
    quarter: str
    role: Role
    name: str
    decree: str
    signature: str

    @property
    def message(self) -> bytes:
        """The bytes that are signed."""
        parts = ("perlinsos approval 1", self.quarter, self.draft, self.role, self.name, self.decree)
        return "\n".join(parts).encode()


def approvers(house: House, role: Role) -> Mapping[str, Ed25519PublicKey]:
    """Public keys of a role by name, as the operator put them in `keys/approvers/<role>/<name>.pub`.

    Raises
    ------
    Refused
        If a file is no Ed25519 public key.
    """
    return read_public_keys(house.approvers / role, f"keys/approvers/{role}")


def approve(house: House, draft: Draft, role: Role, key_file: Path, decree: str) -> Approval:
    """Sign a draft in a role.

    Raises
    ------
    Refused
        If the key is no Ed25519 private key, is not registered for the role, or already signed in the other role; or
        as :func:`assets.decision.draft.refuse_mixed` does.
    """
    refuse_mixed(house, draft)
    key = read_private_key(key_file)
    public = raw_key(key.public_key())
    name = next((name for name, known in approvers(house, role).items() if raw_key(known) == public), None)
    if name is None:
        message = (
            f"the key's public half is not registered for the role {role}. "
            f"The operator puts it in keys/approvers/{role}/<name>.pub."
        )
        raise Refused(message)
    for other in approvals(house, draft).values():
        if other.role is not role and raw_key(approvers(house, other.role)[other.name]) == public:
            message = f"this key approved the draft as {other.role} already; the second approval is somebody else's."
            raise Refused(message)
    unsigned = Approval(draft.hash, str(draft.quarter), role, name, decree, "")
    signed = Approval(draft.hash, str(draft.quarter), role, name, decree, key.sign(unsigned.message).hex())
    content = json.dumps(asdict(signed), indent=1).encode()
    write_atomically(folder(house, draft.quarter, draft.hash) / "approvals" / f"{role}.json", content)
    return signed


def approvals(house: House, draft: Draft) -> dict[Role, Approval]:
    """Valid approvals of a draft by role; a file whose signature does not hold is no approval."""
    found = {}
    for role in Role:
        path = folder(house, draft.quarter, draft.hash) / "approvals" / f"{role}.json"
        if not path.exists():
            continue
        try:
            plain = json.loads(path.read_text())
            approval = Approval(**{**plain, "role": Role(plain["role"])})
        except (ValueError, TypeError, KeyError):
            continue
        key = approvers(house, role).get(approval.name)
        if approval.draft == draft.hash and approval.role is role and key is not None and _holds(approval, key):
            found[role] = approval
    return found


def _holds(approval: Approval, key: Ed25519PublicKey) -> bool:
    try:
        signature = bytes.fromhex(approval.signature)
    except ValueError:
        return False
    return is_signed_by(key, signature, approval.message)


def require_both(house: House, draft: Draft) -> dict[Role, Approval]:
    """The two approvals of a draft, by two people.

    Raises
    ------
    ApprovalMissing
        If a role has not approved it, or both are the same key.
    """
    found = approvals(house, draft)
    missing = [role for role in Role if role not in found]
    if missing:
        message = (
            f"draft {draft.hash[:SHORT]} has no valid approval by: {', '.join(missing)}. "
            f"Give it with `perlinsos approve {draft.hash[:SHORT]} --role {missing[0]} --key FILE --decree NO`."
        )
        raise ApprovalMissing(message)
    keys = {raw_key(approvers(house, role)[approval.name]) for role, approval in found.items()}
    if len(keys) < len(Role):
        message = f"draft {draft.hash[:SHORT]} was approved twice by one key. The two roles are two people."
        raise ApprovalMissing(message)
    return found
