"""Cloudflare's own parser as a judge: what it accepts, what it declares.

Needs PyPI's `octorules-wirefilter`. With `schema`: one `field NAME TYPE` or `function NAME` a line. Without: reads one JSON
string a line, and answers each with `ok`, or with the last words of its error.
"""

import json
import sys

from octorules_wirefilter import get_schema_info, parse_expression

if sys.argv[1:] == ["schema"]:
    schema = get_schema_info()
    for field in schema["fields"]:
        print("field", field["name"], field["type"])
    for function in schema["functions"]:
        print("function", function)
else:
    for line in sys.stdin:
        verdict = parse_expression(json.loads(line))
        error = verdict.get("error")
        print("ok" if error is None else " ".join(error.split())[-120:])
