//! Configuration sub-resources of which a bucket has one document each: checked, kept, given back.

use alloc::borrow::ToOwned;
use alloc::string::String;

use http::StatusCode;
use http::header::CONTENT_TYPE;

use crate::fault::Fault;
use crate::json;
use crate::ops::Context;
use crate::reply::Answer;
use crate::store::Bucket;
use crate::tags;
use crate::xml::{Document, Element, parse};

/// A kind of document; the place in [`ROWS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Family(usize);

/// What is known about a kind of document.
struct Row {
    /// The sub-resource.
    sub: &'static str,
    /// The root element; `""` for JSON.
    root: &'static str,
    /// What GET answers while there is none.
    absent: Absent,
    can_be_deleted: bool,
    check: fn(&mut Element, &mut Context<'_>) -> Result<(), Fault>,
}

enum Absent {
    /// 404 with this code.
    Code(&'static str),
    /// 200 with the root and this content.
    Default(&'static [(&'static str, &'static str)]),
}

use Absent::{Code, Default};

impl Family {
    pub(crate) fn of(subs: &[&str]) -> Option<Self> {
        let [sub] = subs else { return None };
        ROWS.iter().position(|row| row.sub == *sub).map(Self)
    }

    pub(crate) fn can_be_deleted(self) -> bool {
        self.row().can_be_deleted
    }

    fn row(self) -> &'static Row {
        &ROWS[self.0]
    }
}

pub(crate) fn put(context: &mut Context<'_>, family: Family, body: &[u8]) -> Result<Answer, Fault> {
    let row = family.row();
    let mut root = if row.root.is_empty() { policy(body)? } else { read(body, row.root)? };
    (row.check)(&mut root, context)?;
    context.bucket_mut()?.documents.insert((row.sub, String::new()), root);
    Ok(Answer::ok())
}

/// Reads a configuration document. Clients write booleans in any case; OSS gives them back in lower case.
pub(crate) fn read(body: &[u8], root: &str) -> Result<Element, Fault> {
    let mut element = parse(body, root).map_err(Fault::malformed_xml)?;
    settle(&mut element)?;
    Ok(element)
}

fn settle(element: &mut Element) -> Result<(), Fault> {
    if BOOLEAN_ELEMENTS.contains(&element.name.as_str()) {
        let text = element.text.trim().to_ascii_lowercase();
        if !BOOLEANS.contains(&text.as_str()) {
            return Err(Fault::malformed_xml(element.name.clone() + " is not true or false"));
        }
        element.text = text;
    }
    let is_number = || element.text.trim().parse::<u64>().is_ok();
    if NUMBER_ELEMENTS.contains(&element.name.as_str()) && !is_number() {
        return Err(Fault::malformed_xml(element.name.clone() + " is not a number"));
    }
    // The reader bounds the depth.
    element.children.iter_mut().try_for_each(settle)
}

pub(crate) fn get(context: &Context<'_>, family: Family) -> Result<Answer, Fault> {
    let row = family.row();
    let bucket = context.bucket()?;
    match (bucket.document(row.sub), &row.absent) {
        (Some(document), _) if row.root.is_empty() => {
            let mut answer = Answer::ok().header(CONTENT_TYPE, "application/json");
            answer.body = bytes::Bytes::from(document.text.clone()).into();
            Ok(answer)
        }
        (Some(document), _) => Ok(Answer::xml(Document::of_element(document))),
        (None, Default(content)) => {
            let leaves = content.iter().map(|(name, text)| Element::leaf(name, text));
            Ok(Answer::xml(Document::of_element(&Element::parent(row.root, leaves))))
        }
        (None, Code(code)) => {
            let why = "The bucket has no such configuration.";
            Err(Fault::new(404, code, "", why).with("BucketName", context.request.target.bucket()))
        }
    }
}

/// Deleting what is not there succeeds as well.
pub(crate) fn delete(context: &mut Context<'_>, family: Family) -> Result<Answer, Fault> {
    context.bucket_mut()?.documents.remove(&(family.row().sub, String::new()));
    Ok(Answer::status(StatusCode::NO_CONTENT))
}

/// Whether the policy allows someone who is not named.
pub(crate) fn policy_status(context: &Context<'_>) -> Result<Answer, Fault> {
    let bucket = context.bucket()?;
    let Some(document) = bucket.document("policy") else {
        let why = "The bucket has no such configuration.";
        return Err(Fault::new(404, "NoSuchBucketPolicy", "", why));
    };
    let policy = json::parse(&document.text).unwrap_or(json::Value::Null);
    let statements = policy.get("Statement").and_then(json::Value::as_array).unwrap_or(&[]);
    let is_public = statements.iter().any(|statement| {
        let allows = statement.get("Effect").and_then(json::Value::as_str) == Some("Allow");
        let anyone = |who: &json::Value| who.as_str() == Some("*");
        let principal = statement.get("Principal");
        allows
            && principal.is_some_and(|principal| {
                anyone(principal) || principal.as_array().is_some_and(|list| list.iter().any(anyone))
            })
    });
    let mut answer = Document::new("PolicyStatus");
    answer.value("IsPublic", is_public);
    Ok(Answer::xml(answer.finish()))
}

/// Whether a rule of the bucket forbids to overwrite this key (OSS document "PutBucketOverwriteConfig").
pub(crate) fn forbids_overwrite(bucket: &Bucket, key: &str) -> bool {
    let rules = bucket.document("overwriteConfig");
    rules.into_iter().flat_map(|root| root.all("Rule")).any(|rule| {
        let text = |name| rule.child_text(name).unwrap_or("");
        text("Action") == "forbid"
            && key.strip_prefix(text("Prefix")).is_some_and(|rest| rest.ends_with(text("Suffix")))
    })
}

/// A policy is a JSON object below 16 KB (OSS error page 0030-00000001).
fn policy(body: &[u8]) -> Result<Element, Fault> {
    let refused = |why: String| {
        let message = "The policy is not a JSON object of less than 16 KB with a Version and a Statement.";
        Fault::new(400, "InvalidPolicyDocument", "0030-00000001", message).with("ErrorDetail", why)
    };
    let text = core::str::from_utf8(body).map_err(|_| refused("the policy is not UTF-8".to_owned()))?;
    let value = json::parse(text).map_err(|why| refused(why.to_owned()))?;
    if body.len() >= POLICY_BYTES_MAX {
        return Err(refused("the policy is too long".to_owned()));
    }
    if value.get("Statement").is_none() {
        return Err(refused("there is no Statement".to_owned()));
    }
    Ok(Element::leaf("", text))
}

fn any(_: &mut Element, _: &mut Context<'_>) -> Result<(), Fault> {
    Ok(())
}

fn cors(root: &mut Element, _: &mut Context<'_>) -> Result<(), Fault> {
    if root.all("CORSRule").count() > CORS_RULES_MAX {
        let why = "A bucket has at most 10 CORS rules.";
        return Err(Fault::new(400, "CORSRuleBeyondLimit", "", why));
    }
    require_each(root, "CORSRule", &["AllowedOrigin", "AllowedMethod"])
}

fn encryption(root: &mut Element, _: &mut Context<'_>) -> Result<(), Fault> {
    let rule = root.child("ApplyServerSideEncryptionByDefault");
    let algorithm = rule.and_then(|rule| rule.child_text("SSEAlgorithm")).map_or("", str::trim);
    if ENCRYPTION_ALGORITHMS.contains(&algorithm) {
        return Ok(());
    }
    let why = "The encryption algorithm must be AES256, KMS or SM4.";
    Err(Fault::new(400, "InvalidEncryptionAlgorithmError", "", why))
}

/// Rules without an id get one (OSS document "PutBucketLifecycle").
fn lifecycle(root: &mut Element, context: &mut Context<'_>) -> Result<(), Fault> {
    require_each(root, "Rule", &["Status"])?;
    if root.all("Rule").count() > LIFECYCLE_RULES_MAX {
        return Err(Fault::malformed_xml("there are more than 1000 rules"));
    }
    for rule in root.children.iter_mut().filter(|child| child.name == "Rule") {
        if !matches!(rule.child_text("Status").map(str::trim), Some("Enabled" | "Disabled")) {
            return Err(Fault::malformed_xml("Status is not Enabled or Disabled"));
        }
        if rule.child_text("ID").is_none_or(str::is_empty) {
            rule.set("ID", &context.ids.rule_id());
        }
    }
    Ok(())
}

/// The target must be a bucket that exists.
fn logging(root: &mut Element, context: &mut Context<'_>) -> Result<(), Fault> {
    let Some(enabled) = root.child("LoggingEnabled") else { return Ok(()) };
    let target = enabled.child_text("TargetBucket").map_or("", str::trim);
    if context.store.buckets.contains_key(target) {
        return Ok(());
    }
    let why = "The target bucket for logging does not exist, or is not owned by you.";
    Err(Fault::new(400, "InvalidTargetBucketForLogging", "", why).with("TargetBucket", target))
}

fn website(root: &mut Element, _: &mut Context<'_>) -> Result<(), Fault> {
    if ["IndexDocument", "ErrorDocument", "RoutingRules"].iter().all(|name| root.child(name).is_none()) {
        return Err(Fault::malformed_xml("there is no IndexDocument, ErrorDocument or RoutingRules"));
    }
    Ok(())
}

fn tagging(root: &mut Element, _: &mut Context<'_>) -> Result<(), Fault> {
    tags::of_document(root, BUCKET_TAGS_MAX).map(drop)
}

fn referer(root: &mut Element, _: &mut Context<'_>) -> Result<(), Fault> {
    if root.child("AllowEmptyReferer").is_none() || root.child("RefererList").is_none() {
        return Err(Fault::malformed_xml("there is no AllowEmptyReferer or no RefererList"));
    }
    Ok(())
}

fn payer(root: &mut Element, _: &mut Context<'_>) -> Result<(), Fault> {
    one_of(root, "Payer", &["BucketOwner", "Requester"])
}

fn enabled(root: &mut Element, _: &mut Context<'_>) -> Result<(), Fault> {
    one_of(root, "Enabled", BOOLEANS)
}

fn monitor(root: &mut Element, _: &mut Context<'_>) -> Result<(), Fault> {
    one_of(root, "Status", &["Enabled", "Disabled"])
}

fn blocked(root: &mut Element, _: &mut Context<'_>) -> Result<(), Fault> {
    one_of(root, "BlockPublicAccess", BOOLEANS)
}

fn https(root: &mut Element, _: &mut Context<'_>) -> Result<(), Fault> {
    let Some(tls) = root.child("TLS") else { return Ok(()) };
    one_of(tls, "Enable", BOOLEANS)
}

fn overwrite(root: &mut Element, context: &mut Context<'_>) -> Result<(), Fault> {
    if root.all("Rule").count() > OVERWRITE_RULES_MAX {
        return Err(Fault::malformed_xml("there are more than 100 rules"));
    }
    require_each(root, "Rule", &["Action"])?;
    for rule in root.children.iter_mut().filter(|child| child.name == "Rule") {
        one_of(rule, "Action", &["forbid"])?;
        if rule.child("Principals").is_some() {
            return Err(Fault::not_implemented("Principals of an overwrite rule"));
        }
        if rule.child_text("ID").is_none_or(str::is_empty) {
            rule.set("ID", &context.ids.rule_id());
        }
    }
    Ok(())
}

/// At least one `name`, each with these children.
fn require_each(root: &Element, name: &str, children: &[&str]) -> Result<(), Fault> {
    if root.child(name).is_none() {
        return Err(Fault::malformed_xml("there is no ".to_owned() + name));
    }
    for rule in root.all(name) {
        if let Some(missing) = children.iter().find(|child| rule.child(child).is_none()) {
            return Err(Fault::malformed_xml("there is no ".to_owned() + missing));
        }
    }
    Ok(())
}

fn one_of(root: &Element, name: &str, values: &[&str]) -> Result<(), Fault> {
    match root.child_text(name) {
        Some(text) if values.contains(&text.trim()) => Ok(()),
        _ => Err(Fault::malformed_xml(name.to_owned() + " is not one of " + &values.join(", "))),
    }
}

const fn row(
    sub: &'static str,
    root: &'static str,
    absent: Absent,
    can_be_deleted: bool,
    check: fn(&mut Element, &mut Context<'_>) -> Result<(), Fault>,
) -> Row {
    Row { sub, root, absent, can_be_deleted, check }
}

const ROWS: &[Row] = &[
    row("accessmonitor", "AccessMonitorConfiguration", DISABLED, false, monitor),
    row("bucketArchiveDirectRead", "ArchiveDirectReadConfiguration", NOT_ENABLED, false, enabled),
    row("cors", "CORSConfiguration", Code("NoSuchCORSConfiguration"), true, cors),
    row("encryption", "ServerSideEncryptionRule", Code("NoSuchServerSideEncryptionRule"), true, encryption),
    row("httpsConfig", "HttpsConfiguration", Default(&[]), false, https),
    row("lifecycle", "LifecycleConfiguration", Code("NoSuchLifecycle"), true, lifecycle),
    row("logging", "BucketLoggingStatus", Default(&[]), true, logging),
    row("overwriteConfig", "OverwriteConfiguration", Code("NoSuchBucketOverwriteConfig"), true, overwrite),
    row("policy", "", Code("NoSuchBucketPolicy"), true, any),
    row("publicAccessBlock", "PublicAccessBlockConfiguration", NOT_BLOCKED, true, blocked),
    row("referer", "RefererConfiguration", ANY_REFERER, false, referer),
    row("requestPayment", "RequestPaymentConfiguration", OWNER_PAYS, false, payer),
    row("tagging", "Tagging", NO_TAGS, true, tagging),
    row("transferAcceleration", "TransferAccelerationConfiguration", NEVER_ACCELERATED, false, enabled),
    row("userDefinedLogFieldsConfig", "UserDefinedLogFieldsConfiguration", NO_LOG_FIELDS, true, any),
    row("website", "WebsiteConfiguration", Code("NoSuchWebsiteConfiguration"), true, website),
];

const DISABLED: Absent = Default(&[("Status", "Disabled")]);
const NOT_ENABLED: Absent = Default(&[("Enabled", "false")]);
const NOT_BLOCKED: Absent = Default(&[("BlockPublicAccess", "false")]);
const ANY_REFERER: Absent = Default(&[("AllowEmptyReferer", "true"), ("RefererList", "")]);
const OWNER_PAYS: Absent = Default(&[("Payer", "BucketOwner")]);
const NO_TAGS: Absent = Default(&[("TagSet", "")]);
const NEVER_ACCELERATED: Absent = Code("NoSuchTransferAccelerationConfiguration");
const NO_LOG_FIELDS: Absent = Code("NoSuchUserDefinedLogFieldsConfig");

/// What `x-oss-server-side-encryption` and `SSEAlgorithm` may say.
pub(crate) const ENCRYPTION_ALGORITHMS: [&str; 3] = ["AES256", "KMS", "SM4"];
const BOOLEANS: &[&str] = &["true", "false"];
#[rustfmt::skip]
const BOOLEAN_ELEMENTS: &[&str] = &[
    "AllowEmptyReferer", "AllowSmallFile", "AllowTruncateQueryString", "AutoDelete", "BlockPublicAccess",
    "Enable", "EnableReplacePrefix", "Enabled", "ExpiredObjectDeleteMarker", "IsAccessTime", "IsEnabled",
    "MirrorFollowRedirect", "MirrorPassQueryString", "PassAll", "PassQueryString", "ResponseVary",
    "ReturnToStdWhenVisit", "StrongCipherSuite", "SupportSubDir", "TruncatePath",
];
#[rustfmt::skip]
const NUMBER_ELEMENTS: &[&str] = &[
    "Days", "HttpErrorCodeReturnedEquals", "HttpRedirectCode", "HttpStatus", "MaxAgeSeconds",
    "NoncurrentDays", "ObjectSizeGreaterThan", "ObjectSizeLessThan", "RuleNumber",
];
const BUCKET_TAGS_MAX: usize = 20;
const CORS_RULES_MAX: usize = 10;
const LIFECYCLE_RULES_MAX: usize = 1000;
const OVERWRITE_RULES_MAX: usize = 100;
const POLICY_BYTES_MAX: usize = 16 << 10;
