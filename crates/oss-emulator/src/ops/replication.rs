//! Replication rules: kept and given back; nothing is replicated.

use alloc::string::String;

use crate::fault::Fault;
use crate::ops::Context;
use crate::ops::service::REGIONS;
use crate::reply::Answer;
use crate::xml::{Document, Element, parse};

use http::header::HeaderName;

/// `comp=add` adds the rule of the body, `comp=delete` removes the one that it names.
pub(crate) fn change(context: &mut Context<'_>, body: &[u8]) -> Result<Answer, Fault> {
    match context.request.query.text("comp") {
        "add" => add(context, body),
        "delete" => remove(context, body),
        other => Err(Fault::invalid_argument("comp", other, "", "comp must be add or delete")),
    }
}

pub(crate) fn get(context: &Context<'_>) -> Result<Answer, Fault> {
    Ok(Answer::xml(Document::of_element(rules(context)?)))
}

/// The regions that a rule may name.
pub(crate) fn location(context: &Context<'_>) -> Result<Answer, Fault> {
    context.bucket()?;
    let mut document = Document::new("ReplicationLocation");
    for region in REGIONS.iter().filter(|region| **region != context.config.region) {
        document.text("Location", &alloc::format!("oss-{region}"));
    }
    Ok(Answer::xml(document.finish()))
}

pub(crate) fn progress(context: &Context<'_>) -> Result<Answer, Fault> {
    let id = context.request.query.text("rule-id");
    let mut found = rules(context)?.all("Rule").filter(|rule| rule.child_text("ID") == Some(id)).peekable();
    if found.peek().is_none() {
        return Err(no_such_rule(id));
    }
    let answer = Element::parent(
        "ReplicationProgress",
        found.map(|rule| {
            let mut rule = rule.clone();
            rule.children.push(Element::parent(
                "Progress",
                [Element::leaf("HistoricalObject", "0"), Element::leaf("NewObject", "0")],
            ));
            rule
        }),
    );
    Ok(Answer::xml(Document::of_element(&answer)))
}

pub(crate) fn put_rtc(context: &mut Context<'_>, body: &[u8]) -> Result<Answer, Fault> {
    let root = parse(body, "ReplicationRule").map_err(Fault::malformed_xml)?;
    let (Some(rtc), Some(id)) = (root.child("RTC"), root.child_text("ID")) else {
        return Err(Fault::malformed_xml("there is no RTC or no ID"));
    };
    let all = context.bucket_mut()?.documents.get_mut(&(SUB, String::new()));
    let mut rules = all.into_iter().flat_map(|root| &mut root.children);
    let rule = rules.find(|rule| rule.child_text("ID") == Some(id)).ok_or_else(|| no_such_rule(id))?;
    rule.children.retain(|child| child.name != "RTC");
    rule.children.push(rtc.clone());
    Ok(Answer::ok())
}

fn add(context: &mut Context<'_>, body: &[u8]) -> Result<Answer, Fault> {
    let root = parse(body, "ReplicationConfiguration").map_err(Fault::malformed_xml)?;
    let Some(rule) = root.child("Rule") else {
        return Err(Fault::new(400, "NoReplicationRule", "", "There is no replication rule."));
    };
    let destination =
        |name| rule.child("Destination").and_then(|to| to.child_text(name)).map_or("", str::trim);
    let (bucket, region) = (destination("Bucket"), destination("Location"));
    if bucket.is_empty() {
        return Err(Fault::new(400, "InvalidTargetBucket", "", "The rule names no target bucket."));
    }
    if !region.strip_prefix("oss-").is_some_and(|region| REGIONS.contains(&region)) {
        let why = "The target region does not exist.";
        return Err(Fault::new(400, "BadReplicationLocation", "", why).with("Location", region));
    }
    let mut rule = rule.clone();
    // What the rule leaves out has a documented default (OSS document "PutBucketReplication").
    if rule.child_text("ID").is_none_or(str::is_empty) {
        rule.set("ID", &context.ids.rule_id());
    }
    for (name, default) in [("Action", "ALL"), ("HistoricalObjectReplication", "enabled")] {
        if rule.child_text(name).is_none_or(str::is_empty) {
            rule.set(name, default);
        }
    }
    rule.set("Status", "starting");
    let id = String::from(rule.child_text("ID").unwrap_or(""));
    let documents = &mut context.bucket_mut()?.documents;
    let all =
        documents.entry((SUB, String::new())).or_insert_with(|| Element::parent(root.name.as_str(), []));
    if all.all("Rule").any(|other| other.child_text("ID") == Some(&id)) {
        let why = "A rule of this id exists.";
        return Err(Fault::new(400, "BucketReplicationAlreadyExist", "", why));
    }
    all.children.push(rule);
    Ok(Answer::ok().header(HeaderName::from_static("x-oss-replication-rule-id"), &id))
}

fn remove(context: &mut Context<'_>, body: &[u8]) -> Result<Answer, Fault> {
    let root = parse(body, "ReplicationRules").map_err(Fault::malformed_xml)?;
    let Some(id) = root.child_text("ID").map(str::trim) else {
        return Err(Fault::malformed_xml("there is no ID"));
    };
    let documents = &mut context.bucket_mut()?.documents;
    let name = (SUB, String::new());
    let before = documents.get(&name).map_or(0, |all| all.children.len());
    if let Some(all) = documents.get_mut(&name) {
        all.children.retain(|rule| rule.child_text("ID") != Some(id));
        let after = all.children.len();
        if after == 0 {
            documents.remove(&name);
        }
        if after < before {
            return Ok(Answer::ok());
        }
    }
    Err(no_such_rule(id))
}

fn rules<'c>(context: &'c Context<'_>) -> Result<&'c Element, Fault> {
    context.bucket()?.document(SUB).ok_or_else(|| {
        let why = "The bucket has no replication configuration.";
        Fault::new(404, "NoSuchReplicationConfiguration", "", why)
    })
}

fn no_such_rule(id: &str) -> Fault {
    Fault::new(404, "NoSuchReplicationRule", "", "The replication rule does not exist.").with("ID", id)
}

const SUB: &str = "replication";
