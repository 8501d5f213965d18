"""Checks tables against their schemas with the reference implementation of Table Schema, and prints what it finds as JSON.

usage: check_tables.py SCHEMA TABLE [SCHEMA TABLE ...]

The rules of our extension become row constraints where the implementation can say them; foreign keys into other datasets are
left out, as the parties' programs do. Nothing here knows our code.
"""

import json
import sys

from frictionless import Checklist, Dialect, Resource, Schema, checks, formats, system


def constraint(rule):
    """A rule across columns as an expression, or none where it only warns or cannot be said."""
    if "compare" in rule:
        left, sign, right = (rule["compare"][part] for part in ("left", "is", "right"))
        days = rule["compare"].get("days")
        if days is not None:
            return f"not {left} or not {right} or ({left} - {right}).days {sign} {days}"
        return f"not {left} or not {right} or {left} {sign} {right}"
    if "required" in rule:
        when, present = rule["when"], " and ".join(f"{name} != None" for name in rule["required"])
        return f"not ({when['field']} in {when['in']!r}) or ({present})"
    return None


def judged(schema_path, table_path):
    with open(schema_path, encoding="utf-8") as file:
        descriptor = json.load(file)
    rules = descriptor.pop("amanah", {}).get("rules", [])
    within = [key for key in descriptor.pop("foreignKeys", []) if not key["reference"].get("resource")]
    if within:
        descriptor["foreignKeys"] = within
    formulas = [formula for formula in map(constraint, rules) if formula]
    wanted = [checks.row_constraint(formula=formula) for formula in formulas]
    dialect = Dialect(controls=[formats.CsvControl(delimiter=",")])
    with system.use_context(trusted=True):
        resource = Resource(
            path=table_path, encoding="utf-8", dialect=dialect, schema=Schema.from_descriptor(descriptor)
        )
        report = resource.validate(Checklist(checks=wanted), limit_errors=10_000_000)
    errors = {}
    for task in report.tasks:
        for error in task.errors:
            place = getattr(error, "field_name", "")
            found = errors.setdefault(error.type, {"count": 0, "rows": [], "fields": []})
            found["count"] += 1
            row = getattr(error, "row_number", None)
            if row is not None:
                found["rows"].append(row - 1)
            if place and place not in found["fields"]:
                found["fields"].append(place)
    for error in report.errors:
        errors.setdefault(error.type, {"count": 0, "rows": [], "fields": []})["count"] += 1
    return {"valid": report.valid, "rows": report.tasks[0].stats.get("rows"), "errors": errors}


def main(arguments):
    pairs = zip(arguments[::2], arguments[1::2])
    print(json.dumps({table: judged(schema, table) for schema, table in pairs}))


if __name__ == "__main__":
    main(sys.argv[1:])
