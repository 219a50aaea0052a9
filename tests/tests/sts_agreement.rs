//! The signatures of STS that the client makes and those that the emulator verifies come from two readings of
//! the documents: whatever the parameters hold, they must agree.
#![allow(clippy::unwrap_used, clippy::panic)]

use core::time::Duration;

use oss_emulator::{Config, Emulator, Role, Verdict};
use oss_sign::{AccessKey, Acs3Call, RpcCall, UnixTime};
use proptest::prelude::*;

const NOW: u64 = 1_700_000_000;
const ROLE: &str = "acs:ram::1234567890123456:role/a.b-c_d";
const FORM: &str = "application/x-www-form-urlencoded";

/// Sends a call and gives its status and document.
fn sent(
    method: &str,
    query: &str,
    headers: &[(&str, String)],
    body: String,
    token: Option<&str>,
) -> (u16, String) {
    let mut config = Config::new("cn-hangzhou").with_access_key("id", "secret").with_role(Role::new(ROLE));
    if let Some(token) = token {
        config = config.with_temporary_key("id", "secret", token, Duration::from_secs(NOW + 60));
    }
    let mut emulator = Emulator::new(config);
    let mut request = http::Request::builder().method(method).uri(format!("http://127.0.0.1/?{query}"));
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    let (head, ()) = request.body(()).unwrap().into_parts();
    let now = Duration::from_secs(NOW);
    let Verdict::Accept(id) = emulator.begin(&head, now) else { panic!("this is a call to STS") };
    emulator.push(id, body.into());
    let reply = emulator.end(id, now);
    (reply.head.status().as_u16(), String::from_utf8(reply.body.into_bytes().to_vec()).unwrap())
}

/// Percent-encoded as a form, by the rules of the URL standard and not by ours: `+` for a space.
fn form<'t>(pairs: impl Iterator<Item = (&'t str, &'t str)>) -> String {
    let encoded = |text: &str| -> String {
        let byte = |byte: u8| match byte {
            b' ' => "+".to_owned(),
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'*' | b'-' | b'.' | b'_' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02x}"),
        };
        text.bytes().map(byte).collect()
    };
    pairs.map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect::<Vec<_>>().join("&")
}

proptest! {
    #[test]
    fn the_emulator_takes_what_the_client_signs(
        action in "\\PC{0,40}",
        extra in "[ -~]{1,20}",
        session in "[A-Za-z0-9.@_-]{2,64}",
        token in prop::option::of("[!-~]{1,60}"),
        in_query in any::<bool>(),
    ) {
        let policy = serde_json::json!({ "Statement": [{ "Action": action }] }).to_string();
        let parameters =
            [("RoleArn", ROLE), ("RoleSessionName", &session), ("Policy", &policy), ("x y+*~", &extra)];
        let key = AccessKey { id: "id", secret: "secret", token: token.as_deref() };
        let time = UnixTime::from_secs(NOW as i64);
        let method = if in_query { "GET" } else { "POST" };

        let call = RpcCall {
            method,
            action: "AssumeRole",
            version: "2015-04-01",
            parameters: &parameters,
            nonce: "n",
            time,
        };
        let added = call.sign(&key);
        let added = added.iter().map(|(name, value)| (*name, value.as_str()));
        let text = form(parameters.into_iter().chain(added));
        let (query, body) = if in_query { (text, String::new()) } else { (String::new(), text) };
        let headers = [("host", "127.0.0.1".to_owned()), ("content-type", FORM.to_owned())];
        let (status, document) = sent(method, &query, &headers, body, token.as_deref());
        prop_assert_eq!(status, 200, "{}", document);

        let body = if in_query { String::new() } else { form(parameters.into_iter()) };
        let query = if in_query { &parameters[..] } else { &[] };
        let call = Acs3Call {
            method,
            host: "127.0.0.1",
            path: "/",
            query,
            content_type: Some(FORM),
            body: body.as_bytes(),
            action: "AssumeRole",
            version: "2015-04-01",
            nonce: "n",
            time,
        };
        let mut headers = headers.to_vec();
        headers.extend(call.sign(&key));
        let (status, document) = sent(method, &form(query.iter().copied()), &headers, body, token.as_deref());
        prop_assert_eq!(status, 200, "{}", document);
    }
}
