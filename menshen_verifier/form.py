"""What may stand in an entry, as expressions over its canonical bytes (docs/formats/audit-entry.md): its keys in order, piece by piece.

An entry is HEAD, perhaps a consent, CHOICE, NAMES, RULE, CALL, subjects, a moment and TAIL, one behind the other. Everything that repeats
is possessive and begins in its own way, so that no bytes take long.
"""

MOST_SUBJECTS, MOST_CODES, MOST_EXTRA, MOST_TEXT = 500, 200, 32, 4096
TYPES = (
    "access",
    "admin",
    "audit",
    "boot",
    "change",
    "consent",
    "erase",
    "export",
    "genesis",
    "key",
    "policy",
    "prune",
    "result",
    "stop",
)
KINDS = ("staff", "service", "member", "system")

CODE = r"[A-Za-z][A-Za-z0-9_.-]{0,59}+"
RANDOM = r"[A-Za-z0-9_-]{21}[AQgw]"
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
HOUR = r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:[0-2][0-9]|3[01])T(?:[01][0-9]|2[0-3]):"
MOMENT = rf"{HOUR}[0-5][0-9]:[0-5][0-9]\.[0-9]{{6}}Z"
DIGEST = r"[0-9a-f]{64}"
ADDRESS = r"[A-Za-z0-9_:-]{1,64}+"
KEY = r"[a-z][a-z0-9_]{0,31}+"

_NUMBER, _PLAIN = r"(?:0|[1-9][0-9]{0,14}+)", r"[ !#-\[\]-~]"
_CODES = rf'"{CODE}"(?:,"{CODE}"){{0,{MOST_CODES - 1}}}+'
_WORDS = rf'"{_PLAIN}{{0,{MOST_TEXT}}}+"'
_LISTED = rf"\[(?:{_WORDS}(?:,{_WORDS}){{0,{MOST_CODES - 1}}}+)?+\]"
_FACT = rf'"{KEY}":(?:{_WORDS}|-?[1-9][0-9]{{0,14}}+|0|true|false|{_LISTED})'

_FROM = rf'(?:"ip":"{ADDRESS}",)?+"k":'
HEAD = (
    rf'\{{"act":\{{(?:"id":"{_PLAIN}{{1,64}}+",{_FROM}"(?:{"|".join(KINDS)})"|{_FROM}"member"),"role":\[(?:{_CODES})?+\]'
    rf'(?:,"tok":"{ADDRESS}")?+\}}(?:,"bas":"{CODE}")?+(?:,"cnt":{_NUMBER})?+'
)
"""Who, on what basis, how many. Only a member has no id."""

CONSENT = rf',"con":"{UUID}"'
CHOICE = rf',"dec":"(?:allow|deny)"(?:,"fld":\[{_CODES}\])?+'
NAMES = rf',"id":"{UUID}","n":"{RANDOM}"'
RULE = rf'(?:,"op":"{CODE}")?+,"pol":"{DIGEST}"(?:,"pur":"{CODE}")?+'
CALL = rf'(?:,"ref":"{UUID}")?+,"req":"[!#-\[\]-~]{{0,64}}+"(?:,"rsn":"{CODE}")?+,"s":(?P<s>{_NUMBER})'
SUBJECT = rf',"sub":\["p1:{RANDOM}"\]'
SUBJECTS = rf',"sub":\[(?P<sub>"p1:{RANDOM}"(?:,"p1:{RANDOM}"){{0,{MOST_SUBJECTS - 1}}}+)\]'
WHEN = rf',"ts":"(?P<ts>{MOMENT})"'
TAIL = (
    rf',"typ":"(?P<typ>{"|".join(TYPES)})","v":1,"w":"(?P<w>{RANDOM})"(?:,"wth":\[{_CODES}\])?+'
    rf'(?:,"x":\{{(?P<x>{_FACT}(?:,{_FACT}){{0,{MOST_EXTRA - 1}}}+)\}})?+\}}'
)
"""Of which type, whose, what was withheld, and what else was said. The order of `x`'s keys no expression can see."""

# An entry read past, in eleven groups: where each piece ends, if it is one. Whether it is, is found out beside it: of a piece that repeats
# once for each that differs, by its own expression; of one that does not (an id, a moment) for all of them at once.
PAST_WHO = r'(\{"act":\{[^}]*+\}(?:,"bas":"[^"]*+")?+(?:,"cnt":[0-9]*+)?+)'
PAST_CONSENT = r'(?:,"con":"(.{36})")?+'
PAST_CHOICE = r'(,"dec":"[^"]*+"(?:,"fld":\[[^]]*+\])?+)'
PAST_NAMES = r',"id":"(.{36})","n":"(.{22})"'
PAST_RULE = r'((?:,"op":"[^"]*+")?+,"pol":".{64}"(?:,"pur":"[^"]*+")?+)'
PAST_CALL = rf'(?:,"ref":"{UUID}")?+,"req":"([^"]{{0,64}}+)"(?:,"rsn":"{CODE}")?+,"s":({_NUMBER})'
PAST_SUBJECT = r'(?:,"sub":\["p1:(.{22})"\]|(?(2)(?!)))'
"""Perhaps one, and certainly where the second group, a consent, is there."""
PAST_WHEN = r',"ts":"(.{27})"'
PAST_TAIL = r'(,"typ":"[^\n]*+)'
