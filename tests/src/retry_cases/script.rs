//! The file's words for calls and instructions, as calls of ours and deeds of our peer.

use core::time::Duration;

use base64ct::{Base64, Encoding as _};
use bytes::Bytes;
use oss_proto::{
    AbortMultipartUpload, AppendObject, CompleteMultipartUpload, CompletedPart, CopyObject, CopySource,
    Delete, DeleteMultipleObjects, DeleteObject, Effect, Error, GetBucketInfo, GetObject, GetObjectMeta,
    HeadObject, InitiateMultipartUpload, ListObjectsV2, Payload, PutObject, PutObjectTagging, PutSymlink,
    Raw, Replay, Reply, RestoreObject, Scope, Tag, Tagging, UploadPart,
};
use serde_json::Value;

use super::play::callback;
use crate::conformance::{Content, Stage};
use crate::peer::{Answer, BUCKET, Deed, End, Framing, Peer};

/// What the peer does at an instruction.
///
/// # Panics
/// When there is no such instruction.
pub(super) fn deed(instruction: &Value) -> Deed {
    let instruction = instruction.clone();
    let number = |name: &str| instruction[name].as_u64();
    match instruction["do"].as_str() {
        Some("serve") if instruction["answer"] == "lost" => Deed::Lose,
        Some("serve") => Deed::spoil(move |answer| spoil(answer, &instruction)),
        Some("close") => Deed::Close(number("after_body_bytes").unwrap_or_default()),
        Some("silence") => Deed::Hang,
        other => {
            assert_eq!(other, Some("answer"), "there is no such instruction");
            match number("after_body_bytes") {
                Some(after) => Deed::Early(after, answer(&instruction)),
                None => Deed::Answer(answer(&instruction)),
            }
        }
    }
}

fn answer(instruction: &Value) -> Answer {
    let status = instruction["status"].as_u64().and_then(|status| u16::try_from(status).ok());
    let status = status.expect("an answer has a status");
    let mut answer = match (instruction["code"].as_str(), instruction["html"].as_str()) {
        (Some(code), _) => {
            let answer = Answer::error(status, code);
            // The answer to a HEAD has no body, so OSS says it in a header.
            let document = Base64::encode_string(&answer.body);
            answer.header("x-oss-err", document)
        }
        (None, Some(html)) => Answer::new(status).header("content-type", "text/html").body(html.to_owned()),
        (None, None) => Answer::new(status),
    };
    set(&mut answer, instruction);
    answer
}

fn set(answer: &mut Answer, instruction: &Value) {
    for (name, value) in instruction["set"].as_object().into_iter().flatten() {
        answer.set(name, value.as_str());
    }
}

fn spoil(answer: &mut Answer, instruction: &Value) {
    let number = |name: &str| instruction[name].as_u64();
    set(answer, instruction);
    if let Some(status) = number("status").and_then(|status| u16::try_from(status).ok()) {
        let error = Answer::error(status, instruction["code"].as_str().unwrap_or_default());
        (answer.status, answer.body) = (error.status, error.body);
        answer.set("content-type", Some("application/xml"));
        answer.set("content-length", None);
    }
    if let Some(at) = number("flip") {
        let mut body = answer.body.to_vec();
        let at = usize::try_from(at).unwrap_or(usize::MAX);
        body.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1);
        answer.body = body.into();
    }
    if let Some(at) = number("cut_after") {
        answer.end = End::Cut(at);
    }
    if instruction["then"] == "close" {
        answer.end = End::ThenClose;
    }
    if let Some(at) = number("stall_after") {
        answer.end = End::Stall(at);
    }
    if let Some(at) = number("ends_after") {
        answer.reframe(Framing::Chunked);
        answer.body.truncate(usize::try_from(at).unwrap_or(usize::MAX));
    }
}

/// Begins an upload past the script, with the part "hello" in it.
pub(super) fn begin_upload(peer: &mut Peer, now: Duration) {
    peer.prepare(&InitiateMultipartUpload::new(BUCKET, KEY), now);
    let Some((_, upload)) = peer.uploads().pop() else { return };
    peer.prepare(&UploadPart::new(BUCKET, KEY, upload.as_str(), 1_u32, "hello"), now);
}

/// Makes the call; a read gives its body.
///
/// # Panics
/// When there is no such operation.
pub(super) fn operation<S: Stage>(stage: &mut S, call: &Value, upload: &str) -> Result<Option<Bytes>, Error> {
    let text = |name: &str| call[name].as_str().unwrap_or_default().to_owned();
    let key = text("key");
    let key = key.as_str();
    let none = Content::default();
    match call["operation"].as_str() {
        Some("GetObject") => get(stage, call, key),
        Some("HeadObject") => done(stage.call(&HeadObject::new(BUCKET, key), &none)),
        Some("GetObjectMeta") => done(stage.call(&GetObjectMeta::new(BUCKET, key), &none)),
        Some("ListObjectsV2") => done(stage.call(&ListObjectsV2::new(BUCKET), &none)),
        Some("GetBucketInfo") => done(stage.call(&GetBucketInfo::new(BUCKET), &none)),
        Some("PutObject") => put(stage, call, key),
        Some("AppendObject") => {
            let position = call["position"].as_u64().unwrap_or_default();
            done(stage.call(&AppendObject::new(BUCKET, key, position, text("body")), &none))
        }
        Some("DeleteObject") => done(stage.call(&DeleteObject::new(BUCKET, key), &none)),
        Some("DeleteMultipleObjects") => {
            let keys = call["keys"].as_array().into_iter().flatten().filter_map(Value::as_str);
            done(stage.call(&DeleteMultipleObjects::new(BUCKET, keys.collect::<Delete>()), &none))
        }
        Some("CopyObject") => {
            let copy = CopyObject::new(BUCKET, key, CopySource::new(BUCKET, text("source").as_str()));
            let copy = if is_forbidding(call) { copy.forbid_overwrite(true) } else { copy };
            done(stage.call(&copy, &none))
        }
        Some("PutSymlink") => {
            let link = PutSymlink::new(BUCKET, key, text("target").as_str());
            let link = if is_forbidding(call) { link.forbid_overwrite(true) } else { link };
            done(stage.call(&link, &none))
        }
        Some("PutObjectTagging") => {
            let tags = call["tags"].as_object().into_iter().flatten();
            let tags = tags.map(|(key, value)| Tag::new(key.as_str(), value.as_str().unwrap_or_default()));
            let tagging = Tagging::new(tags.collect::<Vec<_>>());
            done(stage.call(&PutObjectTagging::new(BUCKET, key, tagging), &none))
        }
        Some("RestoreObject") => done(stage.call(&RestoreObject::new(BUCKET, key), &none)),
        Some("InitiateMultipartUpload") => {
            done(stage.call(&InitiateMultipartUpload::new(BUCKET, key), &none))
        }
        Some("UploadPart") => {
            let part = UploadPart::new(BUCKET, key, upload, 1_u32, text("body"));
            done(stage.call(&part, &none))
        }
        Some("CompleteMultipartUpload") => done(stage.call(&complete(call, key, upload), &none)),
        Some("AbortMultipartUpload") => {
            done(stage.call(&AbortMultipartUpload::new(BUCKET, key, upload), &none))
        }
        other => {
            assert_eq!(other, Some("InitiateBucketWorm"), "there is no such operation here");
            done(stage.call(&worm(&call["days"]), &none))
        }
    }
}

fn done<T>(result: Result<Reply<T>, Error>) -> Result<Option<Bytes>, Error> {
    result.map(|_| None)
}

fn get<S: Stage>(stage: &mut S, call: &Value, key: &str) -> Result<Option<Bytes>, Error> {
    let mut get = GetObject::new(BUCKET, key);
    let range =
        call["headers"]["range"].as_str().and_then(|range| range.strip_prefix("bytes=")?.split_once('-'));
    if let Some((first, last)) = range {
        let number = |text: &str| text.parse::<u64>().expect("a range of the file has two numbers");
        get = get.range(number(first)..=number(last));
    }
    let mut sink = Vec::new();
    stage.fetch(&get, &mut sink).map(|_| Some(sink.into()))
}

fn put<S: Stage>(stage: &mut S, call: &Value, key: &str) -> Result<Option<Bytes>, Error> {
    let body = Bytes::from(call["body"].as_str().unwrap_or_default().to_owned());
    let len = Some(body.len() as u64);
    let payload = match call["body_from"].as_str() {
        Some("a source that can be opened again") => Payload::Stream { len, replay: Replay::FromStart },
        Some(_) => Payload::Stream { len, replay: Replay::Once },
        None => Payload::Bytes(body.clone()),
    };
    let content = match call["body_fails_after"].as_u64() {
        Some(after) => Content::failing_after(body, usize::try_from(after).unwrap_or(usize::MAX)),
        None => Content::new(body),
    };
    let mut put = PutObject::new(BUCKET, key, payload);
    if is_forbidding(call) {
        put = put.forbid_overwrite(true);
    }
    if call["callback"].is_object() {
        put = put.callback(callback(&call["callback"]));
    }
    done(stage.call(&put, &content))
}

fn is_forbidding(call: &Value) -> bool {
    call["headers"]["x-oss-forbid-overwrite"] == "true"
}

fn complete(call: &Value, key: &str, upload: &str) -> CompleteMultipartUpload {
    let part = CompletedPart::new(1_u32, HELLO_ETAG);
    let complete = CompleteMultipartUpload::new(BUCKET, key, upload).parts(vec![part]);
    let crc = call["expected"]["crc64"].as_str().and_then(|crc| crc.parse::<u64>().ok());
    match (call["expected"]["bytes"].as_u64(), crc) {
        (Some(bytes), Some(crc)) => complete.size(bytes).crc64(crc),
        _ => complete,
    }
}

/// A retention policy, of which a bucket can have one.
fn worm(days: &Value) -> Raw {
    let body = format!(
        "<InitiateWormConfiguration><RetentionPeriodInDays>{days}</RetentionPeriodInDays>\
         </InitiateWormConfiguration>"
    );
    let worm = Raw::new("InitiateBucketWorm", http::Method::POST, Scope::Bucket).bucket(BUCKET);
    worm.query("worm", "").body(body).effect(Effect::Once)
}

const KEY: &str = "a.txt";
/// Of the part that is in every upload.
const HELLO_ETAG: &str = "\"5D41402ABC4B2A76B9719D911017C592\"";
