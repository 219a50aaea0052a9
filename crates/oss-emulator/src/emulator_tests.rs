use super::*;
use crate::acl::Acl;
use alloc::format;
use alloc::string::ToString;
use alloc::vec;
use http::{HeaderName, HeaderValue, Request as HttpRequest};
use proptest::prelude::*;

const NOW: Duration = Duration::from_secs(1_700_000_000);
const LATER: Duration = Duration::from_secs(1_700_000_060);

/// A server with one bucket that anyone may write to, so that no test here needs a signature.
fn emulator(seed: u64) -> Emulator {
    let mut emulator = Emulator::new(Config::new("cn-hangzhou").with_seed(seed));
    emulator.create_bucket("examplebucket", NOW);
    emulator.store.buckets.get_mut("examplebucket").unwrap().acl = Acl::PublicReadWrite;
    emulator
}

fn head(method: &str, key: &str, headers: &[(&str, &str)]) -> Parts {
    let mut builder =
        HttpRequest::builder().method(method).uri(format!("http://127.0.0.1/examplebucket/{key}"));
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    builder.body(()).unwrap().into_parts().0
}

fn put_head(key: &str, length: usize) -> Parts {
    head("PUT", key, &[("content-length", &length.to_string())])
}

fn accepted(verdict: Verdict) -> BodyId {
    match verdict {
        Verdict::Accept(id) => id,
        Verdict::Refuse(reply) => panic!("refused: {reply:?}"),
    }
}

fn put(emulator: &mut Emulator, key: &str, pieces: &[&'static [u8]]) -> Reply {
    let length = pieces.iter().map(|piece| piece.len()).sum();
    let id = accepted(emulator.begin(&put_head(key, length), NOW));
    for piece in pieces {
        emulator.push(id, Bytes::from_static(piece));
    }
    emulator.end(id, NOW)
}

fn text(reply: Reply) -> String {
    String::from_utf8(reply.body.into_bytes().to_vec()).unwrap()
}

#[test]
fn an_object_appears_at_the_end_of_its_body() {
    let mut emulator = emulator(0);
    let id = accepted(emulator.begin(&put_head("k", 6), NOW));
    emulator.push(id, Bytes::from_static(b"hel"));
    assert!(emulator.object("examplebucket", "k").is_none());
    let other = accepted(emulator.begin(&head("GET", "k", &[]), NOW));
    assert_eq!(emulator.end(other, NOW).head.status(), 404);
    emulator.push(id, Bytes::from_static(b"lo!"));
    assert_eq!(emulator.end(id, LATER).head.status(), 200);
    let object = emulator.object("examplebucket", "k").unwrap();
    assert_eq!((object.size(), object.modified()), (6, LATER));
    assert_eq!(object.body().into_bytes(), "hello!");
    assert_eq!(emulator.open_bodies(), 0);
}

#[test]
fn an_aborted_or_short_body_changes_nothing() {
    let mut emulator = emulator(0);
    put(&mut emulator, "k", &[b"old"]);
    let id = accepted(emulator.begin(&put_head("k", 10), NOW));
    emulator.push(id, Bytes::from_static(b"new"));
    emulator.abort(id);
    emulator.push(id, Bytes::from_static(b"late"));
    assert_eq!(emulator.end(id, NOW).head.status(), 500);

    let id = accepted(emulator.begin(&put_head("k", 10), NOW));
    emulator.push(id, Bytes::from_static(b"new"));
    let reply = emulator.end(id, NOW);
    assert_eq!(reply.head.status(), 400);
    assert!(text(reply).contains("<Code>RequestTimeout</Code>"));
    assert_eq!(emulator.object("examplebucket", "k").unwrap().body().into_bytes(), "old");
}

#[test]
fn a_body_is_cut_at_its_content_length() {
    let mut emulator = emulator(0);
    let id = accepted(emulator.begin(&put_head("k", 3), NOW));
    emulator.push(id, Bytes::from_static(b"ab"));
    emulator.push(id, Bytes::from_static(b"cdef"));
    emulator.push(id, Bytes::from_static(b"g"));
    assert_eq!(emulator.end(id, NOW).head.status(), 200);
    assert_eq!(emulator.object("examplebucket", "k").unwrap().body().into_bytes(), "abc");
}

#[test]
fn what_changed_while_the_body_came_counts() {
    let mut emulator = emulator(0);
    let forbid = [("content-length", "1"), ("x-oss-forbid-overwrite", "true")];
    let slow = accepted(emulator.begin(&head("PUT", "k", &forbid), NOW));
    let orphan = accepted(emulator.begin(&put_head("k2", 1), NOW));
    put(&mut emulator, "k", &[b"x"]);
    emulator.push(slow, Bytes::from_static(b"y"));
    assert_eq!(emulator.end(slow, NOW).head.status(), 409);
    let Verdict::Refuse(early) = emulator.begin(&head("PUT", "k", &forbid), NOW) else {
        panic!("the object exists already")
    };
    assert_eq!(early.head.status(), 409);
    emulator.store.buckets.clear();
    emulator.push(orphan, Bytes::from_static(b"y"));
    assert_eq!(emulator.end(orphan, NOW).head.status(), 404);
}

#[test]
fn documents_and_chunked_objects_have_a_limit() {
    let mut emulator = emulator(0);
    let id = accepted(emulator.begin(&head("PUT", "k", &[("transfer-encoding", "chunked")]), NOW));
    // Five gibibytes and one byte, which costs a real server more time than this test has.
    let Some(Open::Oss(exchange)) = emulator.open.get_mut(&id.0) else { panic!("the body is open") };
    exchange.received = 5 << 30;
    emulator.push(id, Bytes::from_static(b"x"));
    assert!(text(emulator.end(id, NOW)).contains("<Code>EntityTooLarge</Code>"));
    let id = accepted(emulator.begin(&head("DELETE", "k", &[]), NOW));
    emulator.push(id, vec![b' '; (2 << 20) + 1].into());
    assert!(text(emulator.end(id, NOW)).contains("<Code>MalformedXML</Code>"));
}

#[test]
fn the_same_calls_give_the_same_answers() {
    let run = |seed, pieces: &[&'static [u8]]| {
        let mut emulator = emulator(seed);
        let mut transcript = format!("{:?}", put(&mut emulator, "k", pieces).head);
        for (method, key) in [("GET", "k"), ("GET", "none"), ("GET", "?acl"), ("GET", ""), ("PATCH", "k")] {
            let reply = match emulator.begin(&head(method, key, &[]), LATER) {
                Verdict::Accept(id) => emulator.end(id, LATER),
                Verdict::Refuse(reply) => reply,
            };
            transcript += &format!("{:?}", reply.head);
            transcript += &text(reply);
        }
        transcript
    };
    assert_eq!(run(7, &[b"hello"]), run(7, &[b"h", b"ell", b"", b"o"]));
    assert_ne!(run(7, &[b"hello"]), run(8, &[b"hello"]));
}

#[test]
fn a_clone_is_a_snapshot() {
    let mut emulator = emulator(0);
    put(&mut emulator, "k", &[b"old"]);
    let snapshot = emulator.clone();
    put(&mut emulator, "k", &[b"new"]);
    assert_eq!(snapshot.object("examplebucket", "k").unwrap().body().into_bytes(), "old");
}

#[test]
fn debug_shows_no_token() {
    let mut emulator = emulator(0);
    let token = [("x-oss-security-token", "hidden-token"), ("content-length", "1")];
    accepted(emulator.begin(&head("PUT", "k", &token), NOW));
    let text = format!("{emulator:?}");
    assert!(text.contains("PUT Object") && !text.contains("hidden-token"), "{text}");
}

#[test]
fn keys_can_be_rotated() {
    let mut emulator = emulator(0);
    emulator.configure(|config| config.with_access_key("a", "b"));
    assert_eq!(emulator.config().keys.len(), 1);
    emulator.configure(|config| config.without_access_key("a"));
    assert!(emulator.config().keys.is_empty());
}

#[test]
fn the_emulator_is_send_and_sync() {
    fn check<T: Send + Sync + 'static>() {}
    check::<Emulator>();
    check::<Reply>();
}

proptest! {
    /// Whatever comes in, something goes out.
    #[test]
    fn no_request_panics(
        method in "(GET|HEAD|PUT|POST|DELETE|OPTIONS|X)",
        path in "(/|/examplebucket)?/[ -~]{0,12}",
        query in prop::collection::vec(
            "(acl|uploads|uploadId|partNumber|list-type|max-keys|marker|prefix|delimiter)=[ -~]{0,6}",
            0..4,
        ),
        headers in prop::collection::vec(
            (
                "(host|range|authorization|content-length|content-md5|x-oss-date|x-oss-tagging|if-match|date\
                 |x-oss-copy-source|x-oss-copy-source-range|if-modified-since|transfer-encoding)",
                "(bytes=|OSS4-HMAC-SHA256 |/examplebucket/)?[ -~]{0,20}",
            ),
            0..5,
        ),
        body in prop::collection::vec(any::<u8>(), 0..50),
    ) {
        let target = format!("{path}?{}", query.join("&"));
        let target = target.replace([' ', '#', '<', '>', '"', '`', '{', '}'], "%20");
        let Ok(uri) = target.parse::<http::Uri>() else { return Ok(()) };
        let mut builder = HttpRequest::builder().method(method.as_str()).uri(uri);
        for (name, value) in &headers {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            builder = builder.header(name, HeaderValue::from_str(value).unwrap());
        }
        let (head, ()) = builder.body(()).unwrap().into_parts();
        let mut emulator = emulator(0);
        put(&mut emulator, "k", &[b"content"]);
        let reply = match emulator.begin(&head, NOW) {
            Verdict::Refuse(reply) => reply,
            Verdict::Accept(id) => {
                emulator.push(id, body.into());
                emulator.end(id, LATER)
            }
        };
        prop_assert!(reply.head.headers().contains_key("x-oss-request-id"));
        prop_assert_eq!(emulator.open_bodies(), 0);
    }
}
