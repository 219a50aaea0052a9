//! No secret of any credential source is in anything that a person or a log gets to see, however it goes.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

extern crate alloc;

mod lines;

use core::fmt::Write as _;
use core::net::SocketAddr;

use lines::Lines;
use oss_hyper::{
    Bucket, CliProfile, Config, Credentials, CredentialsProvider, CredentialsUri, EcsRole, IniProfile,
    OidcRole, Process, RamRole, Source, StsEndpoint,
};
use oss_sim::canary::Canaries;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// How the servers behind the sources behave; what they say has a secret in it in every case.
#[derive(Clone, Copy, Debug)]
enum Mood {
    /// Credentials, which OSS then refuses.
    Generous,
    Failing,
    Forbidding,
    /// A page for people.
    Html,
    /// Half of the credentials.
    Cut,
    /// A secret that no header can carry.
    Dirty,
    Endless,
}

const MOODS: [Mood; 7] =
    [Mood::Generous, Mood::Failing, Mood::Forbidding, Mood::Html, Mood::Cut, Mood::Dirty, Mood::Endless];
const ROLE: &str = "acs:ram::1234567890123456:role/writer";
const PROVIDER: &str = "acs:ram::1234567890123456:oidc-provider/ack";
const KEYS: &str = concat!(
    r#""AccessKeyId":"an-id","AccessKeySecret":"CANARY-secret","SecurityToken":"CANARY-token","#,
    r#""Expiration":"2099-01-01T00:00:00Z""#,
);

#[test]
fn b67_no_secret_of_a_source_is_shown_or_heard() {
    let lines = Lines::default();
    let shown = tracing::subscriber::with_default(lines.clone(), || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(everything())
    });
    let heard = lines.text();
    assert!(heard.contains("oss_call") && shown.contains("gave credentials") && shown.len() > 20_000);
    let mut canaries = Canaries::default();
    for secret in ["CANARY-secret", "CANARY-token", "CANARY-metadata-token", "CANARY-oidc"] {
        canaries.add(secret, secret.as_bytes());
    }
    for text in [&shown, &heard] {
        assert_eq!(canaries.find(text), None);
        let found = text.lines().find(|line| line.contains("CANARY"));
        assert_eq!(found, None);
    }
}

async fn everything() -> String {
    let mut shown = String::new();
    for mood in MOODS {
        let address = serve(mood).await;
        let folder = std::env::temp_dir().join(format!("oss-sim-{}-{mood:?}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = |name: &str, text: &str| {
            std::fs::write(folder.join(name), text).unwrap();
            folder.join(name).to_str().unwrap().to_owned()
        };
        for source in sources(mood, address, &file) {
            writeln!(shown, "{mood:?} {source:?} {source:#?}").unwrap();
            let config = Config::new().region("cn-hangzhou").endpoint(format!("http://{address}"));
            let config = config.credentials_provider(source);
            writeln!(shown, "{config:?}").unwrap();
            tell(&mut shown, &config.bucket("examplebucket").unwrap()).await;
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }
    shown
}

/// Everything that can be seen of a call with this client.
async fn tell(shown: &mut String, bucket: &Bucket) {
    let error = bucket.put("key", "hello").await.unwrap_err();
    writeln!(shown, "{error} {error:?} {error:#?}").unwrap();
    let account = bucket.client().account();
    writeln!(shown, "{account:?} {bucket:?} {:?}", account.explain()).unwrap();
    writeln!(shown, "{}", account.explain()).unwrap();
    let url = bucket.presign(oss_hyper::GetObject::to("key"), core::time::Duration::from_secs(60)).await;
    match url {
        Ok(url) => writeln!(shown, "{url} {url:?}").unwrap(),
        Err(error) => writeln!(shown, "{error} {error:?}").unwrap(),
    }
}

fn sources(mood: Mood, address: SocketAddr, file: &dyn Fn(&str, &str) -> String) -> Vec<CredentialsProvider> {
    let sts = || StsEndpoint::InsecureHttp(address.to_string());
    let key = || Credentials::new("an-id", "CANARY-secret").unwrap().with_token("CANARY-token").unwrap();
    let role = || RamRole::new(ROLE).assumed_by(key()).endpoint(sts()).external_id("CANARY-id");
    let token = file("token", if matches!(mood, Mood::Dirty) { "CANARY token\0" } else { "CANARY-oidc" });
    let keys = r#""access_key_id":"an-id","access_key_secret":"CANARY-secret""#;
    let broken = if matches!(mood, Mood::Cut) { ",CANARY" } else { "" };
    let config = format!(r#"{{"current":"a","profiles":[{{"name":"a","mode":"AK",{keys}{broken}}}]}}"#);
    let section = format!(
        "[default]\ntype = {}\naccess_key_id = an-id\naccess_key_secret = CANARY-secret\n{}\n",
        if matches!(mood, Mood::Dirty) { "CANARY" } else { "access_key" },
        if matches!(mood, Mood::Cut) { "[CANARY" } else { "" },
    );
    let printed = body(mood, format!("{{{KEYS}}}")).1;
    let program = match mood {
        Mood::Failing => Process::new("/bin/sh").argument("-c").argument("echo CANARY >&2; exit 3"),
        Mood::Forbidding => Process::new("/no/such/program").argument("CANARY"),
        _ => {
            Process::new("/usr/bin/printf").argument("%s").argument(printed.get(..60_000).unwrap_or(&printed))
        }
    };
    let known = matches!(mood, Mood::Generous);
    let custom = CredentialsProvider::from_fn(move || async move {
        let failed = || std::io::Error::other("the vault is closed");
        if known { Ok(Some(Credentials::new("an-id", "CANARY-secret").unwrap())) } else { Err(failed()) }
    });
    let mut all: Vec<CredentialsProvider> = [
        Source::from(key()),
        role().into(),
        role().policy("{\"CANARY\":1}").assumed_by(EcsRole::new().endpoint(address.to_string())).into(),
        OidcRole::new(ROLE, PROVIDER, token).endpoint(sts()).into(),
        EcsRole::new().endpoint(address.to_string()).into(),
        CredentialsUri::new(format!("http://{address}/uri?key=CANARY")).into(),
        CredentialsUri::new(format!("http://user:CANARY@{address}/")).into(),
        program.into(),
        CliProfile::new().file(file("config.json", &config)).into(),
        IniProfile::new().file(file("credentials", &section)).into(),
        Source::Chain(vec![Source::Environment, role().into()]),
    ]
    .map(CredentialsProvider::from)
    .into();
    all.push(custom);
    all
}

/// Status and body, where `good` is what a generous server says.
fn body(mood: Mood, good: String) -> (u16, String) {
    match mood {
        Mood::Generous => (200, good),
        Mood::Failing => (500, r#"{"Code":"InternalError","Message":"CANARY"}"#.to_owned()),
        Mood::Forbidding => (403, r#"{"Code":"CANARY denied","Message":"CANARY"}"#.to_owned()),
        Mood::Html => (200, "<html>CANARY</html>".to_owned()),
        Mood::Cut => (200, good.split_at(good.len() - 30).0.to_owned()),
        Mood::Dirty => (200, good.replace("CANARY-secret", r"CANARY\r\n-secret")),
        Mood::Endless => (200, "CANARY".repeat(20_000)),
    }
}

async fn serve(mood: Mood) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream, mood));
        }
    });
    address
}

async fn answer(mut stream: TcpStream, mood: Mood) {
    let mut request = Vec::new();
    while !request.windows(4).any(|window| window == b"\r\n\r\n") {
        if stream.read_buf(&mut request).await.unwrap_or(0) == 0 {
            return;
        }
    }
    let head = String::from_utf8_lossy(&request).into_owned();
    let (status, text) = match head.split(' ').take(2).collect::<Vec<_>>()[..] {
        ["PUT", "/latest/api/token"] => (200, "CANARY-metadata-token".to_owned()),
        ["GET", path] if path.ends_with("/security-credentials/") => (200, "a-role".to_owned()),
        ["GET", path] if path.starts_with("/latest") || path.starts_with("/uri") => {
            body(mood, format!(r#"{{"Code":"Success",{KEYS}}}"#))
        }
        ["POST", "/"] => body(mood, format!(r#"{{"Credentials":{{{KEYS}}}}}"#)),
        _ => (403, "<Error><Code>InvalidAccessKeyId</Code><Message>no</Message></Error>".to_owned()),
    };
    let answer = format!(
        "HTTP/1.1 {status} Status\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{text}",
        text.len()
    );
    // A client that has read enough hangs up.
    let _gone = stream.write_all(answer.as_bytes()).await;
    let _gone = stream.read_to_end(&mut request).await;
}
