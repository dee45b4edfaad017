"""Renders templates with python3-jinja2, set up as Hugging Face's transformers sets it up for chat templates.

Reads a JSON array of {"template": ..., "variables": {...}} from stdin; writes an array of {"text": ...}, {"refusal": ...} for
what a template says by raise_exception, or {"error": ...} to stdout. Now is 2026-11-22 09:05:07, a Sunday.
"""

import datetime
import json
import sys

import jinja2
import jinja2.ext
import jinja2.nodes
import jinja2.sandbox

NOW = datetime.datetime(2026, 11, 22, 9, 5, 7)


class Refusal(Exception):
    pass


def refuse(message):
    raise Refusal(message)


def to_json(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


class Generation(jinja2.ext.Extension):
    """The block with which transformers marks what the assistant says; it prints its body."""

    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("body"), [], [], body).set_lineno(line)

    def body(self, caller):
        return caller()


environment = jinja2.sandbox.ImmutableSandboxedEnvironment(
    trim_blocks=True, lstrip_blocks=True, extensions=[Generation, "jinja2.ext.loopcontrols"]
)
environment.filters["tojson"] = to_json
environment.globals["raise_exception"] = refuse
environment.globals["strftime_now"] = lambda form: NOW.strftime(form)

answers = []
for case in json.load(sys.stdin):
    try:
        answers.append({"text": environment.from_string(case["template"]).render(**case["variables"])})
    except Refusal as e:
        answers.append({"refusal": str(e)})
    except Exception as e:  # any other is the template's error, whatever Python calls it
        answers.append({"error": f"{type(e).__name__}: {e}"})
json.dump(answers, sys.stdout)
