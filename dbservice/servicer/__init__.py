"""The RPCs. Token, validation, errors and their announcement are the interceptors'."""

from dbservice.servicer.bots import BotServicer
from dbservice.servicer.people import PeopleServicer
from dbservice.servicer.work import WorkServicer
from protos.lookalike.db.v1.db_pb2_grpc import DatabaseServiceServicer


class DatabaseServicer(WorkServicer, PeopleServicer, BotServicer, DatabaseServiceServicer):
    """The contract `lookalike.db.v1.DatabaseService`."""
