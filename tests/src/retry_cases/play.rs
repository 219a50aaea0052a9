//! Runs a case of the file: reads it, sets the stage, makes the call, and tells what is otherwise than due.

use core::time::Duration;
use std::time::Instant;

use bytes::Bytes;
use oss_proto::{
    Callback, CorruptBody, Error, ErrorKind, FailureKind, HeadObject, Outcome, PutBucketVersioning,
    PutObject, StorageClass, VersioningStatus,
};
use serde_json::Value;

use super::script::{self, operation};
use crate::conformance::{Content, Scenario, Stage};
use crate::peer::{BUCKET, Deed, End, Peer, credentials, temporary};

/// A case of the file.
#[derive(Clone, Debug)]
pub struct Case(Value);

/// The cases of the file's text.
///
/// # Panics
/// When it is not such a file.
pub fn cases(text: &str) -> Vec<Case> {
    let file: Value = serde_json::from_str(text).expect("the file is JSON");
    file["cases"].as_array().expect("the file has cases").iter().cloned().map(Case).collect()
}

impl Case {
    /// Its name.
    pub fn id(&self) -> &str {
        self.0["id"].as_str().unwrap_or_default()
    }

    /// The group that it belongs to.
    pub fn group(&self) -> &str {
        self.0["group"].as_str().unwrap_or_default()
    }

    /// Whether it can be shown over TCP.
    pub fn is_for_tcp(&self) -> bool {
        self.0["by"].as_array().is_some_and(|by| by.iter().any(|by| by == "tcp"))
    }

    /// The least and the most of each wait.
    pub fn waits(&self) -> Vec<(Duration, Duration)> {
        let wait = |bounds: &Value| {
            let milliseconds = |at: usize| Duration::from_millis(bounds[at].as_u64().unwrap_or_default());
            (milliseconds(0), milliseconds(1))
        };
        self.0["expect"]["waits_ms"].as_array().into_iter().flatten().map(wait).collect()
    }

    /// The stage for it: what the peer has and does, and how the client is set.
    pub fn scenario(&self) -> Scenario {
        let given = self.0["given"].clone();
        let milliseconds = |name: &str| given[name].as_u64().map(Duration::from_millis);
        let number = |name: &str| given[name].as_u64().unwrap_or_default();
        let (attempts, is_versioned) = (number("attempts"), given["versioned"] == true);
        let (base, cap) = (milliseconds("base_delay_ms"), milliseconds("max_delay_ms"));
        let (silence, deadline) = (milliseconds("silence_ms"), milliseconds("deadline_ms"));
        let before = self.call_before().map(|_| match given["connections"] == "stale" {
            true => Deed::spoil(|answer| answer.end = End::ThenClose),
            false => Deed::Serve,
        });
        let instructions = self.0["instructions"].as_array().into_iter().flatten();
        let mut scenario = Scenario::new("a case of retrying")
            .deeds(before.into_iter().chain(instructions.map(script::deed)))
            .ahead(given["server_clock_ahead_s"].as_i64().unwrap_or_default())
            .set_up({
                let given = given.clone();
                move |peer, now| set_up(peer, &given, now)
            })
            .tuned(move |settings| {
                let policy = settings.retry.with_max_attempts(u32::try_from(attempts).unwrap_or(u32::MAX));
                let policy = policy.with_base_delay(base.unwrap_or_default());
                settings.retry = policy.with_max_backoff(cap.unwrap_or_default());
                settings.buckets_versioned = is_versioned;
                settings.timeouts.operation = deadline;
                if let Some(silence) = silence {
                    settings.timeouts.idle = silence;
                    settings.timeouts.slow_answer = silence;
                }
            });
        if given["connections"] == "refused" {
            scenario = scenario.down();
        }
        if given["credentials"] == "renewable" {
            scenario = scenario.credentials([temporary(), credentials()]);
        }
        scenario
    }

    /// Whether another call comes before it, and how long before: one that leaves a connection behind which
    /// the peer then closes, or one that asks the source for credentials.
    fn call_before(&self) -> Option<Duration> {
        let given = &self.0["given"];
        if given["connections"] == "stale" {
            Some(Duration::from_millis(300))
        } else if given["credentials"] == "renewable" {
            // A source that answered within the last second is not asked again.
            Some(Duration::from_millis(1100))
        } else {
            None
        }
    }

    /// Plays it on a stage that was made for it, and tells each difference.
    pub fn play<S: Stage>(&self, stage: &mut S) -> Vec<String> {
        if let Some(pause) = self.call_before() {
            let _told = stage.call(&HeadObject::new(BUCKET, "none"), &Content::default());
            stage.pause(pause);
            stage.peer(Peer::take_log);
            stage.waits();
        }
        let upload = stage.peer(|peer| peer.uploads().pop()).map(|(_, id)| id).unwrap_or_default();
        let seen_before = stage.peer(|peer| peer.seen());
        let began = Instant::now();
        let result = operation(stage, &self.0["call"], &upload);
        let took = began.elapsed();
        let due = self.0["expect"]["requests"].as_array().map_or(0, Vec::len);
        for _ in 0..PEER_TURNS_MAX {
            if stage.peer(|peer| !peer.is_reading() && peer.seen() >= seen_before + due) {
                break;
            }
            stage.pause(PEER_TURN);
        }
        let log = stage.peer(Peer::take_log);
        let mut differences = Vec::new();
        let requests: Vec<_> = log.iter().map(|line| self.role(line)).collect();
        let mut compare = |what: &str, due: &Value, is: Value| {
            if *due != is {
                differences.push(format!("{what}: due {due}, is {is}"));
            }
        };
        compare("requests", &self.0["expect"]["requests"], requests.into());
        compare("objects", &self.0["expect"]["holds"]["objects"], stage.peer(|peer| objects(peer)));
        let uploads = stage.peer(|peer| peer.uploads().len());
        compare("uploads", &self.0["expect"]["holds"]["uploads"], uploads.into());
        differences.extend(self.result(result));
        differences.extend(self.waited(stage.waits(), took));
        differences
    }

    /// Whether a request is the call itself, the rest of a read, or a look at what a write did.
    fn role(&self, line: &str) -> &'static str {
        let is_read = matches!(
            self.0["call"]["operation"].as_str(),
            Some("GetObject" | "HeadObject" | "GetObjectMeta" | "ListObjectsV2" | "GetBucketInfo")
        );
        if !is_read && (line.starts_with("> HEAD ") || line.starts_with("> GET ")) {
            "look"
        } else if line.contains(", range: ") && line.contains(", if-match: ") {
            "rest"
        } else {
            "call"
        }
    }

    fn result(&self, result: Result<Option<Bytes>, Error>) -> Vec<String> {
        let mut differences = Vec::new();
        match (&self.0["expect"], result) {
            (due, Ok(body)) if due["result"] == "ok" => {
                let body = body.map(|body| String::from_utf8_lossy(&body).into_owned());
                if due["body"].as_str() != body.as_deref() {
                    differences.push(format!("body: due {}, is {body:?}", due["body"]));
                }
            }
            (due, Err(error)) if due["error"].is_object() => {
                let is = error_json(&error, &due["error"]);
                if due["error"] != is {
                    differences.push(format!("error: due {}, is {is}: {error}", due["error"]));
                }
            }
            (due, Ok(_)) => differences.push(format!("result: due {}, is ok", due["error"])),
            (_, Err(error)) => differences.push(format!("result: due ok, is {error}")),
        }
        differences
    }

    fn waited(&self, waits: Option<Vec<Duration>>, took: Duration) -> Vec<String> {
        let due = self.waits();
        let Some(waits) = waits else {
            let least: Duration = due.iter().map(|(least, _)| *least).sum();
            return Vec::from_iter(
                (took < least).then(|| format!("waits: due {least:?} in all, is {took:?}")),
            );
        };
        let fits = |((least, most), wait): (&(Duration, Duration), &Duration)| {
            least <= wait && (wait < most || least == wait)
        };
        let are_right = due.len() == waits.len() && due.iter().zip(&waits).all(fits);
        Vec::from_iter((!are_right).then(|| format!("waits: due {due:?}, is {waits:?}")))
    }
}

fn set_up(peer: &mut Peer, given: &Value, now: Duration) {
    for (key, content) in given["holds"]["objects"].as_object().into_iter().flatten() {
        let content = Bytes::from(content.as_str().unwrap_or_default().to_owned());
        let mut put = PutObject::new(BUCKET, key.as_str(), content);
        if given["holds"]["archived"] == true {
            put = put.storage_class(StorageClass::Archive);
        }
        peer.prepare(&put, now);
    }
    if given["versioned"] == true {
        peer.prepare(&PutBucketVersioning::new(BUCKET, VersioningStatus::Enabled), now);
    }
    if given["holds"]["uploads"] == 1 {
        script::begin_upload(peer, now);
    }
}

fn objects(peer: &Peer) -> Value {
    let text = |content: Bytes| Value::from(String::from_utf8_lossy(&content).into_owned());
    Value::Object(peer.objects().into_iter().map(|(key, content)| (key, text(content))).collect())
}

/// The error in the file's words. A code is told where one is due: not every answer carries one.
fn error_json(error: &Error, due: &Value) -> Value {
    let kind = match error.kind() {
        ErrorKind::Service(_) => "service",
        ErrorKind::Deadline(_) => "deadline",
        ErrorKind::Transport(error) => match error.kind {
            FailureKind::Timeout => "timeout",
            FailureKind::BodySource => "body",
            _ => "transport",
        },
        ErrorKind::Corrupt(CorruptBody::Length { expected, actual }) if actual < expected => "transport",
        ErrorKind::Corrupt(_) => "corrupt",
        ErrorKind::ObjectChanged(_) => "changed",
        ErrorKind::Reply(_) => "unreadable",
        ErrorKind::Credentials(_) => "credentials",
        ErrorKind::Moved(_) => "redirect",
        ErrorKind::StoredButCallbackFailed(_) => "callback",
        _ => "misuse",
    };
    let outcome = match error.outcome() {
        Outcome::NotSent => "not sent",
        Outcome::Rejected => "rejected",
        Outcome::Unknown => "unknown",
    };
    let mut json = serde_json::json!({"kind": kind, "outcome": outcome});
    if let ErrorKind::Service(error) = error.kind() {
        json["status"] = error.status.into();
        if due["code"].is_string() {
            json["code"] = error.code.as_str().into();
        }
    }
    if error.to_string().contains("read only once") {
        json["body_is_spent"] = true.into();
    }
    json
}

/// A callback that the peer's application answers, or not.
pub(super) fn callback(json: &Value) -> Callback {
    let text = |name: &str| json[name].as_str().unwrap_or_default().to_owned();
    Callback::new(text("url"), text("body"))
}

const PEER_TURN: Duration = Duration::from_millis(5);
const PEER_TURNS_MAX: usize = 400;
