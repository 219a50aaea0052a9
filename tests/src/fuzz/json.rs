//! JSON, as the processing service and credential sources speak it.

use core::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use oss_credentials::{Answer, CredentialCache, CredentialsUri, HttpAnswer, Need, Step};
use oss_proto::{AsyncProcessObject, Operation, ProcessObject, ReplyHead};
use oss_sign::UnixTime;
use serde_json::Value;

use super::is_short_line;

/// A document, as the answer to a processing request and as that of a credentials URI: what is taken is JSON
/// to `serde_json` too, and says the same there; what `serde_json` takes is refused for a reason alone.
pub fn json(bytes: &[u8]) {
    let theirs = serde_json::from_slice::<Value>(bytes);
    // A number may be longer than theirs, which are floats.
    let is_sound = theirs.as_ref().map_or_else(|error| error.to_string().contains("out of range"), |_| true);
    members(bytes, theirs.as_ref().ok(), is_sound);
    credentials(bytes, theirs.as_ref().ok(), is_sound);
}

fn members(bytes: &[u8], theirs: Option<&Value>, is_sound: bool) {
    let (head, body) = (ReplyHead::new(200, HeaderMap::new()), Bytes::copy_from_slice(bytes));
    match ProcessObject::read(&head, &body) {
        Ok(output) => {
            assert!(is_sound, "they do not take what we take");
            let Some(theirs) = theirs else { return };
            assert!(theirs.is_object());
            for (name, ours) in
                [("bucket", output.bucket), ("object", output.object), ("status", output.status)]
            {
                agree(ours.as_deref(), &theirs[name]);
            }
            agree(output.file_size.map(|size| size.to_string()).as_deref(), &theirs["fileSize"]);
        }
        Err(error) => {
            let message = error.to_string();
            is_short_line(&message);
            let is_stricter =
                ["32 levels", "more than once", " is due"].iter().any(|why| message.contains(why));
            let theirs = theirs.filter(|theirs| theirs.is_object());
            assert!(theirs.is_none() || is_stricter, "sound, and refused: {message}");
        }
    }
    if let Err(error) = AsyncProcessObject::read(&head, &body) {
        is_short_line(&error.to_string());
    }
}

/// Texts are the same. A number that they changed into a float is not compared.
fn agree(ours: Option<&str>, theirs: &Value) {
    match (ours, theirs) {
        (Some(ours), Value::String(text)) => {
            let is_number = |text: &str| text.trim_start_matches('0') == ours.trim_start_matches('0');
            assert!(ours == text || is_number(text), "{ours} {text}");
        }
        (Some(ours), Value::Bool(flag)) => assert_eq!(ours, flag.to_string()),
        (Some(_), Value::Number(_)) => {}
        (None, Value::Null | Value::Object(_) | Value::Array(_)) => {}
        (None, Value::String(text)) => assert_eq!(text, "", "an empty number is none"),
        (ours, theirs) => unreachable!("{ours:?} {theirs}"),
    }
}

fn credentials(bytes: &[u8], theirs: Option<&Value>, is_sound: bool) {
    let mut cache = CredentialCache::new(CredentialsUri::new("https://a.example/").into(), 1);
    let Step::Ask(ticket, _) = cache.poll(Need::until(NOW), Duration::ZERO, NOW) else {
        unreachable!("a server is asked at once");
    };
    cache.answer(ticket, Answer::Http(HttpAnswer::new(200, bytes)), Duration::ZERO, NOW);
    match cache.poll(Need::until(NOW), Duration::ZERO, NOW) {
        Step::Ready(credentials) => {
            let key = credentials.access_key().expect("nobody is in no answer");
            let theirs = theirs.map(|theirs| &theirs["AccessKeyId"]);
            // A byte order mark is passed over, which JSON does not ask for.
            let has_mark = bytes.starts_with(b"\xef\xbb\xbf");
            assert!(has_mark || is_sound, "they do not take what we take");
            assert!(theirs.is_none_or(|theirs| theirs.as_str() == Some(key.id)), "{theirs:?}");
        }
        Step::Failed(error) => {
            let message = error.to_string();
            assert!(!message.contains(char::is_control) && message.len() <= 400, "{message:?}");
        }
        // A refusal of the server may pass: it is asked again.
        Step::Ask(..) | Step::Wait { .. } => {}
    }
}

const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);
