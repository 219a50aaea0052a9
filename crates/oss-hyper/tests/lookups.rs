//! What credential sources ask, answered by files, programs and servers of this machine.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails stops")]

extern crate alloc;

mod common;
#[path = "../examples/stage/mod.rs"]
mod stage;

use alloc::sync::Arc;
use core::net::SocketAddr;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::time::Duration;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Instant;

use common::{header, raw, read_request, service, write};
use oss_hyper::{
    Client, Credentials, CredentialsProvider, CredentialsUri, EcsRole, GetObject, IniProfile, OidcRole,
    Process, Proxy, Source, StsEndpoint, Transport,
};

const MINUTE: Duration = Duration::from_secs(60);
/// What a source prints or answers that has credentials.
const GRANT: &str = concat!(
    r#"{"Code":"Success","AccessKeyId":"found-id","AccessKeySecret":"found-secret","#,
    r#""SecurityToken":"found-token","Expiration":"2099-01-01T00:00:00Z"}"#,
);

/// The URL that is signed with what the source gives, or why there is none. Nothing is sent to OSS for it.
async fn signed(provider: impl Into<CredentialsProvider>) -> Result<String, String> {
    signed_over(Transport::new(), provider).await
}

async fn signed_over(
    transport: Transport,
    provider: impl Into<CredentialsProvider>,
) -> Result<String, String> {
    let client = Client::new(service("http://127.0.0.1:1"), provider).with_transport(transport);
    let url = client.presign(GetObject::new("examplebucket", "key"), MINUTE).await;
    url.map(|url| url.expose_url().to_owned()).map_err(|error| error.to_string())
}

fn shell(script: &str) -> Process {
    Process::new("/bin/sh").argument("-c").argument(script)
}

/// A file of this test, removed with it.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str, content: &[u8]) -> Self {
        let path = std::env::temp_dir().join(format!("oss-hyper-{}-{name}", std::process::id()));
        std::fs::write(&path, content).unwrap();
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _gone = std::fs::remove_file(&self.0);
    }
}

/// A server that answers each request, known by its first line, and remembers the heads.
async fn server(
    answer: impl Fn(&str) -> String + Send + Sync + 'static,
) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let heads = Arc::new(Mutex::new(Vec::new()));
    let (seen, answer) = (Arc::clone(&heads), Arc::new(answer));
    let address = raw(move |_, mut stream| {
        let (seen, answer) = (Arc::clone(&seen), Arc::clone(&answer));
        async move {
            let (head, _) = read_request(&mut stream).await;
            let reply = answer(&head);
            seen.lock().unwrap().push(head);
            write(&mut stream, reply).await;
        }
    })
    .await;
    (address, heads)
}

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

fn refusal(status: u16) -> String {
    format!("HTTP/1.1 {status} No\r\ncontent-length: 2\r\n\r\nno")
}

#[tokio::test]
async fn a_program_prints_credentials() {
    let url = signed(shell(&format!("printf '%s' '{GRANT}'"))).await.unwrap();
    assert!(url.contains("found-id") && url.contains("found-token"), "{url}");
    // No shell of ours: an argument is an argument.
    let url = signed(Process::new("printf").argument("%s").argument(GRANT)).await.unwrap();
    assert!(url.contains("found-id"), "{url}");
}

#[tokio::test]
async fn b64_a_program_that_misbehaves_is_no_source() {
    for (script, reason) in [
        ("echo 'my-hidden-secret' >&2; exit 3".to_owned(), "the program"),
        ("yes 0123456789abcdef".to_owned(), "the program"),
        ("echo nonsense".to_owned(), "the program"),
    ] {
        let error = signed(shell(&script)).await.unwrap_err();
        assert!(error.contains(reason) && !error.contains("hidden"), "{script}: {error}");
    }
    let error = signed(Process::new("/no/such/program")).await.unwrap_err();
    assert!(error.contains("/no/such/program"), "{error}");
}

#[tokio::test]
async fn b64_a_program_that_does_not_end_is_killed() {
    let mark = Scratch::new("mark", b"");
    let script = format!("while true; do date > '{}'; sleep 0.02; done", mark.path());
    let service = service("http://127.0.0.1:1").with(|settings| {
        settings.timeouts.credentials = Duration::from_millis(200);
    });
    let client = Client::new(service, shell(&script));
    let error = client.presign(GetObject::new("examplebucket", "key"), MINUTE).await.unwrap_err();
    let expected = "the program that prints credentials failed: gave no answer in time";
    assert!(error.to_string().contains(expected), "{error}");
    // The call gave up; the program has its own minute, which passes in no time here.
    tokio::time::pause();
    tokio::time::sleep(MINUTE * 2).await;
    tokio::time::resume();
    tokio::time::sleep(Duration::from_millis(300)).await;
    std::fs::write(mark.path(), "over").unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(std::fs::read_to_string(mark.path()).unwrap(), "over");
}

#[tokio::test]
async fn a_uri_is_asked_once_for_many_callers() {
    let (address, heads) = server(|_| ok(GRANT)).await;
    let provider = CredentialsUri::new(format!("http://{address}/credentials?key=my-query-secret"));
    let client = Client::new(service("http://127.0.0.1:1"), provider);
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let client = client.clone();
        calls.spawn(async move { client.presign(GetObject::new("examplebucket", "key"), MINUTE).await });
    }
    while let Some(url) = calls.join_next().await {
        assert!(url.unwrap().unwrap().expose_url().contains("found-id"));
    }
    let heads = heads.lock().unwrap();
    assert_eq!(heads.len(), 1, "{heads:?}");
    assert!(heads[0].starts_with("GET /credentials?key=my-query-secret HTTP/1.1\r\n"), "{heads:?}");
    assert_eq!(header(&heads[0], "host"), Some(address.to_string().as_str()));
}

#[tokio::test]
async fn f82_a_server_that_misbehaves_is_no_source() {
    let huge = || format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(1 << 20));
    let cut = || "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{\"Code\"".to_owned();
    let moved =
        |to: SocketAddr| format!("HTTP/1.1 302 Found\r\nlocation: http://{to}/\r\ncontent-length: 0\r\n\r\n");
    let (other, visits) = server(|_| ok(GRANT)).await;
    let answers: Vec<Box<dyn Fn() -> String + Send + Sync>> = vec![
        Box::new(huge),
        Box::new(cut),
        Box::new(move || moved(other)),
        Box::new(|| refusal(500)),
        Box::new(|| ok("<html>my-body-secret</html>")),
        Box::new(|| "SSH-2.0-OpenSSH\r\n".to_owned()),
    ];
    for answer in answers {
        let (address, _) = server(move |_| answer()).await;
        let provider = CredentialsUri::new(format!("http://{address}/credentials"));
        let error = signed(provider).await.unwrap_err();
        assert!(!error.contains("my-body-secret") && error.contains("URI"), "{error}");
    }
    assert!(visits.lock().unwrap().is_empty(), "a redirect was followed");
}

#[tokio::test]
async fn f85_the_end_that_a_server_names_is_what_a_signature_may_live_to() {
    let grant = |end: &str| GRANT.replace(r#","Expiration":"2099-01-01T00:00:00Z""#, end);
    let hour = MINUTE * 60;
    let cases = [
        (r#","Expiration":"2001-01-01T00:00:00Z""#, MINUTE, false),
        (r#","Expiration":"2001-01-01T00:00:00+08:00""#, MINUTE, false),
        (r#","Expiration":"tomorrow""#, MINUTE, false),
        (r#","Expiration":"2099-01-01T00:00:00Z""#, hour * 11, true),
        (r#","Expiration":"2099-01-01T08:00:00+08:00""#, hour * 11, true),
        (r#","Expiration":"9999-12-31T23:59:59Z""#, hour * 11, true),
    ];
    for (end, lifetime, lives) in cases {
        let body = grant(end);
        let (address, heads) = server(move |_| ok(&body)).await;
        let provider = CredentialsUri::new(format!("http://{address}/credentials"));
        let client = Client::new(service("http://127.0.0.1:1"), provider);
        let signed = client.presign(GetObject::new("examplebucket", "key"), lifetime).await;
        let said = signed.as_ref().err().map(ToString::to_string).unwrap_or_default();
        assert_eq!(signed.is_ok(), lives, "{end:?} for {lifetime:?}: {said}");
        assert!(!said.contains("found-secret") && !said.contains("found-token"), "{said}");
        assert_eq!(heads.lock().unwrap().len(), 1, "{end:?}");
    }
}

/// Absent: a quarter of an hour. Far away: twelve hours, whatever was said.
#[tokio::test]
async fn f85_an_end_that_is_absent_or_far_away_is_one_of_ours() {
    let unstated = GRANT.replace(r#","Expiration":"2099-01-01T00:00:00Z""#, "");
    for (body, lasts, ends) in [
        (unstated, MINUTE * 9, MINUTE * 7),
        (GRANT.to_owned(), MINUTE * 60 * 8, MINUTE * 60 * 5),
        (GRANT.replace("2099-01-01T00", "9999-12-31T23"), MINUTE * 60 * 8, MINUTE * 60 * 5),
    ] {
        let (address, heads) = server(move |_| ok(&body)).await;
        let provider = CredentialsUri::new(format!("http://{address}/credentials"));
        let client = Client::new(service("http://127.0.0.1:1"), provider);
        for (pass, asked) in [(Duration::ZERO, 1), (lasts, 1), (ends, 2)] {
            tokio::time::pause();
            tokio::time::advance(pass).await;
            tokio::time::resume();
            client.presign(GetObject::new("examplebucket", "key"), MINUTE).await.unwrap();
            assert_eq!(heads.lock().unwrap().len(), asked, "{lasts:?}");
        }
    }
}

#[tokio::test]
async fn the_metadata_service_is_asked_in_its_hardened_mode_and_never_by_a_proxy() {
    let (address, heads) = server(|head| match head.split(' ').take(2).collect::<Vec<_>>()[..] {
        ["PUT", "/latest/api/token"] => ok("a-metadata-token"),
        _ if header(head, "x-aliyun-ecs-metadata-token") != Some("a-metadata-token") => refusal(403),
        ["GET", "/latest/meta-data/ram/security-credentials/"] => ok("the-role"),
        ["GET", "/latest/meta-data/ram/security-credentials/the-role"] => ok(GRANT),
        _ => refusal(404),
    })
    .await;
    let (proxy, asked) = server(|_| refusal(502)).await;
    let transport =
        Transport::builder().proxy(Proxy::all(&format!("http://{proxy}")).unwrap()).build().unwrap();
    let role = || EcsRole::new().endpoint(address.to_string());
    let url = signed_over(transport, role()).await.unwrap();
    assert!(url.contains("found-token"), "{url}");
    let firsts: Vec<String> =
        heads.lock().unwrap().iter().map(|head| head.lines().next().unwrap().to_owned()).collect();
    assert_eq!(
        firsts,
        [
            "PUT /latest/api/token HTTP/1.1",
            "GET /latest/meta-data/ram/security-credentials/ HTTP/1.1",
            "GET /latest/meta-data/ram/security-credentials/the-role HTTP/1.1",
        ]
    );
    assert!(asked.lock().unwrap().is_empty(), "f84: the proxy was asked");
    // A client of the program's own is not asked either.
    let calls = Arc::new(AtomicUsize::new(0));
    let own = Transport::from_service(Never(Arc::clone(&calls)));
    signed_over(own, role()).await.unwrap();
    assert_eq!(calls.load(Ordering::Relaxed), 0);
}

/// In the middle of its answer, too: each try has a second in all.
#[tokio::test]
async fn f82_a_metadata_service_that_says_nothing_is_given_up_after_three_seconds() {
    for begun in ["", "HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\nhalf a to"] {
        let tries = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&tries);
        let address = raw(move |_, mut stream| {
            count.fetch_add(1, Ordering::Relaxed);
            async move {
                read_request(&mut stream).await;
                write(&mut stream, begun.to_owned()).await;
                tokio::time::sleep(MINUTE).await;
            }
        })
        .await;
        let began = Instant::now();
        let error = signed(EcsRole::new().endpoint(address.to_string())).await.unwrap_err();
        assert!(error.contains("the RAM role of the ECS instance gave no answer:"), "{error}");
        assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
        assert_eq!(tries.load(Ordering::Relaxed), 3);
    }
}

#[tokio::test]
async fn f84_a_credentials_uri_of_this_machine_never_goes_to_a_proxy() {
    let (address, _) = server(|_| ok(GRANT)).await;
    let (proxy, asked) = server(|_| ok(GRANT)).await;
    let proxied = Proxy::all(&format!("http://{proxy}")).unwrap();
    let transport = Transport::builder().proxy(proxied).build().unwrap();
    signed_over(transport, CredentialsUri::new(format!("http://{address}/a-path"))).await.unwrap();
    assert!(asked.lock().unwrap().is_empty(), "the proxy was asked");
}

#[tokio::test]
async fn a_home_that_is_no_directory_has_no_profiles() {
    let file = Scratch::new("home", b"");
    let chain = Source::Chain(vec![
        IniProfile::new().file(format!("{}/credentials", file.path())).into(),
        Credentials::new("id", "secret").unwrap().into(),
    ]);
    let error = signed_over(Transport::new(), chain).await.unwrap_err();
    assert!(error.contains("is named, and is not there"), "{error}");
}

/// An HTTP client that has no answer.
#[derive(Clone)]
struct Never(Arc<AtomicUsize>);

impl tower_service::Service<http::Request<oss_hyper::RequestBody>> for Never {
    type Response = http::Response<http_body_util::Empty<bytes::Bytes>>;
    type Error = std::io::Error;
    type Future = core::future::Ready<Result<Self::Response, std::io::Error>>;

    fn poll_ready(
        &mut self,
        _: &mut core::task::Context<'_>,
    ) -> core::task::Poll<Result<(), std::io::Error>> {
        core::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: http::Request<oss_hyper::RequestBody>) -> Self::Future {
        self.0.fetch_add(1, Ordering::Relaxed);
        core::future::ready(Err(std::io::Error::other("the own client was asked")))
    }
}

#[tokio::test]
async fn sts_is_asked_through_the_clients_own_connections() {
    let calls = Arc::new(AtomicUsize::new(0));
    let own = Transport::from_service(Never(Arc::clone(&calls)));
    let token = Scratch::new("token", b"an-oidc-token");
    let role = |path: &str| {
        OidcRole::new("acs:ram::123456789012:role/reader", "acs:ram::123456789012:oidc-provider/ack", path)
            .endpoint(StsEndpoint::Central)
    };
    let error = signed_over(own, role(token.path())).await.unwrap_err();
    assert!(calls.load(Ordering::Relaxed) >= 1 && !error.contains("an-oidc-token"), "{error}");
    // A proxy that will not have us says so.
    let (proxy, heads) = server(|_| refusal(407)).await;
    let proxied = Proxy::all(&format!("http://user:my-proxy-secret@{proxy}")).unwrap();
    let transport = Transport::builder().proxy(proxied).build().unwrap();
    let error = signed_over(transport, role(token.path())).await.unwrap_err();
    assert!(error.contains("407") && !error.contains("my-proxy-secret"), "{error}");
    assert!(heads.lock().unwrap()[0].starts_with("CONNECT sts.aliyuncs.com:443 "), "{heads:?}");
}

#[cfg(feature = "rustls")]
#[tokio::test]
async fn where_credentials_come_from_is_verified_even_when_oss_is_not() {
    let stage = stage::Stage::up().await.unwrap();
    let uri = || CredentialsUri::new("https://oss-cn-hangzhou.aliyuncs.com/credentials");
    let unverified = Transport::builder().resolver(stage.resolver()).insecure_skip_verify(true);
    let error = signed_over(unverified.clone().build().unwrap(), uri()).await.unwrap_err();
    assert!(error.contains("UnknownIssuer"), "{error}");
    // With its root it is asked, and says no by itself.
    let trusted = unverified.root_certificates(stage.ca_pem());
    let error = signed_over(trusted.build().unwrap(), uri()).await.unwrap_err();
    assert!(error.contains("status"), "{error}");
}

#[tokio::test]
async fn a_file_that_is_none_is_refused_and_named() {
    let role = |path: &str| {
        OidcRole::new("acs:ram::123456789012:role/reader", "acs:ram::123456789012:oidc-provider/ack", path)
    };
    let huge = Scratch::new("huge", &vec![b'x'; 2 << 20]);
    let secret = Scratch::new("controls", b"my-file-secret\0");
    for path in ["/no/such/file", "/", "/dev/zero", huge.path(), secret.path()] {
        let error = signed(role(path)).await.unwrap_err();
        assert!(error.contains("token") && !error.contains("my-file-secret"), "{path}: {error}");
    }
    let error = signed(Source::Chain(Vec::new())).await.unwrap_err();
    assert!(error.contains("no credentials"), "{error}");
}
