"""What the topics of an audit ask for and Menshen does not hold, said in every pack: an empty place would pass for "nothing"."""

from dataclasses import dataclass

from policies.naming import Title


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that the topic asks for and that is to be added from elsewhere."""

    topic: str
    title: Title


GAPS = (
    Gap(
        "NOTICE",
        Title(
            "告知的触达率：Menshen 只记录经其展示的告知，不知道每位会员应被告知的时点",
            "How many of those who should have been told were: only what was shown is held",
        ),
    ),
    Gap(
        "PROVISION",
        Title(
            "合同文本、合并分立等转移、监督检查的内容：只有合同编号和登记的检查",
            "Texts of contracts, transfers by merger, what checks found: only references are held",
        ),
    ),
    Gap(
        "AUTOMATED",
        Title(
            "算法本身及差别定价规则：只有政策中的逻辑说明",
            "The algorithms themselves and rules of price: only the policy's words on their logic",
        ),
    ),
    Gap(
        "PUBLICATION",
        Title(
            "公共场所图像、身份识别设备与已公开信息的处理：Menshen 不处理，请自行补充",
            "Images in public places, and data that were public already: not processed here; add what others do",
        ),
    ),
    Gap("SENSITIVE", Title("对儿童个人信息的专门管理制度文件", "The documents of special rules for children's data")),
    Gap(
        "CROSS_BORDER",
        Title(
            "出境机制（评估、标准合同、认证）、出境人数累计：未登记，请自行补充",
            "The mechanism for export, and persons counted since 1 January: not held; add them",
        ),
    ),
    Gap(
        "RIGHTS",
        Title(
            "成年会员书面提出的权利请求及其时限：仅有经系统办理的查阅、更正、撤回和删除",
            "Adults' written requests and their clocks: only what was done through this system is held",
        ),
    ),
    Gap(
        "MEASURES",
        Title(
            "影响评估报告和安全事件登记：Menshen 只有目的所引用的评估编号",
            "Reports of impact assessments and the register of incidents: only the numbers that purposes name",
        ),
    ),
    Gap(
        "PLATFORM",
        Title(
            "外部独立监督机构、平台规则、社会责任报告：未登记，如适用请自行补充",
            "The external body, platform rules, the yearly report: not held; add them where they apply",
        ),
    ),
)
"""What each topic asks for and Menshen does not hold. It is in every pack."""
