"""Every message of the rules, worded as the organisation's documents word them, by rule id.

Where several documents word the same thing differently, the newest and most specific wins; the use cases
that only one document has keep its wording.
"""

from typing import Any

MESSAGES = {
    "R-EMAIL-REQ": "Email is required",
    "R-EMAIL-UNIQ": "A user with this email already exists",
    "R-EMAIL-CHANGE": "Email cannot be changed",
    "R-EMPID-UNIQ": "This employee ID is already in use",
    "R-REF.department": "Department {text} does not exist",
    "R-REF.location": "Location {text} does not exist",
    "R-REF.role": "Selected role is not available",
    "R-REF.special permission": "Special permission {text} does not exist",
    "R-REF.manager": "Manager {text} does not exist",
    "R-REF.cycle": "A user cannot report to itself, directly or through others",
    "R-DEPT-ACTIVE.create": "Selected department is inactive",
    "R-DEPT-ACTIVE.assign": "Cannot assign to inactive department",
    "R-DEPT-MAX": "A user can be in {most} departments at most",
    "R-LOC-ACTIVE": "Selected location is inactive",
    "R-ROLE-ACTIVE": "Selected role is not available",
    "R-ROLE-MAX": "A user can have {most} roles at most",
    "R-ROLE-DEPT": "Role {role} is not meant for the user's departments",
    "R-DUP.department": "User already assigned to this department",
    "R-DUP.location": "Location already assigned",
    "R-DUP.role": "User already has this role",
    "R-DUP.special permission": "User already has this special permission",
    "R-PRIMARY": "{name} became the primary {noun}",
    "R-LAST-ROLE": "The only role of a user cannot be removed",
    "R-ROLE-AUTH": "Insufficient authority to grant {name}",
    "R-SOD": "Selected roles have conflicting permissions",
    "R-MFA": "Two-factor authentication is required for {name}",
    "R-TEAM": "Pod assignment is required for this role",
    "R-TEAM.active": "Selected pod is not available",
    "R-TEAM.known": "Selected pod no longer exists",
    "R-LIMIT.positive": "Approval limit must be a positive number",
    "R-LIMIT.digits": "Approval limit in {currency} can have {places}",
    "R-LIMIT.currency": "Selected currency is invalid",
    "R-LIMIT.maximum": "Approval limit cannot exceed {maximum}",
    "R-LIMIT.twice": "There is more than one approval limit of the type {type}",
    "R-LIMIT-JUST": "Justification required for a limit above the role's default",
    "R-PERM-JUST": "Justification required for this permission",
    "R-PERM-AUTH": "Insufficient authority to grant {name}",
    "R-PERM-ACTIVE": "Special permission {name} is not available",
    "R-PERM-DURATION": "{name} can be granted for {duration} at most",
    "R-TIME": "The end of {what} must be after its beginning",
    "R-DATE": "{what} must be a date or a dateTime",
    "R-TRANS": "Invalid status transition from {before} to {after}",
    "R-REASON": "Deactivation reason is required",
    "R-REASON.reactivate": "Reactivation reason is required",
    "R-READY.role": "Please select a role for this user",
    "R-READY.department": "Please select a department for this user",
    "R-READY.manager": "Please select a supervisor for this user",
    "R-READY.email": "Email is required",
    "R-OBLIG": "Cannot delete user with active transactions. Deactivate instead.",
    "R-OBLIG.deactivate": "Cannot deactivate user with critical pending actions: {names}",
    "R-SELF.delete": "You cannot delete your own account",
    "R-SELF.deactivate": "You cannot deactivate your own account",
    "R-SELF.escalate": "You cannot grant {what} to yourself",
    "R-LASTADMIN": "The last administrator cannot be deactivated or deleted",
    "R-SOLE": "{name} is held by nobody else; assign it to somebody first",
    "R-HOLD": "The account is held by {sources}, which alone can lift that",
    "R-LOCK": "lockout.locked can only be set to false",
    "R-CLEAR": "Clearance follows from the roles and cannot be set",
    "R-FORMS": "{flat} and {rich} state different values",
    "R-BURST": "Too many {what} in a short time; an administrator was told. Try again later.",
    "R-PERMISSIONS": "Your permissions have changed",
    "R-TOKENS": "Too many tokens created. Try again later.",
}


def message(key: str, **facts: Any) -> str:
    """Return a message with its facts filled in."""
    return MESSAGES[key].format(**facts)
