"""One slip a case: what is changed in the shipped policy, and the problem that must be told of it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """Replace `old` by `new` in `file` (the first time it stands there) and expect one problem at `key` of `where`."""

    file: str
    old: str
    new: str
    key: str
    code: str
    where: str = ""


def purpose(key: str, old: str, new: str, at: str, code: str) -> Case:
    """A change inside one purpose's table; `at` is the key in it."""
    return Case("purposes.toml", f"[purposes.{key}]|{old}", new, f"purposes.{key}.{at}", code)


def field(key: str, old: str, new: str, at: str, code: str) -> Case:
    """A change inside one field's table."""
    return Case("fields.toml", f"[fields.{key}]|{old}", new, f"fields.{key}{at and '.'}{at}", code)


def sender(key: str, old: str, new: str, at: str, code: str) -> Case:
    """A change inside one sender's table."""
    return Case("marketing.toml", f"[senders.{key}]|{old}", new, f"senders.{key}.{at}", code)


SMS, TIER, NOTICE = "marketing_sms", "fields.tier", "notices/2026-10/"
MARKETERS = '["marketer", "marketing_engine"]'

CASES = {
    "the basis that this law does not have": purpose(SMS, '"CONSENT"', '"LEGITIMATE_INTEREST"', "basis", "BASIS_NOT_ALLOWED"),
    "a commercial purpose on a contract": purpose(SMS, '"CONSENT"', '"CONTRACT"', "basis", "BASIS_NOT_ALLOWED"),
    "a basis in small letters": purpose("audit", '"LEGAL_DUTY"', '"legal_duty"', "basis", "BASIS_NOT_ALLOWED"),
    "a marketing channel under the name of service": purpose(SMS, '"COMMERCIAL"', '"SERVICE"', "class", "CHANNEL_CLASS"),
    "a class that does not exist": purpose(SMS, '"COMMERCIAL"', '"MARKETING"', "class", "UNKNOWN_VALUE"),
    "a field that is not catalogued": purpose(SMS, 'phone = "masked"', 'fax = "masked"', "fields.fax", "FIELD_UNKNOWN"),
    "a shape that does not exist": purpose(SMS, 'phone = "masked"', 'phone = "hashed"', "fields.phone", "UNKNOWN_VALUE"),
    "a role that does not exist": purpose(SMS, MARKETERS, '["growth_hacker"]', "roles", "ROLE_UNKNOWN"),
    "a wildcard for roles": purpose(SMS, MARKETERS, '["*"]', "roles", "ROLE_UNKNOWN"),
    "nobody who may state it": purpose(SMS, MARKETERS, "[]", "roles", "BLANK"),
    "a role twice": purpose(SMS, MARKETERS, '["marketer", "marketer"]', "roles", "DUPLICATE"),
    "a member's token under a purpose of the retailer": purpose(SMS, MARKETERS, '["member"]', "roles", "MEMBER_ROLE"),
    "staff under the members' own purpose": purpose("self_access", '["member"]', '["analyst"]', "roles", "MEMBER_ROLE"),
    "a channel that does not exist": purpose(SMS, '"sms"', '"fax"', "channel", "CHANNEL_UNKNOWN"),
    "a recipient that nobody describes": purpose("partner_sharing", '"example_coffee"', '"a_friend"', "recipients", "RECIPIENT_UNKNOWN"),
    "sensitive data without separate consent": purpose(
        "skin_profile", "separate_consent = true", "separate_consent = false", "separate_consent", "SEPARATE_CONSENT_REQUIRED"
    ),
    "another processor without separate consent": purpose(
        "partner_sharing", "separate_consent = true", "separate_consent = false", "separate_consent", "SEPARATE_CONSENT_REQUIRED"
    ),
    "separate consent where there is no consent": purpose(
        "audit", "separate_consent = false", "separate_consent = true", "separate_consent", "SEPARATE_WITHOUT_CONSENT"
    ),
    "a consent to SMS without a period": purpose(SMS, "consent_months = 12", "consent_months = 0", "consent_months", "VALIDITY_MISSING"),
    "a period of consent where there is none": purpose(
        "audit", "consent_months = 0", "consent_months = 12", "consent_months", "VALIDITY_WITHOUT_CONSENT"
    ),
    "no impact assessment of sensitive data": purpose("skin_profile", '"PIA-2026-08"', '""', "pia", "PIA_MISSING"),
    "no impact assessment of automated decisions": purpose(
        "personalised_recommendation", '"PIA-2026-07"', '""', "pia", "PIA_MISSING"
    ),
    "no impact assessment of an entrusted party": purpose(SMS, '"PIA-2026-03"', '""', "pia", "PIA_MISSING"),
    "a section that the notice does not have": purpose(
        SMS, 'notice_section = "marketing_sms"', 'notice_section = "adverts"', "notice_section", "SECTION_UNKNOWN"
    ),
    "no retention": purpose(SMS, "retention_months = 12\n", "", "retention_months", "KEY_MISSING"),
    "kept for ever": purpose(SMS, "retention_months = 12", 'retention_months = "forever"', "retention_months", "WRONG_TYPE"),
    "kept for longer than a life": purpose(SMS, "retention_months = 12", "retention_months = 999", "retention_months", "OUT_OF_RANGE"),
    "kept for a negative time": purpose(SMS, "retention_months = 12", "retention_months = -1", "retention_months", "OUT_OF_RANGE"),
    "a yes that is a word": purpose(SMS, "automated_decision = false", 'automated_decision = "no"', "automated_decision", "WRONG_TYPE"),
    "a yes that is a number": purpose(SMS, "automated_decision = false", "automated_decision = 0", "automated_decision", "WRONG_TYPE"),
    "a number that is a yes": purpose(SMS, "retention_months = 12", "retention_months = true", "retention_months", "WRONG_TYPE"),
    "a list that is a word": purpose(SMS, MARKETERS, '"marketer"', "roles", "WRONG_TYPE"),
    "a list of numbers": purpose(SMS, MARKETERS, "[1]", "roles", "WRONG_TYPE"),
    "no method": purpose(SMS, "[purposes.marketing_sms.method]", "[purposes.marketing_sms.methods]", "method", "KEY_MISSING"),
    "a title without 中文": purpose(SMS, 'zh = "短信营销", ', "", "title.zh", "KEY_MISSING"),
    "a title that says nothing": purpose(SMS, '"短信营销"', '"  "', "title.zh", "BLANK"),
    "a key that does not exist": purpose(SMS, 'pia = "PIA-2026-03"', 'pia = "x"\nlegal_basis = "CONSENT"', "legal_basis", "KEY_UNKNOWN"),
    "a second purpose of the members' own": purpose(
        "legal_duty", "self_service = false", "self_service = true", "roles", "MEMBER_ROLE"
    ),
    "members who would need consent to see themselves": purpose("self_access", '"LEGAL_DUTY"', '"CONSENT"', "basis", "SELF_SERVICE_BASIS"),
    "a purpose without fields": purpose(SMS, 'phone = "masked"', "", "fields", "BLANK"),
    "a purpose with a name that no column holds": Case(
        "purposes.toml", "[purposes.audit]", '[purposes."Audit 2"]\n[purposes.audit]', "purposes.Audit 2", "KEY_FORM"
    ),
    "a field without sensitivity": field("skin_type", 'sensitivity = "SENSITIVE"\n', "", "sensitivity", "KEY_MISSING"),
    "a field without a category": field("skin_type", 'category = "health"\n', "", "category", "KEY_MISSING"),
    "a field of an unknown category": field("skin_type", '"health"', '"wellness"', "category", "CATEGORY_UNKNOWN"),
    "health data called general": field("skin_type", '"SENSITIVE"', '"GENERAL"', "sensitivity", "CLASSIFICATION"),
    "children's data called general": Case(
        "fields.toml", "[categories.child]|sensitive = true", "sensitive = false", "categories.child.sensitive", "CLASSIFICATION"
    ),
    "a category of which nobody says whether it is of children": Case(
        "fields.toml", "[categories.child]|of_children = true\n", "", "categories.child.of_children", "KEY_MISSING"
    ),
    "a category that nobody counts": Case(
        "fields.toml", '[categories.health]|bulk = "TRANSACTION"\n', "", "categories.health.bulk", "KEY_MISSING"
    ),
    "health data counted as anything": Case(
        "fields.toml", '[categories.health]|bulk = "TRANSACTION"', 'bulk = "OTHER"', "categories.health.bulk", "BULK_LAX"
    ),
    "more transactions a day than the law lets be": Case(
        "fields.toml", "[bulk]|TRANSACTION = 500", "TRANSACTION = 501", "bulk.TRANSACTION", "OUT_OF_RANGE"
    ),
    "a count of property that is left out": Case("fields.toml", "[bulk]|PROPERTY = 50\n", "", "bulk.PROPERTY", "KEY_MISSING"),
    "exports of more rows than the law's count": Case("fields.toml", "[exports]|rows = 5000", "rows = 5001", "exports.rows", "OUT_OF_RANGE"),
    "exports of which nobody says how many rows are many": Case("fields.toml", "[exports]\nrows = 5000", "[export]", "exports", "KEY_MISSING"),
    "an authority that is told of withdrawals": Case(
        "recipients.toml",
        '[recipients.example_authority]|known_by = ""',
        'known_by = "phone"',
        "recipients.example_authority.known_by",
        "OVERSIGHT_KNOWN_BY",
    ),
    "an authority abroad": Case(
        "recipients.toml",
        '[recipients.example_authority]|region = "CN"',
        'region = "SG"',
        "recipients.example_authority.region",
        "OVERSIGHT_ABROAD",
    ),
    "an auditor who gets data for a purpose": purpose(
        "order_fulfilment", "recipients = [", 'recipients = ["example_auditor", ', "recipients", "OVERSIGHT_PURPOSE"
    ),
    "people with a usual number a day": Case(
        "roles.toml", '[roles.analyst]|kind = "staff"', 'kind = "staff"\nusual_per_day = 9000', "roles.analyst.usual_per_day", "USUAL_OF_PEOPLE"
    ),
    "an unsealed phone number": field("phone", "sealed = true", "sealed = false", "sealed", "SEALED"),
    "a sealed tier, which has a column": field("tier", "sealed = false", "sealed = true", "sealed", "SEALED"),
    "an unknown mask": field("phone", 'mask = "phone"', 'mask = "rot13"', "mask", "UNKNOWN_VALUE"),
    "an unknown normaliser": field("phone", 'normaliser = "phone"', 'normaliser = "trim"', "normaliser", "UNKNOWN_VALUE"),
    "an unknown kind of lookup": field("phone", '"identity"', '"fuzzy"', "lookup", "UNKNOWN_VALUE"),
    "a lookup of a date": field("birthday", 'lookup = "none"', 'lookup = "contact"', "lookup", "LOOKUP"),
    "a field kept longer than anybody needs it": field(
        "gender", "retention_months = 12", "retention_months = 24", "retention_months", "KEPT_TOO_LONG"
    ),
    "a length of nothing": field("phone", "max_length = 20", "max_length = 0", "max_length", "OUT_OF_RANGE"),
    "a field kept though its purpose is gone": Case(
        "purposes.toml", '[purposes.skin_profile.fields]|skin_type', "phone", "fields.skin_type.retention_months", "KEPT_TOO_LONG", "fields.toml"
    ),
    "too many messages": Case("channels.toml", "cap_messages = 3", "cap_messages = 4", "channels.sms.cap_messages", "CAP_TOO_LOOSE"),
    "too short a window": Case("channels.toml", "cap_days = 7", "cap_days = 6", "channels.sms.cap_messages", "CAP_TOO_LOOSE"),
    "an hour that no clock shows": Case("channels.toml", '"21:00"', '"24:00"', "channels.sms.quiet_from", "FORM"),
    "an opt-in that is no opt-in": Case("channels.toml", 'opt_in = "single"', 'opt_in = "implied"', "channels.sms.opt_in", "UNKNOWN_VALUE"),
    "an action that does not exist": Case("roles.toml", '"member.import"', '"member.*"', "roles.import_operator.may", "ACTION_UNKNOWN"),
    "a kind of role that does not exist": Case("roles.toml", 'kind = "staff"', 'kind = "root"', "roles.customer_service_agent.kind", "UNKNOWN_VALUE"),
    "a recipient without a contact": Case("recipients.toml", 'contact = "privacy@courier.example.com"\n', "", "recipients.example_courier.contact", "KEY_MISSING"),
    "a recipient without a contract": Case("recipients.toml", '"DPA-2026-01"', '""', "recipients.example_courier.contract", "BLANK"),
    "a recipient abroad without separate consent": Case(
        "recipients.toml", 'region = "CN"', 'region = "SG"', "purposes.order_fulfilment.separate_consent", "SEPARATE_CONSENT_REQUIRED", "purposes.toml"
    ),
    "an appid that is none": Case("controller.toml", "wx0000000000000a01", "gh_example", "brands.living.wechat_appid", "FORM"),
    "a field that members can send and WeChat was not told of": Case(
        "controller.toml", "[brands.beauty]|\"region\", ", "", "brands.beauty.wechat_declares", "GUIDELINE_SILENT"
    ),
    "a field that WeChat was told of and nobody can send": Case(
        "controller.toml", "[brands.living]|\"region\", ", "\"region\", \"points\", ", "brands.living.wechat_declares", "GUIDELINE_IDLE"
    ),
    "an appid of two brands": Case("controller.toml", "wx0000000000000a02", "wx0000000000000a01", "brands.beauty.wechat_appid", "DUPLICATE"),
    "a contact that is no address": Case("controller.toml", "privacy@retail.example.com", "ask us", "contact_email", "FORM"),
    "no responsible person": Case("controller.toml", "responsible_person =", "dpo =", "responsible_person", "KEY_MISSING"),
    "a brand without anything": Case("controller.toml", "[brands.living]", "[brands.empty]\n[brands.living]", "brands.empty", "BLANK"),
    "a duplicated key": Case("purposes.toml", 'basis = "LEGAL_DUTY"\n', 'basis = "LEGAL_DUTY"\nbasis = "CONSENT"\n', "basis", "NOT_TOML"),
    "a duplicated table": Case("roles.toml", "[roles.auditor]", "[roles.marketer]", "[roles.marketer]", "NOT_TOML"),
    "no TOML at all": Case("channels.toml", "[channels.sms]", "channels:\n  sms:", "channels:", "NOT_TOML"),
    "a notice whose words were changed": Case(NOTICE + "zh-CN.md", "十五个工作日", "三十个工作日", "sha256", "NOTICE_CHANGED"),
    "a notice that begins earlier than it did": Case(NOTICE + "notice.toml", "2026-10-01", "2026-01-01", "sha256", "NOTICE_CHANGED"),
    "a fingerprint that is none": Case("notices/published.toml", '"en.md" = "', '"en.md" = "x', "2026-10.en.md", "FORM"),
    "more than was published under this version": purpose(SMS, 'phone = "masked"', 'phone = "masked"\nname = "masked"', "version", "SCOPE_CHANGED"),
    "a version that no notice told of": purpose(SMS, "version = 1", "version = 2", "version", "SCOPE_UNPUBLISHED"),
    "sensitive data of which nobody says why": Case(
        "purposes.toml", "[purposes.skin_profile.necessity]", "[purposes.skin_profile.logic_of]", "purposes.skin_profile", "NECESSITY_MISSING"
    ),
    "an automated decision of which nobody says how": Case(
        "purposes.toml", "[purposes.skin_profile.logic]", "[purposes.skin_profile.secret]", "purposes.skin_profile.logic", "LOGIC_MISSING"
    ),
    "a switch that stands for nothing": Case("purposes.toml", "personalisation = true\n", "", "purposes", "PERSONALISATION_PURPOSE"),
    "an age that a name should tell": Case("consent.toml", 'age_field = "birthday"', 'age_field = "name"', "age_field", "AGE_FIELD"),
    "children from thirteen without a guardian": Case("consent.toml", "until = 14", "until = 13", "age_bands", "BAND_MISSING"),
    "automated marketing to the young": Case(
        "consent.toml", "[age_bands.youth]|automated_marketing = false", "automated_marketing = true", "age_bands", "BAND_MISSING"
    ),
    "a channel that nobody is asked on": Case("consent.toml", 'ask_once = ["SMS"]', 'ask_once = ["FAX"]', "ask_once", "UNKNOWN_VALUE"),
    "two bands that end together": Case("consent.toml", "until = 14", "until = 18", "age_bands.child.until", "DUPLICATE"),
    "a recipient who knows members by what nobody keeps": Case(
        "recipients.toml", 'known_by = "phone"', 'known_by = "fax"', "recipients.example_sms_gateway.known_by", "KNOWN_BY"
    ),
    "a tag of a category that does not exist": Case("tags.toml", '"preference"', '"taste"', "tags.new_arrivals.category", "CATEGORY_UNKNOWN"),
    "a tag that says something of somebody's health": Case("tags.toml", '"preference"', '"health"', "tags.new_arrivals.category", "TAG_SENSITIVE"),
    "staff who answer for members": Case(
        "roles.toml", '[roles.marketer]|may = ["campaign.read", "campaign.write", "approval.ask"]', 'may = ["consent.record"]', "roles.marketer.may", "STAFF_CONSENT"
    ),
    "a version that is none": Case("notices/published.toml", '["2026-10"]', '["latest"]', "latest", "FORM"),
    "a sender on a channel that does not exist": sender("living_sms", '"sms"', '"fax"', "channel", "CHANNEL_UNKNOWN"),
    "a sender for a brand that does not exist": sender("living_sms", '"living"', '"dying"', "brand", "BRAND_UNKNOWN"),
    "a vendor that does not exist": sender("living_sms", '"aliyun"', '"pigeon"', "vendor", "UNKNOWN_VALUE"),
    "a vendor of mail for SMS": sender("living_sms", '"aliyun"', '"smtp"', "vendor", "VENDOR_CHANNEL"),
    "a vendor of SMS for mail": sender("living_email", '"smtp"', '"tencent"', "vendor", "VENDOR_CHANNEL"),
    "one port for services and for marketing": sender(
        "living_sms", '["COMMERCIAL"]', '["COMMERCIAL", "SERVICE"]', "classes", "SENDER_CLASSES"
    ),
    "one port for incidents and for marketing": sender(
        "beauty_sms", '["COMMERCIAL"]', '["BREACH", "COMMERCIAL"]', "classes", "SENDER_CLASSES"
    ),
    "one port under two names": sender("living_sms_service", '"10690000000002"', '"10690000000001"', "address", "DUPLICATE"),
    "a sender of nothing": sender("living_sms", '["COMMERCIAL"]', "[]", "classes", "BLANK"),
    "a class of message that does not exist": sender("living_sms", '"COMMERCIAL"', '"URGENT"', "classes", "UNKNOWN_VALUE"),
    "a port with letters": sender("living_sms", '"10690000000001"', '"1069-SALE"', "address", "FORM"),
    "a mailbox that is none": sender("living_email", '"news@mail.retail.example.com"', '"news"', "address", "FORM"),
    "a mailbox and a second header": sender("living_email", '"news@mail', '"A <a@b.cn>, news@mail', "address", "FORM"),
    "a mini-program that is none": sender("living_wechat", '"wx0000000000000a01"', '"gh_example"', "address", "FORM"),
    "another brand's mini-program": sender("living_wechat", '"wx0000000000000a01"', '"wx0000000000000a02"', "address", "SENDER_APPID"),
    "a caller with a name for a number": sender("living_phone", '"02100000000"', '"example"', "address", "FORM"),
    "a signature without its brackets": sender("living_sms", '"【示例生活】"', '"示例生活"', "identity", "FORM"),
    "two signatures": sender("living_sms", '"【示例生活】"', '"【示例生活】【示例】"', "identity", "FORM"),
    "commercial SMS without a way out": sender("living_sms", '"拒收请回复R"', '""', "opt_out", "OPT_OUT_MISSING"),
    "a way out that nobody understands": sender("beauty_sms", '"退订回T"', '"退订回X9"', "opt_out", "OPT_OUT_UNHEARD"),
    "a channel that writes to what no field is": Case(
        "channels.toml", '[channels.email]|address = "email"', 'address = "fax"', "channels.email.address", "FIELD_UNKNOWN"
    ),
    "a channel whose refusals could not be kept": Case(
        "channels.toml", '[channels.email]|address = "email"', 'address = "name"', "channels.email.address", "ADDRESS_LOOKUP"
    ),
    "quiet hours that end when they begin": Case(
        "channels.toml", '[channels.phone]|"08:00"', '"21:00"', "channels.phone.quiet_until", "QUIET_HOURS_EMPTY"
    ),
    "decisions that hold for longer than five minutes": Case(
        "marketing.toml", "decision_minutes = 5", "decision_minutes = 6", "decision_minutes", "OUT_OF_RANGE"
    ),
    "links that hold for less than thirty days": Case("marketing.toml", "link_days = 1095", "link_days = 29", "link_days", "OUT_OF_RANGE"),
    "an address that is asked all day long": Case(
        "marketing.toml", "letters_a_day = 3", "letters_a_day = 11", "letters_a_day", "OUT_OF_RANGE"
    ),
    "an archive of less than three years": Case(
        "marketing.toml", "archive_months = 36", "archive_months = 35", "archive_months", "OUT_OF_RANGE"
    ),
    "a topic that is never written about": Case(
        "marketing.toml", "[topics.news]|monthly = 4", "monthly = 0", "topics.news.monthly", "OUT_OF_RANGE"
    ),
    "a topic without 中文": Case("marketing.toml", 'zh = "新品资讯", ', "", "topics.news.title.zh", "KEY_MISSING"),
    "a channel of which nobody says what it must say": Case("wording.toml", 'push = ["sender", "opt_out"]\n', "", "slots.push", "KEY_MISSING"),
    "what a channel must say that does not exist": Case("wording.toml", "push =", "fax =", "slots.fax", "CHANNEL_UNKNOWN"),
    "a channel that must say nothing": Case("wording.toml", 'wechat = ["opt_out"]', "wechat = []", "slots.wechat", "BLANK"),
    "a slot that does not exist": Case("wording.toml", 'wechat = ["opt_out"]', 'wechat = ["slogan"]', "slots.wechat", "UNKNOWN_VALUE"),
    "no promotion at all to look for": Case("wording.toml", "links = [", "links = []\nlinked = [", "promotion.links", "BLANK"),
    "a gift of which one thing need not be said": Case(
        "wording.toml", "[gifts.terms]|term = [", "terms = [", "gifts.terms.term", "KEY_MISSING"
    ),
    "a word twice": Case("wording.toml", '"国家级", ', '"国家级", "国家级", ', "forbidden.words", "DUPLICATE"),
}  # fmt: skip
