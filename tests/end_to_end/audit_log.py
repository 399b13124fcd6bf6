"""The audit log, as an operator reads it."""

import re

FIELD = re.compile(r'(\w+)=(?:"([^"]*)"|(\S+))')


def events(service, function, containing):
    """The audit events of `api` or `jobs` that contain a text, as field → text. On the local AWS functions do not log JSON."""
    lines = (line.partition(": audit ") for line in service.log_lines(function, containing))
    return [{name: quoted or plain for name, quoted, plain in FIELD.findall(fields)} for _, audit, fields in lines if audit]
