#!/usr/bin/python3
#
# Reads a Prometheus exposition from stdin with the reference parser and
# prints it as JSON: {"types": {family: type}, "help": {family: text},
# "samples": [[name, {label: value}, number], ...]}.  What the parser lets
# pass and a server would not is looked for here.

import json
import re
import sys

from prometheus_client.parser import text_string_to_metric_families

text = sys.stdin.read()
types, texts, samples, faults, seen = {}, {}, [], [], set()

if not text.endswith('\n'):
    faults.append('the last line has no end')

for line in text.splitlines():
    if not re.match(r'# (HELP|TYPE) kuzzle_\w+ \S|kuzzle_\w+(\{.*\})? \S+$',
                    line):
        faults.append('line: ' + line)

for f in text_string_to_metric_families(text):
    name = f.name
    if name in types:
        faults.append('twice: ' + name)
    types[name] = f.type
    texts[name] = f.documentation

    if f.type not in ('counter', 'gauge', 'histogram'):
        faults.append('type of ' + name)
    if not f.documentation:
        faults.append('no help: ' + name)

    buckets = {}

    for s in f.samples:
        key = (s.name, tuple(sorted(s.labels.items())))
        if key in seen:
            faults.append('series twice: %r' % (key,))
        seen.add(key)
        samples.append([s.name, s.labels, s.value])

        if not s.name.startswith(name):
            faults.append('sample of another: ' + s.name)
        if s.value < 0 or s.value != s.value:
            faults.append('value: %r' % (s,))

        rest = tuple(sorted(x for x in s.labels.items() if x[0] != 'le'))
        b = buckets.setdefault(rest, {'le': [], 'n': [], 'parts': set()})
        b['parts'].add(s.name[len(name):])
        if s.name.endswith('_bucket'):
            b['le'].append(float(s.labels['le']))
            b['n'].append(s.value)
        if s.name.endswith('_count'):
            b['count'] = s.value

    if f.type != 'histogram':
        continue

    for b in buckets.values():
        if b['parts'] != {'_bucket', '_sum', '_count'}:
            faults.append('parts of ' + name)
        elif (b['le'] != sorted(set(b['le'])) or b['le'][-1] != float('inf')
              or b['n'] != sorted(b['n']) or b['n'][-1] != b['count']):
            faults.append('buckets of ' + name)

if faults:
    sys.exit('\n'.join(faults))

print(json.dumps({'types': types, 'help': texts, 'samples': samples}))
