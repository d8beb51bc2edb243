"""`menshen audit …`: what can be done with the log; each command stands in a file of its own."""

from service.cli.menu import menu

audit = menu(
    "审计日志：验证与查询 · The audit log: verify it, search it.",
    {
        "verify": "audit_verify:verify",
        "minors": "minors:minors",
        "show": "audit_archive:show",
        "search": "audit_search:search",
        "who-saw": "audit_who_saw:who_saw",
        "inspection-export": "audit_inspection:inspection_export",
        "export": "audit_export:export",
        "status": "audit_checkpoints:status",
        "policy": "audit_checkpoints:policy_text",
        "witness": "audit_witness:witness",
        "signer": "audit_signer:signer",
        "key": "audit_checkpoints:key",
        "anchor": "audit_anchor:anchor",
        "segment": "audit_segment:segment",
        "tail": "audit_tail:tail",
        "genesis": "audit_genesis:genesis",
    },
)
