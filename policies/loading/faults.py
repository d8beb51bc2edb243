"""Every fault that a policy folder can have, in the words that the privacy officer reads. Codes are stable."""

from policies.loading.problems import Fault

# --- the files -------------------------------------------------------------------------------------------------------

UNREADABLE = Fault("UNREADABLE", "Could not be read: {error}.", "无法读取：{error}。")
UNWRITABLE = Fault("UNWRITABLE", "Could not be written: {error}.", "无法写入：{error}。")
FILE_MISSING = Fault("FILE_MISSING", "This file is missing.", "缺少此文件。")
FILE_UNKNOWN = Fault("FILE_UNKNOWN", "No file of this name belongs here; known: {known}.", "此处不应有该文件；可用：{known}。")
NOT_UTF8 = Fault(
    "NOT_UTF8",
    "Save it as UTF-8 without a byte order mark (byte {byte}).",
    "请另存为不带 BOM 的 UTF-8（第 {byte} 字节）。",
)
NOT_TOML = Fault("NOT_TOML", "Not valid TOML: {error}.", "不是有效的 TOML：{error}。")

# --- the shape of a value --------------------------------------------------------------------------------------------

KEY_UNKNOWN = Fault("KEY_UNKNOWN", "No such key; known here: {known}.", "未知的键；此处可用：{known}。")
KEY_MISSING = Fault("KEY_MISSING", "This key is missing.", "缺少此键。")
KEY_FORM = Fault(
    "KEY_FORM",
    "A name has up to 40 letters a-z, digits and _, a letter first.",
    "名称由不超过 40 个小写字母、数字和下划线组成，首位为字母。",
)
WRONG_TYPE = Fault("WRONG_TYPE", "Expected {expected}.", "类型不符，应为{expected_zh}。")
BLANK = Fault("BLANK", "Must not be empty.", "不得为空。")
FORM = Fault("FORM", "Not of the form {form}.", "格式不符，应为 {form}。")
OUT_OF_RANGE = Fault("OUT_OF_RANGE", "Must lie between {low} and {high}.", "应在 {low} 至 {high} 之间。")
DUPLICATE = Fault("DUPLICATE", "{name} stands here twice.", "{name} 重复出现。")
UNKNOWN_VALUE = Fault("UNKNOWN_VALUE", "Not one of: {known}.", "应为以下之一：{known}。")

# --- names that lead nowhere -----------------------------------------------------------------------------------------

FIELD_UNKNOWN = Fault("FIELD_UNKNOWN", "No such field in fields.toml.", "fields.toml 中没有该字段。")
BULK_LAX = Fault(
    "BULK_LAX",
    "What is sensitive is counted as TRANSACTION or PROPERTY (500 or 50), not as OTHER.",
    "敏感类别应计为 TRANSACTION 或 PROPERTY，不得计为 OTHER。",
)
CATEGORY_UNKNOWN = Fault(
    "CATEGORY_UNKNOWN", "No such category in [categories] of fields.toml.", "fields.toml 的 [categories] 中没有该类别。"
)
ROLE_UNKNOWN = Fault("ROLE_UNKNOWN", "No role {name} in roles.toml.", "roles.toml 中没有角色 {name}。")
CHANNEL_UNKNOWN = Fault("CHANNEL_UNKNOWN", "No channel {name} in channels.toml.", "channels.toml 中没有渠道 {name}。")
RECIPIENT_UNKNOWN = Fault(
    "RECIPIENT_UNKNOWN",
    "Recipient {name} is not described in recipients.toml (PIPL 23).",
    "recipients.toml 未说明接收方 {name}（个保法第23条）。",
)
SECTION_UNKNOWN = Fault(
    "SECTION_UNKNOWN",
    "The newest general notice ({version}) has no section {name} (PIPL 17).",
    "最新的隐私政策（{version}）中没有 {name} 一节（个保法第17条）。",
)
ACTION_UNKNOWN = Fault("ACTION_UNKNOWN", "No action {name}; known: {known}.", "没有操作 {name}；可用：{known}。")

USUAL_OF_PEOPLE = Fault(
    "USUAL_OF_PEOPLE",
    "Only a service has a usual number a day; people are held to the law's counts (LB-07).",
    "仅系统角色可设每日常量；员工一律适用法定数量。",
)

# --- the law: bases and consent --------------------------------------------------------------------------------------

BASIS_UNKNOWN = Fault(
    "BASIS_NOT_ALLOWED",
    "PIPL 13 has seven bases: {known}. 'Legitimate interest' is not among them.",
    "个保法第13条只有七种合法性基础：{known}；没有“正当利益”。",
)
COMMERCIAL_BASIS = Fault(
    "BASIS_NOT_ALLOWED",
    "A COMMERCIAL purpose may stand on CONSENT only (Consumer Rights Law 29).",
    "商业性目的只能基于同意（消保法第29条、消保法实施条例第24条）。",
)
CHANNEL_CLASS = Fault(
    "CHANNEL_CLASS",
    "A purpose that sends over a marketing channel is COMMERCIAL.",
    "经营销渠道发送信息的目的属于商业性目的（COMMERCIAL）。",
)
SENSITIVE_SEPARATE = Fault(
    "SEPARATE_CONSENT_REQUIRED",
    "Holds sensitive fields ({names}), so its consent must be separate (PIPL 29).",
    "包含敏感个人信息（{names}），须取得单独同意（个保法第29条）。",
)
RECIPIENT_SEPARATE = Fault(
    "SEPARATE_CONSENT_REQUIRED",
    "Gives data to {names}, so consent must be separate (PIPL 23, 39).",
    "向 {names} 提供个人信息，须取得单独同意（个保法第23、39条）。",
)
SEPARATE_WITHOUT_CONSENT = Fault(
    "SEPARATE_WITHOUT_CONSENT",
    "Only a purpose based on CONSENT can ask for separate consent.",
    "只有基于同意的目的才能要求单独同意。",
)
VALIDITY_MISSING = Fault(
    "VALIDITY_MISSING",
    "Consent to SMS needs a period (SMS rules 18): set consent_months to 1 or more.",
    "短信营销同意须有期限（短信息服务管理规定第18条）：consent_months 至少为 1。",
)
VALIDITY_WITHOUT_CONSENT = Fault(
    "VALIDITY_WITHOUT_CONSENT",
    "Not based on consent, so consent_months must be 0.",
    "不基于同意，consent_months 应为 0。",
)
PIA_MISSING = Fault(
    "PIA_MISSING",
    "Needs an impact assessment (PIPL 55) because of: {why}.",
    "须先作个人信息保护影响评估（个保法第55条），原因：{why}。",
)

# --- the law: who, what and how long ---------------------------------------------------------------------------------

SELF_SERVICE_COUNT = Fault(
    "SELF_SERVICE_COUNT",
    "Exactly one purpose has self_service = true; found: {found}.",
    "应恰有一个目的为 self_service = true；现有：{found}。",
)
SELF_SERVICE_BASIS = Fault(
    "SELF_SERVICE_BASIS",
    "Members' access to their own data rests on PIPL 44 and 45, not on consent.",
    "个人查阅本人信息是法定权利（个保法第44、45条），不得以同意为前提。",
)
MEMBER_ROLE = Fault(
    "MEMBER_ROLE",
    "Role {name}: members read under the self-service purpose and nothing else, and nobody else reads under it.",
    "角色 {name}：会员只能通过 self_service 目的读取本人信息，其他角色不得使用该目的。",
)
SEALED = Fault(
    "SEALED",
    "Only tier, points, joined_on and tags are kept unsealed, and these always are.",
    "仅 tier、points、joined_on、tags 不加密存放，其他字段必须加密（sealed = true）。",
)
LOOKUP = Fault("LOOKUP", "Only a sealed text field can have a lookup.", "只有加密的文本字段可以建立查找索引。")
CLASSIFICATION = Fault(
    "CLASSIFICATION",
    "Everything of category {name} is SENSITIVE (PIPL 28).",
    "{name} 类信息均为敏感个人信息（个保法第28条）。",
)
FIELD_UNUSED = Fault(
    "FIELD_UNUSED",
    "No purpose needs it; what is not needed may not be collected (PIPL 6).",
    "没有任何目的需要该字段；非必要不得收集（个保法第6条）。",
)
KEPT_TOO_LONG = Fault(
    "KEPT_TOO_LONG",
    "No purpose needs it longer than {longest} months (PIPL 19).",
    "没有目的需要保存超过 {longest} 个月（个保法第19条）。",
)
CAP_TOO_LOOSE = Fault(
    "CAP_TOO_LOOSE",
    "At most 3 marketing messages in any 7 days or more, over all channels together.",
    "各渠道合计，任意 7 天（或更长）内营销信息不得超过 3 条。",
)

# --- notices ---------------------------------------------------------------------------------------------------------

NOTICE_UNPINNED = Fault(
    "NOTICE_UNPINNED",
    "Not published: published.toml does not list it. Its SHA-256 is {digest}.",
    "尚未发布：published.toml 未列出该文件，其 SHA-256 为 {digest}。",
)
NOTICE_CHANGED = Fault(
    "NOTICE_CHANGED",
    "A published notice was changed (SHA-256 is now {digest}). Restore it and publish a new version.",
    "已发布的文本被改动（现 SHA-256 为 {digest}）。请恢复原文，另发新版本。",
)
NOTICE_NONE = Fault(
    "NOTICE_NONE",
    "No general notice is published, so nothing may be collected (PIPL 17).",
    "没有已发布的隐私政策，不得收集信息。",
)
NOTICE_NO_CHILD = Fault(
    "NOTICE_NO_CHILD",
    "Guardians answer for those under {until}, and no notice of kind CHILD tells them of it (PIPL 31).",
    '未满 {until} 周岁须由监护人同意，但没有已发布的儿童个人信息保护规则（kind = "CHILD"）（个保法第31条）。',
)
OFFICER_CONTACT_MISSING = Fault(
    "OFFICER_CONTACT_MISSING",
    "With a million persons the notice names the person in charge, as controller.toml does, and how they are reached (PIPL 52).",
    "处理一百万人以上个人信息的，告知须载明 controller.toml 中的个人信息保护负责人及其联系方式（个保法第五十二条）。",
)
NOTICE_TWICE = Fault(
    "NOTICE_TWICE",
    "Published already, and never published again. Make a new version.",
    "该版本已发布，不得再次发布；请另立新版本。",
)
NOTICE_UNDRAFTED = Fault(
    "NOTICE_UNDRAFTED",
    "There is no such version: make this folder, with notice.toml, zh-CN.md and en.md.",
    "没有该版本：请新建此文件夹，写好 notice.toml、zh-CN.md、en.md。",
)
NOTICE_NO_CHINESE = Fault("NOTICE_NO_CHINESE", "A notice must exist in zh-CN.", "必须有简体中文（zh-CN）版本。")
NOTICE_ELEMENT = Fault(
    "NOTICE_ELEMENT",
    "Section {{#{name}}} is missing or empty ({law}).",
    "缺少 {{#{name}}} 一节或内容为空（{law_zh}）。",
)
NOTICE_LANGUAGES = Fault(
    "NOTICE_LANGUAGES",
    "Its sections differ from the zh-CN text: {names}.",
    "章节与中文文本不一致：{names}。",
)
NOTICE_SUPERSEDES = Fault(
    "NOTICE_SUPERSEDES",
    "{name} is no earlier published notice of the same kind.",
    "{name} 不是同类的更早已发布版本。",
)

# --- what members were asked -----------------------------------------------------------------------------------------

SCOPE_UNPUBLISHED = Fault(
    "SCOPE_UNPUBLISHED",
    "No published notice tells of version {version}: write one, then run `menshen policy publish`.",
    "没有已发布的告知说明第 {version} 版：请拟定新版告知并运行 menshen policy publish。",
)
SCOPE_CHANGED = Fault(
    "SCOPE_CHANGED",
    "More than was published as version {version} ({beyond}): raise the version and publish a notice (PIPL 14).",
    "超出已发布的第 {version} 版（{beyond}）：请提高版本号并发布新告知，重新取得同意（个保法第14条）。",
)
SCOPE_NOT_FOR_GUARDIANS = Fault(
    "SCOPE_NOT_FOR_GUARDIANS",
    "Uses data of children, and no notice of kind CHILD tells guardians of version {version}: publish that one first (PIPL 31).",
    '使用未成年人信息，但没有儿童个人信息保护规则（kind = "CHILD"）说明第 {version} 版：请先发布该规则（个保法第31条）。',
)
SCOPE_AMBIGUOUS = Fault(
    "SCOPE_AMBIGUOUS",
    "Version {version} was published before with less ({beyond}); a version means one thing.",
    "第 {version} 版此前发布时范围更小（{beyond}）；同一版本号只能有一个含义。",
)
NECESSITY_MISSING = Fault(
    "NECESSITY_MISSING",
    "Needs `necessity` and `impact` (PIPL 28, 30; NDR 21) because of: {why}.",
    "须写明必要性（necessity）和对个人权益的影响（impact）（个保法第28、30条），原因：{why}。",
)
LOGIC_MISSING = Fault(
    "LOGIC_MISSING",
    "An automated decision needs `logic`: its basic principle and main mechanism (PIPL 24).",
    "自动化决策须写明基本原理和主要运行机制（logic）（个保法第24条）。",
)
PERSONALISATION_PURPOSE = Fault(
    "PERSONALISATION_PURPOSE",
    "The purpose of the personalisation switch is one, based on CONSENT, and an automated decision; found: {found}.",
    "个性化开关对应恰好一个基于同意的自动化决策目的；现有：{found}。",
)
AGE_FIELD = Fault("AGE_FIELD", "Not a date field of fields.toml.", "不是 fields.toml 中的日期字段。")
BAND_MISSING = Fault(
    "BAND_MISSING",
    "There must be a band until {until} with {rule} ({article}).",
    "须有一个 until = {until} 的年龄段，且 {rule}（{article}）。",
)
OVERSIGHT_KNOWN_BY = Fault(
    "OVERSIGHT_KNOWN_BY", 'Who oversees is told of no withdrawal: known_by is "".', "监督方无须转达撤回：known_by 应为空。"
)
OVERSIGHT_ABROAD = Fault(
    "OVERSIGHT_ABROAD",
    "An authority or auditor abroad gets no records from here without leave (PIPL 41).",
    "未经批准不得向境外机构提供（个保法第41条）。",
)
OVERSIGHT_PURPOSE = Fault(
    "OVERSIGHT_PURPOSE",
    "{name} oversees: it gets exports of the record, and data for no purpose.",
    "{name} 为监督方：只接收导出的记录，不得列为目的的接收方。",
)
KNOWN_BY = Fault("KNOWN_BY", "Not a field of fields.toml.", "fields.toml 中没有该字段。")
TAG_SENSITIVE = Fault(
    "TAG_SENSITIVE",
    "Category {name} is sensitive, and not every purpose that reads tags uses it with separate consent (PIPL 29; 算法推荐规定 10).",
    "{name} 属敏感类别，而使用标签的目的并非均经单独同意使用该类信息（个保法第29条、算法推荐管理规定第10条）。",
)
STAFF_CONSENT = Fault(
    "STAFF_CONSENT",
    "Staff cannot answer for a member (PIPL 14): no employee may have consent.record.",
    "员工不得代会员作出同意（个保法第14条）：员工角色不得有 consent.record。",
)

# --- who sends, and how to make it stop --------------------------------------------------------------------------------

BRAND_UNKNOWN = Fault("BRAND_UNKNOWN", "No brand {name} in controller.toml.", "controller.toml 中没有品牌 {name}。")
VENDOR_CHANNEL = Fault(
    "VENDOR_CHANNEL",
    "{vendor} reaches the channel {channel} and no other.",
    "{vendor} 只能用于渠道 {channel}。",
)
SENDER_APPID = Fault(
    "SENDER_APPID",
    "Not the mini-program of brand {name}: its openids mean nothing to another.",
    "不是品牌 {name} 的小程序；openid 在其他小程序中无效。",
)
SENDER_CLASSES = Fault(
    "SENDER_CLASSES",
    "A number for commercial SMS sends nothing else: register a second one (SMS rules 19).",
    "营销短信不得与服务消息共用端口，请另行报备（短信息服务管理规定第19条）。",
)
OPT_OUT_MISSING = Fault(
    "OPT_OUT_MISSING",
    "A commercial SMS sender needs the vendor's exact opt-out sentence (SMS rules 20).",
    "营销短信须有服务商规定的退订语（短信息服务管理规定第20条）。",
)
OPT_OUT_UNHEARD = Fault(
    "OPT_OUT_UNHEARD",
    "It does not end with a word that is understood as a reply: add the word to opt_out_words of channels.toml.",
    "退订语末尾的回复词无法识别；请将该词加入 channels.toml 的 opt_out_words。",
)
ADDRESS_LOOKUP = Fault(
    "ADDRESS_LOOKUP",
    "This field has no lookup, so no refusal could be kept by it (CRPR 24).",
    "该字段未设查找索引（lookup），无法保存拒收记录（消保法实施条例第24条）。",
)
QUIET_HOURS_EMPTY = Fault(
    "QUIET_HOURS_EMPTY",
    "Quiet hours that end when they begin are none, or all day.",
    "静默时段的起止时间不得相同。",
)
GUIDELINE_SILENT = Fault(
    "GUIDELINE_SILENT",
    "Members can send {name} through this mini-program, and its privacy guideline in WeChat's console does not declare it.",
    "会员可通过该小程序提交 {name}，而《用户隐私保护指引》未声明。",
)
GUIDELINE_IDLE = Fault(
    "GUIDELINE_IDLE",
    "The privacy guideline declares {name}, and no member can send it through a mini-program: it must say what is so.",
    "《用户隐私保护指引》声明了 {name}，而会员无法通过小程序提交；声明须与实际一致。",
)
