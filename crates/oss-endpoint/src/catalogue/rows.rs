//! The rows of the catalogue, maintained by hand.
//!
//! Source: "Regions and endpoints" of the OSS documents, read on 2026-11-21. The newest copy has no date and
//! lies between 2026-02-05 and 2026-07-25; a row names the copies that have it. No host was looked up in DNS.

use super::{Cloud, FinanceNetwork, HostSet, RegionEntry, RegionStatus};

/// A region of the public cloud, whose hosts follow the formulas.
macro_rules! row {
    (dual $id:literal, $name:literal, $land:expr, $sources:expr) => {
        row!(@ $id, $name, $land, $sources, Some(concat!("oss-", $id, "-internal.aliyuncs.com")),
            Some(concat!($id, ".oss.aliyuncs.com")))
    };
    (single $id:literal, $name:literal, $land:expr, $sources:expr) => {
        row!(@ $id, $name, $land, $sources, Some(concat!("oss-", $id, "-internal.aliyuncs.com")), None)
    };
    (bare $id:literal, $name:literal, $land:expr, $sources:expr) => {
        row!(@ $id, $name, $land, $sources, None, None)
    };
    (@ $id:literal, $name:literal, $land:expr, $sources:expr, $internal:expr, $dual_stack:expr) => {
        RegionEntry {
            id: $id,
            name: $name,
            cloud: Cloud::Public,
            is_mainland: $land,
            status: RegionStatus::Active,
            hosts: &[HostSet {
                network: None,
                location: concat!("oss-", $id),
                public: Some(concat!("oss-", $id, ".aliyuncs.com")),
                internal: $internal,
                internal_alternates: &[],
                dual_stack: $dual_stack,
            }],
            note: "",
            sources: $sources,
        }
    };
}

pub(super) static ROWS: &[RegionEntry] = &[
    row!(dual "cn-hangzhou", "China (Hangzhou)", MAINLAND, SINCE_2021),
    row!(dual "cn-shanghai", "China (Shanghai)", MAINLAND, SINCE_2021),
    RegionEntry {
        status: RegionStatus::ClosingDown,
        ..row!(single "cn-nanjing", "China (Nanjing - Local Region)", MAINLAND, BOTH_SITES)
    },
    RegionEntry {
        status: RegionStatus::ClosingDown,
        ..row!(single "cn-fuzhou", "China (Fuzhou - Local Region)", MAINLAND, CHINA_SITE_BOTH_LANGUAGES)
    },
    row!(single "cn-wuhan-lr", "China (Wuhan - Local Region)", MAINLAND, CHINA_SITE),
    row!(dual "cn-qingdao", "China (Qingdao)", MAINLAND, SINCE_2021),
    row!(dual "cn-beijing", "China (Beijing)", MAINLAND, SINCE_2021),
    row!(dual "cn-zhangjiakou", "China (Zhangjiakou)", MAINLAND, SINCE_2021),
    row!(dual "cn-huhehaote", "China (Hohhot)", MAINLAND, SINCE_2021),
    row!(dual "cn-wulanchabu", "China (Ulanqab)", MAINLAND, SINCE_2021),
    row!(dual "cn-shenzhen", "China (Shenzhen)", MAINLAND, SINCE_2021),
    row!(dual "cn-heyuan", "China (Heyuan)", MAINLAND, SINCE_2021),
    row!(dual "cn-guangzhou", "China (Guangzhou)", MAINLAND, SINCE_2021),
    row!(dual "cn-chengdu", "China (Chengdu)", MAINLAND, SINCE_2021),
    row!(single "cn-zhongwei", "China (Zhongwei)", MAINLAND, NEWEST_COPIES),
    row!(dual "cn-hongkong", "China (Hong Kong)", ELSEWHERE, SINCE_2021),
    RegionEntry {
        note: "no region attribute: reached over the public network only",
        ..row!(bare "rg-china-mainland", "No region attribute (Chinese mainland)", MAINLAND, CHINA_SITE)
    },
    row!(single "ap-northeast-1", "Japan (Tokyo)", ELSEWHERE, SINCE_2021),
    row!(single "ap-northeast-2", "South Korea (Seoul)", ELSEWHERE, BOTH_SITES),
    row!(single "ap-southeast-1", "Singapore", ELSEWHERE, SINCE_2021),
    RegionEntry {
        status: RegionStatus::Closed,
        note: "gone from every page since 2025; the hosts are those of 2021",
        ..row!(single "ap-southeast-2", "Australia (Sydney)", ELSEWHERE, GONE_SINCE_2021)
    },
    row!(single "ap-southeast-3", "Malaysia (Kuala Lumpur)", ELSEWHERE, SINCE_2021),
    row!(single "ap-southeast-5", "Indonesia (Jakarta)", ELSEWHERE, SINCE_2021),
    row!(single "ap-southeast-6", "Philippines (Manila)", ELSEWHERE, BOTH_SITES),
    row!(single "ap-southeast-7", "Thailand (Bangkok)", ELSEWHERE, BOTH_SITES),
    row!(single "ap-southeast-8", "Malaysia (Johor)", ELSEWHERE, NEWEST_CHINA_SITE),
    RegionEntry {
        status: RegionStatus::Closed,
        note: "gone from every page since 2025; the hosts are those of 2021",
        ..row!(single "ap-south-1", "India (Mumbai)", ELSEWHERE, GONE_SINCE_2021)
    },
    row!(dual "eu-central-1", "Germany (Frankfurt)", ELSEWHERE, SINCE_2021),
    row!(single "eu-west-1", "UK (London)", ELSEWHERE, SINCE_2021),
    row!(single "eu-west-2", "France (Paris)", ELSEWHERE, NEWEST_CHINA_SITE),
    row!(single "us-west-1", "US (Silicon Valley)", ELSEWHERE, SINCE_2021),
    row!(single "us-east-1", "US (Virginia)", ELSEWHERE, SINCE_2021),
    row!(single "na-south-1", "Mexico", ELSEWHERE, BOTH_SITES),
    row!(single "me-east-1", "UAE (Dubai)", ELSEWHERE, SINCE_2021),
    RegionEntry {
        note: "operated by a partner",
        ..row!(single "me-central-1", "SAU (Riyadh - Partner Region)", ELSEWHERE, INTERNATIONAL_SITE)
    },
    RegionEntry {
        id: "cn-hangzhou-finance",
        name: "China East 1 Finance",
        cloud: Cloud::Finance,
        is_mainland: MAINLAND,
        status: RegionStatus::Active,
        hosts: &[
            HostSet {
                network: Some(FinanceNetwork::Private),
                location: "oss-cn-hzjbp",
                public: None,
                internal: Some("oss-cn-hzjbp-a-internal.aliyuncs.com"),
                internal_alternates: &["oss-cn-hzjbp-b-internal.aliyuncs.com"],
                dual_stack: None,
            },
            HostSet {
                network: Some(FinanceNetwork::Public),
                location: "oss-cn-hzfinance",
                public: Some("oss-cn-hzfinance.aliyuncs.com"),
                internal: Some("oss-cn-hzfinance-internal.aliyuncs.com"),
                internal_alternates: &[],
                dual_stack: Some("cn-hangzhou-finance.oss.aliyuncs.com"),
            },
        ],
        note: "of its private hosts a and b the pages on configuring a client use a",
        sources: CHINA_SITE_FINANCE,
    },
    RegionEntry {
        id: "cn-shanghai-finance-1",
        name: "China East 2 Finance",
        cloud: Cloud::Finance,
        is_mainland: MAINLAND,
        status: RegionStatus::Active,
        hosts: &[
            HostSet {
                network: Some(FinanceNetwork::Private),
                location: "oss-cn-shanghai-finance-1",
                public: None,
                internal: Some("oss-cn-shanghai-finance-1-internal.aliyuncs.com"),
                internal_alternates: &[],
                dual_stack: None,
            },
            HostSet {
                network: Some(FinanceNetwork::Public),
                location: "oss-cn-shanghai-finance-1-pub",
                public: Some("oss-cn-shanghai-finance-1-pub.aliyuncs.com"),
                internal: Some("oss-cn-shanghai-finance-1-pub-internal.aliyuncs.com"),
                internal_alternates: &[],
                dual_stack: Some("cn-shanghai-finance.oss.aliyuncs.com"),
            },
        ],
        note: "the dual-stack host drops the `-1` of the id",
        sources: CHINA_SITE_FINANCE,
    },
    RegionEntry {
        id: "cn-shenzhen-finance-1",
        name: "China South 1 Finance",
        cloud: Cloud::Finance,
        is_mainland: MAINLAND,
        status: RegionStatus::Active,
        hosts: &[
            HostSet {
                network: Some(FinanceNetwork::Private),
                location: "oss-cn-shenzhen-finance-1",
                public: None,
                internal: Some("oss-cn-shenzhen-finance-1-internal.aliyuncs.com"),
                internal_alternates: &[],
                dual_stack: None,
            },
            HostSet {
                network: Some(FinanceNetwork::Public),
                location: "oss-cn-szfinance",
                public: Some("oss-cn-szfinance.aliyuncs.com"),
                internal: Some("oss-cn-szfinance-internal.aliyuncs.com"),
                internal_alternates: &[],
                dual_stack: Some("cn-shenzhen-finance.oss.aliyuncs.com"),
            },
        ],
        note: "the dual-stack host drops the `-1` of the id",
        sources: CHINA_SITE_FINANCE,
    },
    RegionEntry {
        id: "cn-beijing-finance-1",
        name: "China North 2 Finance",
        cloud: Cloud::Finance,
        is_mainland: MAINLAND,
        status: RegionStatus::Active,
        hosts: &[
            HostSet {
                network: Some(FinanceNetwork::Private),
                location: "oss-cn-beijing-finance-1",
                public: None,
                internal: Some("oss-cn-beijing-finance-1-internal.aliyuncs.com"),
                internal_alternates: &[],
                dual_stack: None,
            },
            HostSet {
                network: Some(FinanceNetwork::Public),
                location: "oss-cn-beijing-finance-1-pub",
                public: Some("oss-cn-beijing-finance-1-pub.aliyuncs.com"),
                internal: Some("oss-cn-beijing-finance-1-pub-internal.aliyuncs.com"),
                internal_alternates: &[],
                dual_stack: None,
            },
        ],
        note: "invitational preview; about 2022 the hosts of the public network had no `-pub`",
        sources: CHINA_SITE_FINANCE,
    },
    RegionEntry {
        cloud: Cloud::Government,
        ..row!(dual "cn-north-2-gov-1", "China North 2 Ali Gov 1", MAINLAND, CHINA_SITE)
    },
];

const MAINLAND: bool = true;
const ELSEWHERE: bool = false;

const BOTH_SITES: &[&str] = &[CHINA_NEWEST, CHINA_2026, INTERNATIONAL_CHINESE, INTERNATIONAL_ENGLISH];
const SINCE_2021: &[&str] =
    &[CHINA_NEWEST, CHINA_2026, INTERNATIONAL_CHINESE, INTERNATIONAL_ENGLISH, INTERNATIONAL_2021];
const CHINA_SITE: &[&str] = &[CHINA_NEWEST, CHINA_2026];
const CHINA_SITE_BOTH_LANGUAGES: &[&str] = &[CHINA_NEWEST, CHINA_2026, CHINA_ENGLISH];
const CHINA_SITE_FINANCE: &[&str] = &[CHINA_NEWEST, CHINA_2026, CHINA_2022];
const NEWEST_CHINA_SITE: &[&str] = &[CHINA_NEWEST];
const NEWEST_COPIES: &[&str] = &[CHINA_NEWEST, INTERNATIONAL_CHINESE];
const INTERNATIONAL_SITE: &[&str] = &[INTERNATIONAL_CHINESE, INTERNATIONAL_ENGLISH];
const GONE_SINCE_2021: &[&str] = &[INTERNATIONAL_2021];

const CHINA_NEWEST: &str = "China site, in Chinese, between 2026-02-05 and 2026-07-25";
const CHINA_2026: &str = "China site, in Chinese, 2026-02-05";
const CHINA_ENGLISH: &str = "China site, in English, an excerpt, 2026";
const CHINA_2022: &str = "China site, in Chinese, a partial copy, about 2022";
const INTERNATIONAL_CHINESE: &str = "international site, in Chinese, 2026";
const INTERNATIONAL_ENGLISH: &str = "international site, in English, between late 2025 and early 2026";
const INTERNATIONAL_2021: &str = "international site, in English, 2021-03-24";
