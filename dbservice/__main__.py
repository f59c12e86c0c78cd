"""`python -m dbservice`."""

from dbservice.server import running
from dbservice.settings import DbserviceSettings
from lookalike.lifecycle import serve

if __name__ == "__main__":
    serve("dbservice", DbserviceSettings, running)
