#!/usr/bin/env python3
"""Every event name the program logs is described in docs/EVENTS.md, and nothing else is."""
import pathlib
import re
import sys

root = pathlib.Path(__file__).resolve().parent.parent
sources = "".join(p.read_text() for p in sorted((root / "src/app").glob("daemon*.c")))
call = r'log_write(?:_fields)?\([^;]*?LOG_(?:DEBUG|INFO|WARN|ERROR),\s*"([a-z_]+)"'
logged = set(re.findall(call, sources))
logged |= set(re.findall(r'\{LOG_(?:INFO|WARN|ERROR),\s*"([a-z_]+)"', sources))
logged |= set(re.findall(r'event = "([a-z_]+)"', sources))
logged |= set(re.findall(r'lost \? "([a-z_]+)" : "[a-z_]+"', sources))
logged |= set(re.findall(r'lost \? "[a-z_]+" : "([a-z_]+)"', sources))
documented = set(re.findall(r"^\| `([a-z_]+)` \|", (root / "docs/EVENTS.md").read_text(), re.M))
for name in sorted(logged - documented):
    print(f"docs/EVENTS.md: event '{name}' is logged but not described")
for name in sorted(documented - logged):
    print(f"docs/EVENTS.md: event '{name}' is described but never logged")
if not logged:
    print("no events found in src/app/daemon*.c: this check has lost its object")
sys.exit(0 if logged and logged == documented else 1)
