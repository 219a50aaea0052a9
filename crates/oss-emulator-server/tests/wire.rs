//! What happens on the connection: raw targets, framing, early answers, broken connections.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use core::time::Duration;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::thread;

use common::{Answer, BUCKET, Client, SECRET, encoded, object, server};
use oss_emulator_server::{Config, Server};

#[test]
fn keys_come_through_byte_for_byte() {
    let (server, client) = server();
    for key in [
        "a b",
        "a+b",
        "a%b",
        "a%2Fb",
        "a?b&c=d",
        "a#b",
        "dir//double",
        "./dot",
        "../up",
        "a/../b",
        "a/.",
        "..",
        "中文/键",
        "🦆",
        "\"'<>&;",
        "tab\t",
        "line\nfeed",
        "return\r",
        "one\u{1}",
        "trailing/",
        "back\\slash",
        "~*!()",
    ] {
        let body = format!("content of {key}");
        assert_eq!(client.put(key, &[], body.as_bytes()).outcome(), "200", "{key:?}");
        assert_eq!(client.call("GET", key, &[], &[]).text(), body, "{key:?}");
        assert!(server.with(|emulator| emulator.object(BUCKET, key).is_some()), "{key:?}");
    }
    // Other spellings of the same key, which no rule of paths may fold.
    for (raw, key) in
        [("/./dot", "./dot"), ("/%2E%2E/up", "../up"), ("/a%252Fb", "a%2Fb"), ("/a%2F..%2Fb", "a/../b")]
    {
        let headers = client.signed_head("GET", &object(key), &[], &[]);
        let start = headers.find(" HTTP/1.1").unwrap();
        let request = format!("GET /{BUCKET}{raw}{}", &headers[start..]);
        assert_eq!(client.exchange(request.as_bytes()).text(), format!("content of {key}"), "{raw}");
    }
    // Plain and encoded listings name them all.
    for encoding in [&[][..], &[("encoding-type", "url")]] {
        let query = [&[("list-type", "2"), ("max-keys", "1000")], encoding].concat();
        let keys = client.call("GET", "", &query, &[]).elements("Key");
        let expected: Vec<String> = server.with(|emulator| {
            let keys = emulator.objects(BUCKET).map(|(key, _)| key.to_owned());
            keys.map(|key| if encoding.is_empty() { escaped(&key) } else { encoded(&key) }).collect()
        });
        assert_eq!(keys, expected);
    }
}

#[test]
fn virtual_host_and_cname_reach_the_same_object() {
    let config = Config::new("cn-hangzhou")
        .with_access_key(common::ID, SECRET)
        .with_cname("files.example.com", BUCKET);
    let server = Server::start_on_thread(config).unwrap();
    server.create_bucket(BUCKET);
    let client = Client { address: server.address(), now: server.now().as_secs() };
    client.put("k", &[], b"content");
    let port = server.address().port();
    for host in [
        format!("{BUCKET}.localhost:{port}"),
        format!("{BUCKET}.oss-cn-hangzhou.aliyuncs.com"),
        "Files.Example.Com".to_owned(),
    ] {
        let head = client.signed_head("GET", &object("k"), &[], &[("Host", &host)]);
        let request = head.replacen(&object("k"), "/k", 1);
        assert_eq!(client.exchange(request.as_bytes()).text(), "content", "{host}");
        let absolute = head.replacen(&object("k"), &format!("http://{host}/k"), 1);
        assert_eq!(client.exchange(absolute.as_bytes()).text(), "content", "{host}");
    }
}

#[test]
fn f12_chunked_and_continued_bodies_arrive() {
    let (server, client) = server();
    let head = client.signed_head("PUT", &object("chunked"), &[], &[("Transfer-Encoding", "chunked")]);
    let answer = client.exchange(&[head.as_bytes(), b"5\r\nhello\r\n1;x=y\r\n!\r\n0\r\n\r\n"].concat());
    assert_eq!(answer.status, 200);
    assert_eq!(client.call("GET", "chunked", &[], &[]).text(), "hello!");

    let headers = [("Expect", "100-continue"), ("Content-Length", "5")];
    let head = client.signed_head("PUT", &object("continued"), &[], &headers);
    let mut stream = TcpStream::connect(client.address).unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"hello").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert_eq!(Answer::read(&answer).status, 200);
    assert_eq!(server.with(|emulator| emulator.objects(BUCKET).count()), 2);
}

#[test]
fn f12_a_refusal_does_not_wait_for_the_body() {
    let (_server, client) = server();
    for expect in [&[][..], &[("Expect", "100-continue")]] {
        let headers = [&[("Content-Length", "1000000000")], expect].concat();
        let head = client.head("PUT", &object("k"), &headers);
        let mut stream = TcpStream::connect(client.address).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        let mut start = [0; 12];
        stream.read_exact(&mut start).unwrap();
        assert_eq!(&start, b"HTTP/1.1 403", "{expect:?}");
    }
    // A client that sends everything before it reads still sees the answer, not a reset.
    let head = client.head("PUT", &object("k"), &[("Content-Length", "8000000")]);
    let answer = client.exchange(&[head.as_bytes(), &vec![1; 8_000_000]].concat());
    assert_eq!(answer.outcome(), "403 AccessDenied");
}

#[test]
fn a_broken_upload_leaves_nothing() {
    let (server, client) = server();
    client.put("k", &[], b"old");
    let head = client.signed_head("PUT", &object("k"), &[], &[("Content-Length", "10")]);
    let mut stream = TcpStream::connect(client.address).unwrap();
    stream.write_all(&[head.as_bytes(), b"half"].concat()).unwrap();
    wait_until(|| server.with(|emulator| emulator.open_bodies()) == 1);
    stream.shutdown(Shutdown::Both).unwrap();
    drop(stream);
    wait_until(|| server.with(|emulator| emulator.open_bodies()) == 0);
    assert_eq!(client.call("GET", "k", &[], &[]).text(), "old");
}

#[test]
fn heads_carry_the_length_and_errors_in_a_header() {
    let (_server, client) = server();
    client.put("k", &[("x-oss-meta-a", "b")], b"content");
    let answer = client.call("HEAD", "k", &[], &[]);
    assert_eq!((answer.status, answer.body.len()), (200, 0));
    assert_eq!(answer.header("content-length"), Some("7"));
    assert_eq!(answer.header("x-oss-meta-a"), Some("b"));
    let answer = client.call("HEAD", "none", &[], &[]);
    assert_eq!((answer.status, answer.body.len()), (404, 0));
    assert_eq!(answer.header("x-oss-ec"), Some("0026-00000001"));
    assert!(answer.header("x-oss-err").is_some_and(|text| text.starts_with("PD94bWwg")));
    let answer = client.call("HEAD", "k", &[("objectMeta", "")], &[]);
    assert_eq!((answer.status, answer.header("content-length")), (200, Some("7")));
    assert_eq!(answer.header("x-oss-meta-a"), None);
}

#[test]
fn every_answer_carries_the_common_headers() {
    let (_server, client) = server();
    client.put("k", &[], b"content");
    for answer in [
        client.call("GET", "k", &[], &[]),
        client.call("GET", "none", &[], &[]),
        client.call("DELETE", "k", &[], &[]),
        client.exchange(client.head("GET", "/", &[]).as_bytes()),
    ] {
        let id = answer.header("x-oss-request-id").unwrap();
        assert!(id.len() == 24 && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F')), "{id}");
        assert_eq!(answer.header("server"), Some("AliyunOSS"));
        assert!(answer.header("x-oss-server-time").is_some());
        assert_eq!(answer.headers.iter().filter(|(name, _)| name == "date").count(), 1);
        assert_eq!(answer.header("content-length").is_none(), answer.status == 204);
    }
}

#[test]
fn presigned_urls_work_until_the_clock_says_no() {
    let (server, client) = server();
    client.put("a b/中", &[], b"content");
    let get = client.head("GET", &client.presigned("GET", &object("a b/中"), 60), &[]);
    assert_eq!(client.exchange(get.as_bytes()).text(), "content");
    let put = client.head("PUT", &client.presigned("GET", &object("a b/中"), 60), &[("Content-Length", "0")]);
    assert_eq!(client.exchange(put.as_bytes()).outcome(), "403 SignatureDoesNotMatch");
    server.shift_clock(120);
    assert_eq!(client.exchange(get.as_bytes()).outcome(), "403 AccessDenied");
    assert_eq!(client.call("GET", "a b/中", &[], &[]).status, 200);
    server.shift_clock(-1000);
    let skewed = client.call("GET", "a b/中", &[], &[]);
    assert_eq!(skewed.outcome(), "403 RequestTimeTooSkewed");
    assert_eq!(skewed.element("MaxAllowedSkewMilliseconds"), "900000");
    assert!(skewed.element("ServerTime").ends_with(".000Z"));
}

#[test]
fn answers_stream_and_zeros_cost_nothing() {
    let (server, client) = server();
    const LEN: usize = 64 << 20;
    assert_eq!(client.put("zeros", &[], &vec![0; LEN]).status, 200);
    let answer = client.call("GET", "zeros", &[], &[]);
    assert!(answer.body.len() == LEN && answer.body.iter().all(|byte| *byte == 0));
    assert_eq!(server.with(|emulator| emulator.object(BUCKET, "zeros").unwrap().size()), LEN as u64);
}

#[test]
fn a_connection_is_reused() {
    let (_server, client) = server();
    let head = client.signed_head("PUT", &object("k"), &[], &[("Content-Length", "2")]);
    let head = head.replacen("Connection: close\r\n", "", 1);
    let mut stream = TcpStream::connect(client.address).unwrap();
    for _ in 0..3 {
        stream.write_all(&[head.as_bytes(), b"hi"].concat()).unwrap();
        let mut answer = vec![0; 4096];
        let read = stream.read(&mut answer).unwrap();
        assert_eq!(Answer::read(&answer[..read]).status, 200);
    }
}

#[test]
fn a_dropped_server_lets_go_of_its_port() {
    let (server, client) = server();
    drop(server);
    assert!(TcpStream::connect(client.address).is_err());
}

/// What the XML writer makes of a key.
fn escaped(key: &str) -> String {
    let mut text = String::new();
    for character in key.chars() {
        match character {
            '&' => text += "&amp;",
            '<' => text += "&lt;",
            '>' => text += "&gt;",
            '"' => text += "&quot;",
            '\r' => text += "&#xD;",
            '\u{1}' => text += "&#x1;",
            other => text.push(other),
        }
    }
    text
}

fn wait_until(condition: impl Fn() -> bool) {
    for _ in 0..500 {
        if condition() {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("the condition did not come true within five seconds");
}
