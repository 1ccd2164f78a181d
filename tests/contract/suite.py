"""What every store guarantees, as tests that a subclass runs on its database.

A subclass is named Test...; it gives the fixture `database`, an empty migrated store. The facts are
split over the mixins of this folder so that each file has one noun.
"""

from tests.contract.audit import AuditContract
from tests.contract.callers import CallerContract
from tests.contract.catalogue import CatalogueContract
from tests.contract.deleted import DeletedContract
from tests.contract.filters import FilterContract
from tests.contract.lists import ListContract
from tests.contract.people import PeopleContract
from tests.contract.references import ReferenceContract
from tests.contract.resources import ResourceContract
from tests.contract.sorting import SortContract
from tests.contract.timed import TimedContract
from tests.contract.validity import ValidityContract
from tests.contract.varying import VaryingContract


class StoreContract(
    ResourceContract,
    TimedContract,
    VaryingContract,
    DeletedContract,
    ReferenceContract,
    ValidityContract,
    ListContract,
    SortContract,
    FilterContract,
    CallerContract,
    CatalogueContract,
    PeopleContract,
    AuditContract,
):
    """Everything that the services rely on."""
