"""Says of tables what Python's frictionless finds wrong with them: the oracle of tests/integration/tables/oracle.rs.

Reads a JSON list of {"schema": …, "table": …} from standard input, writes a list of lists of error types.
"""

import json
import sys

from frictionless import Dialect, Resource, Schema, formats

# The dialect is given, or it would be guessed from each table.
CONTROL = formats.CsvControl(
    delimiter=",", quote_char='"', double_quote=True, skip_initial_space=False, line_terminator="\r\n"
)


def errors(case):
    resource = Resource(
        data=case["table"].encode(),
        format="csv",
        encoding="utf-8",
        dialect=Dialect(controls=[CONTROL]),
        schema=Schema.from_descriptor(case["schema"]),
    )
    report = resource.validate(limit_errors=20)
    found = [error.type for task in report.tasks for error in task.errors]
    return found + [error.type for error in report.errors]


json.dump([errors(case) for case in json.load(sys.stdin)], sys.stdout)
