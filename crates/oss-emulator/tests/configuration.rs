//! What a bucket is told: documents that are checked, kept and given back, and what follows from them.
#![allow(clippy::unwrap_used)]

mod common;

use core::time::Duration;

use common::{BUCKET, Bench};

/// Sub-resource, document, what a GET says before, whether it can be deleted.
const DOCUMENTS: &[(&str, &str, &str, bool)] = &[
    (
        "accessmonitor",
        "<AccessMonitorConfiguration><Status>Enabled</Status></AccessMonitorConfiguration>",
        "200",
        false,
    ),
    (
        "bucketArchiveDirectRead",
        "<ArchiveDirectReadConfiguration><Enabled>true</Enabled></ArchiveDirectReadConfiguration>",
        "200",
        false,
    ),
    (
        "cors",
        "<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod>\
         </CORSRule></CORSConfiguration>",
        "404 NoSuchCORSConfiguration",
        true,
    ),
    (
        "encryption",
        "<ServerSideEncryptionRule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>KMS</SSEAlgorithm>\
         </ApplyServerSideEncryptionByDefault></ServerSideEncryptionRule>",
        "404 NoSuchServerSideEncryptionRule",
        true,
    ),
    (
        "httpsConfig",
        "<HttpsConfiguration><TLS><Enable>true</Enable></TLS></HttpsConfiguration>",
        "200",
        false,
    ),
    (
        "lifecycle",
        "<LifecycleConfiguration><Rule><ID>r</ID><Prefix></Prefix><Status>Enabled</Status>\
         <Expiration><Days>3</Days></Expiration></Rule></LifecycleConfiguration>",
        "404 NoSuchLifecycle",
        true,
    ),
    (
        "logging",
        "<BucketLoggingStatus><LoggingEnabled><TargetBucket>examplebucket</TargetBucket>\
         <TargetPrefix>l/</TargetPrefix>\
         </LoggingEnabled></BucketLoggingStatus>",
        "200",
        true,
    ),
    (
        "overwriteConfig",
        "<OverwriteConfiguration><Rule><ID>r</ID><Action>forbid</Action></Rule></OverwriteConfiguration>",
        "404 NoSuchBucketOverwriteConfig",
        true,
    ),
    (
        "publicAccessBlock",
        "<PublicAccessBlockConfiguration><BlockPublicAccess>true</BlockPublicAccess>\
         </PublicAccessBlockConfiguration>",
        "200",
        true,
    ),
    (
        "referer",
        "<RefererConfiguration><AllowEmptyReferer>false</AllowEmptyReferer><RefererList>\
         <Referer>a</Referer></RefererList></RefererConfiguration>",
        "200",
        false,
    ),
    (
        "requestPayment",
        "<RequestPaymentConfiguration><Payer>Requester</Payer></RequestPaymentConfiguration>",
        "200",
        false,
    ),
    (
        "tagging",
        "<Tagging><TagSet><Tag><Key>a</Key><Value>True</Value></Tag></TagSet></Tagging>",
        "200",
        true,
    ),
    (
        "transferAcceleration",
        "<TransferAccelerationConfiguration><Enabled>true</Enabled></TransferAccelerationConfiguration>",
        "404 NoSuchTransferAccelerationConfiguration",
        false,
    ),
    (
        "userDefinedLogFieldsConfig",
        "<UserDefinedLogFieldsConfiguration><HeaderSet><header>h</header></HeaderSet>\
         </UserDefinedLogFieldsConfiguration>",
        "404 NoSuchUserDefinedLogFieldsConfig",
        true,
    ),
    (
        "website",
        "<WebsiteConfiguration><IndexDocument><Suffix>i.html</Suffix></IndexDocument></WebsiteConfiguration>",
        "404 NoSuchWebsiteConfiguration",
        true,
    ),
];

#[test]
fn documents_are_kept_and_given_back() {
    for (sub, document, before, can_be_deleted) in DOCUMENTS {
        let mut bench = Bench::new(0);
        assert_eq!(bench.get("", sub).outcome(), *before, "{sub}");
        assert_eq!(bench.put("", sub, &[], document).outcome(), "200", "{sub}");
        let kept = bench.get("", sub);
        assert_eq!(kept.text().split_once('\n').unwrap().1, *document);
        // A namespace, white space and booleans in another case change nothing.
        let root = document.split('>').next().unwrap();
        let other = document
            .replacen(root, &format!("{root} xmlns=\"http://doc.oss-cn-hangzhou.aliyuncs.com\""), 1)
            .replace("><", ">\n <")
            .replace(">true<", ">True<");
        assert_eq!(bench.put("", sub, &[], &other).outcome(), "200", "{sub}");
        if !document.contains("<Prefix></Prefix>") {
            assert_eq!(bench.get("", sub).text(), kept.text());
        }
        for bad in ["", "<a>", "<Wrong/>", "not XML"] {
            assert_eq!(bench.put("", sub, &[], bad).outcome(), "400 MalformedXML", "{sub} {bad}");
        }
        let deleted = if *can_be_deleted { "204" } else { "405 MethodNotAllowed" };
        assert_eq!(bench.delete("", sub).outcome(), deleted, "{sub}");
        assert_eq!(bench.get("", sub).outcome(), if *can_be_deleted { *before } else { "200" }, "{sub}");
        let missing = bench.send("GET", "/nosuchbucket/", sub, &[], b"");
        assert_eq!(missing.outcome(), "404 NoSuchBucket");
    }
}

#[test]
fn documents_that_make_no_sense_are_refused() {
    let mut bench = Bench::new(0);
    let rules =
        "<CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule>".repeat(11);
    for (sub, body, expected) in [
        ("cors", "<CORSConfiguration/>", "400 MalformedXML"),
        ("cors", &format!("<CORSConfiguration>{rules}</CORSConfiguration>"), "400 CORSRuleBeyondLimit"),
        (
            "cors",
            "<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin></CORSRule></CORSConfiguration>",
            "400 MalformedXML",
        ),
        ("encryption", "<ServerSideEncryptionRule/>", "400 InvalidEncryptionAlgorithmError"),
        (
            "lifecycle",
            "<LifecycleConfiguration><Rule><Status>On</Status></Rule></LifecycleConfiguration>",
            "400 MalformedXML",
        ),
        (
            "lifecycle",
            "<LifecycleConfiguration><Rule><Status>Enabled</Status><Expiration><Days>x</Days>\
             </Expiration></Rule></LifecycleConfiguration>",
            "400 MalformedXML",
        ),
        (
            "logging",
            "<BucketLoggingStatus><LoggingEnabled><TargetBucket>none</TargetBucket></LoggingEnabled>\
             </BucketLoggingStatus>",
            "400 InvalidTargetBucketForLogging",
        ),
        (
            "requestPayment",
            "<RequestPaymentConfiguration><Payer>Me</Payer></RequestPaymentConfiguration>",
            "400 MalformedXML",
        ),
        ("website", "<WebsiteConfiguration/>", "400 MalformedXML"),
        ("referer", "<RefererConfiguration/>", "400 MalformedXML"),
        (
            "versioning",
            "<VersioningConfiguration><Status>On</Status></VersioningConfiguration>",
            "400 MalformedXML",
        ),
        ("policy", "{", "400 InvalidPolicyDocument"),
        ("policy", "[]", "400 InvalidPolicyDocument"),
        ("policy", "{}", "400 InvalidPolicyDocument"),
        ("policy", &format!("{{\"Statement\":\"{}\"}}", "x".repeat(16 << 10)), "400 InvalidPolicyDocument"),
    ] {
        assert_eq!(bench.put("", sub, &[], body).outcome(), expected, "{sub} {body}");
    }
    let rule = "<LifecycleConfiguration><Rule><Status>Enabled</Status></Rule></LifecycleConfiguration>";
    bench.put("", "lifecycle", &[], rule);
    assert_eq!(bench.get("", "lifecycle").element("ID").len(), 36);
}

#[test]
fn policies_are_kept_byte_for_byte() {
    let mut bench = Bench::new(0);
    assert_eq!(bench.get("", "policy").outcome(), "404 NoSuchBucketPolicy");
    assert_eq!(bench.get("", "policyStatus").outcome(), "404 NoSuchBucketPolicy");
    let policy = "{ \"Version\":\"1\",\n\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":[\"*\"]}]}";
    bench.put("", "policy", &[], policy);
    assert_eq!(bench.get("", "policy").text(), policy);
    assert_eq!(bench.get("", "policyStatus").element("IsPublic"), "true");
    bench.put("", "policy", &[], &policy.replace('*', "123"));
    assert_eq!(bench.get("", "policyStatus").element("IsPublic"), "false");
    assert_eq!(bench.delete("", "policy").outcome(), "204");
    assert_eq!(bench.get("", "policy").outcome(), "404 NoSuchBucketPolicy");
}

#[test]
fn inventories_and_styles_have_names() {
    let mut bench = Bench::new(0);
    let inventory = |id: &str| {
        format!(
            "<InventoryConfiguration><Id>{id}</Id><IsEnabled>True</IsEnabled><Destination/><Schedule/>\
             <IncludedObjectVersions>All</IncludedObjectVersions></InventoryConfiguration>"
        )
    };
    assert_eq!(bench.get("", "inventory&inventoryId=i1").outcome(), "404 NoSuchInventory");
    for n in 0..101 {
        let id = format!("i{n:03}");
        assert_eq!(bench.put("", &format!("inventory&inventoryId={id}"), &[], &inventory(&id)).status, 200);
    }
    assert_eq!(bench.get("", "inventory&inventoryId=i001").element("IsEnabled"), "true");
    let page = bench.get("", "inventory");
    assert_eq!((page.elements("Id").len(), page.element("NextContinuationToken")), (100, "i099".into()));
    assert_eq!(bench.get("", "continuation-token=i099&inventory").elements("Id"), ["i100"]);
    for (id, body, expected) in [
        ("i001", inventory("i001"), "409 InventoryAlreadyExist"),
        ("new", inventory("other"), "400 MalformedXML"),
        ("new", "<InventoryConfiguration><Id>new</Id></InventoryConfiguration>".into(), "400 MalformedXML"),
    ] {
        assert_eq!(bench.put("", &format!("inventory&inventoryId={id}"), &[], &body).outcome(), expected);
    }
    assert_eq!(bench.delete("", "inventory&inventoryId=i001").outcome(), "204");

    let style = "<Style><Content>image/resize,w_1</Content></Style>";
    assert_eq!(bench.put("", "style&styleName=s", &[], style).status, 200);
    let got = bench.get("", "style&styleName=s");
    assert_eq!((got.element("Name"), got.element("Content")), ("s".into(), "image/resize,w_1".into()));
    assert_eq!(bench.get("", "style").elements("Name"), ["s"]);
    bench.delete("", "style&styleName=s");
    assert_eq!(bench.get("", "style&styleName=s").outcome(), "404 NoSuchStyle");
    assert_eq!(bench.put("", "style&styleName=", &[], style).outcome(), "400 InvalidArgument");
}

#[test]
fn replication_rules_come_and_go() {
    let mut bench = Bench::new(0);
    assert_eq!(bench.get("", "replication").outcome(), "404 NoSuchReplicationConfiguration");
    let rule = |bucket, region| {
        format!(
            "<ReplicationConfiguration><Rule><Destination><Bucket>{bucket}</Bucket>\
             <Location>{region}</Location>\
             </Destination></Rule></ReplicationConfiguration>"
        )
    };
    let added = bench.post("", "comp=add&replication", &rule("target", "oss-cn-beijing"));
    let id = added.header("x-oss-replication-rule-id").unwrap().to_owned();
    let got = bench.get("", "replication");
    assert_eq!(
        (got.element("ID"), got.element("Status"), got.element("Action")),
        (id.clone(), "starting".into(), "ALL".into())
    );
    assert_eq!(bench.get("", &format!("replicationProgress&rule-id={id}")).element("ID"), id);
    let rtc = format!("<ReplicationRule><RTC><Status>enabled</Status></RTC><ID>{id}</ID></ReplicationRule>");
    assert_eq!(bench.put("", "rtc", &[], &rtc).status, 200);
    assert!(bench.get("", "replication").text().contains("<RTC><Status>enabled</Status></RTC>"));
    assert!(bench.get("", "replicationLocation").elements("Location").contains(&"oss-cn-beijing".into()));
    for (query, body, expected) in [
        ("comp=add&replication", rule("", "oss-cn-beijing"), "400 InvalidTargetBucket"),
        ("comp=add&replication", rule("t", "oss-nowhere"), "400 BadReplicationLocation"),
        ("comp=add&replication", "<ReplicationConfiguration/>".into(), "400 NoReplicationRule"),
        (
            "comp=delete&replication",
            "<ReplicationRules><ID>x</ID></ReplicationRules>".into(),
            "404 NoSuchReplicationRule",
        ),
        ("comp=other&replication", String::new(), "400 InvalidArgument"),
    ] {
        assert_eq!(bench.post("", query, &body).outcome(), expected, "{query}");
    }
    let remove = format!("<ReplicationRules><ID>{id}</ID></ReplicationRules>");
    assert_eq!(bench.post("", "comp=delete&replication", &remove).status, 200);
    assert_eq!(bench.get("", "replication").outcome(), "404 NoSuchReplicationConfiguration");
}

#[test]
fn a_retention_policy_protects_for_its_time() {
    let mut bench = Bench::new(0);
    assert_eq!(bench.get("", "worm").outcome(), "404 NoSuchWORMConfiguration");
    bench.put("k", "", &[], "x");
    let days = |root: &str, days: u32| {
        format!("<{root}><RetentionPeriodInDays>{days}</RetentionPeriodInDays></{root}>")
    };
    let begin = days("InitiateWormConfiguration", 1);
    assert_eq!(
        bench.post("", "worm", &days("InitiateWormConfiguration", 0)).outcome(),
        "400 InvalidWORMConfiguration"
    );
    let id = bench.post("", "worm", &begin).header("x-oss-worm-id").unwrap().to_owned();
    assert_eq!(bench.post("", "worm", &begin).outcome(), "409 WORMConfigurationAlreadyExists");
    assert_eq!(bench.get("", "worm").element("State"), "InProgress");
    assert_eq!(bench.put("k", "", &[], "y").outcome(), "409 FileImmutable");
    assert_eq!(bench.delete("k", "").outcome(), "409 FileImmutable");
    // One that nobody locks within a day is gone.
    bench.now += Duration::from_secs(24 * 3600);
    assert_eq!(bench.get("", "worm").outcome(), "404 NoSuchWORMConfiguration");
    assert_eq!(bench.post("", &format!("wormId={id}"), "").outcome(), "404 NoSuchWORMConfiguration");
    let id = bench.post("", "worm", &begin).header("x-oss-worm-id").unwrap().to_owned();
    assert_eq!(bench.post("", &format!("wormId={id}"), "").outcome(), "200");
    assert_eq!(bench.delete("", "worm").outcome(), "403 WORMConfigurationLocked");
    let longer = days("ExtendWormConfiguration", 3);
    assert_eq!(bench.post("", &format!("wormExtend&wormId={id}"), &longer).outcome(), "200");
    assert_eq!(bench.get("", "worm").element("RetentionPeriodInDays"), "3");
    let many = bench.post("", "delete", "<Delete><Object><Key>k</Key></Object></Delete>");
    assert_eq!(many.elements("Deleted").len(), 0);
    bench.now += Duration::from_secs(2 * 24 * 3600);
    assert_eq!(bench.delete("k", "").outcome(), "204");
}

#[test]
fn settings_have_their_effects() {
    let mut bench = Bench::new(0);
    let all = |bench: &mut Bench, names: &[&str]| {
        for (sub, document, ..) in DOCUMENTS.iter().filter(|(sub, ..)| names.contains(sub)) {
            assert_eq!(bench.put("", sub, &[], document).status, 200);
        }
    };
    all(&mut bench, &["encryption", "logging", "tagging", "transferAcceleration", "accessmonitor"]);
    assert_eq!(bench.put("k", "", &[], "x").header("x-oss-server-side-encryption"), Some("KMS"));
    let info = bench.get("", "bucketInfo");
    for (name, value) in [
        ("SSEAlgorithm", "KMS"),
        ("LogPrefix", "l/"),
        ("TransferAcceleration", "Enabled"),
        ("AccessMonitor", "Enabled"),
        ("BlockPublicAccess", "false"),
    ] {
        assert_eq!(info.element(name), value);
    }
    for (query, found) in [
        ("tag-key=a&tag-value=True", 1),
        ("tag-key=a", 1),
        ("tag-key=a&tag-value=x", 0),
        ("tagging=%22a%22%3A%22True%22", 1),
    ] {
        assert_eq!(bench.send("GET", "/", query, &[], b"").elements("Name").len(), found, "{query}");
    }

    bench.put("", "acl", &[("x-oss-acl", "public-read")], "");
    assert_eq!(bench.raw("GET", "/examplebucket/k", "", &[], b"").status, 200);
    all(&mut bench, &["requestPayment"]);
    let refused = bench.raw("GET", "/examplebucket/k", "", &[], b"");
    assert_eq!(
        (refused.outcome(), refused.element("EC")),
        ("403 AccessDenied".into(), "0003-00000701".into())
    );
    assert_eq!(bench.get("k", "").status, 200);
    all(&mut bench, &["publicAccessBlock"]);
    assert_eq!(bench.put("", "acl", &[("x-oss-acl", "public-read")], "").outcome(), "403 AccessDenied");
    assert_eq!(
        bench.put("k", "acl", &[("x-oss-object-acl", "public-read")], "").outcome(),
        "403 AccessDenied"
    );
    all(&mut bench, &["overwriteConfig"]);
    assert_eq!(bench.put("k", "", &[], "y").outcome(), "409 FileAlreadyExists");
    assert_eq!(bench.put("new", "", &[], "y").status, 200);
}

#[test]
fn the_service_knows_its_regions() {
    let mut bench = Bench::new(0);
    let regions = bench.send("GET", "/", "regions", &[], b"");
    assert!(regions.elements("Region").contains(&"oss-cn-hangzhou".into()));
    let one = bench.send("GET", "/", "regions=oss-cn-hangzhou", &[], b"");
    assert_eq!(one.elements("InternetEndpoint"), ["oss-cn-hangzhou.aliyuncs.com"]);
    assert_eq!(bench.send("GET", "/", "regions=x", &[], b"").outcome(), "404 NoSuchRegion");
    let boxes = bench.send("GET", "/", "cloudboxes", &[], b"");
    assert_eq!((boxes.status, boxes.element("CloudBoxes")), (200, String::new()));
    assert_eq!(bench.get("", "live").element("IsTruncated"), "false");
    let group = "<BucketResourceGroupConfiguration><ResourceGroupId>rg-1</ResourceGroupId>\
     </BucketResourceGroupConfiguration>";
    bench.put("", "resourceGroup", &[], group);
    assert_eq!(bench.get("", "resourceGroup").element("ResourceGroupId"), "rg-1");
    let listed = |bench: &mut Bench, group| {
        bench.send("GET", "/", "", &[("x-oss-resource-group-id", group)], b"").elements("Name")
    };
    assert_eq!(listed(&mut bench, "rg-1"), [BUCKET]);
    assert_eq!(listed(&mut bench, "rg-2"), [""; 0]);
}
