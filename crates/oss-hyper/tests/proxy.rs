//! Forwarding proxies: requests handed to them, tunnels through them, and all the ways they say no.
#![cfg(feature = "rustls")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails stops")]

extern crate alloc;

mod common;
#[path = "../examples/stage/mod.rs"]
mod stage;

use alloc::sync::Arc;
use core::net::SocketAddr;
use core::time::Duration;
use std::sync::Mutex;
use std::time::Instant;

use common::{bucket_over, content, header, raw, read_head, read_request, service, write};
use oss_hyper::{
    Bucket, Error, ErrorKind, FailureKind, Outcome, Proxy, TlsVersion, Transport, TransportBuilder,
};
use stage::{Authority, Stage};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

const HTTP: &str = "http://oss-cn-hangzhou.aliyuncs.com";
const HTTPS: &str = "https://oss-cn-hangzhou.aliyuncs.com";
const LIMIT: Duration = Duration::from_secs(5);
/// `user:p@ss word`.
const LOGIN: &str = "Basic dXNlcjpwQHNzIHdvcmQ=";
const IN_URL: &str = "user:p%40ss%20word";

/// A proxy in front of one server, with every head that it was sent.
#[derive(Clone)]
struct Forwarding {
    address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
    connections: Arc<Mutex<usize>>,
}

impl Forwarding {
    /// To this server, whatever the name; for whoever shows this header.
    async fn to(server: SocketAddr, login: Option<&'static str>) -> Self {
        Self::with(server, login, None).await
    }

    async fn with(server: SocketAddr, login: Option<&'static str>, tls: Option<TlsAcceptor>) -> Self {
        let heads: Arc<Mutex<Vec<String>>> = Arc::default();
        let connections: Arc<Mutex<usize>> = Arc::default();
        let (log, count) = (Arc::clone(&heads), Arc::clone(&connections));
        let address = raw(move |_, tcp| {
            let (log, tls) = (Arc::clone(&log), tls.clone());
            *count.lock().unwrap() += 1;
            async move {
                match tls {
                    None => serve(tcp, server, login, &log).await,
                    Some(acceptor) => {
                        if let Ok(stream) = acceptor.accept(tcp).await {
                            serve(stream, server, login, &log).await;
                        }
                    }
                }
            }
        })
        .await;
        Self { address, heads, connections }
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

async fn serve(
    mut client: impl AsyncRead + AsyncWrite + Unpin,
    server: SocketAddr,
    login: Option<&str>,
    log: &Mutex<Vec<String>>,
) {
    let mut server = TcpStream::connect(server).await.unwrap();
    loop {
        let (head, body) = read_request(&mut client).await;
        if head.is_empty() {
            return;
        }
        log.lock().unwrap().push(head.clone());
        if login.is_some() && header(&head, "proxy-authorization") != login {
            let no = "HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic\r\n\
                      content-length: 12\r\n\r\n<html>\nno!\n\n";
            return write(&mut client, no).await;
        }
        if head.starts_with("CONNECT ") {
            write(&mut client, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 Connection established\r\n\r\n")
                .await;
            let _ended = copy_bidirectional(&mut client, &mut server).await;
            return;
        }
        let lines = head.lines().filter(|line| !line.starts_with("proxy-authorization:"));
        let mut onward = lines.collect::<Vec<_>>().join("\r\n") + "\r\n";
        let host = header(&head, "host").unwrap();
        assert!(onward.contains(&format!(" http://{host}/")), "not in absolute form: {head}");
        onward = onward.replacen(&format!(" http://{host}/"), " /", 1);
        write(&mut server, onward).await;
        write(&mut server, body).await;
        let (head, body) = read_request(&mut server).await;
        write(&mut client, head).await;
        write(&mut client, body).await;
    }
}

fn through(stage: &Stage, proxy: Proxy) -> TransportBuilder {
    Transport::builder().root_certificates(stage.ca_pem()).connect_timeout(LIMIT).proxy(proxy)
}

fn bucket(endpoint: &str, transport: TransportBuilder) -> Bucket {
    bucket_over(service(endpoint), &transport.build().unwrap())
}

fn told(error: &Error) -> (FailureKind, String) {
    let ErrorKind::Transport(failure) = error.kind() else { panic!("{error:?}") };
    let cause = failure.cause.as_ref().unwrap().to_string();
    assert!(!format!("{error} {error:?} {cause}").contains("p@ss"), "{error:?}");
    (failure.kind, cause)
}

async fn works(bucket: &Bucket) {
    let bytes = content(300_000);
    bucket.put("a key", bytes.clone()).await.unwrap();
    bucket.put("other", "x").await.unwrap();
    assert!(bucket.get("a key").await.unwrap().bytes().await.unwrap() == bytes);
}

#[tokio::test]
async fn http_requests_are_handed_to_the_proxy_in_absolute_form_over_one_connection() {
    let stage = Stage::up().await.unwrap();
    for (login, in_url) in [(None, String::new()), (Some(LOGIN), format!("{IN_URL}@"))] {
        let proxy = Forwarding::to(stage.address(), login).await;
        let url = format!("http://{in_url}{}", proxy.address);
        works(&bucket(HTTP, through(&stage, Proxy::all(&url).unwrap()))).await;
        let heads = proxy.heads();
        assert_eq!((heads.len(), *proxy.connections.lock().unwrap()), (3, 1));
        let first = "PUT http://examplebucket.oss-cn-hangzhou.aliyuncs.com/a%20key HTTP/1.1\r\n";
        assert!(heads[0].starts_with(first), "{}", heads[0]);
        // What the origin checks goes along: here the proxy is part of the way.
        assert!(heads.iter().all(|head| header(head, "authorization").is_some()));
        assert!(heads.iter().all(|head| header(head, "proxy-authorization") == login), "{heads:?}");
    }
}

#[tokio::test]
async fn https_requests_go_through_a_tunnel_in_which_the_proxy_sees_a_host_and_its_own_login() {
    let stage = Stage::up().await.unwrap();
    for (login, in_url) in [(None, String::new()), (Some(LOGIN), format!("{IN_URL}@"))] {
        let proxy = Forwarding::to(stage.address(), login).await;
        let url = format!("http://{in_url}{}", proxy.address);
        works(&bucket(HTTPS, through(&stage, Proxy::all(&url).unwrap()))).await;
        let target = "examplebucket.oss-cn-hangzhou.aliyuncs.com:443";
        let mut expected = format!("CONNECT {target} HTTP/1.1\r\nhost: {target}\r\n");
        if let Some(login) = login {
            expected += &format!("proxy-authorization: {login}\r\n");
        }
        assert_eq!(proxy.heads(), [expected + "\r\n"]);
    }
}

#[tokio::test]
async fn what_is_said_to_the_proxy_never_reaches_the_origin() {
    let authority = Authority::new("test").unwrap();
    let tls = authority.issue(&["*.oss-cn-hangzhou.aliyuncs.com".to_owned()]).unwrap().server().unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(tls));
    let heads: Arc<Mutex<Vec<String>>> = Arc::default();
    let log = Arc::clone(&heads);
    let origin = raw(move |_, tcp| {
        let (acceptor, log) = (acceptor.clone(), Arc::clone(&log));
        async move {
            let mut stream = acceptor.accept(tcp).await.unwrap();
            loop {
                let (head, _) = read_request(&mut stream).await;
                if head.is_empty() {
                    return;
                }
                log.lock().unwrap().push(head);
                write(&mut stream, common::OK).await;
                stream.flush().await.unwrap();
            }
        }
    })
    .await;
    let proxy = Forwarding::to(origin, Some(LOGIN)).await;
    let url = format!("http://{IN_URL}@{}", proxy.address);
    let transport = Transport::builder().root_certificates(authority.pem()).proxy(Proxy::all(&url).unwrap());
    bucket(HTTPS, transport).delete("key").await.unwrap();
    let heads = heads.lock().unwrap().clone();
    assert_eq!((heads.len(), proxy.heads().len()), (1, 1));
    assert!(heads[0].starts_with("DELETE /key HTTP/1.1\r\n"), "{heads:?}");
    assert!(header(&heads[0], "authorization").is_some());
    assert!(!heads[0].to_ascii_lowercase().contains("proxy"), "{heads:?}");
}

#[tokio::test]
async fn a_proxy_may_want_tls_itself() {
    let stage = Stage::up().await.unwrap();
    let authority = Authority::new("the proxy's").unwrap();
    for version in [TlsVersion::Tls12, TlsVersion::Tls13] {
        let tls = authority.issue(&["127.0.0.1".to_owned()]).unwrap().server().unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(tls));
        let proxy = Forwarding::with(stage.address(), Some(LOGIN), Some(acceptor)).await;
        let url = Proxy::all(&format!("https://{IN_URL}@{}", proxy.address)).unwrap();
        for endpoint in [HTTP, HTTPS] {
            let transport = through(&stage, url.clone()).tls_version(version);
            works(&bucket(endpoint, transport.root_certificates(authority.pem()))).await;
        }
        assert_eq!(proxy.heads().len(), 4);
        // The proxy's certificate is checked like any other.
        let error = bucket(HTTP, through(&stage, url)).put("key", "x").await.unwrap_err();
        let (kind, said) = told(&error);
        assert_eq!((kind, error.outcome()), (FailureKind::Tls, Outcome::NotSent));
        let expected = format!("the proxy {}: invalid peer certificate: UnknownIssuer", proxy.address);
        assert_eq!(said, expected);
    }
}

#[tokio::test]
async fn f04_a_wrong_certificate_behind_a_proxy_names_the_proxy_too() {
    let stage = Stage::up().await.unwrap();
    let proxy = Forwarding::to(stage.address(), None).await;
    let transport = Transport::builder().proxy(Proxy::all(&proxy.address.to_string()).unwrap());
    let error = bucket(HTTPS, transport).put("key", "x").await.unwrap_err();
    let said = format!("through the proxy {}: invalid peer certificate: UnknownIssuer", proxy.address);
    assert_eq!(told(&error), (FailureKind::Tls, said));
    assert_eq!((error.outcome(), error.attempts().len()), (Outcome::NotSent, 1));
}

#[tokio::test]
async fn f17_a_proxy_that_wants_a_login_ends_the_call_and_says_what_to_do() {
    let stage = Stage::up().await.unwrap();
    for (endpoint, what) in
        [(HTTP, "the request"), (HTTPS, "CONNECT examplebucket.oss-cn-hangzhou.aliyuncs.com:443")]
    {
        for (in_url, knows) in [("", false), ("user:wrong-p@ss@", true)] {
            let proxy = Forwarding::to(stage.address(), Some(LOGIN)).await;
            let url = format!("http://{in_url}{}", proxy.address);
            let bucket = bucket(endpoint, through(&stage, Proxy::all(&url).unwrap()));
            let error = bucket.put("key", "x").await.unwrap_err();
            assert_eq!((error.outcome(), error.attempts().len()), (Outcome::NotSent, 1));
            let meaning = if knows {
                "it does not take the user and password of its URL"
            } else {
                "it wants a user and a password"
            };
            let said = format!("the proxy {} answered 407 to {what}: {meaning}", proxy.address);
            let line = error.to_string();
            assert!(line.contains(&said), "{line}");
            assert!(line.ends_with("; set the user and the password in the proxy's URL"), "{line}");
            assert_eq!(told(&error), (FailureKind::Proxy { status: 407 }, said));
        }
    }
}

#[tokio::test]
async fn f17_a_proxy_that_cannot_connect_is_asked_again_and_its_page_is_no_answer() {
    let page = format!("<html>{}</html>", "sorry ".repeat(20_000));
    let bad = format!("HTTP/1.1 502 Bad Gateway\r\ncontent-length: {}\r\n\r\n{page}", page.len());
    let address = raw(move |_, mut tcp| {
        let bad = bad.clone();
        async move {
            read_head(&mut tcp).await;
            write(&mut tcp, bad).await;
        }
    })
    .await;
    let proxy = Proxy::all(&address.to_string()).unwrap();
    let transport = || Transport::builder().proxy(proxy.clone());
    let error = bucket(HTTPS, transport()).put("key", "x").await.unwrap_err();
    let (kind, said) = told(&error);
    assert_eq!((kind, error.outcome()), (FailureKind::Proxy { status: 502 }, Outcome::NotSent));
    assert!(error.attempts().len() > 1, "{error}");
    assert!(said.starts_with(&format!("the proxy {address} answered 502 to CONNECT ")), "{said}");
    // Whether the page is the proxy's or the origin's nobody can tell.
    let error = bucket(HTTP, transport()).put("key", "x").await.unwrap_err();
    assert_eq!(error.status(), Some(502), "{error:?}");
    assert!(error.attempts().len() > 1, "{error}");
}

#[tokio::test]
async fn f17_a_proxy_that_says_nothing_sensible_is_named() {
    let long = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "x".repeat(20_000));
    let cases = [
        (String::new(), FailureKind::Connect, "hung up before it answered CONNECT"),
        ("HTTP/1.1 200 O".into(), FailureKind::Connect, "hung up before it answered CONNECT"),
        ("SSH-2.0-OpenSSH_9.9\r\n\r\n".into(), FailureKind::Protocol, "with what is no HTTP; is it a proxy?"),
        (long, FailureKind::Protocol, "with a head of more than 16 KiB; is it a proxy?"),
        ("HTTP/1.1 200 OK\r\n\r\nhi".into(), FailureKind::Protocol, "with more than a head; is it a proxy?"),
        ("HTTP/1.1 302 F\r\n\r\n".into(), FailureKind::Proxy { status: 302 }, "answered 302 to CONNECT"),
        (
            "HTTP/1.1 403 F\r\n\r\n".into(),
            FailureKind::Proxy { status: 403 },
            "it does not allow this host and port",
        ),
        // What comes before the answer is none.
        (
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 E\r\nx: y\r\n\r\nHTTP/1.1 403 F\r\n\r\n".into(),
            FailureKind::Proxy { status: 403 },
            "answered 403 to CONNECT",
        ),
        ("HTTP/1.1 101 S\r\n\r\n".into(), FailureKind::Proxy { status: 101 }, "answered 101 to CONNECT"),
    ];
    for (answer, kind, said) in cases {
        let address = raw(move |_, mut tcp| {
            let answer = answer.clone();
            async move {
                read_head(&mut tcp).await;
                write(&mut tcp, answer).await;
            }
        })
        .await;
        let proxy = Proxy::none().https(&address.to_string()).unwrap();
        let bucket = bucket(HTTPS, Transport::builder().proxy(proxy));
        let error = bucket.put("key", "x").await.unwrap_err();
        let (is, cause) = told(&error);
        assert_eq!((is, error.outcome()), (kind, Outcome::NotSent), "{cause}");
        assert!(cause.contains(said) && cause.contains(&address.to_string()), "{cause}");
        let is_retried = matches!(kind, FailureKind::Connect);
        assert_eq!(error.attempts().len() > 1, is_retried, "{error}");
    }
}

#[tokio::test]
async fn f05_a_proxy_that_never_answers_is_within_the_time_to_connect() {
    let address = raw(|_, tcp| async move {
        let _open = tcp;
        core::future::pending::<()>().await;
    })
    .await;
    let limit = Duration::from_millis(200);
    for (scheme, said) in [("http", "no answer to CONNECT"), ("https", "the TLS handshake did not end")] {
        let proxy = Proxy::all(&format!("{scheme}://{address}")).unwrap();
        let transport = Transport::builder().proxy(proxy).connect_timeout(limit).build().unwrap();
        let bucket = bucket_over(service(HTTPS).with_retry(oss_hyper::Policy::none()), &transport);
        let began = Instant::now();
        let error = bucket.put("key", "x").await.unwrap_err();
        assert!((limit..LIMIT).contains(&began.elapsed()), "{:?}", began.elapsed());
        assert_eq!(told(&error), (FailureKind::Connect, format!("the proxy {address}: {said} within 0.2 s")));
        assert_eq!(error.outcome(), Outcome::NotSent);
    }
}

#[tokio::test]
async fn f01_a_proxy_that_is_not_found_is_named() {
    let proxy = Proxy::all("http://user:p%40ss@proxy.example:3128").unwrap();
    let transport = Transport::builder().proxy(proxy).connect_timeout(Duration::from_millis(200));
    let transport = transport.resolver(|_| core::future::pending()).build().unwrap();
    for endpoint in [HTTP, HTTPS] {
        let bucket = bucket_over(service(endpoint).with_retry(oss_hyper::Policy::none()), &transport);
        let error = bucket.put("key", "x").await.unwrap_err();
        let said = "the proxy proxy.example:3128: the look-up of its name did not end within 0.2 s";
        assert_eq!(told(&error), (FailureKind::Dns, said.to_owned()));
    }
}

#[tokio::test]
async fn hosts_that_are_excepted_are_reached_without_the_proxy() {
    let stage = Stage::up().await.unwrap();
    let proxy = Forwarding::to(stage.address(), None).await;
    let url = proxy.address.to_string();
    let rounds = [
        (Proxy::all(&url).unwrap().except("other.example, .aliyuncs.com"), 0),
        (Proxy::all(&url).unwrap().except("*"), 0),
        (Proxy::none().http(&url).unwrap(), 0),
        (Proxy::all(&url).unwrap().except("other.example,.aliyuncs.com:80"), 1),
    ];
    for (proxied, expected) in rounds {
        let transport = through(&stage, proxied.clone()).resolver(stage.resolver());
        bucket(HTTPS, transport).put("key", "x").await.unwrap();
        assert_eq!(proxy.heads().len(), expected, "{proxied:?}");
    }
}

#[tokio::test]
async fn a_proxys_own_name_is_looked_up_by_the_resolver() {
    let stage = Stage::up().await.unwrap();
    let proxy = Forwarding::to(stage.address(), None).await;
    let (at, asked) = (proxy.address, Arc::new(Mutex::new(Vec::new())));
    let log = Arc::clone(&asked);
    let transport = through(&stage, Proxy::all(&format!("http://proxy.example:{}", at.port())).unwrap());
    let transport = transport.resolver(move |host| {
        log.lock().unwrap().push(host);
        // Port 0 stands for the port of the URL.
        core::future::ready(Ok(vec![SocketAddr::new(at.ip(), 0)]))
    });
    works(&bucket(HTTPS, transport)).await;
    assert_eq!((proxy.heads().len(), asked.lock().unwrap().clone()), (1, vec!["proxy.example".to_owned()]));
}

/// A proxy that somebody else wrote; ends with the test.
struct Tinyproxy(std::process::Child, SocketAddr, std::path::PathBuf);

impl Tinyproxy {
    /// `None` where it is not installed.
    async fn start(login: &str) -> Option<Self> {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let file = format!("oss-hyper-tinyproxy-{}-{}.conf", std::process::id(), free.port());
        let file = std::env::temp_dir().join(file);
        let lines = format!("Port {}\nListen 127.0.0.1\nTimeout 30\nLogLevel Error\n{login}\n", free.port());
        std::fs::write(&file, lines).unwrap();
        let mut command = std::process::Command::new("tinyproxy");
        let child = command.arg("-d").arg("-c").arg(&file).stdout(std::process::Stdio::null()).spawn();
        let proxy = Self(child.ok()?, free, file);
        for _ in 0..200 {
            if TcpStream::connect(free).await.is_ok() {
                return Some(proxy);
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("tinyproxy does not listen on {free}");
    }
}

impl Drop for Tinyproxy {
    fn drop(&mut self) {
        let _ended = self.0.kill();
        let _ended = self.0.wait();
        let _gone = std::fs::remove_file(&self.2);
    }
}

#[tokio::test]
async fn a_real_proxy_of_another_hand_takes_requests_and_tunnels() {
    let stage = Stage::up().await.unwrap();
    for (login, in_url) in [("", ""), ("BasicAuth someone pass-word", "someone:pass-word@")] {
        let Some(proxy) = Tinyproxy::start(login).await else {
            return println!("skipped: `tinyproxy` is not installed; Debian has it");
        };
        for scheme in ["http", "https"] {
            let endpoint = format!("{scheme}://{}", stage.address());
            let url = format!("http://{in_url}{}", proxy.1);
            works(&bucket(&endpoint, through(&stage, Proxy::all(&url).unwrap()))).await;
            if !in_url.is_empty() {
                let without = Proxy::all(&proxy.1.to_string()).unwrap();
                let error = bucket(&endpoint, through(&stage, without)).put("key", "x").await.unwrap_err();
                assert_eq!(told(&error).0, FailureKind::Proxy { status: 407 }, "{error:?}");
            }
        }
    }
}
